"""What an earlier process left of a training: gone on from, read again, mended, or set aside."""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from diffutils.course.runs import fingerprint, rundir
from diffutils.data import png
from diffutils.weights import cards, files, provenance, records
from diffutils.weights import state as saves
from diffutils.weights.warned import warn

LOG, MODEL, STORE = "log.jsonl", "model.txt", "checkpoints"  # in the folder of a training
PICTURE = "samples/step-{:08}.png"  # of a step
DECIDED = ("hardware", "steps", "loss", "heldout_loss")  # of a card's "trained"


def checkpoint(
    folder: Path, weights: Path, about: dict, versions: dict, resume: str, model: str, say: Callable
) -> Path | None:
    """The checkpoint to go on from; None, and a folder without an earlier run, for a new start.

    about, versions: what decides the training, and what runs it; model: its MODEL.
    """
    name, store, steps = folder.name, folder / STORE, about["steps"]
    names = [LOG, "samples", MODEL, "trdata", weights.name, weights.with_suffix(".json").name]
    files.sweep(folder)
    if not saves.steps(store):
        # A killed beginning of this very training comes out the same again; all else is kept.
        before, there = folder / MODEL, any((folder / n).exists() for n in names)
        same = before.is_file() and before.read_bytes() == model.encode()
        if not there or same and not [*folder.glob("*.safetensors")]:
            return None
    # Take the newest checkpoint of this very training, and say what changed around it.
    path = saves.newest(store) if resume == "auto" else None
    why = "resume is 'never'" if resume == "never" else "no checkpoint is whole"
    if path is not None:
        body = saves.read(path)[1]
        differ = fingerprint.differences(body.get("settings", {}), about)
        why = f"its settings differ: {differ}"
        # What an earlier version did not note is taken to be the same.
        then = versions | body.get("versions", {})
        if body["step"] == steps:  # nothing is left for another number of them
            then["processes"] = versions["processes"]
        if then["processor"] != versions["processor"]:  # it rounds schedules and first weights, too
            was = f"processor was {then['processor']}, is {versions['processor']}"
            why += f"; here they are not bit for bit what they were, since {was}"
        if not differ and {"record", "versions"} <= body.keys():
            done = f"all {steps} steps were done before; resume='never' would train again"
            on = f"resumed after step {body['step']} of {steps}"
            say(f"{name}: {done if body['step'] == steps else on}")
            if newer := fingerprint.differences(then, versions):
                say(f"{name}: not bit for bit what it would have been, since {newer}")
            return path
    # Else set the earlier run aside, checkpoints last: by them the next start sees it.
    aside = rundir.set_aside(folder, [*names, STORE])
    say(f"{name}: starts from step 0 ({why}); the earlier run is set aside in {aside}")
    return None


def finished(store: Path, about: dict, resume: str) -> bool:
    """Whether all steps of this very training are there to be read."""
    path = saves.newest(store) if resume == "auto" else None
    body = saves.read(path)[1] if path else {"step": 0}
    same = not fingerprint.differences(body.get("settings", {}), about)
    return same and body["step"] == about["steps"]


def lines(log: Path, last: dict, about: dict) -> list[dict]:
    """The log's records before the last one; a torn end, of a killed process, comes after it.

    A damaged line costs itself alone, with a warning; one whose step only is wrong gets the step
    that its neighbours leave.  The log as it was then goes into earlier-1/, earlier-2/...
    """
    # Read each line on its own.
    content = log.read_bytes() if log.exists() else b""
    fields = {k: (int, float, type(None)) for k in last} | {"step": int}
    fields.pop("samples", None)
    texts, found, damaged = content.split(b"\n")[:-1], {}, {}
    for i, text in enumerate(texts, 1):
        try:
            found[i] = line = records.parse(text, fields)
            records.parse(text, {"samples": int} if "samples" in line else {})
        except ValueError as error:
            found.pop(i, None)
            damaged[i] = f"left out: {error}"
    # Find the lines whose steps do not rise by whole intervals.
    every, steps = about["log_every"], about["steps"]
    whole = {i: s["step"] for i, s in found.items() if s["step"] % every == 0 or s["step"] == steps}
    fitting = _rising({i: step for i, step in whole.items() if 0 < step <= steps})
    ends = {0: 0, len(texts) + 1: last["step"]} | fitting
    for i in found.keys() - fitting.keys():
        free = range(ends[i - 1] + every, ends[i + 1], every) if {i - 1, i + 1} <= {*ends} else ()
        damaged[i] = f"left out: its step is {found[i]['step']}, which does not fit in there"
        if len(free) == 1:
            damaged[i] = f"mended: its step was {found[i]['step']}, and is {free[0]}"
            fitting[i] = found[i]["step"] = free[0]
    # Say so.
    kept = rundir.free(log.parent, [log.name]) / log.name
    if damaged:
        files.write_whole(kept, content)
    for i, what in sorted(damaged.items()):
        warn(f"line {i} of {log} is damaged and {what}; the log as it was is {kept}")
    return [found[i] for i, step in sorted(fitting.items()) if step < last["step"]]


def _rising(numbers: dict[int, int]) -> dict[int, int]:
    """The longest part of these numbers that rises: what is left out stands out of order."""
    ends, before = [], {}  # ends[k]: where the smallest number stands that ends k + 1 rising ones
    for place, number in numbers.items():
        k = bisect_left(ends, number, key=numbers.__getitem__)
        before[place] = ends[k - 1] if k else None
        ends[k : k + 1] = [place]
    part, place = {}, ends[-1] if ends else None
    while place is not None:
        part[place] = numbers[place]
        place = before[place]
    return part


def replay(line: dict, folder: Path, shape: Sequence[int]) -> SimpleNamespace:
    """A record of an earlier process, from its line in the log and its picture."""
    record = SimpleNamespace(**line | {"samples": None, "replayed": True, "ema": None})
    picture = folder / PICTURE.format(record.step)
    if "samples" in line and picture.exists():
        try:
            record.samples = png.read_grid(picture, (line["samples"], *shape))
        except ValueError as error:
            warn(f"{error}; its step comes without samples")
    return record


def write_weights(weights: Path, ema: dict, line: dict, card, about: dict, versions: dict) -> None:
    """The averaged weights of a record, and the card beside them."""
    cards.save_weights(weights, ema, _card(weights, line, card, about, versions), _precision(ema))


def mend_weights(path: Path, weights: Path, ema: dict, *described, say: Callable) -> None:
    """Write weights and card anew where they are not those of the checkpoint `path`.

    What was added to a card that is whole is kept.  described: as of `write_weights`.
    """
    card = _card(weights, *described)
    before = _whole_card(weights, card)
    if before is None or not _are_whole(weights, ema, before):
        what = f"{weights.name} and its card"
        say(f"{path.parents[1].name}: {what} are not those of {path.name} and are written anew")
        kept = {k: v for k, v in (before or card).items() if k not in ("sha256", "card_sha256")}
        cards.save_weights(weights, ema, kept, _precision(ema))


def _card(weights: Path, line: dict, card, about: dict, versions: dict) -> dict:
    trained = provenance.provenance(time.monotonic() - line["seconds"]) | {
        "hardware": versions["hardware"],
        "steps": line["step"],
        "loss": round(line["loss"], 5),
        "heldout_loss": line["heldout"] and round(line["heldout"], 5),
    }
    return files.finite((card or {"name": weights.stem, "settings": about}) | {"trained": trained})


def _whole_card(weights: Path, card: dict) -> dict | None:
    """The card beside the weights, if it says what this one says of the same training."""
    try:
        there = cards.read_card(weights)
    except (OSError, ValueError):
        return None
    trained = there.get("trained")
    if not isinstance(trained, dict) or not (card | {"trained": trained}).items() <= there.items():
        return None
    return there if all(trained.get(k) == card["trained"][k] for k in DECIDED) else None


def _are_whole(weights: Path, ema: dict[str, Tensor], card: dict) -> bool:
    """Whether a file holds these weights, and has the checksum of its card."""
    dtype = _precision(ema)
    try:
        found, content = load_file(weights), weights.read_bytes()
    except (OSError, ValueError, safetensors.SafetensorError):
        return False
    wanted = {k: v.to(dtype if v.is_floating_point() else v.dtype) for k, v in ema.items()}
    same = found.keys() == wanted.keys() and all(torch.equal(found[k], wanted[k]) for k in wanted)
    checksum = hashlib.sha256(content).hexdigest()
    return same and card.get("sha256", checksum) == checksum


def _precision(ema: dict[str, Tensor]) -> torch.dtype:
    """float16, or float32 where a weight is beyond its range."""
    halves = (v.half() for v in ema.values() if v.is_floating_point())
    return torch.float16 if all(bool(v.isfinite().all()) for v in halves) else torch.float32
