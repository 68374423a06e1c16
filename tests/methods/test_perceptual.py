"""Noise coordinates and SSIM curves against scikit-image, numpy and published statements."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from diffutils import schedules
from diffutils.data import load
from diffutils.lessons.lesson04 import search
from diffutils.methods import perceptual as P

F64 = torch.float64
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
SKIMAGE = {"uniform": {}, "gaussian": GAUSSIAN}
COORDINATES = P.candidates()
# Where float64 holds phi to far better than sigma's 1e-8: tanh and sigmoid round to 1 further up,
# and DDPM's t is 0 below its first level.
RANGE = {"tanh(sigma)": (0.002, 10.0), "sigmoid(sigma)": (0.002, 20.0), "t, DDPM": (0.0101, 80.0)}


def close(got, want, atol=0.0, rtol=0.0):
    got, want = (torch.as_tensor(t, dtype=F64) for t in (got, want))
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


@pytest.fixture(scope="module")
def photos():
    return load("photos", 128, 6, heldout=1).train


@pytest.fixture(scope="module")
def sigmas():
    return P.dense_sigmas()


@pytest.fixture(scope="module")
def curves(photos, sigmas):
    return P.ssim_curve(photos, sigmas)


def logistic_curves(sigmas, *cs):
    """SSIM curves that are exactly straight in phi* of each c."""
    return torch.stack([1 - sigmas / (sigmas + c) for c in cs])


# ------------------------------------------------------------------- SSIM


@pytest.mark.parametrize("window", SKIMAGE)
def test_a_curve_is_the_published_measurement(photos, window):
    """x = clamp(x0 + sigma n, -1, 1), mapped to [0, 1], the same n at every sigma."""
    from diffutils import rng

    n = rng.normal(3, 0, torch.arange(2), (3, 128, 128), rng.EVALUATION).double().numpy()[1]
    x0 = photos[1].double().numpy() / 127.5 - 1
    sigmas = torch.tensor([0.002, 0.05, 0.4, 2.0, 80.0], dtype=F64)
    theirs = [
        structural_similarity(
            (x0 + 1) / 2,
            (np.clip(x0 + s * n, -1, 1) + 1) / 2,
            data_range=1,
            channel_axis=0,
            **SKIMAGE[window],
        )
        for s in sigmas.tolist()
    ]
    close(P.ssim_curve(photos[:2], sigmas, 3, window)[1], theirs, atol=1e-6)


@pytest.mark.parametrize("window, side", [("uniform", 7), ("gaussian", 11)])
def test_an_image_smaller_than_the_window_is_refused(window, side):
    sigmas, images = torch.ones(1), torch.zeros(1, 1, side, side, dtype=torch.uint8)
    assert P.ssim_curve(images, sigmas, 0, window).shape == (1, 1)
    with pytest.raises(ValueError, match=f"{side} x {side} pixels.*{side - 1} x {side}"):
        P.ssim_curve(images[:, :, 1:], sigmas, 0, window)


@pytest.mark.parametrize(
    "images, window, message",
    [
        (torch.zeros(1, 1, 16, 16, dtype=torch.uint8), "box", "'uniform' or 'gaussian', got 'box'"),
        (torch.zeros(1, 1, 16, 16), "uniform", "uint8"),
        (torch.zeros(1, 16, 16, dtype=torch.uint8), "uniform", r"\(1, 16, 16\)"),
    ],
)
def test_wrong_input_is_refused(images, window, message):
    with pytest.raises(ValueError, match=message):
        P.ssim_curve(images, torch.ones(1), 0, window)


def test_the_seed_picks_the_noise_and_nothing_else(photos):
    """Other noise moves SSIM by under 0.02; the same seed repeats it, whatever the other images."""
    sigmas = torch.tensor([0.002, 0.1, 0.5, 80.0], dtype=F64)
    first, other = (P.ssim_curve(photos[:2], sigmas, seed) for seed in (0, 1))
    assert torch.equal(P.ssim_curve(photos[:1], sigmas, 0), first[:1])
    assert bool((first != other).all())
    close(first, other, atol=0.02)


# ------------------------------------------------------------------- coordinates


def test_the_published_candidates_and_two_more():
    """22 distinct functions, ten of them phi*, and EDM's and DDPM's."""
    values = torch.stack([c.phi(P.dense_sigmas()) for c in COORDINATES.values()])
    assert len(COORDINATES) == len(values.unique(dim=0)) == 22 + 2
    assert sum(name.startswith("sigma/(sigma+") for name in COORDINATES) == 10


@pytest.mark.parametrize("name", COORDINATES)
def test_every_inverse(name):
    """sigma to 1e-8 of itself over [0.002, 80], or over the stated range; phi is monotone there."""
    low, high = RANGE.get(name, (0.002, 80.0))
    sigmas = schedules.log_uniform(low, high)(torch.linspace(0, 1, 500, dtype=F64))
    phi = COORDINATES[name].phi(sigmas)
    close(COORDINATES[name].inverse(phi), sigmas, rtol=1e-8)
    assert len(phi.diff().sign().unique()) == 1 and bool(phi.diff().all())


def test_saturated_coordinates_stay_in_range():
    """tanh(80) is 1 in float64 and its inverse infinite; the grid ends at sigma_max even so."""
    for name in RANGE:
        _, levels = P.equal_steps(COORDINATES[name])
        assert 0.002 <= float(levels[0]) < 0.0101 and levels[-1] == 80


@pytest.mark.parametrize("c", [0.1, 0.3, 0.7])
def test_phi_star_spaces_levels_like_log_logistic(c):
    u = torch.linspace(0, 1, 50, dtype=F64)
    coordinate = P.phi_star(c)
    ours = schedules.spaced(coordinate.phi, coordinate.inverse, 0.002, 80.0)(u)
    close(ours, schedules.log_logistic(c)(u), rtol=1e-9)
    close(P.equal_steps(coordinate)[1], ours, rtol=1e-9)


def test_phi_star_needs_a_level():
    for c in (0.0, -0.3, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive"):
            P.phi_star(c)


def test_timestep_is_the_published_table():
    """The level of step 500 is sqrt(1/abar - 1) of Ho et al.'s linear betas."""
    abar = np.prod(1 - np.linspace(1e-4, 0.02, 1000)[:501])
    close(COORDINATES["t, DDPM"].phi(torch.tensor(math.sqrt(1 / abar - 1), dtype=F64)), 500, 1e-9)


# ------------------------------------------------------------------- straightness


def test_r_squared_is_that_of_polyfit(curves, sigmas):
    x = np.linspace(math.log(0.01), math.log(10), 30)
    got = P.r_squared(curves, sigmas, COORDINATES["log(sigma)"], 30, 0.01, 10.0)
    for curve, r2 in zip(curves.numpy(), got, strict=True):
        y = np.interp(x, sigmas.log().numpy(), curve)
        residual = y - np.polyval(np.polyfit(x, y, 1), x)
        close(r2, 1 - residual.var() / y.var(), atol=1e-10)


@pytest.mark.parametrize("name", ["sigma/(sigma+0.3)", "arcsinh(sigma)"])
def test_interpolated_r_squared_is_the_measured_one(photos, curves, sigmas, name):
    """The levels of one candidate measured directly: R^2 to 1e-4."""
    phi, levels = P.equal_steps(COORDINATES[name])
    direct = P.ssim_curve(photos[:2], levels)
    measured = [np.corrcoef(phi, y)[0, 1] ** 2 for y in direct]
    close(P.r_squared(curves[:2], sigmas, COORDINATES[name]), measured, atol=1e-4)


def test_curves_must_cover_the_range(sigmas):
    curves = logistic_curves(sigmas, 0.3)
    with pytest.raises(ValueError, match="must cover 0.002 to 80"):
        P.r_squared(curves[:, 1:], sigmas[1:], P.phi_star())
    with pytest.raises(ValueError, match="increase"):
        P.r_squared(curves.flip(1), sigmas.flip(0), P.phi_star())


def test_published_order_on_photographs(curves, sigmas):
    """phi* with c = 0.3 is straighter than log sigma, and that than EDM's sigma^(1/7)."""
    star, log, edm = (
        float(P.r_squared(curves, sigmas, COORDINATES[name]).mean())
        for name in ("sigma/(sigma+0.3)", "log(sigma)", "sigma^(1/7), EDM")
    )
    assert edm + 0.1 < log < star


# ------------------------------------------------------------------- the tabulated coordinate


def test_tabulated_is_straight_on_its_own_mean_curve(curves, sigmas):
    mean = curves.mean(0, keepdim=True)
    assert float(P.r_squared(mean, sigmas, P.tabulated(curves, sigmas))) > 0.999


def test_tabulated_inverse(curves, sigmas):
    """Both ways to 1e-9, between and beyond the table's levels, and strictly increasing."""
    coordinate = P.tabulated(curves, sigmas)
    levels = schedules.log_uniform(0.0005, 300.0)(torch.linspace(0, 1, 1001, dtype=F64))
    phi = coordinate.phi(levels)
    assert float((phi.diff() / levels.log().diff()).min()) > 0.01 - 1e-9
    close(coordinate.inverse(phi), levels, rtol=1e-9)
    close(coordinate.phi(coordinate.inverse(phi)), phi, atol=1e-9)


def test_tabulated_is_the_nearest_curve_with_the_slope():
    """By hand, in units of log sigma: losses 0, 0.5, 0.3, 1; the fall is shared equally."""
    sigmas = torch.arange(4, dtype=F64).exp()
    curves = 1 - torch.tensor([[0, 0.5, 0.3, 1.0]], dtype=F64)
    close(P.tabulated(curves, sigmas, 0.1).phi(sigmas), [0, 0.35, 0.45, 1], atol=1e-12)
    with pytest.raises(ValueError, match="slope"):
        P.tabulated(curves, sigmas, 0.0)


# ------------------------------------------------------------------- the search


def test_ranking_is_by_the_mean_with_students_interval(curves, sigmas):
    rows = search.ranking(curves[:3], sigmas)
    means = [row["mean"] for row in rows]
    assert means == sorted(means, reverse=True) and {row["name"] for row in rows} == {*COORDINATES}
    r2 = P.r_squared(curves[:3], sigmas, COORDINATES[rows[0]["name"]])
    half = 4.302653 * float(r2.std()) / math.sqrt(3)  # t of 2 degrees of freedom, 97.5 %
    want = [float(r2.mean()), float(r2.mean()) - half, float(r2.mean()) + half, 3]
    close([rows[0][key] for key in ("mean", "low", "high", "N")], want, atol=1e-7)


def test_one_image_has_no_interval(curves, sigmas):
    row = search.ranking(curves[:1], sigmas, [P.phi_star()])[0]
    assert row["N"] == 1 and math.isnan(row["low"]) and math.isnan(row["high"])


@pytest.mark.parametrize("c", [0.05, 0.3, 2.0])
def test_best_c_finds_the_c_of_the_curve(sigmas, c):
    """To the step of the default grid, 2.3 %; R^2 is then 1."""
    best, r2 = search.best_c(logistic_curves(sigmas, c), sigmas)
    close(best, c, rtol=0.024)
    close(r2, 1, atol=1e-4)
