"""A network in use: colourings belong to their index, five suspects, memory, the trial's rows."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from printed import cells

from diffutils import lessons
from diffutils.course.budgets import changed
from diffutils.course.experiments import described
from diffutils.course.runs.recorded_fit import recorded_fit, recorded_optimise, recorded_refine
from diffutils.data import to_float
from diffutils.lessons.lesson05 import claims, figures
from diffutils.lessons.lesson05.inputs.triples import cross
from diffutils.lessons.lesson05.systems import colouring, memory, stages, suspects, trial, verdicts
from diffutils.lessons.lesson05.systems.configs import CONFIGS, WALKS
from diffutils.methods.guidance import guided_twice
from diffutils.metrics.intervals import mean_interval
from diffutils.weights import models

BUDGET = lessons.budget("05", "smoke")


@pytest.fixture(scope="module")
def data():
    return described.load_for("faces", BUDGET, 0)


@pytest.fixture(scope="module")
def model(data):
    """An untrained network that looks at what it is shown."""
    about = described.card(data, BUDGET, 0, "x", **CONFIGS["ssimbad"].card)
    about["unet"]["cond_channels"] = stages.CHANNELS
    torch.manual_seed(0)
    made = models.build(about)
    with torch.no_grad():
        for p in made.denoiser.net.conv_out.parameters():
            p.normal_(0, 0.1)
    return made


@pytest.fixture(scope="module")
def part(data):
    return cross(data).first(5)


@pytest.mark.parametrize("config", ["ssimbad", "animediffusion-v"])
def test_a_colouring_belongs_to_its_index_and_seed(config, data, part, monkeypatch):
    about = described.card(data, BUDGET, 0, "x", **CONFIGS[config].card)
    about["unet"]["cond_channels"] = stages.CHANNELS
    torch.manual_seed(1)
    made, walk = models.build(about), WALKS[config]
    levels = walk.levels(made, 3)
    whole = colouring.coloured(made, part.cond("cross"), levels, walk, seed=4)
    monkeypatch.setattr(colouring, "BATCH", 2)
    again = colouring.coloured(made, part.cond("cross"), levels, walk, seed=4)
    assert (whole.int() - again.int()).abs().max() <= 1  # other sizes of batch round otherwise
    other = colouring.coloured(made, part.cond("cross"), levels, walk, seed=5)
    assert (whole != other).double().mean() > 0.3


def test_ones_own_guide_and_the_courses_draw_the_same(model, part):
    levels = colouring.PLAIN.levels(model, 3)
    course = colouring.coloured(model, part.cond("cross"), levels, scales=(1.0, 2.5))
    own = colouring.coloured(
        model, part.cond("cross"), levels, scales=(1.0, 2.5), guide=guided_twice
    )
    assert torch.equal(course, own)
    plain = colouring.coloured(model, part.cond("cross"), levels)
    guided = colouring.coloured(model, part.cond("cross"), levels, guide=guided_twice)
    assert (plain.int() - guided.int()).abs().max() <= 1 and not torch.equal(plain, course)


def test_one_call_is_the_answer_to_pure_noise(model, part):
    levels = colouring.one_call(model)
    assert levels.tolist() == pytest.approx([80.0, 0.0])
    found = colouring.coloured(model, part.cond("cross"), levels, seed=2)
    from diffutils import rng

    x = 80 * rng.normal(2, 0, torch.arange(5), model.shape, rng.START)
    with torch.no_grad():
        right = model.denoiser(x, levels[0], cond=to_float(part.cond("cross")))
    error = (to_float(found) - right.clamp(-1, 1)).abs().max()
    assert error < 0.006  # half of a level


def test_who_looks_at_the_answer(model, part):
    few = [to_float(x) for x in (part.sketches, part.references["cross"], part.images)]
    methods = suspects.suspects(model, colouring.PLAIN.levels(model, 3))
    found = {}
    for letter, (_, method) in methods.items():
        one, two = (method(*few[:2], truth, 3) for truth in (few[2], -few[2]))
        found[letter] = bool((one - two).abs().max() > 1e-6)
        assert one.shape == few[2].shape
    assert found == {"A": False, "B": True, "C": False, "D": True, "E": True}


def test_climbing_the_slope_of_ssim_raises_ssim(model, part):
    from diffutils.metrics.similarity import ssim

    few = [to_float(x) for x in (part.sketches, part.references["cross"], part.images)]
    methods = suspects.suspects(model, colouring.PLAIN.levels(model, 3))
    plain, climbed = (methods[letter][1](*few, 3).clamp(-1, 1) for letter in "AB")
    assert ssim(climbed, few[2]).mean() > ssim(plain, few[2]).mean() + 0.01


def test_memory_grows_with_the_steps_and_less_with_checkpoints(model, part):
    x0 = to_float(part.images[:2])
    model.denoiser.requires_grad_(True)
    denoise = partial(model.denoiser, cond=to_float(part.cond("cross")[:2]))
    rows = list(memory.costs(denoise, 80 * x0, colouring.PLAIN.levels(model, 6), x0, (1, 3, None)))
    plain, kept = rows[::2], rows[1::2]
    assert [row["K"] for row in plain] == [1, 3, 6]
    one, three, six = (row["MiB"] for row in plain)
    assert three > 2 * one and six > 1.7 * three
    states = [row["MiB"] for row in kept]
    assert states[2] - states[0] < 0.15 * (six - one)
    model.denoiser.requires_grad_(False)


def test_the_trial_makes_a_row_once_and_goes_on(data, tmp_path):
    arms = ("base", "one step tuned", "refined K=3", "more denoising", "animediffusion")
    arms = (*arms, "refined by SSIM", "animediffusion refined")
    budget = changed(BUDGET, {"trial_arms": arms[:2], "refine_lrs": (1e-4, 3e-4)}, "05")
    trained, said = [], []

    def train(folder, *task, **settings):
        trained.append(folder)
        record_of = (recorded_optimise, recorded_fit, recorded_refine)[len(task) - 2]
        return record_of(tmp_path / folder, *task, say=lambda line: None, **settings)

    def run(budget, seeds=(0,)):
        load = partial(described.load_for, "faces", budget)
        return list(trial.trial("faces", budget, seeds, load, train, tmp_path, said.append))

    rows = run(budget)
    assert {row["arm"] for row in rows} == {*arms[:2]} and len(trained) == 3  # at two rates
    assert {row["reference"] for row in rows} == {"warp", "turn", "other", "cross"}
    more = run(replace(budget, trial_arms=arms))
    assert more[: len(rows)] == rows and len(trained) == 14  # the bases are read back
    assert {row["arm"] for row in more} == {*arms}
    ways = {row["way"] for row in more if row["arm"] == "base" and row["reference"] == "cross"}
    assert all(row["trial"]["levels"] == budget.levels for row in more)
    common = {"Euler", "mean of 4", "one call", "mean of 4, one call"}
    assert ways == common | {"Heun", "fresh noise", "Euler, rho=7"}
    assert run(replace(budget, trial_arms=arms)) == more and len(trained) == 14
    assert len(said) == len(arms) and "measures base, training 0" in said[0]
    published = {row["way"] for row in more if row["arm"] == "animediffusion refined"}
    assert published == common | {"trailing"}
    rates = {row["arm"]: row["lr"] for row in more if "lr" in row}
    assert {*rates} == {*arms} - {"base", "animediffusion"} and {*rates.values()} <= {1e-4, 3e-4}
    again = run(replace(budget, trial_arms=arms[1:2]), seeds=(0, 1))  # takes the rate it has found
    assert len(trained) == 16 and {r["lr"] for r in again if r["arm"] == arms[1]} == {
        rates[arms[1]]
    }
    other = run(replace(budget, trial_arms=arms[:1], passes=64))  # rows of another budget
    assert {row["trial"]["passes"] for row in other} == {64}


def made(arm: str, way: str, training: int, mse: float, reference: str = "cross") -> dict:
    """A row of the trial."""
    rest = {"N": 8, "seed": 0, "features": "f", "kernel": 50 - 100 * mse, "kernel_floor": 1.0}
    rest |= {"dB": 20 - 100 * mse, "ms_ssim": 0.5, "delta_e": 100 * mse}
    return rest | {"arm": arm, "way": way, "training": training, "mse": mse, "reference": reference}


ROWS = [
    made(arm, way, k, mse * (1 + 0.02 * k))
    for k in range(3)
    for arm, way, mse in (
        ("base", "Euler", 0.08),
        ("base", "mean of 4", 0.06),
        ("refined K=3", "Euler", 0.05),
        ("one step tuned", "one call", 0.05),
        ("refined all steps", "Euler", 0.05),
        ("unbent", "Euler", 0.16),
    )
]


def test_ten_published_rows_stand_beside_what_was_run():
    rows = list(claims.published(ROWS))
    assert len(rows) == 10
    measured = [row for row in rows if "measured" in row]
    assert [row["claim"] for row in measured] == [
        "SSIMBaD, not refined, another reference",
        "SSIMBaD, refined, another reference",
    ]
    assert measured[0]["seeds"] == "3 training" and "PSNR 11.8" in measured[0]["measured"]


def test_a_verdict_says_against_what():
    row = claims.refinement(ROWS)
    assert row["verdict"] == "nearer than before; than one call: equivalent within a tenth"
    assert "-37" in row["measured"] or "-38" in row["measured"]
    assert claims.refinement([])["why"] == "no rows of both sides"
    assert "refined / mean of 4" in verdicts.verdicts(ROWS, "mse")


def test_references_of_one_kind_stand_beside_the_mix():
    assert verdicts.unbent(ROWS) == pytest.approx(2.0) and verdicts.unbent(ROWS[:3]) is None
    found = list(claims.references(ROWS))
    assert [row.get("verdict") for row in found] == ["farther", None, None]
    assert found[1]["why"] == "no rows of both sides"
    table = verdicts.by_reference(ROWS)
    assert "the image itself" in table and "not run" in table and "bent" not in table


def test_rows_are_parted_by_the_size_of_their_images():
    rows = [row | {"trial": {"max_size": size}} for row in ROWS[:2] for size in (16, 32)]
    found = verdicts.by_size(rows)
    assert [*found] == [32, 16] and [len(part) for part in found.values()] == [2, 2]
    assert verdicts.by_size([]) == {}


def test_what_deeper_gradients_cost_stands_beside_what_they_brought():
    costs = [
        {"K": K, "checkpoint": kept, "MiB": 10 * K - 5 * kept, "seconds": K * (1 + kept)}
        for K in (1, 3, 10)
        for kept in (False, True)
    ]
    rows = [row | {"spread": 0.1} for row in ROWS]
    lines = verdicts.depths(costs, rows).splitlines()
    assert lines[2].split() == ["1", "10", "5", "1.0", "2.0", "-", "-"]  # no row of one step
    assert lines[3].split() == ["3", "30", "25", "3.0", "6.0", "0.0510", "0.100"]
    assert lines[4].split() == ["10", "100", "95", "10.0", "20.0", "0.0510", "0.100"]


def test_an_error_has_two_parts():
    """Answers b + v of a sampler and b + v/4 of its mean of four: v = 0.04, b = 0.01."""
    rows = [made("base", way, 0, mse) for way, mse in (("Euler", 0.05), ("mean of 4", 0.02))]
    line = verdicts.spread_and_rest(rows).splitlines()[-1]
    assert line.split() == ["base,", "walked", "0.0500", "0.0400", "0.0100"]
    more = rows + [row | {"training": 1, "mse": row["mse"] * 2} for row in rows]
    low, high = mean_interval([0.01, 0.02])[1:3]
    line = verdicts.spread_and_rest(more).splitlines()[-1]
    assert line.endswith(f"0.0150 ({low:.4f} to {high:.4f})")
    assert verdicts.spread_and_rest(rows[:1]) == "not run"


def test_a_published_chain_has_no_more_steps_than_published(part):
    about = described.card(
        described.load_for("faces", BUDGET, 0), BUDGET, 0, "x", **CONFIGS["animediffusion"].card
    )
    frame, walk = models.build(about, blank=True), WALKS["animediffusion"]
    assert torch.equal(walk.levels(frame, 50), walk.levels(frame, 10))
    assert len(walk.levels(frame, 50)) == 11 and len(WALKS["edm"].levels(frame, 50)) == 51
    longer = replace(BUDGET, levels=50)
    about["unet"]["cond_channels"] = stages.CHANNELS
    ways = trial.colourings(models.build(about), walk, part.cond("cross"), longer, "")
    assert next(ways)[:2] == ("Euler", 10)


def test_further_verdicts_stand_in_tables_of_their_own():
    rows = [made(row["arm"], row["way"], row["training"], row["mse"], "turn") for row in ROWS]
    table = verdicts.verdicts(rows, "mse", verdicts.ON_OTHERS)
    assert table.count("turn: ") == 2 and "warp" not in table and "nearer" in table
    ddpm = [
        made(arm, way, k, mse * (1 + 0.02 * k))
        for k in range(3)
        for arm, way, mse in (
            ("animediffusion", "Euler", 0.2),
            ("animediffusion", "trailing", 0.21),
            ("animediffusion-v", "Euler", 0.1),
        )
    ]
    table = verdicts.verdicts(ddpm, "mse", verdicts.LAST_LEVEL)
    assert [row[0] for row in cells(table)] == [
        "begins at the last level / at 901", "rescaled, v / not, eps",
    ]  # fmt: skip
    assert verdicts.verdicts([], "mse", verdicts.LAST_LEVEL) == "not run"


def test_figures_are_drawn(part, model):
    triple = (part.images[0], part.sketches[0], part.references["cross"][0])
    assert figures.method(*triple, part.images[0]).axes
    grid = figures.matrix(part.sketches[:2], part.references["cross"][:3], part.images[[0] * 6])
    assert grid.shape == (12, 3, 16, 16) and (grid[0] == 255).all()
    assert torch.equal(grid[1:4], part.references["cross"][:3])
    assert len(figures.tradeoff(ROWS).axes[0].collections) >= 8


def test_every_rival_must_be_beaten_image_by_image():
    ours = torch.linspace(5, 8, 20).numpy()
    errors = {"coloured": ours, "copy": ours + 3, "ignore": ours + 9, "true answer": 0 * ours}
    assert claims.rivals(errors, 20)["verdict"] == "nearer than each"
    close = errors | {"histogram": ours + torch.linspace(-1, 1, 20).numpy()}
    assert claims.rivals(close, 20)["verdict"] == "cannot be told from each"
