"""The search of SSIMBaD (2025): in which coordinate phi(sigma) does SSIM fall most evenly?

`report` does all of it on one data set, `study` on curves that are measured already, and `table`
shows either; `sizes` repeats the fit of c at several image sizes.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from diffutils.course.tables import aligned
from diffutils.data import any_size, load, to_float
from diffutils.denoisers import rms
from diffutils.methods import perceptual
from diffutils.methods.perceptual import Coordinate, dense_sigmas, phi_star, r_squared, ssim_curve
from diffutils.metrics.intervals import bootstrap_interval, mean_interval

Curves = Float[Tensor, "N S"]  # SSIM of N images at S noise levels
Sigmas = Float[Tensor, "S"]
CS = [10 ** (k / 100) for k in range(-200, 101)]  # 0.01 to 10, in steps of 2.3 %
SIZE = 128  # pixels, as published; arrays keep their own size: enlarged, they are only blurred
CHECKED = 4  # images whose SSIM is also measured at the very levels of one coordinate


def ranking(
    curves: Curves, sigmas: Sigmas, coordinates: Iterable[Coordinate] | None = None
) -> list[dict]:
    """The coordinates (default: `candidates()`) by mean R^2 over the images, best first.

    Rows of name, N (images), mean, low and high: Student's 95 % interval over images, which may
    reach above 1; nan for one image.
    """
    coordinates = perceptual.candidates().values() if coordinates is None else coordinates
    found = [(c.name, mean_interval(r_squared(curves, sigmas, c))) for c in coordinates]
    rows = [{"name": name} | interval._asdict() for name, interval in found]
    return sorted(rows, key=lambda row: -row["mean"])


def r2_of_c(curves: Curves, sigmas: Sigmas) -> list[float]:
    """The mean R^2 over images of phi* = sigma / (sigma + c), for each c of `CS`."""
    return [float(r_squared(curves, sigmas, phi_star(c)).mean()) for c in CS]


def best_c(curves: Curves, sigmas: Sigmas) -> tuple[float, float]:
    """The c of `CS` with the highest mean R^2 over images, and that R^2."""
    if not (len(curves) and curves.isfinite().all()):
        raise ValueError(f"c is fitted to SSIM curves, got {len(curves)}, or some that hold nan")
    r2, c = max(zip(r2_of_c(curves, sigmas), CS, strict=True), key=lambda pair: pair[0])
    return c, r2


def c_interval(curves: Curves, sigmas: Sigmas, seed: int = 0) -> tuple[float, float]:
    """Bootstrap 95 % interval of the best c over resamples of the images; nan for one image."""
    r2 = torch.stack([r_squared(curves, sigmas, phi_star(c)) for c in CS])
    cs = torch.tensor(CS, dtype=torch.float64)
    return bootstrap_interval(lambda i: cs[r2[:, i].mean(2).argmax(0)], len(curves), seed=seed)


def study(curves: Curves, others: Float[Tensor, "M S"], sigmas: Sigmas) -> dict:
    """What curves of one pool of images, and of other images, say about the coordinates.

    Returns: "ranking", as `ranking`; "best_c", c and whether it is an end of `CS`; "fitted", rows
        as in `ranking` with "judged_on": phi* of the best c and the tabulated phi = 1 - mean SSIM
        on the pool that they were fitted to; both on the other images, with phi* of the published
        c = 0.3, and how much R^2 of the table is above that of the best c, image by image; and
        the table of every image on that image alone, where R^2 = 1 but for the least slope.
    """
    # Fit both on the pool, and try all on the other images.
    c, _ = best_c(curves, sigmas)
    formula, fit = phi_star(c), perceptual.tabulated(curves, sigmas)
    by_c, by_table, published = (r_squared(others, sigmas, f) for f in (formula, fit, phi_star()))
    own = [(one, perceptual.tabulated(one, sigmas)) for one in curves.split(1)]
    alone = torch.cat([r_squared(one, sigmas, table) for one, table in own])
    # Name what was found.
    named, here, other = f"c = {c:.3g}", "the images it was fitted to", "other images"
    found = [
        (f"sigma/(sigma+c), {named}", here, r_squared(curves, sigmas, formula)),
        (f"sigma/(sigma+c), {named}", other, by_c),
        ("sigma/(sigma+c), c = 0.3", other, published),
        (fit.name, here, r_squared(curves, sigmas, fit)),
        (fit.name, other, by_table),
        (f"difference: tabulated - {named}", other, by_table - by_c),
        ("1 - SSIM of each image, tabulated", "that image alone", alone),
    ]
    fitted = [{"name": n, "judged_on": on} | mean_interval(r2)._asdict() for n, on, r2 in found]
    best = {"c": c, "is_an_end": c in (CS[0], CS[-1])}
    return {"ranking": ranking(curves, sigmas), "best_c": best, "fitted": fitted}


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
    Raises: ValueError or FileNotFoundError as `load`; ValueError as `similarity.ssim`.
    """
    # Load.
    if size is None and any_size(dataset):
        size = SIZE
    data = load(dataset, size, limit=n, seed=seed, heldout=n)
    images, others, sigmas = data.train, data.heldout, dense_sigmas()
    pools = f"{len(images)} images and {len(others)} others of {data.shape[1]} x {data.shape[2]}"
    say(f"Measuring SSIM at {len(sigmas)} noise levels on {pools} pixels.")
    # Measure.
    curves, other_curves = (ssim_curve(pool, sigmas, seed, window) for pool in (images, others))
    check = spot_check(images[:CHECKED], curves[:CHECKED], sigmas, phi_star(), seed, window)
    result = {"dataset": dataset, "shape": list(data.shape), "N": len(images)}
    result |= {"N_other": len(others), "seed": seed, "window": window}
    return result | study(curves, other_curves, sigmas) | {"check": check}


def spot_check(
    images: UInt8[Tensor, "N C H W"],
    curves: Curves,
    sigmas: Sigmas,
    coordinate: Coordinate,
    seed: int = 0,
    window: str = "uniform",
) -> dict:
    """SSIM measured at a coordinate's own 50 levels against what `curves` give there.

    images, seed, window: those of the curves.
    Returns: the coordinate's name, N, and the largest absolute difference.
    """
    _, levels = perceptual.equal_steps(coordinate)
    read_off = perceptual.interpolate(levels.log(), sigmas.log(), curves)
    largest = float((read_off - ssim_curve(images, levels, seed, window)).abs().max())
    return {"name": coordinate.name, "N": len(images), "largest": largest}


def sizes(
    datasets: Sequence[str] = ("photos", "faces"),
    sides: Sequence[int] = (32, 64, 128),
    n: int = 20,
    seed: int = 0,
    window: str = "uniform",
) -> list[dict]:
    """Fit c on n training images of each set at each side in pixels, e.g. ("sprites",), (16,).

    Returns: rows of dataset, size, N; "sigma_data", their root mean square in [-1, 1]; "best_c"
        with "c_low" and "c_high" of `c_interval`; the mean R^2 of that c ("best_r2"), of c = 0.3
        ("phi_star"), both with Student's 95 % interval ("best_r2_low", "best_r2_high", ...), of
        log sigma ("log"), EDM's sigma^(1/7) ("edm") and DDPM's timestep ("ddpm").  The intervals
        are over images: those of photos are crops of only 10 photographs (3 held out), so that
        they say little of other photographs.
    Raises: as `report`.
    """
    sigmas, known, rows = dense_sigmas(), perceptual.candidates(), []
    others = {"log": "log(sigma)", "edm": "sigma^(1/7), EDM", "ddpm": "t, DDPM"}
    for dataset, side in itertools.product(datasets, sides):
        # Measure the images, and fit c.
        images = load(dataset, side, limit=n, seed=seed, heldout=1).train
        curves = ssim_curve(images, sigmas, seed, window)
        c, _ = best_c(curves, sigmas)
        low, high = c_interval(curves, sigmas, seed)
        row = {"dataset": dataset, "size": side, "N": len(images)}
        row |= {"sigma_data": rms(to_float(images))}
        row |= {"best_c": c, "c_low": low, "c_high": high}
        # Compare it with the known coordinates.
        for key, phi in ("best_r2", phi_star(c)), ("phi_star", phi_star()):
            mean, low, high, _ = mean_interval(r_squared(curves, sigmas, phi))
            row |= {key: mean, f"{key}_low": low, f"{key}_high": high}
        for key, name in others.items():
            row[key] = float(r_squared(curves, sigmas, known[name]).mean())
        rows.append(row)
    return rows


def table(result: dict) -> str:
    """The ranking, the best c and the fitted coordinates of `study` or `report` as text."""
    header = ("R²", "95 % interval", "images")
    ranking, fitted = enumerate(result["ranking"], start=1), result["fitted"]
    ranks = [(str(place), row["name"], *_numbers(row)) for place, row in ranking]
    fits = [(row["name"], row["judged_on"], *_numbers(row)) for row in fitted]
    best = f"The best c of phi* = sigma / (sigma + c) is {result['best_c']['c']:.3g}"
    if result["best_c"]["is_an_end"]:
        best += ", an end of the range that was searched"
    ranked = aligned([("", "coordinate", *header), *ranks], width=None)
    judged = aligned([("fitted coordinate", "judged on", *header), *fits], width=None)
    return f"{ranked}\n\n{best}, R² {fitted[0]['mean']:.4f}.\n\n{judged}"


def text(result: dict) -> str:
    """All of a `report`: its settings, `table`, and how far interpolation was off."""
    (_, height, width), check = result["shape"], result["check"]
    return (
        f"{result['dataset']}, {width} x {height} pixels, seed {result['seed']}, "
        f"{result['window']} window\n\n{table(result)}\n\n"
        f"Check: SSIM measured at the 50 levels of {check['name']} on {check['N']} images differs "
        f"from the interpolated one by at most {check['largest']:.1e}."
    )


def sizes_table(rows: Sequence[dict]) -> str:
    """The rows of `sizes` as text."""
    head = ("images", "pixels", "N", "best c", "R², best c", "R², c = 0.3")
    lines = [(*head, "log sigma", "sigma^(1/7)", "DDPM's t")]
    shown = (
        ("best_c", "c", ".3g", ".2g"),
        ("best_r2", "best_r2", ".4f", ".3f"),
        ("phi_star", "phi_star", ".4f", ".3f"),
    )
    for row in rows:
        cells = [row["dataset"], str(row["size"]), str(row["N"])]
        for key, ends, digits, fewer in shown:
            low, high = row[f"{ends}_low"], row[f"{ends}_high"]
            interval = "" if math.isnan(low) else f" ({low:{fewer}} to {high:{fewer}})"
            cells.append(f"{row[key]:{digits}}{interval}")
        lines.append([*cells, *(f"{row[key]:.4f}" for key in ("log", "edm", "ddpm"))])
    return aligned(lines, width=None)


def c_table(rows: Sequence[dict]) -> str:
    """The rows of `sizes` as a small table: is the fitted c near sigma_data?  By set and size."""
    lines = [("images", "pixels", "N", "fitted c (95 % interval)", "sigma_data", "c / sigma_data")]
    for row in rows:
        interval = (
            "" if math.isnan(row["c_low"]) else f" ({row['c_low']:.2g} to {row['c_high']:.2g})"
        )
        c, size = row["best_c"], row["sigma_data"]
        cells = (row["dataset"], str(row["size"]), str(row["N"]), f"{c:.3g}{interval}")
        lines.append((*cells, f"{size:.2f}", f"{c / size:.2f}"))
    return aligned(lines)


def _numbers(row: dict) -> tuple[str, str, str]:
    interval = "-" if math.isnan(row["low"]) else f"{row['low']:.4f} to {row['high']:.4f}"
    return f"{row['mean']:.4f}", interval, str(row["N"])
