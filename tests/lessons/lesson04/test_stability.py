"""How even a grid's steps are: by hand on a linear curve, against numpy, and what changes it."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from diffutils import rng, schedules
from diffutils.data import load
from diffutils.lessons.lesson04 import stability as T
from diffutils.methods import perceptual as P

F64 = torch.float64
SIGMAS = P.dense_sigmas()
TOP, LOW = math.log(80), math.log(0.002)
LINEAR = (TOP - SIGMAS.log())[None] / (TOP - LOW)  # SSIM 1 at 0.002, 0 at 80, linear in log sigma
DDPM = schedules.Discrete(schedules.linear_betas())
GRIDS = {"EDM": schedules.karras(), "log": schedules.log_uniform(), "DDPM": DDPM}


@pytest.fixture(scope="module")
def images():
    return load("photos", 24, 4, heldout=1).train


@pytest.fixture(scope="module")
def rows(images):
    return T.stability(images, GRIDS, 10, seeds=(0, 3))


def levels(ssim):
    """The noise levels where `LINEAR` has these values."""
    return (TOP - torch.tensor(ssim, dtype=F64) * (TOP - LOW)).exp()


def by_numpy(images, grid, seed):
    """Gains per image from SSIM read off by numpy, the last level above 80 taken as 80."""
    sigmas = np.minimum(grid, 80)
    curves = P.ssim_curve(images, SIGMAS, seed).numpy()
    ssim = [np.interp(np.log(sigmas), SIGMAS.log().numpy(), curve) for curve in curves]
    return np.diff(np.concatenate([ssim, np.ones((len(images), 1))], 1), axis=1)


# ------------------------------------------------------------------- one level


def test_readings_against_scikit_image(images):
    image, sigma, known = images[2], 0.4, P.candidates()
    coordinates = [known[name] for name in ("t, DDPM", "log(sigma)", "sigma^(1/7), EDM")]
    coordinates += [P.phi_star(), P.tabulated(P.ssim_curve(images, SIGMAS), SIGMAS)]
    found = T.readings(image, sigma, coordinates, seed=3)
    x0 = image.double().numpy() / 127.5 - 1
    noise = rng.normal(3, 0, torch.arange(1), image.shape, rng.EVALUATION)[0].double().numpy()
    noisy = np.clip(x0 + sigma * noise, -1, 1)
    pair = (x0 + 1) / 2, (noisy + 1) / 2
    assert found["ssim"] == pytest.approx(
        structural_similarity(*pair, data_range=1, channel_axis=0), abs=1e-6
    )
    assert found["snr"] == pytest.approx((x0**2).mean() / sigma**2, rel=1e-6)
    assert list(found["phi"]) == [c.name for c in coordinates]
    low, high = 0.002, 80
    assert found["phi"]["log(sigma)"] == pytest.approx(math.log(sigma / low, high / low))
    seventh = [s ** (1 / 7) for s in (low, sigma, high)]
    assert found["phi"]["sigma^(1/7), EDM"] == pytest.approx(
        (seventh[1] - seventh[0]) / (seventh[2] - seventh[0])
    )
    for end, value in ((low, 0), (high, 1)):
        ends = T.readings(image, end, coordinates)["phi"].values()
        assert [*ends] == pytest.approx([value] * 5)


# ------------------------------------------------------------------- one curve, by hand


def test_a_grid_equal_in_the_coordinate_of_the_curve_is_even():
    gain = T.gained(LINEAR, SIGMAS, levels([0, 0.2, 0.4, 0.6, 0.8]))
    np.testing.assert_allclose(gain, [[0.2] * 5], atol=1e-9)
    assert float(T.unevenness(gain)) == pytest.approx(0, abs=1e-8)


def test_an_uneven_grid_by_hand():
    """Gains 0.1, 0.5, 0.4: mean 1/3, variance (0.01 + 0.25 + 0.16)/3 - 1/9 = 0.26/9."""
    gain = T.gained(LINEAR, SIGMAS, levels([0, 0.1, 0.6]))
    np.testing.assert_allclose(gain, [[0.1, 0.5, 0.4]], atol=1e-9)
    assert float(T.unevenness(gain)) == pytest.approx(math.sqrt(0.26))


@pytest.mark.parametrize("n", [2, 5, 50])
def test_a_single_step_that_gains_all(n):
    gain = torch.zeros(1, n)
    gain[0, n // 2] = 0.7
    assert float(T.unevenness(gain)) == pytest.approx(math.sqrt(n - 1))


def test_the_last_step_goes_to_the_clean_image():
    """A grid that stops at SSIM 0.25 has the rest, 0.75, in its last step."""
    gain = T.gained(LINEAR, SIGMAS, levels([0, 0.25]))
    np.testing.assert_allclose(gain, [[0.25, 0.75]], atol=1e-9)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("n", [1, 7, 50])
def test_the_gains_add_up_to_all_that_the_top_lost(images, name, n):
    curves = P.ssim_curve(images, SIGMAS)
    gain = T.gained(curves, SIGMAS, schedules.steps(GRIDS[name], n)[:-1])
    assert gain.shape == (4, n)
    np.testing.assert_allclose(gain.sum(1), 1 - curves[:, -1], atol=1e-12)


def test_levels_above_80_count_as_80():
    grid = torch.tensor([157.0, 100.0, 80.0, 1.0], dtype=F64)
    gain = T.gained(LINEAR, SIGMAS, grid)
    np.testing.assert_allclose(gain[0, :2], [0, 0], atol=1e-12)
    np.testing.assert_array_equal(gain[:, 2:], T.gained(LINEAR, SIGMAS, grid[2:]))
    assert float(schedules.steps(DDPM, 50)[0]) == pytest.approx(157, abs=1)


def test_a_grid_that_starts_lower_gains_less():
    gain = T.gained(LINEAR, SIGMAS, levels([0.4, 0.7]))
    np.testing.assert_allclose(gain, [[0.3, 0.3]], atol=1e-9)
    assert float(T.unevenness(gain)) == pytest.approx(0, abs=1e-8)


def test_only_the_shares_matter():
    """The unit of SSIM and the order of the steps change nothing."""
    gain = torch.tensor([[0.1, 0.2, 0.3, 0.05]], dtype=F64)
    want = float(T.unevenness(gain))
    assert float(T.unevenness(3 * gain)) == pytest.approx(want)
    assert float(T.unevenness(gain.flip(1))) == pytest.approx(want)


def test_new_names_for_the_levels_change_nothing():
    """Noise half as strong at every level, of the curve and of the grid."""
    grid = levels([0, 0.1, 0.6])
    want = T.gained(LINEAR, SIGMAS, grid)
    np.testing.assert_allclose(T.gained(LINEAR, SIGMAS / 2, grid / 2), want, atol=1e-12)


# ------------------------------------------------------------------- rows


@pytest.mark.parametrize("name", GRIDS)
def test_rows_against_numpy(images, rows, name):
    (row,) = [row for row in rows if row["name"] == name]
    grid = schedules.steps(GRIDS[name], 10)[:-1].numpy()
    gain = np.stack([by_numpy(images, grid, seed) for seed in (0, 3)])  # seed, image, step
    uneven = gain.std(2) / gain.mean(2)
    each = uneven.mean(0)
    half = 3.182446 * each.std(ddof=1) / 2  # t of 3 degrees of freedom, 97.5 %
    want = {
        "mean": gain.mean(),
        "uneven": uneven.mean(),
        "uneven_low": each.mean() - half,
        "uneven_high": each.mean() + half,
        "spread": uneven.std(ddof=1),
        "low": uneven.min(),
        "high": uneven.max(),
        "largest": (gain.max(2) / gain.sum(2)).mean(),
    }
    assert row == {"name": name, "N": 4, "seeds": 2} | {
        key: pytest.approx(value, rel=1e-6) for key, value in want.items()
    }


def test_the_spread_depends_on_the_grid(rows):
    spreads = [row["spread"] for row in rows]
    assert min(spreads) > 0
    assert all(abs(a / b - 1) > 0.02 for i, a in enumerate(spreads) for b in spreads[:i])


def test_the_order_of_images_and_seeds_changes_nothing(images):
    """Equal images: the noise belongs to the place of an image, so that only it may be shuffled."""
    same = images[:1].expand(3, -1, -1, -1)
    one, other = (T.stability(same, GRIDS, 10, seeds) for seeds in ((0, 3), (3, 0)))
    for row, again in zip(one, other, strict=True):
        assert again == {k: pytest.approx(v) if k != "name" else v for k, v in row.items()}


def test_one_image_has_no_interval(images):
    (row,) = T.stability(images[:1], {"EDM": GRIDS["EDM"]}, 10, seeds=(0, 1))
    assert math.isnan(row["uneven_low"]) and math.isnan(row["uneven_high"])
    assert (row["N"], row["seeds"]) == (1, 2) and row["spread"] > 0


def test_table_shows_every_number():
    row = {
        "name": "EDM",
        "N": 8,
        "seeds": 3,
        "mean": 0.01988,
        "uneven": 1.756,
        "uneven_low": 1.62,
        "uneven_high": 1.89,
        "spread": 0.149,
        "low": 1.48,
        "high": 2.0,
        "largest": 0.118,
    }
    header, _, line = T.table([row]).splitlines()
    assert header.split("  ")[0] == "grid" and "uneven (95 % interval)" in header
    assert line.split() == "EDM 0.0199 1.76 (1.62 to 1.89) 0.15 1.48 - 2.00 12% 8 x 3".split()


def test_images_smaller_than_the_window_are_refused():
    with pytest.raises(ValueError, match="a window of 7 x 7 pixels"):
        T.stability(torch.zeros(1, 1, 6, 6, dtype=torch.uint8), GRIDS, 10)


def test_no_images_and_no_seeds_are_refused():
    some = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    for images, seeds in ((some[:0], (0,)), (some, ())):
        with pytest.raises(ValueError, match="images and . seeds, expected some of both"):
            T.stability(images, {}, seeds=seeds)
