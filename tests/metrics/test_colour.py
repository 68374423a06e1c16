"""Colour distances against plain writings of them, SciPy, and colours that are known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from diffutils.data import to_float
from diffutils.data.drawn import face_references, faces
from diffutils.metrics import colour


def ciede2000(one, two):
    """Written out from Sharma et al. 2005, eq. 2 to 22, for two colours in CIELAB."""
    (L1, a1, b1), (L2, a2, b2) = one, two
    C = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    G = 0.5 * (1 - math.sqrt(C**7 / (C**7 + 25**7)))
    a1, a2 = (1 + G) * a1, (1 + G) * a2
    C1, C2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1
    turn += 360 * ((turn < -180) - (turn > 180))
    dL, dC = L2 - L1, C2 - C1
    dH = 2 * math.sqrt(C1 * C2) * math.sin(math.radians(turn) / 2)
    L, C, h = (L1 + L2) / 2, (C1 + C2) / 2, (h1 + h2) / 2
    if abs(h1 - h2) > 180:
        h += 180 if h1 + h2 < 360 else -180
    cos = lambda degrees: math.cos(math.radians(degrees))  # noqa: E731
    T = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.2 * cos(4 * h - 63)
    S_L = 1 + 0.015 * (L - 50) ** 2 / math.sqrt(20 + (L - 50) ** 2)
    S_C, S_H = 1 + 0.045 * C, 1 + 0.015 * C * T
    bent = 60 * math.exp(-(((h - 275) / 25) ** 2))
    R = -2 * math.sqrt(C**7 / (C**7 + 25**7)) * math.sin(math.radians(bent))
    parts = dL / S_L, dC / S_C, dH / S_H
    return math.sqrt(sum(p * p for p in parts) + R * parts[1] * parts[2])


def test_delta_e_is_ciede2000():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 60, 3, generator=generator) * 2 - 1
    b[:20] = (a[:20] + 0.03 * b[:20]).clamp(-1, 1)
    right = [ciede2000(x, y) for x, y in zip(colour.lab(a), colour.lab(b), strict=True)]
    np.testing.assert_allclose(colour.delta_e(a, b), right, rtol=1e-9)
    assert (colour.delta_e(a, a) == 0).all()
    np.testing.assert_allclose(colour.delta_e(b, a), right, rtol=1e-9)


def test_lab_of_known_colours():
    """White and black by definition; sRGB red from the standard's matrix (D65)."""
    white, black, red = colour.lab(torch.tensor([[255] * 3, [0] * 3, [255, 0, 0]]).byte())
    np.testing.assert_allclose(white, [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(black, [0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(red, [53.24, 80.09, 67.20], atol=0.02)


def test_colours_outside_their_range_are_refused():
    with pytest.raises(ValueError, match=r"expected uint8 or \[-1, 1\]"):
        colour.lab(torch.tensor([[0.0, 0.0, 1.2]]))


def test_region_colours_are_medians_and_small_regions_have_none():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(3, 3, 9, 9, generator=generator) * 2 - 1
    masks = torch.rand(3, 2, 9, 9, generator=generator) < 0.4
    masks[2, 1] = False
    masks[2, 1, 0, :3] = True
    found = colour.region_colours(images, masks)
    for i, r in np.ndindex(3, 2):
        inside = images[i][:, masks[i, r]]
        right = inside.median(1).values if inside.shape[1] >= 4 else torch.full((3,), math.nan)
        torch.testing.assert_close(found[i, r], right, equal_nan=True)
    assert found[2, 1].isnan().all()
    asked = torch.zeros(3, 2, 3)
    assert colour.region_delta_e(images, masks, asked)[2, 1].isnan()


@pytest.mark.parametrize("size", [32, 64])
def test_a_true_drawing_has_its_palette_and_another_has_not(size):
    shape, palette, _ = faces.parameters(60, 3, "heldout")
    masks = face_references.regions(shape, palette, size)
    asked = torch.from_numpy(np.stack([palette[name] for name in face_references.REGIONS], 1))
    asked = 2 * asked.float() - 1
    true = colour.region_delta_e(faces.draw(shape, palette, size), masks, asked)
    assert true.nan_to_num(0).max() < 1.0
    wrong = {name: np.roll(values, 1, 0) for name, values in palette.items()}
    other = colour.region_delta_e(faces.draw(shape, wrong, size), masks, asked)
    assert other.nanmean() > 15


def test_the_palette_distance_sees_colours_and_not_places():
    generator = torch.Generator().manual_seed(2)
    images = torch.randint(0, 256, (2, 3, 8, 8), generator=generator, dtype=torch.uint8)
    mixed = images.flatten(2)[..., torch.randperm(64, generator=generator)].view(2, 3, 8, 8)
    assert colour.palette_distance(images, mixed).max() < 1e-9
    larger = images.repeat_interleave(2, -1)
    assert colour.palette_distance(images, larger).max() < 1e-9


def test_the_palette_distance_is_a_mean_of_scipys():
    generator = torch.Generator().manual_seed(3)
    a, b = torch.rand(2, 1, 3, 6, 6, generator=generator) * 2 - 1
    points = [colour.lab(x[0].flatten(1).T).numpy() for x in (a, b)]
    each = [wasserstein_distance(*(p @ d for p in points)) for d in colour.directions().numpy()]
    np.testing.assert_allclose(colour.palette_distance(a, b), [2 * np.mean(each)], rtol=1e-9)


def test_a_shift_of_all_colours_counts_its_length():
    """The mean of |cos| over the sphere is 1/2, which the factor 2 undoes."""
    length = torch.tensor([[3.0, 0, 0], [0, 3, 0], [1, 2, 2]], dtype=torch.float64)
    found = 2 * (length @ colour.directions().T).abs().mean(1)
    np.testing.assert_allclose(found, [3, 3, 3], rtol=0.01)


def test_grey_images_have_one_palette():
    grey = to_float(torch.full((1, 3, 8, 8), 90, dtype=torch.uint8))
    assert colour.palette_distance(grey, grey.flip(-1)).item() == 0


def test_matched_histograms_are_those_of_the_reference():
    generator = torch.Generator().manual_seed(4)
    a, b = torch.randint(0, 256, (2, 2, 3, 16, 16), generator=generator, dtype=torch.uint8)
    found = colour.matched(a, b)
    for mine, theirs, before in zip(found, b, a, strict=True):
        for channel in range(3):
            ranks = before[channel].flatten().double().argsort()
            assert (mine[channel].flatten()[ranks].diff().double() >= 0).all()  # order is kept
            moved = wasserstein_distance(mine[channel].flatten(), theirs[channel].flatten())
            assert moved < 2
