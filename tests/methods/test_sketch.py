"""Sketches against SciPy and a plain writing of the published formula; colours change as one."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from diffutils.methods import sketch


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(5, 3, 21, 34, generator=generator, dtype=torch.float64) * 2 - 1


def published(image: np.ndarray, sigma, k=3.5, p=10, eps=0.01, phi=1e9, multiply=True):
    """One image (3, H, W) in [-1, 1], written out with SciPy."""
    grey = np.tensordot([0.299, 0.587, 0.114], (image + 1) / 2, 1)
    S = (1 + p) * gaussian_filter(grey, sigma) - p * gaussian_filter(grey, k * sigma)
    u = grey * S if multiply else S
    return 2 * np.where(u >= eps, 1, 1 + np.tanh(phi * (u - eps))) - 1


SIGMAS = torch.tensor([0.3, 0.4, 0.5, 1.7, 3.0], dtype=torch.float64)


def test_the_difference_of_gaussians_is_scipys(images):
    grey = (images[:, :1] + 1) / 2
    found = sketch.difference_of_gaussians(grey, SIGMAS, k=1.6, p=7.0)
    for one, sigma, x in zip(found, SIGMAS.tolist(), grey.numpy(), strict=True):
        narrow, wide = (gaussian_filter(x[0], s) for s in (sigma, 1.6 * sigma))
        np.testing.assert_allclose(one[0], 8 * narrow - 7 * wide, atol=1e-12)


@pytest.mark.parametrize("multiply", [True, False])
@pytest.mark.parametrize("phi", [3.0, 1e9])
def test_xdog_is_the_published_formula(images, multiply, phi):
    found = sketch.xdog(images, SIGMAS, phi=phi, multiply=multiply)
    for one, sigma, x in zip(found, SIGMAS.tolist(), images.numpy(), strict=True):
        right = published(x, sigma, phi=phi, multiply=multiply)
        np.testing.assert_allclose(one[0], right, atol=1e-9)


def test_an_image_larger_gaussians_than_itself():
    x = torch.rand(1, 1, 5, 6, dtype=torch.float64)
    found = sketch.difference_of_gaussians(x, torch.tensor([4.0]), k=2.0, p=1.0)
    right = 2 * gaussian_filter(x[0, 0].numpy(), 4) - gaussian_filter(x[0, 0].numpy(), 8)
    np.testing.assert_allclose(found[0, 0], right, atol=1e-12)


def test_lines_are_ink_white_is_paper_and_the_factor_fills_what_is_black():
    images = torch.ones(2, 3, 24, 24)
    images[0, :, :, 12] = -1
    images[1, :, 6:18, 6:18] = -1
    sigma = torch.tensor([0.4, 0.4])
    drawn, plain = (sketch.xdog(images, sigma, multiply=m)[:, 0] for m in (True, False))
    assert (drawn[0, :, 12] == -1).all() and (drawn[0, :, :10] == 1).all()
    assert (drawn[1, 10:14, 10:14] == -1).all()  # ink everywhere inside
    assert (plain[1, :4] == 1).all()
    grey = torch.full((1, 1, 24, 24), -0.9)  # 0.05: dark, but even
    assert (sketch.xdog(grey, sigma[:1], multiply=False) == 1).all()
    assert (sketch.xdog(grey, sigma[:1]) == -1).all()


def test_what_makes_no_sketch_is_refused(images):
    with pytest.raises(ValueError, match="sigma must be above 0"):
        sketch.xdog(images, SIGMAS - 0.3)
    with pytest.raises(ValueError, match="k must be above 1"):
        sketch.xdog(images, SIGMAS, k=1.0)
    with pytest.raises(ValueError, match="got 2 channels"):
        sketch.xdog(images[:, :2], SIGMAS)


def test_draws_belong_to_the_sample_not_to_the_batch():
    index = torch.arange(3000)
    sigma = sketch.published_sigma(3, 5, index)
    assert torch.equal(sigma[7:9], sketch.published_sigma(3, 5, index[7:9]))
    shares = [(sigma == w).double().mean().item() for w in torch.tensor(sketch.WIDTHS)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.04)
    matrix, offset = sketch.appearance(3, 5, index)
    alone = sketch.appearance(3, 5, index[7:9])
    assert torch.equal(matrix[7:9], alone[0]) and torch.equal(offset[7:9], alone[1])


def test_a_change_of_colours_turns_around_grey_and_can_be_undone():
    matrix, offset = sketch.appearance(0, 0, torch.arange(500))
    grey = torch.full((500, 3, 1), 0.37)
    moved = matrix @ grey + offset
    assert torch.allclose(moved, moved[:, :1].expand_as(moved), atol=1e-6)  # grey stays grey
    assert torch.linalg.det(matrix).min() > 0.3  # no colours fall together
    none, zero = sketch.appearance(0, 0, torch.arange(4), strength=0.0)
    assert torch.allclose(none, torch.eye(3).expand(4, 3, 3), atol=1e-6) and (zero == 0).all()


def test_two_pictures_of_one_face_change_alike():
    """A pixel of the same colour has the same colour afterwards, wherever it stands."""
    matrix, offset = sketch.appearance(1, 2, torch.arange(6))
    x = torch.rand(6, 3, 8, 8) * 2 - 1
    turned = sketch.recoloured(x.flip(-1), matrix, offset)
    assert torch.allclose(turned.flip(-1), sketch.recoloured(x, matrix, offset), atol=1e-6)
    assert (sketch.recoloured(x, matrix, offset) - x).abs().mean() > 0.1
