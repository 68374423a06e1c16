"""Colour metrics against the published CIEDE2000 pairs, NumPy loops, SciPy and true faces."""

import inspect
import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from skimage.color import lab2rgb, rgb2lab
from skimage.exposure import match_histograms

from diffutils.data import to_float
from diffutils.data.drawn.face_references import region_palette, regions
from diffutils.data.drawn.faces import draw, parameters
from diffutils.metrics import colour

# Sharma, Wu & Dalal 2005, table 1: two colours in CIELAB and their CIEDE2000 difference.
SHARMA = """
    50 2.6772 -79.7751  50 0 -82.7485  2.0425
    50 3.1571 -77.2803  50 0 -82.7485  2.8615
    50 2.8361 -74.0200  50 0 -82.7485  3.4412
    50 -1.3802 -84.2814  50 0 -82.7485  1.0000
    50 0 0  50 -1 2  2.3669
    50 2.4900 -0.0010  50 -2.4900 0.0009  7.1792
    50 2.4900 -0.0010  50 -2.4900 0.0011  7.2195
    50 2.5 0  73 25 -18  27.1492
    50 2.5 0  61 -5 29  22.8977
    50 2.5 0  56 -27 -3  31.9030
    50 2.5 0  58 24 15  19.4535
    60.2574 -34.0099 36.2677  60.4626 -34.1751 39.4387  1.2644
    2.0776 0.0795 -1.1350  0.9033 -0.0636 -0.5514  0.9082
"""


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def random_bytes(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator).to(torch.uint8)


# ------------------------------------------------------------------- CIEDE2000


def literal_lab(srgb):
    """sRGB in [0, 1] -> CIELAB: IEC 61966-2-1 and CIE 15, white D65."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    t = linear @ np.array(to_xyz).T / [0.9505, 1.0, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def literal_ciede2000(one, two):
    """Equations 2 to 22 of the paper, one pair at a time."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1
    turn += 360 * (turn < -180) - 360 * (turn > 180)
    turn *= c1 * c2 != 0
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    level, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2
    if c1 * c2 != 0:
        far = abs(h1 - h2) > 180
        hue = (hue + 360 * far * (1 if hue < 360 else -1)) / 2
    t = 1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue))
    t += 0.32 * np.cos(np.radians(3 * hue + 6)) - 0.20 * np.cos(np.radians(4 * hue - 63))
    rotation = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    rt = -np.sin(rotation) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    dl /= 1 + 0.015 * (level - 50) ** 2 / np.sqrt(20 + (level - 50) ** 2)
    dc /= 1 + 0.045 * chroma
    dh /= 1 + 0.015 * chroma * t
    return np.sqrt(dl**2 + dc**2 + dh**2 + rt * dc * dh)


@pytest.mark.parametrize("row", SHARMA.strip().splitlines())
def test_the_equations_here_give_the_published_differences(row):
    numbers = [float(x) for x in row.split()]
    assert literal_ciede2000(numbers[:3], numbers[3:6]) == pytest.approx(numbers[6], abs=5.1e-5)


def test_delta_e_equals_the_equations():
    a, b = random(400, 3).double(), random(400, 3, seed=1).double()
    b[200:] = a[200:] + 0.1 * b[200:]  # small differences too
    b = b.clamp(-1, 1)
    got = colour.delta_e(a, b)
    assert got.dtype == torch.float64 and got.min() < 2 and got.max() > 60
    srgb = [(x.numpy() + 1) / 2 for x in (a, b)]
    same_lab = [literal_ciede2000(*pair) for pair in zip(*map(rgb2lab, srgb), strict=True)]
    assert got.tolist() == pytest.approx(same_lab, abs=1e-9)
    own_lab = [literal_ciede2000(*pair) for pair in zip(*map(literal_lab, srgb), strict=True)]
    assert got.tolist() == pytest.approx(own_lab, abs=0.02)  # the matrix has four digits


def test_delta_e_is_symmetric_and_zero_for_equals():
    a, b = random(5, 7, 3), random(5, 7, 3, seed=1)
    assert colour.delta_e(a, b).shape == (5, 7)
    torch.testing.assert_close(colour.delta_e(a, b), colour.delta_e(b, a), rtol=1e-9, atol=1e-9)
    assert colour.delta_e(a, a).abs().max() == 0
    black, white = torch.full((3,), -1.0), torch.full((3,), 1.0)
    assert colour.delta_e(black, white).item() == pytest.approx(100, abs=1e-3)


def test_bytes_and_floats_mean_the_same_colour():
    a, b = random_bytes(9, 3), random_bytes(9, 3, seed=1)
    want = colour.delta_e(a, b)
    torch.testing.assert_close(colour.delta_e(a, to_float(b)), want, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        colour.delta_e(2 * to_float(a), b),
        colour.delta_e((2 * to_float(a)).clamp(-1, 1), b),
        rtol=0,
        atol=0,
    )


def test_delta_e_broadcasts_and_passes_nan_on():
    a, b = random(6, 1, 3), random(4, 3, seed=1)
    a[2] = torch.nan
    got = colour.delta_e(a, b)
    assert got.shape == (6, 4) and got[2].isnan().all() and got.isnan().sum() == 4
    assert got[5, 3] == colour.delta_e(a[5, 0], b[3])


# ------------------------------------------------------------------- regions


@pytest.mark.parametrize("kind", [random, random_bytes])
def test_region_medians_equal_a_numpy_loop(kind):
    images = kind(4, 3, 9, 8)
    share = torch.tensor([0.0, 0.03, 0.1, 0.5, 1.1]).view(1, 5, 1, 1)
    masks = (random(4, 5, 9, 8, seed=2) + 1) / 2 < share
    got = colour.region_colours(images, masks)
    assert got.shape == (4, 5, 3) and got.dtype == torch.float64
    counts = set()
    for i, r, c in itertools.product(range(4), range(5), range(3)):
        pixels = images[i, c].double()[masks[i, r]].numpy()
        counts.add(len(pixels))
        if len(pixels) < 4:
            assert got[i, r, c].isnan()
        else:
            want = np.median(pixels) / (127.5 if kind is random_bytes else 1)
            want -= kind is random_bytes
            assert got[i, r, c].item() == pytest.approx(want, abs=1e-12)
    assert min(counts) == 0 and max(counts) == 72 and len({n % 2 for n in counts if n > 3}) == 2


def test_minimum_decides_what_is_absent():
    images, masks = random(1, 3, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.bool)
    masks[0, 1, 0, :1], masks[0, 2, 0, :3] = True, True
    for minimum, absent in {1: [1, 0, 0], 2: [1, 1, 0], 3: [1, 1, 0], 4: [1, 1, 1]}.items():
        got = colour.region_colours(images, masks, minimum)
        assert got.isnan().all(2).int().tolist() == [absent]
        assert colour.region_delta_e(images, masks, got, minimum).isnan().int().tolist() == [absent]


def test_a_median_ignores_a_few_wrong_pixels():
    images = torch.full((1, 3, 5, 5), 0.25)
    images[..., 0, :] = 1
    asked = torch.full((1, 1, 3), 0.25)
    masks = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    assert colour.region_delta_e(images, masks, asked).item() == 0


@pytest.mark.parametrize("size", [32, 64])
def test_true_faces_have_the_colours_of_their_palette(size):
    shape, palette, attributes = parameters(60, seed=3, split="heldout")
    masks = torch.stack(list(regions(shape, size).values()), 1)
    asked = region_palette(palette)
    true = colour.region_delta_e(draw(shape, palette, size), masks, asked)
    assert true[~true.isnan()].max() < 1
    assert (true.isnan() == (masks.sum((2, 3)) < colour.MINIMUM)).all()
    # Give every face the hair of one whose hair has another colour.
    code = attributes["hair_colour"]
    other = np.array([np.flatnonzero(code != own)[i % 7] for i, own in enumerate(code)])
    hair = {name: c[other] for name, c in palette.items() if name.startswith("hair")}
    wrong = colour.region_delta_e(draw(shape, {**palette, **hair}, size), masks, asked)
    assert wrong[:, 0].min() > 10
    torch.testing.assert_close(wrong[:, 1:], true[:, 1:], equal_nan=True, rtol=0, atol=0.5)


def test_small_eyes_are_judged_against_the_true_rendering():
    """At 64 pixels half of an eye's pixel may be other colours; the true rendering's are too."""
    shape, palette, attributes = parameters(40, seed=3)
    masks = torch.stack(list(regions(shape, 64, at_least=0.5).values()), 1)
    true = draw(shape, palette, 64)
    asked = colour.region_colours(true, masks)
    assert not asked.isnan().any()
    assert colour.region_delta_e(true, masks, asked).max() < 1e-9
    blue = attributes["eye_colour"] == 5
    eyes = {n: np.roll(c, 1, 0) for n, c in palette.items() if n in ("eye", "eye_light")}
    moved = np.roll(blue, 1) != blue
    wrong = colour.region_delta_e(draw(shape, {**palette, **eyes}, 64), masks, asked)[:, 2]
    assert moved.any() and wrong[torch.from_numpy(moved)].min() > 10


# ------------------------------------------------------------------- palettes


def test_palette_distance_ignores_where_colours_stand():
    a = random(3, 3, 8, 8)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    shuffled = a.flatten(2)[..., order].view_as(a)
    assert colour.palette_distance(a, shuffled).abs().max() < 1e-12
    assert colour.palette_distance(a, a.flip(0))[[0, 2]].min() > 1


def test_palette_distance_equals_scipys_in_every_direction():
    a, b = random(2, 3, 6, 5), 0.5 * random(2, 3, 6, 5, seed=1)
    lab_a, lab_b = (rgb2lab((x.double().movedim(1, -1).numpy() + 1) / 2) for x in (a, b))
    directions = colour.directions(colour.DIRECTIONS).numpy()
    want = [
        2 * np.mean([wasserstein_distance(x @ d, y @ d) for d in directions])
        for x, y in zip(lab_a.reshape(2, -1, 3), lab_b.reshape(2, -1, 3), strict=True)
    ]
    assert colour.palette_distance(a, b).tolist() == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("shift", [(12, 0, 0), (0, 15, 0), (0, 0, -9), (5, -8, 7), (0.5, 0, 1)])
def test_a_pure_shift_is_as_far_as_it_is_long(shift):
    lab = np.array([50, 0, 0]) + 20 * (np.random.default_rng(0).random((1, 7, 7, 3)) - 0.5)
    a, b = (torch.from_numpy(lab2rgb(x)).movedim(-1, 1) * 2 - 1 for x in (lab, lab + shift))
    assert a.abs().max() < 1 and b.abs().max() < 1  # inside sRGB: nothing is clipped
    length = np.linalg.norm(shift)
    assert colour.palette_distance(a, b).item() == pytest.approx(length, rel=0.02)


def test_directions_average_every_length_alike():
    directions = colour.directions(colour.DIRECTIONS)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(len(directions)).double())
    vectors = torch.nn.functional.normalize(random(2000, 3).double(), dim=1)
    means = 2 * (vectors @ directions.T).abs().mean(1)
    assert means.min() > 0.98 and means.max() < 1.02


def test_palette_distance_is_at_most_twice_the_earth_movers():
    a, b = random(6, 3, 6, 6), random(6, 3, 6, 6, seed=1)
    b[3:] = a[3:] * 0.3
    for x, y, got in zip(a, b, colour.palette_distance(a, b), strict=True):
        lab = [rgb2lab((z.double().flatten(1).T.numpy() + 1) / 2) for z in (x, y)]
        costs = cdist(*lab)
        exact = costs[linear_sum_assignment(costs)].mean()
        assert 0.5 * exact < got.item() < 2 * exact


# ------------------------------------------------------------------- histogram matching


def test_matched_has_scikit_images_histograms():
    images, references = random_bytes(3, 3, 9, 8) // 3 + 40, random_bytes(3, 3, 5, 7, seed=1)
    got = colour.matched(images, references)
    assert got.dtype == torch.uint8 and got.shape == images.shape
    for image, reference, result in zip(images, references, got, strict=True):
        floor = match_histograms(image.numpy(), reference.numpy(), channel_axis=0)
        floats = match_histograms(
            image.double().numpy(), reference.double().numpy(), channel_axis=0
        )
        assert np.array_equal(result.numpy(), floats.round())
        assert set(np.unique(result.numpy().astype(int) - floor)) == {0, 1}


def test_matching_a_shuffled_image_gives_its_colours_back():
    images = random_bytes(2, 3, 6, 6)
    shuffled = images.flatten(2).flip(2).view_as(images)
    assert torch.equal(colour.matched(images, shuffled), images)
    darker = images // 2
    assert torch.equal(
        colour.matched(images, darker).flatten(2).sort(2).values.amax(2), darker.flatten(2).amax(2)
    )
    assert colour.matched(images[:0], images[:0]).shape == (0, 3, 6, 6)


# ------------------------------------------------------------------- what is refused


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="uint8, or floats in .* got torch.int64: use to_float"):
        colour.delta_e(torch.zeros(3, dtype=torch.int64), torch.zeros(3))
    masks = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    images = torch.zeros(1, 3, 8, 8)
    with pytest.raises(TypeError, match="torch.int32"):
        colour.region_colours(images.int(), masks)
    with pytest.raises(TypeError):
        colour.region_colours(images, masks.float())
    with pytest.raises(TypeError, match="torch.int32"):
        colour.palette_distance(images.int(), images)
    with pytest.raises(TypeError):
        colour.matched(images, images)


def test_other_shapes_are_refused():
    grey, rgb = torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 8, 8)
    masks = torch.ones(2, 4, 8, 8, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"3 channels, \(..., 3\), but got \(5, 4\)"):
        colour.delta_e(torch.zeros(5, 4), torch.zeros(5, 4))
    with pytest.raises(ValueError, match=r"\(5, 3\) and \(4, 3\) do not pair up"):
        colour.delta_e(torch.zeros(5, 3), torch.zeros(4, 3))
    with pytest.raises(ValueError, match=r"RGB, \(N, 3, H, W\), but got \(2, 1, 8, 8\)"):
        colour.region_colours(grey, masks)
    with pytest.raises(ValueError, match="RGB images of one size"):
        colour.palette_distance(grey, grey)
    with pytest.raises(ValueError, match="minimum is 0"):
        colour.region_colours(rgb, masks, 0)
    with pytest.raises(ValueError, match="NaN: the network"):
        colour.region_colours(rgb / 0, masks)
    wrong = [
        lambda: colour.region_colours(rgb, masks[:1]),  # jaxtyping, where switched on, speaks first
        lambda: colour.region_colours(rgb, masks[..., :4]),
        lambda: colour.palette_distance(rgb, rgb[..., :4]),
        lambda: colour.matched(rgb.byte(), rgb[:1].byte()),
        lambda: colour.matched(rgb.byte(), grey.byte()),
        lambda: colour.region_delta_e(rgb, masks, torch.zeros(2, 3, 3)),
    ]
    for call in wrong:
        with pytest.raises((ValueError, TypeError)):
            call()


def test_masks_of_another_size_are_refused_in_words():
    """One set of masks for many images would otherwise be used for the first image alone."""
    region_colours = inspect.unwrap(colour.region_colours)  # as without jaxtyping's own checks
    images, masks = torch.zeros(2, 3, 8, 8), torch.ones(2, 4, 8, 8, dtype=torch.bool)
    assert region_colours(images, masks).shape == (2, 4, 3)
    for wrong in (masks[:1], masks[..., :4], masks[0]):
        with pytest.raises(ValueError, match=r"do not fit images \(2, 3, 8, 8\)"):
            region_colours(images, wrong)
    with pytest.raises(TypeError, match="masks must be bool, got torch.float32"):
        region_colours(images, masks.float())
