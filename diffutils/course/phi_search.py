"""The search of SSIMBaD (2025): in which coordinate phi(sigma) does SSIM fall most evenly?

`report` does all of it on one data set, `study` on curves that are measured already, and `table`
shows either; `sizes` repeats the fit of c at several image sizes.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Float, UInt8
from scipy import stats
from torch import Tensor

from ..data import load
from ..perceptual import (
    Coordinate,
    candidates,
    dense_sigmas,
    equal_steps,
    interpolate,
    phi_star,
    r_squared,
    ssim_curve,
    tabulated,
)
from .tables import aligned

CS = [10 ** (k / 100) for k in range(-200, 101)]  # 0.01 to 10, in steps of 2.3 %
SIZE = 128  # pixels, as published; arrays keep their own size: enlarged, they are only blurred
ANY_SIZE = ("photos", "faces", "folder", "zip")
CHECKED = 4  # images whose SSIM is also measured at the very levels of one coordinate


def search(
    images: UInt8[Tensor, "N C H W"],
    coordinates: Iterable[Coordinate] | None = None,
    seed: int = 0,
    window: str = "uniform",
) -> list[dict]:
    """Measure SSIM against sigma on the images and rank the coordinates; see `ranking`.

    Raises: ValueError as `perceptual.ssim`.
    """
    sigmas = dense_sigmas()
    return ranking(ssim_curve(images, sigmas, seed, window), sigmas, coordinates)


def ranking(
    curves: Float[Tensor, "N S"],
    sigmas: Float[Tensor, "S"],
    coordinates: Iterable[Coordinate] | None = None,
) -> list[dict]:
    """The coordinates (default: `candidates()`) by mean R^2 over the images, best first.

    Returns: for each its name, the mean, low and high (Student's 95 % interval of the mean over
        images; nan for one image; it may reach above 1), and N, the number of images.
    """
    coordinates = candidates().values() if coordinates is None else coordinates
    rows = [{"name": c.name, **mean_interval(r_squared(curves, sigmas, c))} for c in coordinates]
    return sorted(rows, key=lambda row: -row["mean"])


def mean_interval(values: Float[Tensor, "N"], level: float = 0.95) -> dict:
    """Mean, low and high of Student's interval mean -+ t s / sqrt(N), and N."""
    n, mean = len(values), float(values.mean())
    half = math.nan
    if n > 1:
        half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std()) / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half, "N": n}


def r2_of_c(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], cs: Sequence[float] = CS
) -> list[float]:
    """The mean R^2 over images of phi* = sigma / (sigma + c), for each c of `cs`."""
    return [float(r_squared(curves, sigmas, phi_star(c)).mean()) for c in cs]


def best_c(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], cs: Sequence[float] = CS
) -> tuple[float, float]:
    """The c of phi* = sigma / (sigma + c) with the highest mean R^2 over images, and that R^2."""
    means = r2_of_c(curves, sigmas, cs)
    best = max(range(len(cs)), key=means.__getitem__)
    return cs[best], means[best]


def study(
    curves: Float[Tensor, "N S"], others: Float[Tensor, "M S"], sigmas: Float[Tensor, "S"]
) -> dict:
    """What curves of one pool of images, and of other images, say about the coordinates.

    Returns: "ranking", the rows of `ranking`; "best_c", c and whether it is an end of `CS`;
        "fitted", rows as in `ranking` with "judged_on": phi* of the best c and the tabulated
        phi = 1 - mean SSIM, each on the pool that they were fitted to and on the other images, and
        the table of every image on that image alone, where R^2 = 1 but for the least slope.
    """
    c, _ = best_c(curves, sigmas)
    fits = {f"sigma/(sigma+c), c = {c:.3g}": phi_star(c)}
    table = tabulated(curves, sigmas)
    fits[table.name] = table
    pools = {"the images it was fitted to": curves, "other images": others}
    fitted = [
        {"name": name, "judged_on": pool, **mean_interval(r_squared(measured, sigmas, fit))}
        for name, fit in fits.items()
        for pool, measured in pools.items()
    ]
    alone = [r_squared(one, sigmas, tabulated(one, sigmas)) for one in curves.split(1)]
    own = {"name": "1 - SSIM of each image, tabulated", "judged_on": "that image alone"}
    return {
        "ranking": ranking(curves, sigmas),
        "best_c": {"c": c, "is_an_end": c in (CS[0], CS[-1])},
        "fitted": [*fitted, own | mean_interval(torch.cat(alone))],
    }


def report(
    dataset: str,
    size: int | None = None,
    n: int = 20,
    seed: int = 0,
    window: str = "uniform",
    say: Callable[[str], None] = print,
) -> dict:
    """Load n training and n held-out images, measure their curves, and `study` them.

    size: side in pixels; default 128, or their own for sets of arrays.  A set with fewer images
    gives all it has; `say` gets one line before the measurement.

    Returns: dataset, the image "shape" [C, H, W], "N", "N_other", seed, window, what `study`
        returns, and "check" as in `spot_check`.
    Raises: ValueError or FileNotFoundError as `load`; ValueError as `perceptual.ssim`.
    """
    if size is None and dataset.partition(":")[0] in ANY_SIZE:
        size = SIZE
    data = load(dataset, size, limit=n, seed=seed, heldout=n)
    images, others, sigmas = data.train, data.heldout, dense_sigmas()
    say(
        f"Measuring SSIM at {len(sigmas)} noise levels on {len(images)} images and {len(others)} "
        f"others of {images.shape[-2]} x {images.shape[-1]} pixels."
    )
    curves, other_curves = (ssim_curve(pool, sigmas, seed, window) for pool in (images, others))
    return {
        "dataset": dataset,
        "shape": list(data.shape),
        "N": len(images),
        "N_other": len(others),
        "seed": seed,
        "window": window,
        **study(curves, other_curves, sigmas),
        "check": spot_check(images[:CHECKED], curves[:CHECKED], sigmas, phi_star(), seed, window),
    }


def spot_check(
    images: UInt8[Tensor, "N C H W"],
    curves: Float[Tensor, "N S"],
    sigmas: Float[Tensor, "S"],
    coordinate: Coordinate,
    seed: int = 0,
    window: str = "uniform",
) -> dict:
    """SSIM measured at a coordinate's own 50 levels against what `curves` give there.

    images: those of the curves, which must have been measured with the same seed and window.
    Returns: the coordinate's name, N, and the largest absolute difference.
    """
    _, levels = equal_steps(coordinate)
    read_off = interpolate(levels.log(), sigmas.log(), curves)
    direct = ssim_curve(images, levels, seed, window)
    return {
        "name": coordinate.name, "N": len(images), "largest": float((read_off - direct).abs().max())
    }  # fmt: skip


def sizes(
    datasets: Sequence[str] = ("photos", "faces"),
    sides: Sequence[int] = (32, 64, 128),
    n: int = 20,
    seed: int = 0,
    window: str = "uniform",
) -> list[dict]:
    """Fit c on n training images of each set at each side in pixels.

    Returns: rows of dataset, size, N, "best_c", "best_r2", and the mean R^2 of c = 0.3
        ("phi_star"), log sigma ("log"), EDM's sigma^(1/7) ("edm") and DDPM's timestep ("ddpm").
    Raises: as `report`.
    """
    sigmas, known = dense_sigmas(), candidates()
    compared = {"phi_star": phi_star(), "log": known["log(sigma)"],
                "edm": known["sigma^(1/7), EDM"], "ddpm": known["t, DDPM"]}  # fmt: skip
    rows = []
    for dataset in datasets:
        for side in sides:
            images = load(dataset, side, limit=n, seed=seed, heldout=1).train
            curves = ssim_curve(images, sigmas, seed, window)
            c, r2 = best_c(curves, sigmas)
            row = {"dataset": dataset, "size": side, "N": len(images), "best_c": c, "best_r2": r2}
            means = {k: float(r_squared(curves, sigmas, v).mean()) for k, v in compared.items()}
            rows.append(row | means)
    return rows


def table(result: dict) -> str:
    """The ranking, the best c and the fitted coordinates of `study` or `report` as text."""
    header = ("R²", "95 % interval", "images")
    ranks = [("", "coordinate", *header)]
    ranks += [
        (str(i), row["name"], *_numbers(row)) for i, row in enumerate(result["ranking"], start=1)
    ]
    fits = [("fitted coordinate", "judged on", *header)]
    fits += [(row["name"], row["judged_on"], *_numbers(row)) for row in result["fitted"]]
    best = f"The best c of phi* = sigma / (sigma + c) is {result['best_c']['c']:.3g}"
    if result["best_c"]["is_an_end"]:
        best += ", an end of the range that was searched"
    best += f", R² {result['fitted'][0]['mean']:.4f}."
    return f"{aligned(ranks)}\n\n{best}\n\n{aligned(fits)}"


def text(result: dict) -> str:
    """All of a `report`: its settings, `table`, and how far interpolation was off."""
    _, height, width = result["shape"]
    check = result["check"]
    return (
        f"{result['dataset']}, {width} x {height} pixels, seed {result['seed']}, "
        f"{result['window']} window\n\n{table(result)}\n\n"
        f"Check: SSIM measured at the 50 levels of {check['name']} on {check['N']} images differs "
        f"from the interpolated one by at most {check['largest']:.1e}."
    )


def sizes_table(rows: Sequence[dict]) -> str:
    """The rows of `sizes` as text."""
    lines = [("images", "pixels", "N", "best c", "R²", "R², c = 0.3", "R², log sigma",
              "R², sigma^(1/7)", "R², DDPM's t")]  # fmt: skip
    for row in rows:
        r2 = [f"{row[key]:.4f}" for key in ("best_r2", "phi_star", "log", "edm", "ddpm")]
        lines.append((row["dataset"], str(row["size"]), str(row["N"]), f"{row['best_c']:.3g}", *r2))
    return aligned(lines)


def _numbers(row: dict) -> tuple[str, str, str]:
    interval = "-" if math.isnan(row["low"]) else f"{row['low']:.4f} to {row['high']:.4f}"
    return f"{row['mean']:.4f}", interval, str(row["N"])
