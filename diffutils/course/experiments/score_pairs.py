"""Images and their counterparts by file name: PSNR, SSIM, MS-SSIM and LPIPS with intervals."""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from diffutils.data.folders import BATCH, Reader
from diffutils.metrics import published, similarity
from diffutils.metrics.intervals import mean_interval


def by_one_name(*sets: dict[str, Path]) -> list[dict[str, Path]]:
    """Sets of files by the names that pair them: without suffix, and with it for every file of a
    name that one of the sets has twice (a.png beside a.jpg)."""
    every = [{(_stem(key, p), p.suffix): p for key, p in files.items()} for files in sets]
    counts = [Counter(stem for stem, _ in files) for files in every]
    twice = {stem for count in counts for stem, n in count.items() if n > 1}
    return [
        {stem + suffix * (stem in twice): p for (stem, suffix), p in files.items()}
        for files in every
    ]


def _stem(key: str, path: Path) -> str:
    return key.removesuffix(path.suffix) if path.suffix else key


@torch.no_grad()
def pairs(
    pred: dict[str, Path],
    gt: dict[str, Path],
    reader: Reader,
    lpips: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> dict:
    """PSNR, SSIM, MS-SSIM and, where given, LPIPS of the files of one name in both sets.

    Each is {"mean", "interval", "N"}: the 95 % interval of the mean over images (Student's t).
    Equal images have an infinite PSNR: they are counted as `identical`, and left out of it.
    """
    # Compare, a batch at a time.
    names = sorted(pred.keys() & gt.keys())
    values = {"psnr": [], "ssim": [], "ms_ssim": [], "lpips": []}
    for i in range(0, len(names), BATCH):
        chunk = names[i : i + BATCH]
        read = (reader.read([files[name] for name in chunk]) for files in (pred, gt))
        both = [pair for pair in zip(*read, strict=True) if all(x is not None for x in pair)]
        if not both:
            continue
        a, b = map(torch.stack, zip(*both, strict=True))
        values["psnr"] += similarity.psnr(a, b).tolist()
        if min(a.shape[-2:]) >= similarity.WINDOW:
            values["ssim"] += similarity.ssim(a, b).tolist()
            values["ms_ssim"] += similarity.ms_ssim(a, b).tolist()
        if lpips:
            values["lpips"] += lpips(a, b).tolist()
    # Average.
    n = len(values["psnr"])
    values["psnr"] = [v for v in values["psnr"] if v < math.inf]
    found = {"N": n, "identical": n - len(values["psnr"])}
    for name, each in values.items():
        mean, low, high, count = mean_interval(each)
        found[name] = {"mean": mean, "interval": [low, high], "N": count}
    return found


def limits(side: int, lpips: bool) -> list[str]:
    """What the paired metrics do to images whose shorter side is so small."""
    notes = []
    if side < similarity.WINDOW:
        window = similarity.WINDOW
        notes.append(f"SSIM was not run: its window has {window} pixels, the images {side}")
    elif (scales := similarity.scales(side)) < len(similarity.SCALES):
        notes.append(
            f"MS-SSIM has {scales} of its 5 scales, which need 161 pixels: at {side} it"
            " compares with no published number"
        )
    if lpips and side < published.SMALLEST:
        notes.append(f"LPIPS saw the images enlarged to {published.SMALLEST} pixels")
    return notes
