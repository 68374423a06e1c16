"""A training that leaves a folder behind, and goes on from that folder after a kill."""

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

from accelerate.utils import broadcast_object_list
from torch import Tensor, nn

from diffutils.course import parameters
from diffutils.course.runs import earlier, fingerprint
from diffutils.course.runs.earlier import LOG, MODEL, PICTURE, STORE
from diffutils.course.tables import aligned
from diffutils.data import png
from diffutils.weights import files, provenance, surroundings
from diffutils.weights import state as saves


def recorded(
    folder: Path,
    net: nn.Module,
    run: Callable[..., Iterator[SimpleNamespace]],
    about: dict,
    *,
    resume: str = "auto",
    card: dict | None = None,
    draw: Callable | None = None,
    draws: int = 10,
    shape: Sequence[int] = (),
    around: Callable[[nn.Module], nn.Module] = lambda net: net,
    seen: Callable[[], Tensor] | None = None,
    save_every: float = 180.0,
    say: Callable[[str], None] = print,
    elsewhere: Callable | None = None,
) -> Iterator[SimpleNamespace]:
    """Keep a training of net in a folder, and resume it from there.

    run(state=...): records of `loop.optimise` from that state on, None for the start.  about:
    what decides them, steps and log_every among it, e.g. `fingerprint.optimisation`.
    resume: "auto" goes on from the newest whole checkpoint of the very same training, "never"
    starts anew; what a start from step 0 would overwrite is set aside in earlier-1/, earlier-2/...
    A damaged picture or line of the log is left out, with a warning that names it (the log as it
    was goes into earlier-1/); damaged weights are written anew.
    card: goes beside the weights, which are called card["name"], else as the folder is.
    draw(ema): images uint8 (n, *shape), drawn with the averaged weights `draws` times on the way.
    around(net): what a record's ema is, of averaged weights that are read back; fit's: a Denoiser.
    seen(): training images uint8, kept in trdata/ by a start from step 0.
    save_every: seconds between checkpoints; one more is written at the end.
    elsewhere(folder, resume, processes, say): the same training by that many processes.  It is
    called where several GPUs are seen, and what it leaves is read; without it one GPU trains.

    Yields run's records with two entries more: samples (images of draw, or None) and replayed
    (True for the steps of an earlier process; of these only the last one has ema).
    Raises: FloatingPointError, naming the step and the last good checkpoint, when the loss is not
    finite; ValueError for an unknown resume; else what run raises.
    """
    # Find the checkpoint to go on from; of several processes the first one decides and writes.
    parameters.resume(resume)
    process = surroundings.accelerator()
    folder = Path(folder)
    first, log, store = process.is_main_process, folder / LOG, folder / STORE
    name = (card or {}).get("name", folder.name)
    if Path(name).name != name:
        raise ValueError(f"the card's name is {name!r}, expected the name of a file, without slash")
    weights = folder / f"{name}.safetensors"
    own = {"code": fingerprint.training_code(), "hardware": provenance.hardware()}
    own |= {"processor": provenance.processor(), "processes": process.num_processes}
    versions = provenance.versions() | own
    model = _model(around(net), about)
    if (processes := surroundings.processes()) > 1 and not earlier.finished(store, about, resume):
        if elsewhere is None:
            how = "all share what a card says wholly, and what `accelerate launch` starts"
            say(f"{folder.name}: one of {processes} GPUs trains; {how}")
        else:
            elsewhere(folder, resume, processes, say)
            resume = "auto"
    where = folder, weights, about, versions, resume, model, say
    path = earlier.checkpoint(*where) if first else None
    (path,) = broadcast_object_list([path])
    state, body = saves.read(path) if path else (None, {})
    # Bring the folder to that state.
    replayed = []
    if path and first:
        replayed = [*earlier.lines(log, body["record"], about), body["record"]]
    (replayed,) = broadcast_object_list([replayed])
    if first:
        if not path:  # model.txt comes first: by it the next start sees whose files these are
            files.write_whole(folder / MODEL, model.encode())
        text = "".join(json.dumps(line) + "\n" for line in replayed)
        files.write_whole(log, text.encode())  # without what came after the checkpoint
        if not path and seen is not None:
            png.write_grid(folder / "trdata" / "first.png", seen())
    # Replay the steps that were done before.
    for line in replayed:
        r = earlier.replay(line, folder, shape)
        if r.step == state["step"]:
            average = copy.deepcopy(net).to(process.device)
            average.load_state_dict(state["ema"])
            r.ema = around(average).eval().requires_grad_(False)
            if first:
                described = line, card, about, body["versions"]
                earlier.mend_weights(path, weights, state["ema"], *described, say=say)
        yield r
    # Train: note every record, draw now and then, save now and then.
    saved, every = time.monotonic(), about["log_every"]
    points = math.ceil(about["steps"] / every)  # records of the whole run
    try:
        for r in run(state=state):
            line = {k: v for k, v in vars(r).items() if isinstance(v, int | float | None)}
            line = files.finite(line)  # JSON has no nan
            r.samples, r.replayed, i = None, False, math.ceil(r.step / every)
            if first:
                if draw is not None and i * draws // points > (i - 1) * draws // points:
                    r.samples = draw(r.ema)
                    line["samples"] = len(r.samples)
                    png.write_grid(folder / PICTURE.format(r.step), r.samples)
                with files.naming(log), open(log, "a", encoding="utf-8") as f:
                    f.write(json.dumps(line) + "\n")
                    f.flush()
                    os.fsync(f.fileno())  # a checkpoint must not outlive the lines before it
                if time.monotonic() - saved >= save_every or r.step == about["steps"]:
                    state = r.state()
                    manifest = {"settings": about, "record": line, "versions": versions}
                    path = saves.save(store, state, manifest)
                    earlier.write_weights(weights, state["ema"], line, card, about, versions)
                    saved = time.monotonic()
            yield r
        process.wait_for_everyone()  # then all find the weights that the first one wrote
    except FloatingPointError as error:
        good = f"the last good checkpoint is {path}" if path else "there is no checkpoint yet"
        raise FloatingPointError(f"{error}; {good}") from None


def _model(denoiser, about: dict) -> str:
    """model.txt: every layer with weights of its own, the sum of parameters, every setting."""
    rows = [("layer", "type", "weights", "parameters")]
    for name, module in denoiser.named_modules():
        if own := [*module.parameters(recurse=False)]:
            shapes = ", ".join("x".join(map(str, p.shape)) or "1" for p in own)
            count = sum(p.numel() for p in own)
            rows.append((name, type(module).__name__, shapes, f"{count:,}"))
    count = sum(p.numel() for p in denoiser.parameters())
    settings = aligned([("setting", "value"), *((k, str(v)) for k, v in about.items())], None)
    return f"{aligned([*rows, ('together', '', '', f'{count:,}')], None)}\n\n{settings}\n"
