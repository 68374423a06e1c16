"""A training that leaves a folder behind, and goes on from that folder after a kill."""

import copy
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn

from diffutils.course import parameters
from diffutils.course.runs import fingerprint, rundir
from diffutils.course.tables import aligned
from diffutils.data import png
from diffutils.weights import cards, files, provenance
from diffutils.weights import state as saves

PICTURE = "samples/step-{:08}.png"  # of a step, in the folder


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
) -> Iterator[SimpleNamespace]:
    """Keep a training of net in a folder, and resume it from there.

    run(state=...): records of `loop.optimise` from that state on, None for the start.  about:
    what decides them, steps and log_every among it, e.g. `fingerprint.optimisation`.
    resume: "auto" goes on from the newest whole checkpoint of the very same training, "never"
    starts anew; what a start from step 0 would overwrite is set aside in earlier-1/, earlier-2/...
    A picture or a line of the log that is damaged is left out, with a warning that names it.
    card: goes beside the weights, which are called card["name"], else as the folder is.
    draw(ema): images uint8 (n, *shape), drawn with the averaged weights `draws` times on the way.
    around(net): what a record's ema is, of averaged weights that are read back; fit's: a Denoiser.
    seen(): training images uint8, kept in trdata/ by a start from step 0.
    save_every: seconds between checkpoints; one more is written at the end.

    Yields run's records with two entries more: samples (images of draw, or None) and replayed
    (True for the steps of an earlier process; of these only the last one has ema).
    Raises: FloatingPointError, naming the step and the last good checkpoint, when the loss is not
    finite; ValueError for an unknown resume; else what run raises.
    """
    # Find the checkpoint to go on from; of several processes the first one decides and writes.
    parameters.resume(resume)
    process = Accelerator()
    first, log, store = process.is_main_process, folder / "log.jsonl", folder / "checkpoints"
    weights = folder / f"{card['name'] if card else folder.name}.safetensors"
    own = {"code": fingerprint.training_code(), "hardware": provenance.hardware()}
    versions = provenance.versions() | own
    path = _open(folder, weights, about, versions, resume, say) if first else None
    (path,) = broadcast_object_list([path])
    state, body = saves.read(path) if path else (None, {})
    # Bring the folder to that state.
    replayed = [*_lines(log, body["record"]), body["record"]] if path else []
    if first:
        text = "".join(json.dumps(line) + "\n" for line in replayed)
        files.write_whole(log, text.encode())  # without what came after the checkpoint
        if not path:
            files.write_whole(folder / "model.txt", _model(around(net), about).encode())
            if seen is not None:
                png.write_grid(folder / "trdata" / "first.png", seen())
    # Replay the steps that were done before.
    for line in replayed:
        r = _replay(line, folder, shape)
        if r.step == state["step"]:
            average = copy.deepcopy(net).to(process.device)
            average.load_state_dict(state["ema"])
            r.ema = around(average).eval().requires_grad_(False)
            if first and not _is_current(weights, card, r.step):
                _save_weights(weights, state, line, card, about, body["versions"])
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
                with open(log, "a", encoding="utf-8") as f:
                    f.write(json.dumps(line) + "\n")
                    f.flush()
                    os.fsync(f.fileno())  # a checkpoint must not outlive the lines before it
                if time.monotonic() - saved >= save_every or r.step == about["steps"]:
                    state = r.state()
                    manifest = {"settings": about, "record": line, "versions": versions}
                    path = saves.save(store, state, manifest)
                    _save_weights(weights, state, line, card, about, versions)
                    saved = time.monotonic()
            yield r
    except FloatingPointError as error:
        good = f"the last good checkpoint is {path}" if path else "there is no checkpoint yet"
        raise FloatingPointError(f"{error}; {good}") from None


def _open(folder, weights, about: dict, versions: dict, resume: str, say: Callable) -> Path | None:
    """The checkpoint to go on from; None, and a folder without an earlier run, for a new start."""
    name, store, steps = folder.name, folder / "checkpoints", about["steps"]
    for half in folder.glob("samples/.step-*"):  # of a process that was killed inside a write
        half.unlink()
    if not saves.steps(store):
        return None
    # Take the newest checkpoint of this very training, and say what changed around it.
    path = saves.newest(store) if resume == "auto" else None
    why = "resume is 'never'" if resume == "never" else "no checkpoint is whole"
    if path is not None:
        body = saves.read(path)[1]
        differ = fingerprint.differences(body["settings"], about)
        why = f"its settings differ: {differ}"
        if not differ:
            done = f"all {steps} steps were done before; resume='never' would train again"
            on = f"resumed after step {body['step']} of {steps}"
            say(f"{name}: {done if body['step'] == steps else on}")
            if newer := fingerprint.differences(body["versions"], versions):
                say(f"{name}: not bit for bit what it would have been, since {newer}")
            return path
    # Else set the earlier run aside, checkpoints last: by them the next start sees it.
    names = ["log.jsonl", "samples", "model.txt", "trdata", weights.name]
    names += [weights.with_suffix(".json").name, "checkpoints"]
    aside = rundir.set_aside(folder, names)
    say(f"{name}: starts from step 0 ({why}); the earlier run is set aside in {aside}")
    return None


def _lines(log: Path, last: dict) -> list[dict]:
    """The log's records before the last one; a torn end, of a killed process, comes after it."""
    lines = []
    for i, text in enumerate(log.read_bytes().split(b"\n")[:-1] if log.exists() else [], 1):
        try:
            line = json.loads(text)
            if not line.keys() | {"samples"} >= last.keys():
                raise ValueError("it is no record of a training")
        except (ValueError, AttributeError) as error:
            warnings.warn(f"line {i} of {log} is damaged and left out: {error}", stacklevel=2)
            continue
        if line["step"] >= last["step"]:
            break
        lines.append(line)
    return lines


def _replay(line: dict, folder: Path, shape: Sequence[int]) -> SimpleNamespace:
    """A record of an earlier process, from its line in the log and its picture."""
    record = SimpleNamespace(**line | {"samples": None, "replayed": True, "ema": None})
    picture = folder / PICTURE.format(record.step)
    if "samples" in line and picture.exists():
        try:
            record.samples = png.read_grid(picture, (line["samples"], *shape))
        except ValueError as error:
            warnings.warn(f"{error}; its step comes without samples", stacklevel=2)
    return record


def _save_weights(weights: Path, state: dict, line: dict, card, about: dict, versions: dict):
    """The averaged weights in float16, or in float32 where one of them is beyond its range."""
    trained = provenance.provenance(time.monotonic() - line["seconds"]) | {
        "hardware": versions["hardware"],
        "steps": line["step"],
        "loss": round(line["loss"], 5),
        "heldout_loss": line["heldout"] and round(line["heldout"], 5),
    }
    card = (card or {"name": weights.stem, "settings": about}) | {"trained": trained}
    halves = (v.half() for v in state["ema"].values() if v.is_floating_point())
    fits = all(bool(v.isfinite().all()) for v in halves)
    cards.save_weights(weights, state["ema"], card, torch.float16 if fits else torch.float32)


def _is_current(weights: Path, card: dict | None, step: int) -> bool:
    """Whether the file holds the weights of this step, with this card."""
    try:
        there = cards.read_card(weights) if weights.exists() else {}
    except (FileNotFoundError, ValueError):
        return False
    same = files.finite(card or {}).items() <= there.items()
    return same and there.get("trained", {}).get("steps") == step


def _model(denoiser, about: dict) -> str:
    """model.txt: every layer with weights of its own, the sum of parameters, every setting."""
    rows = [("layer", "type", "weights", "parameters")]
    for name, module in denoiser.named_modules():
        if own := [*module.parameters(recurse=False)]:
            shapes = ", ".join("x".join(map(str, p.shape)) or "1" for p in own)
            count = sum(p.numel() for p in own)
            rows.append((name, type(module).__name__, shapes, f"{count:,}"))
    count = sum(p.numel() for p in denoiser.parameters())
    settings = aligned([("setting", "value"), *((k, str(v)) for k, v in about.items())])
    return f"{aligned([*rows, ('together', '', '', f'{count:,}')])}\n\n{settings}\n"
