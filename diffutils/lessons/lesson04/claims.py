"""SSIMBaD's noise coordinate phi* on trial (lesson 04, 6 to 8): comparisons as tables, and claims.

A trial is its arms, each trained three times and drawn by both solvers on both grids; beside it one
EDM network walks many grids, and is compared with lesson 02's network.  Where a walk starts and how
it leaps: `systems.leap`.
"""

from collections.abc import Callable, Sequence
from itertools import product

from diffutils.course.experiments import charts, claims
from diffutils.course.experiments.effects import Effect, above_floor, effect
from diffutils.course.experiments.rows import check, group, where
from diffutils.lessons.lesson04.systems.arms import ARMS, FITTED_C

SOLVERS, UNSCALED = ("Euler", "Heun"), "phi embedding unscaled"
FITTED, FITTED_PLAIN = "phi both fitted", "phi both fitted without lambda"
LATER = (UNSCALED, FITTED, FITTED_PLAIN)  # arms that were trained later, beside EDM once more

# The 2^3 factorial: phi* (+) or EDM's coordinate (-) in each of three places.  An effect is the
# mean of the cells with + less that of those with -; an interaction, twice that, is the effect of
# one place with phi* in the other less that with EDM's there.
CELLS = (  # arm, grid                       density   embedding   grid
    ("EDM",           "EDM"),              # -         -           -
    ("EDM",           "phi"),              # -         -           +
    ("phi density",   "EDM"),              # +         -           -
    ("phi density",   "phi"),              # +         -           +
    ("phi embedding", "EDM"),              # -         +           -
    ("phi embedding", "phi"),              # -         +           +
    ("phi both",      "EDM"),              # +         +           -
    ("phi both",      "phi"),              # +         +           +
)  # fmt: skip
PLACES = {  # the sign of each cell
    "density":             (-1, -1, +1, +1, -1, -1, +1, +1),
    "embedding":           (-1, -1, -1, -1, +1, +1, +1, +1),
    "grid":                (-1, +1, -1, +1, -1, +1, -1, +1),
    "density x embedding": (+1, +1, -1, -1, -1, -1, +1, +1),
    "density x grid":      (+1, -1, -1, +1, +1, -1, -1, +1),
    "embedding x grid":    (+1, -1, +1, -1, -1, +1, -1, +1),
}  # fmt: skip

# Single comparisons: the first arm against the second, each the mean over the grids that it walks.
BOTH, OWN, ETA_0, ETA_1 = ("EDM", "phi"), ("phi fitted",), ("eta 0",), ("eta 1",)
SINGLE = {
    "lambda' / EDM":                ("phi density lambda'",     BOTH,     "EDM",         BOTH),
    "lambda' / phi density":        ("phi density lambda'",     BOTH,     "phi density", BOTH),
    "unscaled / EDM":               (UNSCALED,                  BOTH,     "EDM",         BOTH),
    "unscaled / phi embedding":     (UNSCALED,                  BOTH,     "phi embedding", BOTH),
    "without lambda / EDM":         ("EDM without lambda",      BOTH,     "EDM",         BOTH),
    "without lambda / phi both":    ("phi both without lambda", BOTH,     "phi both",    BOTH),
    "all of phi* / EDM, own grids": ("phi both without lambda", ("phi",), "EDM",         ("EDM",)),
    "fitted / EDM":                 (FITTED,                    ("EDM",), "EDM",         ("EDM",)),
    "fitted grid / EDM's, fitted":  (FITTED,                    OWN,      FITTED,        ("EDM",)),
    "all fitted / EDM, own grids":  (FITTED_PLAIN,              OWN,      "EDM",         ("EDM",)),
    "EDM / DDPM eta 0, own grids":  ("EDM",                     ("EDM",), "DDPM",        ETA_0),
    "EDM / DDPM eta 1, own grids":  ("EDM",                     ("EDM",), "DDPM",        ETA_1),
}  # fmt: skip

ASSERTED = "no ablation in code and README"
CLAIMS = (  # claim, published, the comparison that decides it, one more for the fold
    ("phi*'s training density brings samples nearer", ASSERTED,
     "density",                      "density x embedding"),
    ("phi* as embedding brings samples nearer", ASSERTED,
     "embedding",                    "embedding x grid"),
    ("phi* as embedding, unscaled as published, brings samples nearer", ASSERTED,
     "unscaled / EDM",               "unscaled / phi embedding"),
    ("phi*'s sampling grid brings samples nearer", ASSERTED,
     "grid",                         "density x grid"),
    ("phi* everywhere (embedding rescaled), no lambda, is nearer than EDM", "no EDM",
     "all of phi* / EDM, own grids", None),
    ("phi* with c fitted, in density and embedding, brings samples nearer", "c = 0.3",
     "fitted / EDM",                 "fitted grid / EDM's, fitted"),
    ("phi* everywhere, c fitted, no lambda, is nearer than EDM", "c = 0.3",
     "all fitted / EDM, own grids",  None),
    ("phi*'s density with EDM's expected loss (weight lambda') differs from EDM", "-",
     "lambda' / EDM",                "lambda' / phi density"),
    ("EDM's loss does without lambda(sigma)", "left out of the code",
     "without lambda / EDM",         "without lambda / phi both"),
    ("EDM is nearer than DDPM at equal network evaluations", "-",
     "EDM / DDPM eta 0, own grids",  "EDM / DDPM eta 1, own grids"),
)  # fmt: skip

# One EDM network's grids, and the walks of lesson 02's network that it is compared with, up to MOST
# network evaluations; where that walks EDM's grid too, only the networks differ.
RHO, PHI, MOST = "rho = 7", "phi*", 50
GRID_PUBLISHED = "only phi* in code and README, at 99 and 999"
STARTS = "these grids start at 80; from 10, and without the first leap: the claims on the leap"
SAME_GRID = "the DDPM network by Heun on that grid"
DDPM_WALKS = {
    "DDIM":    {"sampler": "respaced", "eta": 0.0},
    "DDPM":    {"sampler": "respaced", "eta": 1.0},
    SAME_GRID: {"sampler": "DDPM network: Heun, rho = 7"},
}  # fmt: skip


def entries(arm: str, walk: str, solver: str) -> dict:
    """The entries of an arm's rows: by a solver on the grid "EDM" or "phi", or "eta 0", "eta 1"."""
    if walk.startswith("eta "):
        return {"arm": arm, "sampler": "respaced", "eta": float(walk[4:])}
    return {"arm": arm, "sampler": f"{solver}, {walk}"}


def places(rows: Sequence[dict], **measured) -> list[Effect]:
    """What phi* changes in each of its three places, and in two of them together, by solver.

    rows: of `arms.arm_rows`.  measured: metric and relative of `effects.effect`.
    Raises: ValueError as there, and for several numbers of network evaluations.
    """
    if len(found := sorted({row["nfe"] for row in check(rows, "nfe")})) > 1:
        several = ", ".join(f"{nfe:g}" for nfe in found)
        raise ValueError(f"the rows have several network evaluations, {several}; take rows of one")
    effects = []
    for (name, signs), solver in product(PLACES.items(), SOLVERS):
        cells = [(entries(*cell, solver), sign) for cell, sign in zip(CELLS, signs, strict=True)]
        plus, minus = ([cell for cell, sign in cells if sign == side] for side in (1, -1))
        scale = 2.0 if " x " in name else 1.0
        effects.append(effect(name, rows, plus, minus, by=solver, scale=scale, **measured))
    return effects


def single(rows: Sequence[dict], **measured) -> list[Effect]:
    """The comparisons of `SINGLE`, by solver.  rows, measured, errors: as for `places`."""
    effects = []
    for (name, (arm, walks, other, others)), solver in product(SINGLE.items(), SOLVERS):
        plus = [entries(arm, walk, solver) for walk in walks]
        minus = [entries(other, walk, solver) for walk in others]
        effects.append(effect(name, rows, plus, minus, by=solver, **measured))
    return effects


def asked_first(rows: Sequence[dict]) -> list[Effect]:
    """Those of `single` that the trial was made for: one family with `places`."""
    return [x for x in single(rows) if not _is_later(x.name)]


def asked_later(rows: Sequence[dict]) -> list[Effect]:
    """Those of the arms `LATER`, which were asked of later trainings: a family of their own."""
    return [x for x in single(rows) if _is_later(x.name)]


def beside(rows: Sequence[dict], found: Callable = places) -> str:
    """A text table of `places` or `single` on distances above their floor, and kernel distances."""
    of_kernel = found(rows, metric="kernel", relative=False)
    return charts.beside_table(found(above_floor(rows)), of_kernel)


def table(rows: Sequence[dict]) -> str:
    """A text table of the trial: Fréchet distance over the floor by arm, solver and grid."""
    walks = [f"{solver}, {grid}" for solver, grid in product(SOLVERS, (*BOTH, *OWN))]
    walks = {name: {"sampler": name} for name in walks}
    walks |= {"eta 0": DDPM_WALKS["DDIM"], "eta 1": DDPM_WALKS["DDPM"]}
    walked = {name: entries for name, entries in walks.items() if where(rows, **entries)}
    return charts.crossed(rows, ARMS, walked)


def phi_trial(
    dataset: str,
    rows: Sequence[dict],
    sweep_rows: Sequence[dict],
    ddpm_rows: Sequence[dict],
    *,
    recorded: bool = False,
    later: Sequence[dict] = (),
) -> list[dict]:
    """SSIMBaD's claims: rows for `lesson.claim(**row)`; what is not measured says why.

    rows: of `arms.arm_rows`; recorded: they ship, nobody made them here.  later: rows of later
    trainings, of the arms `LATER` and those they are compared with; none, where rows have them.
    sweep_rows: of `sweep` for an EDM network, samplers "Heun, rho = 7", "Euler, phi*", ...;
    ddpm_rows: for lesson 02's network on the same held-out images, the samplers of `DDPM_WALKS`.
    Raises: as `places`.
    """
    words, made = f"data set {dataset}", []

    # The trainings, each comparison over all of them.
    later = later or rows
    first, second = [*places(rows), *asked_first(rows)], asked_later(later)
    bare_rows, bare_later = above_floor(rows), above_floor(later)
    without_floor = [*places(bare_rows), *asked_first(bare_rows), *asked_later(bare_later)]
    for text, published, *names in CLAIMS:
        own, found = (later, second) if _is_later(names[0]) else (rows, first)
        protocol = [*(_trained(own, recorded) if own else ()), words]
        decides, more = ([x for x in found if x.name == name] for name in names)
        bare = [f"{x.by} {x.words}" for x in without_floor if x.name == names[0] and x.runs]
        bare = [f"of distances above their floor: {', '.join(bare)}"] if bare else []
        about = dict(published=published, beside=more, family=found, protocol=[*bare, *protocol])
        made.append(claims.from_effects(text, decides, own, **about))

    # One EDM network: every grid against rho = 7, phi*'s first.
    for solver in reversed(SOLVERS):
        text = f"{solver}: phi*'s grid is nearer than rho = 7, by network evaluations"
        edm, phi = f"{solver}, {RHO}", f"{solver}, {PHI}"
        named = f"{solver}, "
        found = {row["sampler"] for row in sweep_rows if row["sampler"].startswith(named)}
        grids = [phi, *sorted(found - {edm, phi})]
        pairs = [(grid, {"sampler": grid}, {"sampler": edm}) for grid in grids]
        against = f"compared with {RHO} of the same solver"
        made.append(_by_calls(text, GRID_PUBLISHED, sweep_rows, pairs, against, STARTS, words))

    # That network on EDM's grid against lesson 02's, by DDIM first.
    pairs = [
        (f"{solver}, {RHO}, against {name}", {"sampler": f"{solver}, {RHO}"}, entries)
        for solver in reversed(SOLVERS)
        for name, entries in DDPM_WALKS.items()
        if solver == "Heun" or name != SAME_GRID
    ]
    rows = [row for row in (*sweep_rows, *ddpm_rows) if row["nfe"] <= MOST]
    text = f"The EDM network is nearer than lesson 02's DDPM at equal NFE up to {MOST}"
    trained = "two networks, each trained in its own way: it is not one of samplers alone"
    return [*made, _by_calls(text, "-", rows, pairs, trained, STARTS, words)]


def _is_later(comparison: str) -> bool:
    return SINGLE.get(comparison, ("",))[0] in LATER


def _trained(rows: Sequence[dict], recorded: bool) -> list[str]:
    """What all arms of the trial share: of other choices it says nothing."""
    about, scale = rows[0]["trial"], rows[0].get("scale", 1.0)
    channels = "-".join(map(str, about["channels"]))
    labels = "labels asked for" if about.get("classes", 1) else "no labels"
    return [
        "a place is averaged over the other two, with lambda",
        f"{rows[0]['nfe']:g} network evaluations, both grids from sigma = 80, which was not varied",
        "estimates clipped to [-1, 1] in all arms",
        "arms share the weights' start, batches and noise of each training, and the start noise of "
        "sampling",
        "c = 0.3 and P_mean = -1.2 as published, neither fitted to these images; arms called "
        f"fitted have c = {FITTED_C:.3g}, the best on 20 sprites",
        "phi* as embedding is rescaled to 0 to 1,000; unscaled, as published, it is another arm",
        f"learning rate and gradient clipping shared by all arms; {labels}, "
        f"{'no guidance' if scale == 1 else 'guidance'} (scale {scale:g})",
        f"networks of {channels} channels, {about['images']:,} training images, batch "
        f"{about['batch']}, learning rate {about['lr']:g}, EMA {about['ema']:g}",
        f"{about['steps']:,} training steps{', recorded' if recorded else ''}",
        _hardware(rows),
    ]


def _hardware(rows: Sequence[dict]) -> str:
    return f"sampled on {', '.join(sorted({row['hardware'] for row in rows}))}"


def _by_calls(
    text: str, published: str, rows: Sequence[dict], pairs: Sequence[tuple], *protocol: str
) -> dict:
    """A claim on pairs (name, entries, entries to compare with), where both have rows of one NFE.

    The first pair decides, the fold has the others.
    """
    sides = [side for _, *both in pairs for side in both]
    rows = [row for row in rows if any(where([row], **side) for side in sides)]
    if why := claims.missing(rows, f"row of {pairs[0][0]} in the sweep"):
        return claims.claim(text, published, why=why, protocol=protocol)
    # Compare, and say what all comparisons share.
    found = []
    for name, of, to in pairs:
        both = [{row["nfe"] for row in where(rows, **side)} for side in (of, to)]
        for nfe in sorted(both[0] & both[1]):
            plus, minus = [of | {"nfe": nfe}], [to | {"nfe": nfe}]
            found.append(effect(name, rows, plus, minus, by=f"{nfe:g}"))
    decides = [x for x in found if x.name == pairs[0][0]]
    about = dict(published=published, beside=found[len(decides) :], family=found)
    shared = [
        "start noise and reference images are shared, estimates clipped to [-1, 1]",
        "one training says nothing of others" if len(group(rows, "training")) == 1 else "",
        _hardware(rows),
    ]
    return claims.from_effects(text, decides, rows, protocol=[*shared, *protocol], **about)
