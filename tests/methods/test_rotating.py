"""Turned noise stays white, the published chain in its own units, angles that are found again."""

import math

import pytest
import torch
from scipy.ndimage import rotate
from torch import nn

from diffutils import data, denoisers, rng, samplers, schedules
from diffutils.methods import equivariance as eq
from diffutils.methods import rotating, textbook

ANGLES = (5.0, 22.5, 45.0, 73.0, -130.0)
INDEX = torch.arange(600)


@pytest.fixture(scope="module")
def z():
    return rng.normal(0, 0, INDEX, (1, 32, 32))


@pytest.fixture(scope="module")
def fresh():
    return rng.normal(1, 0, INDEX, (1, 64, 64))


def noise(n: int = 4, side: int = 8, seed: int = 0) -> torch.Tensor:
    return rng.normal(seed, 0, torch.arange(n), (2, side, side)).double()


def away(degrees: torch.Tensor) -> torch.Tensor:
    """How far angles are from 0 on the circle."""
    return (180 - (180 - degrees) % 360).abs()


# ------------------------------------------------------------------- the published rotation


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_published_rotation_is_scipys(dtype):
    x, degrees = noise().to(dtype), torch.tensor([10.0, -45.0, 0.09, 90.0])
    found = rotating.spline_rotated(x, degrees)
    assert found.dtype == dtype
    for image, angle, turned in zip(x, degrees.tolist(), found, strict=True):
        for channel, answer in zip(image.numpy(), turned, strict=True):
            right = rotate(channel, angle, reshape=False, order=3, mode="grid-wrap")
            torch.testing.assert_close(answer, torch.from_numpy(right), rtol=0, atol=1e-6)
    torch.testing.assert_close(found[3], torch.rot90(x[3], 1, (-2, -1)), rtol=0, atol=1e-5)
    one = rotating.spline_rotated(x[1:2], -45)
    assert torch.equal(one, found[1:2])


# ------------------------------------------------------------------- noise


@pytest.mark.parametrize("k", [1, 2, 3])
def test_cells_sum_to_the_pixels(k):
    z = noise()
    cells = rotating.subcells(z, noise(side=8 * k, seed=1), k)
    torch.testing.assert_close(rotating.summed(cells, k), z, rtol=0, atol=1e-12)


def test_cells_are_white(z, fresh):
    """Variance 1, also of two cells of one pixel together, to 1 %."""
    cells = rotating.subcells(z, fresh)
    pairs = torch.stack([cells[..., ::2, ::2], cells[..., ::2, 1::2], cells[..., 1::2, 1::2]])
    covariance = torch.cov(pairs.flatten(1))
    torch.testing.assert_close(covariance, torch.eye(3), rtol=0, atol=0.01)


@pytest.mark.parametrize("degrees", ANGLES)
def test_cells_are_only_moved(degrees):
    cells = noise(side=18)
    turned = rotating.integer_sheared(cells, degrees)
    assert torch.equal(turned.flatten(2).sort().values, cells.flatten(2).sort().values)
    assert not torch.equal(turned, cells)


@pytest.mark.parametrize("degrees", ANGLES)
def test_cells_come_to_where_a_rotation_takes_them(degrees):
    """To within 1.2 cells, counter-clockwise as seen: rows count downwards."""
    side = 33
    places = torch.tensor([[-9.0, 4.0], [2.0, 12.0], [7.0, -7.0], [0.0, 0.0], [1.0, -13.0]])
    cells = torch.zeros(len(places), 1, side, side)
    rows, columns = (places + 16).long().unbind(1)
    cells[torch.arange(len(places)), 0, rows, columns] = 1
    found = rotating.integer_sheared(cells, degrees).nonzero()[:, 2:] - 16
    a = math.radians(degrees)
    y, x = places.unbind(1)
    right = torch.stack([math.cos(a) * y - math.sin(a) * x, math.sin(a) * y + math.cos(a) * x], 1)
    assert (found - right).norm(dim=1).max() < 1.2


@pytest.mark.parametrize("degrees", ANGLES)
def test_turned_noise_is_white_and_turned(z, fresh, degrees):
    """std 1 to 0.5 %, eigenvalues to 3 %; half of it and more is the field itself, turned."""
    turned = rotating.rotated_noise(z, degrees, fresh)
    std, least, most = rotating.whiteness(turned)
    assert std == pytest.approx(1, abs=0.005)
    assert 0.97 < least <= most < 1.03
    agreement = rotating.correlation(turned, eq.rotated(z, degrees), eq.disc(32)).mean()
    assert 0.5 < agreement < 0.8
    other = rotating.correlation(turned, eq.rotated(z, -degrees), eq.disc(32)).mean()
    assert other.abs() < 0.3 * agreement


def test_correlation_with_the_turned_field(z, fresh):
    """.57 to .68 at 10 to 45 degrees were measured before, with another rotation at the border."""
    for degrees in (10, 30, 45):
        turned = rotating.rotated_noise(z, degrees, fresh)
        found = rotating.correlation(turned, eq.rotated(z, degrees), eq.disc(32)).mean()
        assert 0.5 < found < 0.7


def test_no_turn_and_quarter_turns_are_exact():
    z, fresh = noise(), noise(side=16, seed=1)
    assert torch.equal(rotating.rotated_noise(z, 0, fresh), z)
    for quarters in range(-3, 5):
        found = rotating.rotated_noise(z, 90.0 * quarters, fresh)
        assert torch.equal(found, torch.rot90(z, quarters, (-2, -1)))
    # The cells alone agree with that, so nothing jumps where the exact case ends.
    cells = rotating.integer_sheared(rotating.subcells(z, fresh), 270)
    right = torch.rot90(z, 3, (-2, -1))
    torch.testing.assert_close(rotating.summed(cells, 2), right, rtol=0, atol=1e-12)
    nearly = rotating.rotated_noise(z, 1e-3, fresh)
    torch.testing.assert_close(nearly, z, rtol=0, atol=1e-12)


def test_every_field_has_its_own_angle():
    z, fresh, degrees = noise(), noise(side=16, seed=1), torch.tensor([0.0, 90.0, -37.0, 45.0])
    found = rotating.rotated_noise(z, degrees, fresh)
    for i, angle in enumerate(degrees.tolist()):
        alone = rotating.rotated_noise(z[i : i + 1], angle, fresh[i : i + 1])
        assert torch.equal(found[i : i + 1], alone)


# ------------------------------------------------------------------- whiteness


def test_whiteness_of_noise_with_known_covariance(z):
    """z + its neighbour: along rows 1 + cos(pi/6) at most, 1 - cos(pi/6) at least; to 3 %."""
    std, least, most = rotating.whiteness(3 * (z + z.roll(1, -1)) / math.sqrt(2) + 7)
    assert std == pytest.approx(3, rel=0.01)
    assert least == pytest.approx(9 * (1 - math.cos(math.pi / 6)), rel=0.03)
    assert most == pytest.approx(9 * (1 + math.cos(math.pi / 6)), rel=0.03)


@pytest.mark.parametrize("degrees", [10, 45])
def test_whiteness_tells_rotations_apart(z, degrees):
    """Measured before: bilinear .668, cubic .876, three shears .977; eigenvalues from 1 down."""
    z = z[:300]
    linear = torch.stack(
        [
            torch.from_numpy(rotate(x[0], degrees, reshape=False, order=1, mode="grid-wrap"))
            for x in z
        ]
    )[:, None]
    bilinear, cubic, shears = (
        rotating.whiteness(x)
        for x in (linear, rotating.spline_rotated(z, degrees), eq.rotated(z, degrees))
    )
    assert bilinear.std == pytest.approx(0.668, abs=0.015) and bilinear.least < 0.2
    assert cubic.std == pytest.approx(0.876, abs=0.01) and cubic.least < 0.35
    assert shears.std == pytest.approx(0.98, abs=0.01) and 0.7 < shears.least < 0.9
    assert rotating.whiteness(z).least > 0.95


# ------------------------------------------------------------------- chains that turn


def test_the_published_chain_in_its_own_units():
    """x_t = sqrt(abar) x0 + ..., ancestral steps with sqrt(beta), every state turned: to 1e-9."""
    T, total = 12, 60.0
    betas = schedules.scaled_linear_betas(50)[-T:]
    plan = textbook.respaced(betas, torch.arange(T - 1, -1, -1))
    draws = [noise(seed=k + 1) for k in range(T)]

    def denoise(x, sigma):
        return torch.tanh(0.3 * x.roll(1, -1) + 0.1 * x.flip(-2)) / (1 + 0.1 * sigma)

    x = draws[-1]
    for k, (abar, abar_next) in enumerate(plan.tolist()):
        step = textbook.ddpm_beta(abar, abar_next)
        x0_hat = denoise(x / abar**0.5, (1 / abar - 1) ** 0.5)
        x = step.of_x0 * x0_hat + step.of_xt * x + step.std * draws[k]
        x = rotating.spline_rotated(x, total / T)

    sigmas = torch.cat([schedules.to_sigma(plan[:, 0]), torch.zeros(1).double()])
    found = samplers.sample(
        denoise,
        samplers.start(sigmas, draws[-1]),
        sigmas,
        eta=1.0,
        variance=samplers.beta,
        noise=lambda k, x: draws[k],
        after_step=rotating.turning(total, sigmas),
    )
    torch.testing.assert_close(found, x, rtol=0, atol=1e-9)


def step_at(k: int, sigmas: torch.Tensor) -> samplers.Step:
    D, x_next = noise(seed=2), noise(seed=3)
    return samplers.Step(k, noise(), sigmas[k], D, x_next, sigmas[k + 1])


def test_late_turns_share_the_whole_angle():
    """Levels 4, 2, 1, .5 begin four steps; from level 1 on, two of them turn."""
    sigmas, asked = torch.tensor([4.0, 2.0, 1.0, 0.5, 0.0]), []

    def rotate(x, degrees):
        asked.append(degrees)
        return -x

    after = rotating.turning(30.0, sigmas, rotate, below=1.0)
    for k in range(4):
        step = step_at(k, sigmas)
        assert torch.equal(after(step), -step.x_next if k >= 2 else step.x_next)
    assert asked == [15.0, 15.0]
    # Churn raises the level that the network sees, not the step's place in the chain.
    churned = step_at(2, sigmas)._replace(sigma=torch.tensor(1.2))
    assert torch.equal(after(churned), -churned.x_next)
    asked.clear()
    after = rotating.turning(30.0, sigmas, rotate)
    for k in range(4):
        after(step_at(k, sigmas))
    assert asked == [7.5] * 4


def test_the_estimate_turns_and_its_noise_stays():
    sigmas = torch.tensor([2.0, 1.0, 0.0])
    step, total = step_at(0, sigmas), torch.tensor([90.0, -180.0, 0.0, 20.0])
    found = rotating.turning(total, sigmas, eq.rotated, estimate=True)(step)
    e = step.x_next - step.D
    right = eq.rotated(step.D, total / 2) + e
    torch.testing.assert_close(found, right, rtol=0, atol=1e-12)
    last = step_at(1, sigmas)._replace(x_next=step.D, D=step.D)
    found = rotating.turning(180.0, sigmas, eq.rotated, estimate=True)(last)
    torch.testing.assert_close(found, torch.rot90(step.D, 1, (-2, -1)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"heun": True}], ids=str)
def test_with_an_equivariant_denoiser_a_turning_chain_ends_turned(settings):
    """Six quarter turns on the way, or one half turn of the result: the same to 1e-10."""
    sigmas = schedules.levels(schedules.karras(), 6)
    denoise, x = denoisers.gaussian(0.2, 0.5), 80 * noise()
    plain = samplers.sample(denoise, x, sigmas, **settings)
    after = rotating.turning(6 * 90.0, sigmas, eq.rotated)
    turned = samplers.sample(denoise, x, sigmas, after_step=after, **settings)
    torch.testing.assert_close(turned, torch.rot90(plain, 2, (-2, -1)), rtol=0, atol=1e-10)


def test_turned_noise_makes_turned_samples():
    """sample(R z) = R sample(z), to 1e-10, where the denoiser is averaged over quarter turns."""
    torch.manual_seed(0)
    net = nn.Conv2d(2, 2, 3, padding=1).double().requires_grad_(False)
    denoise = eq.c4_averaged(lambda x, sigma: torch.tanh(net(x)))
    sigmas = schedules.levels(schedules.karras(), 8)
    z, fresh = noise(), noise(side=16, seed=1)
    turned = rotating.rotated_noise(z, 90, fresh)
    found, plain = (samplers.sample(denoise, 80 * v, sigmas) for v in (turned, z))
    torch.testing.assert_close(found, torch.rot90(plain, 1, (-2, -1)), rtol=0, atol=1e-10)


# ------------------------------------------------------------------- the angle that was reached


@pytest.mark.parametrize("turn", [eq.rotated, rotating.spline_rotated])
def test_angles_of_digits_are_found_again(turn):
    """Within 0.1 degree without noise; on the whole circle."""
    x = data.load("digits").heldout[:24].float() / 127.5 - 1
    angles = torch.linspace(-179, 178, 24, dtype=torch.float64)
    found = rotating.registered_angle(x, turn(x, angles))
    assert found.shape == (24,) and away(found - angles).max() < 0.1
    assert (found > -180).all() and (found <= 180).all()


def test_angles_of_noisy_digits_are_found_within_degrees():
    x = data.load("digits").heldout[:24].float() / 127.5 - 1
    angles = torch.linspace(-90, 90, 24)
    noisy = x + 0.3 * rng.normal(0, 0, torch.arange(24), (1, 32, 32))
    part = torch.arange(-120.0, 121, 5)
    error = away(rotating.registered_angle(x, eq.rotated(noisy, angles), None, part) - angles)
    assert error.median() < 1 and error.max() < 5


def test_angles_are_found_to_a_hundredth_of_a_degree_on_a_smooth_image():
    r = torch.arange(24, dtype=torch.float64) - 11.5
    x = torch.exp(-((r[:, None] + 2) ** 2) / 20 - (r - 3) ** 2 / 6)[None, None]
    for angle in (0.0, 12.34, -57.5, 89.7, 179.6, 180.0):
        found = rotating.registered_angle(x, eq.rotated(x, angle))
        assert away(found - angle).max() < 0.01


def test_candidates_choose_among_equal_angles():
    """An image that is its own half turn: 20 and -160 degrees fit alike."""
    r = torch.arange(24, dtype=torch.float64) - 11.5
    x = torch.exp(-(r[:, None] ** 2) / 30 - r**2 / 5)[None, None]
    turned = eq.rotated(x, 20)
    for low, high, right in ((-90, 90, 20.0), (90, 270, -160.0)):
        part = torch.arange(low, high + 1, 5.0)
        found = rotating.registered_angle(x, turned, candidates=part)
        assert float(found) == pytest.approx(right, abs=0.01)


def test_the_mask_hides_what_is_not_compared():
    x = data.load("digits").heldout[:4].double()
    b = eq.rotated(x, 25.0)
    b[..., :3, :] = b[..., :, :3] = 1000.0
    found = rotating.registered_angle(x, b, eq.disc(32, margin=3))
    torch.testing.assert_close(found, torch.full((4,), 25.0).double(), rtol=0, atol=0.5)


def test_a_flat_image_has_no_angle():
    flat, x = torch.full((1, 1, 16, 16), 0.3), noise(1, 16).float()[:, :1]
    for pair in ((flat, x), (x, flat)):
        assert rotating.registered_angle(*pair).isnan().all()


# ------------------------------------------------------------------- bad input


def test_bad_input_is_named():
    z, sigmas = noise(), torch.tensor([2.0, 1.0, 0.0])
    with pytest.raises(ValueError, match=r"fresh noise of shape \(4, 2, 16, 16\), got"):
        rotating.rotated_noise(z, 10, z)
    with pytest.raises(ValueError, match="0 x 0 cells a pixel"):
        rotating.subcells(z, z[..., :0, :0], 0)
    for degrees in (torch.zeros(3), math.nan):
        with pytest.raises(ValueError, match="one finite number or one for each of the 4 images"):
            rotating.spline_rotated(z, degrees)
    with pytest.raises(ValueError, match="only square images turn"):
        rotating.integer_sheared(z[..., :6], 10)
    with pytest.raises(ValueError, match="no step begins at a level of 0.5 or lower"):
        rotating.turning(90.0, sigmas, below=0.5)
    with pytest.raises(ValueError, match="images of their own shape only"):
        rotating.registered_angle(z, z[:2])
    with pytest.raises(ValueError, match="whiteness looks at 5 x 5 pixels"):
        rotating.whiteness(z[..., :4])
