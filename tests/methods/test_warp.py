"""Thin-plate splines against SciPy's; published draws fold, safe ones never do."""

import numpy as np
import pytest
import torch
from scipy.interpolate import RBFInterpolator

from diffutils.methods import warp as warps
from diffutils.methods.warp import published_controls, safe_controls, spline, warp

INDEX = torch.arange(400)


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(4, 7, 2, generator=generator, dtype=torch.float64) * 2 - 1


def test_the_spline_is_scipys_and_meets_its_targets(points):
    targets, at = points.flip(1) + 0.1, torch.rand(4, 50, 2, dtype=torch.float64) * 3 - 1.5
    found = spline(points, targets, at)
    for p, t, x, f in zip(points, targets, at, found, strict=True):
        right = RBFInterpolator(p, t, kernel="thin_plate_spline", degree=1)(x)
        np.testing.assert_allclose(f, right, atol=1e-9)
    torch.testing.assert_close(spline(points, targets, points), targets, atol=1e-10, rtol=0)


def test_an_affine_map_is_followed_everywhere(points):
    A, b = torch.tensor([[0.8, 0.3], [-0.2, 1.1]], dtype=torch.float64), 0.25
    at = torch.rand(4, 30, 2, dtype=torch.float64) * 4 - 2
    torch.testing.assert_close(spline(points, points @ A + b, at), at @ A + b, atol=1e-9, rtol=0)


def test_points_that_coincide_are_refused():
    same = torch.zeros(1, 4, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="coincide"):
        spline(same, same, same)


def test_no_bend_changes_nothing_and_a_turn_is_rot90(points):
    x = torch.rand(4, 3, 12, 12) * 2 - 1
    torch.testing.assert_close(warp(x, points, points), x, atol=1e-5, rtol=0)
    quarter = torch.full((4,), torch.pi / 2)
    turned = warp(x, points, points, quarter)
    torch.testing.assert_close(turned, x.rot90(1, (-2, -1)), atol=1e-4, rtol=0)


def test_what_comes_from_outside_is_the_fill(points):
    x, far = torch.zeros(4, 1, 8, 8), points + 5
    assert (warp(x, points, far) == -1).all() and (warp(x, points, far, fill=0.5) == 0.5).all()


@pytest.mark.parametrize("controls", [published_controls, safe_controls])
def test_a_draw_belongs_to_its_sample(controls):
    points, targets = controls(2, 9, INDEX[:50])
    one, other = controls(2, 9, INDEX[20:23])
    assert torch.equal(points[20:23], one) and torch.equal(targets[20:23], other)
    corners = torch.tensor(warps.CORNERS, dtype=points.dtype).expand(50, 4, 2)
    assert torch.equal(points[:, :4], corners) and torch.equal(targets[:, :4], corners)
    assert (points - targets).abs().amax((1, 2)).min() > 1e-3


def test_published_draws_slide_along_the_diagonal_and_some_fold():
    points, targets = published_controls(0, 0, INDEX)
    for both in (points, targets):
        assert torch.equal(both[:, 4:, 0], both[:, 4:, 1])
        assert (both[:, 4, 0] - both[:, 5, 0]).abs().min() > 1e-6
    assert targets[:, 4:].min() >= -0.4 - 1e-9 and targets[:, 4:].max() <= 0.4 + 1e-9
    assert (points - targets).abs().max() <= 0.5 + 1e-9
    assert 0.1 < warps.folds(points, targets).double().mean() < 0.9
    # Of the published warp at 256 pixels, computed elsewhere: some 6.5 % come from outside.
    at = warps.mesh(32, 32).view(1, -1, 2).expand(len(points), -1, -1)
    outside = (spline(points, targets, at).abs() > 1).any(-1).double().mean()
    assert 0.045 < outside < 0.085


def test_safe_draws_never_fold():
    """Looked at on a finer grid than the one that chose them."""
    points, targets = safe_controls(0, 0, INDEX)
    assert torch.linalg.det(warps.slopes(points, targets, 65)).min() > 0
    assert (points - targets).abs().amax((1, 2)).median() > 0.15  # and are no standstill


def test_the_jacobian_is_that_of_finite_differences(points):
    targets, h = points + 0.2 * points.flip(1), 1e-6
    line = torch.linspace(-1, 1, 5, dtype=torch.float64)
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).view(1, -1, 2).expand(4, -1, 2)
    dx, dy = (
        (spline(points, targets, at + step) - spline(points, targets, at - step)) / (2 * h)
        for step in (torch.tensor([h, 0]), torch.tensor([0, h]))
    )
    right = torch.stack([dx, dy], -2)  # row: along x, along y
    torch.testing.assert_close(warps.slopes(points, targets, 5), right, atol=1e-6, rtol=1e-6)
