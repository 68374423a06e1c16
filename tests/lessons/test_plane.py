"""The plane of lessons 01, 02 and 04: its points, its exact denoiser, and the pictures of both."""

import math

import numpy as np
import torch

from diffutils import samplers, schedules
from diffutils.lessons import plane

WORLD = plane.moons()


def test_two_moons_of_equal_bumps_inside_the_range_of_images():
    upper, lower = WORLD.means.chunk(2)
    assert torch.equal(upper, -lower) and float(WORLD.means.abs().max()) < 0.95
    steps = (upper[1:] - upper[:-1]).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps))
    centre = 0.6 * torch.tensor([-0.5, -0.25], dtype=torch.float64)
    torch.testing.assert_close((upper - centre).norm(dim=1), torch.full((30,), 0.6).double())
    assert float(WORLD.weights.sum()) == 1


def test_points_are_drawn_from_the_bumps():
    """40,000 points: mean and covariance within 4 standard errors; the share of each bump, too."""
    n = 40_000
    x = plane.points(WORLD, n, 0).double()
    w, m, s = WORLD
    mean = (w[:, None] * m).sum(0)
    cov = torch.einsum("k,ki,kj->ij", w, m - mean, m - mean) + (w * s**2).sum() * torch.eye(2)
    spread = cov.diagonal().sqrt()
    assert bool(((x.mean(0) - mean).abs() < 4 * spread / n**0.5).all())
    assert bool(((torch.cov(x.T) - cov).abs() < 4 * 2**0.5 * spread.max() ** 2 / n**0.5).all())
    upper = float((torch.cdist(x, m).argmin(1) < 30).double().mean())
    assert abs(upper - 0.5) < 4 * 0.5 / n**0.5
    assert torch.equal(plane.points(WORLD, 7, 0), x[:7].float())


def test_the_exact_denoiser_follows_the_slope_of_the_density():
    """D = x + sigma^2 grad log p, by autograd of the mixture's density, 1e-9."""
    x = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for sigma in (0.05, 0.3, 2.0):
        x.requires_grad_(True)
        var = WORLD.stds**2 + sigma**2
        away = (x[:, None] - WORLD.means).square().sum(-1)
        log_p = torch.logsumexp(WORLD.weights.log() - var.log() - away / (2 * var), 1)
        (slope,) = torch.autograd.grad(log_p.sum(), x)
        D = plane.exact(WORLD)(x.detach(), sigma)
        torch.testing.assert_close(D, x.detach() + sigma**2 * slope, atol=1e-9, rtol=0)


def test_least_loss_is_what_no_guess_beats():
    """Against the posterior variance by a sum over a fine set of points, 3 %; zeros cost 1."""
    sigmas = torch.tensor([0.2, 0.7])
    found = plane.least_loss(WORLD, sigmas)
    known = plane.points(WORLD, 20_000, 3).double()
    index = torch.arange(300)
    noise = torch.randn(300, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    losses = []
    for sigma in sigmas.tolist():
        x = known[index] + sigma * noise
        near = (-torch.cdist(x, known).square() / (2 * sigma**2)).softmax(1)
        spread = near @ known.square() - (near @ known).square()  # var(x0 | x)
        losses.append(float(spread.mean()) / sigma**2)
    assert abs(found / np.mean(losses) - 1) < 0.06
    assert 0 < found < 1


def test_samples_of_the_exact_denoiser_lie_on_the_moons():
    sigmas = schedules.levels(schedules.karras(), 60)
    z = 80 * torch.randn(2000, 2, generator=torch.Generator().manual_seed(2))
    x = samplers.sample(plane.exact(WORLD), z, sigmas, order=3).double()
    away = torch.cdist(x, WORLD.means).min(1).values
    assert float(away.quantile(0.99)) < 4 * 0.04
    upper = float((torch.cdist(x, WORLD.means).argmin(1) < 30).double().mean())
    assert abs(upper - 0.5) < 0.05


def test_arrows_point_from_where_they_stand_to_the_best_guess():
    fig = plane.field(WORLD, {"exact": plane.exact(WORLD), "zero": lambda x, s: 0 * x}, {"a": 0.3})
    exact, zero = fig.axes
    assert [ax.get_title() for ax in fig.axes] == ["exact, a", "zero, a"]
    (arrows,) = (c for c in zero.collections if hasattr(c, "U"))
    x = torch.tensor(arrows.get_offsets())
    away = x.norm(dim=1) > 1e-3
    want = -0.2 * x / x.norm(dim=1, keepdim=True).sqrt()
    found = torch.tensor(np.stack([arrows.U, arrows.V], 1))
    torch.testing.assert_close(found[away], want[away].to(found), atol=1e-5, rtol=0)
    (arrows,) = (c for c in exact.collections if hasattr(c, "U"))
    D = plane.exact(WORLD)(x, 0.3) - x  # 0 in the middle
    cosine = torch.cosine_similarity(torch.tensor(np.stack([arrows.U, arrows.V], 1)), D)
    assert float(cosine[away].min()) > 1 - 1e-4


def test_paths_draw_the_first_ways_and_every_end():
    states = torch.cumsum(torch.ones(5, 9, 2), 0) / 10
    fig = plane.paths(WORLD, {"one": states, "two": -states}, lines=2)
    for ax, sign in zip(fig.axes, (1, -1), strict=True):
        assert len(ax.lines) == 2
        np.testing.assert_allclose(ax.lines[0].get_xdata(), sign * states[:, 0, 0], rtol=1e-6)
        ends = ax.collections[1].get_offsets()
        assert len(ends) == 9 and math.isclose(float(ends[0][0]), sign * 0.5, rel_tol=1e-6)
