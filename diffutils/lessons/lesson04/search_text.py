"""What `phi_search` finds, as text."""

import math
from collections.abc import Sequence

from diffutils.course.tables import aligned


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
    lines = [
        (
            "images",
            "pixels",
            "N",
            "best c",
            "R², best c",
            "R², c = 0.3",
            "log sigma",
            "sigma^(1/7)",
            "DDPM's t",
        )
    ]
    for row in rows:
        c = _with_interval(row["best_c"], row["c_low"], row["c_high"], ".3g", ".2g")
        lines.append(
            (
                row["dataset"],
                str(row["size"]),
                str(row["N"]),
                c,
                *(
                    _with_interval(row[k], row[f"{k}_low"], row[f"{k}_high"], ".4f", ".3f")
                    for k in ("best_r2", "phi_star")
                ),
                *(f"{row[key]:.4f}" for key in ("log", "edm", "ddpm")),
            )
        )
    return aligned(lines)


def _with_interval(value: float, low: float, high: float, digits: str, fewer: str) -> str:
    interval = "" if math.isnan(low) else f" ({low:{fewer}} to {high:{fewer}})"
    return f"{value:{digits}}{interval}"


def _numbers(row: dict) -> tuple[str, str, str]:
    interval = "-" if math.isnan(row["low"]) else f"{row['low']:.4f} to {row['high']:.4f}"
    return f"{row['mean']:.4f}", interval, str(row["N"])
