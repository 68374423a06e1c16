"""Two sets of images, scored: distances with their floor, copies, pairs; as numbers or a table."""

import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from diffutils import metrics
from diffutils.course.commands.score_pairs import limits, pairs
from diffutils.course.machine import best_device
from diffutils.course.tables import aligned
from diffutils.data.folders import Reader, listed, shuffled
from diffutils.data.images import content_key
from diffutils.metrics import published, spaces, streaming
from diffutils.metrics.spaces import Space
from diffutils.weights import files

SHOWN = 10  # file names in a table; the JSON has all


class _Side:
    """What is kept of one set: moments of its first `part`, the next and the rest; a sample; keys.

    All of constant size but for the keys, a few bytes for each image, which tell copies.
    """

    def __init__(self, space: Space, part: int, kept: int, seed: int):
        self.space, self.part = space, max(part, 1)
        self.moments = [streaming.Moments() for _ in range(3)]
        self.sample = streaming.Reservoir(kept, seed)
        self.score = streaming.InceptionScore()
        self.keys = Counter()

    def add(self, images: Tensor) -> None:
        x = self.space.features(images)
        third = (torch.arange(self.sample.n, self.sample.n + len(x)) // self.part).clamp(max=2)
        for k, moments in enumerate(self.moments):
            moments.add(x[third == k])
        self.sample.add(x)
        if self.space.probabilities:
            self.score.add(self.space.probabilities(x))
        self.keys.update(content_key(image) for image in images.permute(0, 2, 3, 1).numpy())

    def whole(self) -> streaming.Moments:
        total = streaming.Moments()
        for moments in self.moments:
            total.merge(moments)
        return total


class _Trial:
    """Calls that the images may be too few for: nan then, and the reason in .notes."""

    def __init__(self):
        self.notes: list[str] = []

    def __call__(self, outputs: int, function: Callable, *arguments):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                result, said = function(*arguments), []
            except ValueError as error:
                result = math.nan if outputs == 1 else (math.nan,) * outputs
                said = [str(error)]
        said += [str(w.message) for w in seen]
        self.notes += [note for note in said if note not in self.notes]
        return result


def distances(
    pred: Iterable[Tensor],
    gt: Iterable[Tensor],
    space: Space,
    part: int,
    seed: int = 0,
    kept: int = streaming.KEPT,
) -> dict:
    """Distances of two sets that come in batches uint8 (B, 3, H, W), in a random order.

    part: images in each half of the floor, which compares the first `part` of gt with the next;
    `frechet_at_floor` compares as many of pred with the same first ones. Kernel distance,
    precision and recall use at most `kept` features of a set. `copies` counts images of pred
    that gt holds, mirrored ones included; `repeats` those that the set itself has shown before.
    What the images are too few for is nan, and `notes` says why.
    """
    one, other = (_Side(space, part, kept, seed + k) for k in range(2))
    for side, batches in ((one, pred), (other, gt)):
        for images in batches:
            side.add(images)
    tried = _Trial()
    a, b = one.sample.features, other.sample.features
    halves = b.tensor_split(2)
    kernel, *interval = tried(3, streaming.kernel_interval, a, b, 0.95, 200, seed)
    kernel_floor, *floor_interval = tried(3, streaming.kernel_interval, *halves, 0.95, 200, seed)
    precision, recall = tried(2, metrics.precision_recall, b, a)
    result = {
        "features": space.words,
        "N": [one.sample.n, other.sample.n],
        "frechet_name": space.frechet,
        "frechet": tried(1, streaming.frechet, one.whole(), other.whole()),
        "frechet_at_floor": tried(1, streaming.frechet, one.moments[0], other.moments[0]),
        "frechet_floor": tried(1, streaming.frechet, *other.moments[:2]),
        "frechet_at_floor_N": [one.moments[0].n, other.moments[0].n],
        "frechet_floor_N": [m.n for m in other.moments[:2]],
        "kernel_name": space.kernel,
        "kernel": kernel,
        "kernel_interval": interval,
        "kernel_N": [len(a), len(b)],
        "kernel_floor": kernel_floor,
        "kernel_floor_interval": floor_interval,
        "kernel_floor_N": [len(half) for half in halves],
        "precision": precision,
        "recall": recall,
        "copies": sum(n for key, n in one.keys.items() if key in other.keys),
        "repeats": [side.sample.n - len(side.keys) for side in (one, other)],
    }
    if space.probabilities:
        for name, side in (("inception_score", one), ("inception_score_gt", other)):
            result[name] = list(tried(2, side.score.score))
    return result | {"notes": tried.notes}


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

    features: a name of `feature_spaces.named`; with_pairs: also `pairs`; weights: files for
    either; size: see `folders.Reader`; report: takes lines of progress.
    Raises: ValueError or FileNotFoundError, in one sentence, for what cannot be scored.
    """
    files = [listed(pred), listed(gt)]
    matched = files[0].keys() & files[1].keys()
    if with_pairs and not matched:
        raise ValueError(
            f"no image of {pred} has the name of one of {gt}; pairs need equal names,"
            " with any suffix"
        )
    space = spaces.named(features, weights, best_device())
    lpips, missing = None, []
    if with_pairs:
        try:
            state = published.weights("alexnet", weights)
            lpips = published.AlexNet(state).to(best_device()).distance
        except FileNotFoundError as error:
            missing = [f"LPIPS was not run: {error}"]
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

    def number(value: float, interval: Sequence[float] = ()) -> str:
        if math.isnan(value):
            return "not run"
        limits = " to ".join(f"{v:.4g}" for v in interval if not math.isnan(v))
        return f"{value:.4g}" + (f"  ({limits})" if limits else "")

    def against(counts: Sequence[int]) -> str:
        return " against ".join(f"{n:,}" for n in counts)

    frechet, kernel = result["frechet_name"], result["kernel_name"]
    floor = "GT against itself"
    rows = [("what", "value  (95 % interval)", "images")]
    rows += [
        (frechet, number(result["frechet"]), against(result["N"])),
        (
            f"{frechet}, as many as its floor",
            number(result["frechet_at_floor"]),
            against(result["frechet_at_floor_N"]),
        ),
        (
            f"{frechet}, floor: {floor}",
            number(result["frechet_floor"]),
            against(result["frechet_floor_N"]),
        ),
        (kernel, number(result["kernel"], result["kernel_interval"]), against(result["kernel_N"])),
        (
            f"{kernel}, floor: {floor}",
            number(result["kernel_floor"], result["kernel_floor_interval"]),
            against(result["kernel_floor_N"]),
        ),
        ("precision", number(result["precision"]), against(result["kernel_N"])),
        ("recall", number(result["recall"]), against(result["kernel_N"])),
        ("copies of GT, mirrored or not", f"{result['copies']}", f"{result['N'][0]:,}"),
        ("repeats within PRED", f"{result['repeats'][0]}", f"{result['N'][0]:,}"),
        ("repeats within GT", f"{result['repeats'][1]}", f"{result['N'][1]:,}"),
    ]
    for key, name, n in (
        ("inception_score", "Inception Score", result["N"][0]),
        ("inception_score_gt", "Inception Score of GT", result["N"][1]),
    ):
        if key in result:
            mean, std = result[key]
            rows.append((name, f"{number(mean)}, std {number(std)}", f"{n:,}"))
    for key, name in (
        ("psnr", "PSNR, dB"),
        ("ssim", "SSIM"),
        ("ms_ssim", "MS-SSIM"),
        ("lpips", "LPIPS"),
    ):
        if found := result.get("paired", {}).get(key):
            rows.append((name, number(found["mean"], found["interval"]), f"{found['N']:,} pairs"))
    lines = [aligned(rows), "", f"Distances on {result['features']}."]
    if identical := result.get("paired", {}).get("identical"):
        lines.append(f"{identical} pairs are identical, and left out of PSNR.")
    lines += [note[:1].upper() + note[1:] for note in result["notes"]]
    for what in ("unmatched", "unreadable"):
        if names := list(result.get(what, ())):
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            lines.append(f"{len(names)} files are {what}: {', '.join(names[:SHOWN])}{more}")
    return "\n".join(lines)
