"""How good a colouring is: beside the truth, beside the sketch, beside the reference."""

from collections.abc import Callable

import torch
from torch import Tensor

from diffutils.data import ImageSet, to_float
from diffutils.data.drawn import faces
from diffutils.lessons.lesson05.inputs.triples import BATCH, Part, by_parts, drawn_as, sketched
from diffutils.methods import sketch
from diffutils.metrics import colour, distances, similarity

PEAK = 4.0  # squared: of images in [-1, 1]


def scores(
    images: Tensor, part: Part, kind: str, lpips: Callable | None = None
) -> dict[str, Tensor]:
    """Of every colouring (N, 3, H, W), uint8: numbers by name, each (N,), float64.

    mse: in [-1, 1].  dB: its PSNR.  ssim, ms_ssim, and by the function `lpips` lpips: with the
    truth, `part.images`.  lines: share of
    pixels in which its sketch differs from that of the truth.  palette: distance
    to the colours of the reference.  delta_e, of faces: CIEDE2000 between the medians of colouring
    and truth, mean over the regions that there are.
    """
    error = (to_float(images) - to_float(part.images)).double().square().flatten(1).mean(1)
    found = {"mse": error, "dB": 10 * torch.log10(PEAK / error)}
    if min(images.shape[2:]) >= similarity.WINDOW:
        found["ssim"] = similarity.ssim(images, part.images)
        found["ms_ssim"] = similarity.ms_ssim(images, part.images)
    if lpips:
        pairs = zip(images.split(BATCH), part.images.split(BATCH), strict=True)
        with torch.no_grad():
            found["lpips"] = torch.cat([lpips(*pair).cpu().double() for pair in pairs])
    drawn, right = (by_parts(lambda x, i: sketched(x, 0, i), x) for x in (images, part.images))
    found["lines"] = (drawn != right).double().flatten(1).mean(1)
    found["palette"] = colour.palette_distance(images, part.references[kind])
    if part.regions is not None:
        by_region = colour.region_delta_e(images, part.regions, part.colours)
        found["delta_e"] = by_region.nanmean(1)
    return found


def table(rows: dict[str, dict[str, Tensor]]) -> dict[str, dict[str, float]]:
    """Means by row and number; "dB of the mean" is the PSNR of the mean error.

    It and the mean of dB may rank two rows differently.
    """
    found = {}
    for name, row in rows.items():
        found[name] = {key: float(values.nanmean()) for key, values in row.items()}
        found[name]["dB of the mean"] = float(10 * torch.log10(PEAK / row["mse"].mean()))
    return found


def kernel(a: Tensor, b: Tensor) -> float:
    """Kernel distance of features (n, d) of as many images, of which a[i] may belong to b[i].

    `distances.mmd` without the pairs (i, i): a colouring and the true answer to the same sketch
    are alike, which would count as realism.  0 for equal sets.
    """

    def apart(x: Tensor, y: Tensor) -> Tensor:
        k = distances.polynomial_kernel(x.double(), y.double())
        return (k.sum() - k.diagonal().sum()) / (len(x) * (len(x) - 1))

    return float(apart(a, a) + apart(b, b) - 2 * apart(a, b))


def rivals(data: ImageSet, train: Part, asked: Part) -> dict[str, Tensor]:
    """Cheap answers to a cross-reference, uint8 (N, 3, H, W), by name.

    copy: the reference itself.  ignore: the face in the colours that it had before.  nearest
    sketch: the face in the palette of the training face with the most similar sketch.  histogram:
    the face in grey, its histograms made those of the reference (`colour.matched`).
    """
    shape, _, _ = drawn_as(data, "heldout")
    _, palettes, _ = drawn_as(data, "train")
    nearest = like(asked.sketches, train.sketches)
    palette = {name: values[nearest] for name, values in palettes.items()}
    grey = by_parts(lambda x, i: sketch.luma(x), data.heldout).expand(-1, 3, -1, -1)
    return {
        "copy": asked.references["cross"],
        "ignore": data.heldout,
        "nearest sketch": faces.draw(shape, palette, data.shape[1]),
        "histogram": colour.matched(grey, asked.references["cross"]),
    }


def like(sketches: Tensor, known: Tensor) -> Tensor:
    """The index of the most similar known sketch for each, by mean squared difference."""
    flat = [to_float(x).flatten(1) for x in (sketches, known)]
    return torch.cdist(*flat).argmin(1)
