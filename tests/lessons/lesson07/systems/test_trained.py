"""Trainings of configurations: rows before and after, two further recipes, an equivariance loss."""

from dataclasses import replace

import pytest
import torch

from diffutils import lessons, rng
from diffutils.course.experiments.described import load_for
from diffutils.course.runs.recorded_fit import recorded_fit, recorded_optimise
from diffutils.denoisers import Denoiser
from diffutils.lessons.lesson07 import claims
from diffutils.lessons.lesson07.systems import trained

BUDGET = replace(
    lessons.budget("07", "smoke"),
    trial_arms=(
        "A",
        "D-2N",
        "A, equivariance loss",
        "A, turned images",
        "A, average of four",
        "D-ideal, circular",
    ),
)


@pytest.fixture
def train(tmp_path):
    """What `Lesson.train` does, without words."""

    def run(folder, network, *task, **settings):
        record_of = recorded_fit if task[1:] else recorded_optimise
        return record_of(tmp_path / folder, network, *task, say=lambda line: None, **settings)

    return run


def test_rows_are_made_once_and_tell_before_and_after(train, tmp_path):
    def load(seed):
        return load_for("digits", BUDGET, seed)

    said = []
    given = ("digits", BUDGET, range(2), load, train, tmp_path)
    rows = list(trained.rows(*given, said.append))
    assert [(row["arm"], row["training"]) for row in rows] == [
        (arm, seed) for seed in range(2) for arm in BUDGET.trial_arms
    ]
    assert all(set(row["eq"]) == set(row["before"]) and row["N"] == 6 for row in rows)
    first, second = (row for row in rows if row["arm"] == "A")
    assert first["before"] != second["before"]  # of other weights
    # The recipes start where A starts, and end elsewhere.
    for arm in ("A, equivariance loss", "A, turned images"):
        own = next(row for row in rows if row["arm"] == arm)
        assert own["before"] == first["before"] and own["eq"] != first["eq"]
    # The average is of the network that was trained, and its samples turn with their noise.
    average = next(row for row in rows if row["arm"] == "A, average of four")
    assert average["steady"] == first["steady"]
    assert average["eq"]["EQ-R, 90 degrees"] is None or average["eq"]["EQ-R, 90 degrees"] > 100
    assert average["runs"]["90 degrees"] > 100 > first["runs"]["90 degrees"]
    # A second run makes nothing, and one of another budget makes all.
    again = list(trained.rows(*given, said.append))
    assert [row["eq"] for row in again] == [row["eq"] for row in rows]
    other = replace(BUDGET, steps=3, trial_arms=("A",))
    fresh = list(trained.rows("digits", other, [0], load, train, tmp_path / "other", said.append))
    assert len(fresh) == 1 and fresh[0]["trial"] != first["trial"]
    # What is said of them.
    assert claims.trial_table(rows).count("\n") == 2 + len(BUDGET.trial_arms) + 3
    assert claims.runs_table(rows).count("\n") == 2 + len(BUDGET.trial_arms) + 1
    assert "D-2N, less A" in claims.trial_sentence(rows)
    assert "A, turned images" in claims.steady_table(rows)
    found = {row["claim"]: row for row in claims.training_claims(rows)}
    assert "measured" in found["filters D-2N draw better than A"]
    assert "why" in found["filters B-0 draw better than A"]


def test_the_equivariance_loss_adds_what_does_not_follow():
    """Of a network that follows shifts it is the denoising loss; of one that cannot, more."""
    data = load_for("digits", BUDGET, 0)
    model = trained.fresh("A", data, BUDGET, 0)
    side = data.shape[1]
    place = torch.linspace(-1, 1, side)

    class Follows(torch.nn.Module):
        def __init__(self, fixed):
            super().__init__()
            self.fixed, self.weight = fixed, torch.nn.Parameter(torch.ones(1))

        def forward(self, x, c_noise, labels=None, cond=None):
            return self.weight * x + self.fixed

    def losses(fixed):
        net, slots = Follows(fixed), torch.arange(4)
        given = {"model": model, "data": data, "batch": 4, "seed": 0, "dropout": 0.1}
        both = trained.equivariant_loss(net, 3, slots, **given)
        D = Denoiser(net, model.denoiser.coefficients, model.denoiser.c_noise)
        x0 = trained.to_float(data.train[trained.batch_order(0, 3, 4, len(data.train))[slots]])
        sigma = trained.training_levels(model.density, 0, 3, slots, 4)
        plain = D.loss(x0, sigma, rng.normal(0, 3, slots, x0.shape[1:]))
        return both, plain

    both, plain = losses(torch.zeros(1))
    # Circular shifts of a constant map commute; float32 leaves 1e-6.
    assert torch.allclose(both, plain, rtol=1e-4, atol=1e-5)
    both, plain = losses(place.expand(side, side))
    assert bool((both > plain + 1e-4).all())


def test_turned_images_are_turned_by_their_slot():
    x0 = torch.rand(3, 1, 16, 16) * 2 - 1
    slots = torch.tensor([4, 5, 6])
    made, _ = trained.turned_images(x0, None, 7, slots, seed=1)
    same, _ = trained.turned_images(x0[1:], None, 7, slots[1:], seed=1)
    assert torch.allclose(made[1:], same, atol=1e-5)
    other, _ = trained.turned_images(x0, None, 8, slots, seed=1)
    assert not torch.allclose(made, other, atol=0.1)


def test_samples_of_a_network_that_commutes_follow_their_noise():
    """One that answers each pixel alone follows shifts and turns; one that knows places, none."""
    data = load_for("digits", BUDGET, 0)
    model = trained.fresh("A", data, BUDGET, 0)
    place = torch.linspace(-1, 1, data.shape[1])

    class Pixels(torch.nn.Module):
        classes, in_channels = model.denoiser.net.classes, model.shape[0]

        def __init__(self, fixed):
            super().__init__()
            self.fixed = torch.nn.Parameter(fixed)

        def forward(self, x, c_noise, labels=None, cond=None):
            return 0.9 * x + self.fixed

    def of(fixed):
        own = Denoiser(Pixels(fixed), model.denoiser.coefficients, model.denoiser.c_noise)
        return trained.runs(replace(model, denoiser=own), trained.respaced(5), torch.arange(4))

    follows, fixed = of(torch.zeros(1)), of(0.3 * place.expand(len(place), -1))
    for name in ("shift", "90 degrees"):
        assert follows[name] > 100 and fixed[name] < follows[name] - 60
    assert follows["other noise"] < 30


def test_noise_without_nyquist_keeps_all_other_waves():
    z = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    (seen,) = [trained.limited(lambda D, schedule, z, noise: z)(None, None, z, None)]
    wanted = torch.fft.fft2(z)
    wanted[..., 4, :] = wanted[..., :, 4] = 0
    assert torch.allclose(torch.fft.fft2(seen), wanted, atol=1e-10)


def test_a_circular_arm_has_no_border_and_its_samples_follow_by_whole_pixels():
    """Untrained, of ideal filters: but for the overtones of GELU.

    By fractions of a pixel they do not: estimates are clipped, which makes overtones, too.
    """
    data = load_for("digits", BUDGET, 0)
    arm = trained.CIRCULAR[1]
    assert trained.about(arm, data, BUDGET, 0)["unet"]["padding"] == "circular"
    assert trained.about("D-ideal", data, BUDGET, 0)["unet"]["padding"] == "zeros"
    model = trained.fresh(arm, data, BUDGET, 0)
    sampler = trained.limited(trained.respaced(3))
    free = replace(model, denoiser=trained.measured.awake(model.denoiser))
    whole, parts = (
        trained.psnr2(*trained.followed(free, sampler, trained.MOVES[name], None, 2))
        for name in ("shift", "sub-pixel")
    )
    assert whole > 40 > parts
