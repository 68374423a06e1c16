"""Sampling grids of one EDM network, and that network against a DDPM: rows of the claim table."""

import itertools
import math
from collections.abc import Sequence
from statistics import fmean

from diffutils.course.experiments.effects import SOLVERS
from diffutils.course.experiments.sweep import paired_change

WALKED = "DDPM network: Heun, rho = 7"  # lesson 02's network on EDM's grid


MOST = 50  # network evaluations at which EDM and DDPM are compared


PHI, RHO = "phi*", "rho = 7"  # the grids that are compared at every number of evaluations


SIGNS = {-1: "EDM nearer", 1: "DDPM nearer", 0: "cannot be told", None: "no interval"}


def grids_row(words: str, rows: Sequence[dict], solver: str) -> dict:
    """Which grid is nearest at each number of evaluations; in the protocol phi* against rho = 7."""
    row = {
        "claim": f"{solver}: the nearest sampling grid, by network evaluations",
        "published": "only phi* in code and README, at 99 and 999",
    }
    rows = [r for r in rows if r["sampler"].startswith(f"{solver}, ")]
    if why := _useless(rows, f"row of {solver} in the sweep"):
        return row | {"protocol": f"{why}; {words}"}
    nearest, against = [], []
    for nfe in sorted({r["nfe"] for r in rows}):
        own = [r for r in rows if r["nfe"] == nfe]
        means = {r["sampler"]: _mean(own, {"sampler": r["sampler"]}) for r in own}
        best = min(means, key=means.__getitem__)
        tied = [
            name
            for name in means
            if name != best and _compared(own, {"sampler": name}, {"sampler": best})[1] == 0
        ]
        names = " or ".join(name.removeprefix(f"{solver}, ") for name in (best, *tied))
        nearest.append(f"{nfe:g}: {names}")
        of, to = ({"sampler": f"{solver}, {grid}"} for grid in (PHI, RHO))
        if {of["sampler"], to["sampler"]} <= means.keys():
            against.append(f"{nfe:g}: {_compared(own, of, to)[0]}")
    parts = [
        '"or": the 95 % interval of the paired difference from the nearest holds 0, not corrected '
        "for many comparisons",
        f"{PHI} against {RHO}, change of the distance: {', '.join(against)}" * bool(against),
        "one training says nothing of others" * (len({r.get("training", 0) for r in rows}) == 1),
    ]
    return row | {"measured": ", ".join(nearest)} | _about(words, rows, parts)


def networks_row(words: str, edm: Sequence[dict], ddpm: Sequence[dict]) -> dict:
    """The EDM network by Heun on its own grid against lesson 02's by DDIM; the others beside it.

    ddpm: rows of sampler "respaced", and `WALKED`, where the DDPM network walks EDM's grid too: the
    grids are then equal, and only the networks differ.
    """
    row = {
        "claim": f"The EDM network is better than lesson 02's DDPM at equal NFE up to {MOST}",
        "published": "-",
    }
    ways = [f"{solver}, {RHO}" for solver in reversed(SOLVERS)]
    edm = [r for r in edm if r["sampler"] in ways]
    others = {f"eta {eta:g}": {"sampler": "respaced", "eta": eta} for eta in (0.0, 1.0)}
    others["the DDPM network on the same grid"] = {"sampler": WALKED}
    ddpm = [r for r in ddpm if any(s.items() <= r.items() for s in others.values())]
    nfes = sorted({r["nfe"] for r in edm} & {r["nfe"] for r in ddpm if r["nfe"] <= MOST})
    both = [r for r in (*edm, *ddpm) if r["nfe"] in nfes]
    if why := _useless(both, "rows of both networks at an equal number of evaluations"):
        return row | {"protocol": f"{why}; {words}"}
    lines = {}
    for way, (other, to) in itertools.product(ways, others.items()):
        if to["sampler"] == WALKED and not WALKED.endswith(way):
            continue  # Euler against Heun
        for nfe in nfes:
            of, at = {"sampler": way, "nfe": nfe}, to | {"nfe": nfe}
            if all(any(s.items() <= r.items() for r in both) for s in (of, at)):
                lines.setdefault((way, other), {})[nfe] = _compared(both, of, at)
    said = {
        f"{way} against {other}": ", ".join(f"{n:g}: {x[0]}" for n, x in line.items())
        + "".join(
            f"; {who} at {', '.join(f'{n:g}' for n in at)}"
            for sign, who in SIGNS.items()
            if (at := [n for n, x in line.items() if x[1] == sign])
        )
        for (way, other), line in lines.items()
    }
    first, *rest = said
    parts = [
        f"{first}: change of the Fréchet distance to held-out images by network evaluations",
        *(f"{name}: {said[name]}" for name in rest),
        "two networks, each trained in its own way: the difference is not one of samplers alone",
    ]
    return row | {"measured": said[first]} | _about(words, both, parts)


def _compared(rows: Sequence[dict], of: dict, to: dict) -> tuple[str, int | None]:
    """The paired change of the distance in words, and -1 nearer, 1 farther, 0 cannot be told.

    None, and the change of the means alone, where the two do not share two runs.
    """
    try:
        x = paired_change(rows, of, to)
    except ValueError:
        return f"{_mean(rows, of) / _mean(rows, to) - 1:+.0%} (no interval)", None
    return f"{x.mean:+.0%} ({x.low:+.0%} to {x.high:+.0%})", (x.low > 0) - (x.high < 0)


def _mean(rows: Sequence[dict], of: dict) -> float:
    return fmean(row["frechet"] for row in rows if of.items() <= row.items())


def _useless(rows: Sequence[dict], what: str) -> str:
    """Why these rows do not compare, in words, or ""."""
    if not rows:
        return f"no {what}"
    if any(math.isnan(row["frechet"]) for row in rows):
        return f"{rows[0]['N']:,} images are too few for distances on {rows[0]['features']}"
    for key in ("N", "features"):
        if len(found := sorted({row[key] for row in rows})) > 1:
            return f"rows of several {key} do not compare: {', '.join(map(str, found))}"
    floors = [row["frechet_floor"] for row in rows]
    if max(floors) > 1.001 * min(floors):  # two machines agree to more digits
        span = f"{min(floors):.2f} to {max(floors):.2f}"
        return f"rows of several sets of reference images do not compare: floors {span}"
    return ""


def _about(words: str, rows: Sequence[dict], parts: Sequence[str]) -> dict:
    trainings, seeds = ({row.get(key, 0) for row in rows} for key in ("training", "seed"))
    parts = [
        *parts,
        f"95 % intervals over {'trainings' if len(trainings) > 1 else 'sampling seeds'}, which "
        "share start noise and reference images",
        "estimates clipped to [-1, 1]",
        "sampled on " + ", ".join(sorted({row["hardware"] for row in rows})),
        rows[0]["features"],
        words,
    ]
    return {
        "protocol": "; ".join(filter(None, parts)),
        "N": rows[0]["N"],
        "seeds": f"{len(trainings)} training, {len(seeds)} sampling",
    }
