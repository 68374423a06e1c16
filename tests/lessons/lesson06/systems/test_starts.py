"""Where a chain starts: what is left of a start, the ways to answer, the rows of the trial."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from diffutils import denoisers, lessons, rng, samplers, schedules
from diffutils.course.experiments import described
from diffutils.lessons.lesson06 import claims, figures
from diffutils.lessons.lesson06.systems import oracle, scores, starts, verdicts, ways
from diffutils.weights import models
from diffutils.weights.models import Model

BUDGET = replace(
    lessons.budget("06", "smoke"), trial_images=3, tuning_images=2, starts=("D(y)", "y")
)
SPREAD = 0.5


@pytest.fixture(scope="module")
def exact():
    """A model of N(0, 0.5^2) pixels, exact, on a cosine table."""
    data = described.load_for("faces", BUDGET, 0)
    made = models.build(described.card(data, BUDGET, 0, "exact", "v"))

    class Exact(denoisers.Denoiser):
        def forward(self, x, sigma, labels=None, cond=None):
            return denoisers.gaussian(0.0, SPREAD)(x, sigma)

    denoiser = Exact(made.denoiser.net, made.denoiser.coefficients, made.denoiser.c_noise)
    return replace(made, denoiser=denoiser)


def task(n: int = 400, sigma_y: float = 0.5, size: int = 4) -> tuple[torch.Tensor, ways.Task]:
    """True images of the exact model's data, and their measurement."""
    index = torch.arange(n)
    x0 = SPREAD * rng.normal(3, 0, index, (3, size, size))
    y = ways.measured(x0, sigma_y, index)
    return x0, ways.Task(y, sigma_y, {"y": y}, index, SPREAD)


def small(exact: Model, size: int = 4) -> Model:
    """The same for images of another size."""
    return replace(exact, card=exact.card | {"size": size})


@pytest.mark.parametrize("sigma0", [0.25, 1.0, 4.0])
def test_what_is_left_of_a_start(sigma0):
    """DDIM leaves s / sqrt(s^2 + sigma0^2) of it, DDPM the square: by 40,000 chains."""
    s, index = 0.5, torch.arange(40_000)
    levels = schedules.levels(schedules.karras(), 300, from_sigma=sigma0)
    x = 1 + sigma0 * rng.normal(0, 0, index, (1, 1, 1)).double()
    noise = samplers.seeded_noise(1, index)
    for eta, left in ((0.0, s / math.hypot(s, sigma0)), (1.0, s**2 / (s**2 + sigma0**2))):
        end = samplers.sample(denoisers.gaussian(0.0, s), x, levels, eta=eta, noise=noise)
        assert float(end.mean()) == pytest.approx(left, abs=0.012)


def test_a_measurement_is_made_of_its_own_noise():
    x0, given = task()
    n = (given.y - x0) / given.sigma_y
    assert float(n.mean()) == pytest.approx(0, abs=0.02)
    assert float(n.std()) == pytest.approx(1, rel=0.02)
    some = ways.measured(x0[5:7], given.sigma_y, given.index[5:7])
    assert torch.equal(some, given.y[5:7])


def test_on_a_gaussian_every_way_has_its_own_error(exact):
    """s = sigma_y: one call errs by half of s^2, a sample of the posterior by all of it."""
    model, (x0, given) = small(exact), task(100)
    kinds = ways.ways(("D(y)", "y"))
    half = SPREAD**2 / 2

    def error(name, calls=60, strength=1.0):
        images = ways.answers(kinds[name], model, given, strength, calls, 0)
        return float((images - x0.clamp(-1, 1)).square().mean())

    assert error("D(y) alone", 1) == pytest.approx(half, rel=0.1)
    assert error("y as a state, DDPM") == pytest.approx(2 * half, rel=0.1)
    assert error("consistent, DDPM", 400) == pytest.approx(2 * half, rel=0.1)
    # y made noisier is a state of a higher level, and loses nothing that a posterior has.
    assert error("y, its level raised, DDPM", strength=0.3) == pytest.approx(2 * half, rel=0.1)
    # Without y: two unrelated images.
    assert error("pure noise, DDPM") == pytest.approx(2 * SPREAD**2, rel=0.15)
    # The start's level is too low for the noise of y, which is kept.
    assert error("y + noise, DDIM", strength=0.3) > error("y as a state, DDIM")


def test_an_answer_belongs_to_its_index_and_seed(exact, monkeypatch):
    model, (_, given) = small(exact), task(5)
    way = ways.ways(("D(y)", "y"))["y as a state, DDPM"]
    whole = ways.answers(way, model, given, 1.0, 8, 4)
    monkeypatch.setattr(ways, "BATCH", 2)
    assert torch.allclose(whole, ways.answers(way, model, given, 1.0, 8, 4), atol=1e-5)
    assert not torch.allclose(whole, ways.answers(way, model, given, 1.0, 8, 5), atol=0.1)


def test_rows_are_tuned_aside_judged_and_kept(exact, tmp_path, monkeypatch):
    data = described.load_for("faces", replace(BUDGET, max_size=16), 0)
    budget = replace(BUDGET, start_levels=(0.5, 1.0), spreads=(0.7, 2.0), calls=4)
    every = ways.ways
    monkeypatch.setattr(
        ways, "ways", lambda names: {k: w for k, w in every(names).items() if w.calls < 2}
    )
    parts = starts.parts(data, budget, 0, tmp_path, lambda line: None)
    said = []
    rows = list(starts.trial(exact, *parts, budget, tmp_path, said.append))
    tuned = [row for row in rows if row["part"] == "judged" and row["strength"] is not None]
    again = [row for row in rows if row["part"] == "answers"]
    assert {row["way"] for row in again} == {
        n
        for n in {r["way"] for r in rows}
        if "+ noise" in n or n.startswith(("consistent", "y as a state, DD", "y, its"))
    } - {"y as a state, DDPM-200"}
    assert {(row["K"], row["N"], len(row["covered"])) for row in again} == {(4, 2, 2)}
    assert (
        tuned
        and {row["N"] for row in tuned} == {3}
        and {row["by"] for row in tuned} == {*starts.RULERS}
    )
    for row in tuned:
        tried = [r for r in rows if r["part"] == "tuning" and r["way"] == row["way"]]
        assert len(tried) == 2 and {r["N"] for r in tried} == {2}
        assert row["strength"] == min(tried, key=lambda r: r[row["by"]])["strength"]
    # A second run reads them, one with another noise does not.
    monkeypatch.setattr(ways, "answers", None)
    assert list(starts.trial(exact, *parts, budget, tmp_path, said.append)) == rows
    other = replace(budget, start_noise=0.3)
    with pytest.raises(TypeError):
        next(starts.trial(exact, *parts, other, tmp_path, said.append))
    # What is said of them.
    assert verdicts.starts_table(rows).count("\n") > 9
    assert "0.7" in verdicts.strengths_table(rows)
    assert verdicts.answers_table(rows, ["consistent, DDPM"]).count("\n") == 4
    assert "Least squared error" in verdicts.starts_sentence(rows)
    assert claims.starts_claim(rows)["why"] == "no rows of it"  # none with DIP
    assert figures.tradeoff(rows).axes[1].get_xlabel() == "mean squared error"


def test_a_perfect_sampler_has_its_ratio_and_its_share():
    """Truth and answers are draws about one mean: one answer errs twice, K = 16 cover 80 %."""
    draws = torch.randn(17, 50, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = {k: torch.tensor(v) for k, v in scores.of_answers(draws[1:], draws[0]).items()}
    assert {len(x) for x in found.values()} == {50}
    ratio = found["each"].mean() / found["each_of_mean"].mean()
    assert float(ratio) == pytest.approx(2 / (1 + 1 / 16), rel=0.03)
    assert float(found["each"].mean()) == pytest.approx(2, rel=0.05)
    # The sets, by NumPy's quantiles of all at once.
    sets = np.quantile(draws[1:].numpy(), [0.05, 0.95], axis=0)
    inside = (sets[0] <= draws[0].numpy()) & (draws[0].numpy() <= sets[1])
    assert found["covered"].tolist() == pytest.approx(inside.mean((1, 2, 3)).tolist(), abs=1e-3)
    # From the 1.75th to the 15.25th of 16 draws, which part the line in 17: about 13.5 / 17.
    assert float(found["covered"].mean()) == pytest.approx(13.5 / 17, abs=0.02)
    same = scores.of_answers(draws[:1].expand(4, -1, -1, -1, -1), draws[0] + 1)
    assert max(same["covered"]) == 0 and max(same["std"]) == 0


def test_a_dip_belongs_to_its_measurement(tmp_path):
    budget = replace(BUDGET, dip_iterations=20)
    y = torch.zeros(1, 3, 16, 16)
    made = [starts.dip_of(x, budget, 0, tmp_path, print) for x in (y, y + 0.1, y)]
    assert (
        torch.equal(made[0]["image"], made[2]["image"]) and made[0]["seconds"] == made[2]["seconds"]
    )
    assert not torch.equal(made[0]["image"], made[1]["image"])
    assert len(list(tmp_path.iterdir())) == 2


def test_too_few_images_are_said(tmp_path):
    data = described.load_for("faces", BUDGET, 0)
    with pytest.raises(ValueError, match="give more images, or --set tuning_images="):
        starts.parts(data, replace(BUDGET, tuning_images=len(data.heldout)), 0, tmp_path)


def test_the_oracle_shows_each_bias():
    mean, std = oracle.exact()
    assert (mean, std) == (pytest.approx(0.7), pytest.approx(0.08944, abs=1e-4))
    rows = {row["method"]: row for row in oracle.rows(200, 8)}
    assert rows["consistent"]["seen mean"] == pytest.approx(mean, abs=0.01)
    assert rows["consistent"]["seen std"] == pytest.approx(std, rel=0.06)
    assert rows["consistent"]["unseen std"] == pytest.approx(oracle.SPREAD, rel=0.06)
    assert rows["consistent, s = 1"]["seen mean"] > mean + 0.005
    assert rows["Pi-GDM"]["seen std"] < 0.05 and rows["DDRM"]["seen std"] < 0.07
    assert rows["DPS"]["calls"] == 600 and rows["consistent, Heun"]["calls"] == 399
    means = oracle.by_batch(50, (1, 16))
    assert means[1] > means[16] + 0.05
