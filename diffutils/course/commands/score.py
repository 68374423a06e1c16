"""Two sets of images, scored: distances with their floor, copies, pairs; as numbers or a table."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
import torch
from torch import Tensor

from diffutils.course.commands.options import JSON, PATH, SEED, Place, result, say_aside
from diffutils.course.experiments.measure import kernel_and_cover, tried
from diffutils.course.experiments.score_pairs import by_one_name, limits, pairs
from diffutils.course.machine import best_device
from diffutils.course.tables import aligned
from diffutils.data.folders import Reader, listed, shuffled
from diffutils.data.images import content_key
from diffutils.metrics import published, spaces, streaming
from diffutils.metrics.spaces import Space

SHOWN = 10  # file names in a table; the JSON has all
HALVES = ("kernel_halves", "kernel_halves_low", "kernel_halves_high")
SCORES = {"inception_score": "Inception Score", "inception_score_gt": "Inception Score of GT"}
PAIRED = {"psnr": "PSNR, dB", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "lpips": "LPIPS"}


class Side:
    """What is kept of one set: moments of its first `part`, the next, the rest; a sample; keys."""

    def __init__(self, space: Space, part: int, kept: int, seed: int):
        self.space, self.part = space, max(part, 1)
        self.moments = [streaming.Moments() for _ in range(3)]
        self.whole = streaming.Moments()
        self.sample = streaming.Reservoir(kept, seed)
        self.score = streaming.InceptionScore()
        self.keys = Counter()

    def add(self, images: Tensor) -> None:
        """Take in a batch uint8 (B, 3, H, W)."""
        x = self.space.features(images)
        third = ((torch.arange(len(x)) + self.sample.n) // self.part).clamp(max=2)
        for k, moments in enumerate(self.moments):
            moments.add(x[third == k])
        self.sample.add(x)
        if self.space.probabilities:
            self.score.add(self.space.probabilities(x))
        self.keys.update(content_key(image) for image in images.permute(0, 2, 3, 1).numpy())


def distances(
    pred: Iterable[Tensor],
    gt: Iterable[Tensor],
    space: Space,
    part: int,
    seed: int = 0,
    kept: int = streaming.KEPT,
) -> dict:
    """Distances of two sets that come in batches uint8 (B, 3, H, W), in a random order.

    Entries of one name are those of `measure.Measured`, but for the floor: _halves compares the
    first `part` of gt with the next; `frechet_at_halves` as many of pred with the same first ones.
    Kernel distance, precision and recall use at most `kept` features of a set.  `copies` counts
    images of pred that gt holds, mirrored too; `repeats` those that a set has shown before.
    What the images are too few for is nan, and `notes` says why.
    """
    # Read both sets once.
    one, other = sides = [Side(space, part, kept, seed + k) for k in range(2)]
    for side, batches in zip(sides, (pred, gt), strict=True):
        for images in batches:
            side.add(images)
        for moments in side.moments:
            side.whole.merge(moments)
    # Compare them.
    a, b, notes = one.sample.features, other.sample.features, []
    result = {
        "features": space.words,
        "N": [side.sample.n for side in sides],
        "frechet_name": space.frechet,
        "kernel_name": space.kernel,
        "copies": sum(n for key, n in one.keys.items() if key in other.keys),
        "repeats": [side.sample.n - len(side.keys) for side in sides],
    }
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for key, x, y in (
            ("frechet", one.whole, other.whole),
            ("frechet_at_halves", one.moments[0], other.moments[0]),
            ("frechet_halves", *other.moments[:2]),
        ):
            result[key] = tried(notes, 1, streaming.frechet, x, y)
            result[f"{key}_N"] = [x.n, y.n]
        result |= kernel_and_cover(a, b, notes, seed) | {"kernel_N": [len(a), len(b)]}
        halves = b.tensor_split(2)
        floor = tried(notes, 3, streaming.kernel_interval, *halves, 0.95, 200, seed)
        result |= zip(HALVES, floor, strict=True)
        result["kernel_halves_N"] = [len(half) for half in halves]
        if space.probabilities:
            for name, side in zip(SCORES, sides, strict=True):
                result[name] = list(tried(notes, 2, side.score.score))
    notes += [str(w.message) for w in seen]
    return result | {"notes": [*dict.fromkeys(notes)]}


def evaluate(
    pred: Path,
    gt: Path,
    *,
    features: str = "inception",
    with_pairs: bool = False,
    weights: Sequence[Path] = (),
    size: int | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> dict:
    """Score the images of folder pred against those of gt, in constant memory; see `distances`.

    features: a name of `spaces.named`; with_pairs: also `pairs`; weights: files for either; size:
    see `folders.Reader`; report: takes lines of progress.
    Raises: ValueError or FileNotFoundError, in one sentence, for what cannot be scored.
    """
    # Find images, features and LPIPS, or say what is missing.
    files = by_one_name(listed(pred), listed(gt))
    matched = files[0].keys() & files[1].keys()
    if with_pairs and not matched:
        why = "pairs need equal names, with any suffix"
        raise ValueError(f"no image of {pred} has the name of one of {gt}; {why}")
    space = spaces.named(features, weights, best_device())
    lpips, missing = None, []
    if with_pairs:
        try:
            state = published.weights("alexnet", weights)
            lpips = published.AlexNet(state).to(best_device()).distance
        except FileNotFoundError as error:
            missing = [f"LPIPS was not run: {error}"]
    # Compare the sets, then the pairs.
    reader = Reader(size)
    part = min(len(files[0]), len(files[1]) // 2)
    batches = [reader.batches(shuffled(f, seed, k), report) for k, f in enumerate(files)]
    result = {"pred": str(pred), "gt": str(gt), "seed": seed}
    result |= distances(*batches, space, part, seed)
    result["size"] = list(reader.first[1][1:])
    if with_pairs:
        result["paired"] = pairs(*files, reader, lpips)
        result["notes"] += missing + limits(min(result["size"]), lpips is not None)
        result["unmatched"] = [str(f[name]) for f in files for name in sorted(f.keys() - matched)]
    return result | {"unreadable": dict(sorted(reader.broken.items()))}


def table(result: dict) -> str:
    """The result of `evaluate` as text: a table, then notes and file names."""

    def number(value: float, *interval: float) -> str:
        if math.isnan(value):
            return "not run"
        limits = " to ".join(f"{v:.4g}" for v in interval if not math.isnan(v))
        return f"{value:.4g}" + (f"  ({limits})" if limits else "")

    # Distances, then what was counted.
    frechet, kernel = result["frechet_name"], result["kernel_name"]
    one, other = (f"{n:,}" for n in result["N"])
    rows = [("what", "value  (95 % interval)", "images")]
    for key, words in (
        ("frechet", frechet),
        ("frechet_at_halves", f"{frechet}, as many as its floor"),
        ("frechet_halves", f"{frechet}, floor: GT against itself"),
        ("kernel", kernel),
        ("kernel_halves", f"{kernel}, floor: GT against itself"),
        ("precision", "precision"),
        ("recall", "recall"),
    ):
        ends = [result[f"{key}_{end}"] for end in ("low", "high") if f"{key}_{end}" in result]
        counts = " against ".join(f"{n:,}" for n in result.get(f"{key}_N", result["kernel_N"]))
        rows.append((words, number(result[key], *ends), counts))
    rows.append(("copies of GT, mirrored or not", str(result["copies"]), one))
    for name, repeats, n in zip(("PRED", "GT"), result["repeats"], (one, other), strict=True):
        rows.append((f"repeats within {name}", str(repeats), n))
    # What only some folders have.
    for key, name, n in zip(SCORES, SCORES.values(), (one, other), strict=True):
        if key in result:
            mean, std = result[key]
            rows.append((name, f"{number(mean)}, std {number(std)}", n))
    paired = result.get("paired", {})
    for key, name in PAIRED.items():
        if found := paired.get(key):
            value = number(found["mean"], *found["interval"])
            rows.append((name, value, f"{found['N']:,} pairs"))
    # Notes and names of files.
    lines = [aligned(rows, width=None), "", f"Distances on {result['features']}."]
    if identical := paired.get("identical"):
        lines.append(f"{identical} pairs are identical, and left out of PSNR.")
    lines += [note[:1].upper() + note[1:] for note in result["notes"]]
    for what in ("unmatched", "unreadable"):
        if found := list(result.get(what, ())):
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            lines.append(f"{len(found)} files are {what}: {', '.join(found[:SHOWN])}{more}")
    return "\n".join(lines)


FEATURES = "inception, alexnet, random, or a classifier such as sprites-features."
FILES = "A file with the weights of inception or alexnet; may be repeated."


@click.command("evaluate")
@click.argument("pred", type=PATH)
@click.argument("gt", type=PATH)
@click.option(
    "--paired", "with_pairs", is_flag=True, help="Also PSNR, SSIM, MS-SSIM, LPIPS by file name."
)
@click.option("--features", default="inception", show_default=True, help=FEATURES)
@click.option("--weights", multiple=True, type=Place(exists=True), help=FILES)
@click.option("--size", type=click.IntRange(4, 8192), help="Side to bring all images to.")
@SEED
@JSON
def command(pred, gt, out, **settings):
    """Score the images of folder PRED against those of folder GT."""
    found = evaluate(pred, gt, report=say_aside, **settings)
    result(out, found, table(found))
