"""Moves against torch.roll, rot90, SciPy and the exact rotation; measures and floors; the average.

Images are float64 of 32 x 32 pixels; decibels are of pooled samples.
"""

import math

import numpy as np
import pytest
import torch
from torch import nn

from diffutils import denoisers, rng
from diffutils.methods import equivariance as eq

SIDE = 32
ANGLES = (7.0, 30.0, 45.0, 80.0, -120.0, 200.0)
SHIFTS = ((0.5, 0.25), (1.7, -0.3))


def noise(n: int = 4, side: int = SIDE, channels: int = 1) -> torch.Tensor:
    return rng.normal(0, 0, torch.arange(n), (channels, side, side)).double()


def bump(side: int = SIDE) -> torch.Tensor:
    """A smooth image without symmetry that is 0 at its border: (1, 1, side, side)."""
    y, x = (torch.arange(side, dtype=torch.float64) - (side - 1) / 2 for _ in range(2))
    bumps = [torch.exp(-((y[:, None] + 4) ** 2) / 12 - (x - 2) ** 2 / 8)]
    bumps.append(0.6 * torch.exp(-((y[:, None] - 3) ** 2) / 9 - (x + 3) ** 2 / 13))
    return sum(bumps)[None, None]


def exactly_rotated(x: torch.Tensor, degrees: float) -> torch.Tensor:
    """Every frequency of x evaluated at the turned places: no shears, 0 outside of x."""
    x = nn.functional.pad(x, (SIDE,) * 4)
    side = x.shape[-1]
    r, a = torch.arange(side) - (side - 1) / 2, math.radians(degrees)
    right = math.cos(a) * r - math.sin(a) * r[:, None] + (side - 1) / 2
    down = math.sin(a) * r + math.cos(a) * r[:, None] + (side - 1) / 2
    f = torch.fft.fftfreq(side, dtype=torch.float64)
    waves = [torch.exp(2j * math.pi * at.reshape(-1, 1).double() * f) for at in (down, right)]
    values = torch.einsum("py,bcyx,px->bcp", waves[0], torch.fft.fft2(x) / side**2, waves[1])
    return values.real.reshape(x.shape)[..., SIDE:-SIDE, SIDE:-SIDE]


def random_net(side: int = 8, channels: int = 2) -> nn.Module:
    """A random convolution network with zero padding and no symmetry, in float64."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, 6, 3, padding=1), nn.SiLU(), nn.Conv2d(6, channels, 3, padding=1)]
    return nn.Sequential(*layers).double().requires_grad_(False)


# ------------------------------------------------------------------- moves


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_whole_shifts_are_rolls(dtype):
    x = noise().to(dtype)[..., :27]
    assert torch.equal(eq.translated(x, 3, -5), x.roll((3, -5), (-2, -1)))
    assert torch.equal(eq.translated(x, -40.0, 0), x.roll(-40, -2))
    assert eq.translated(x, 0.5, 0.5).dtype == dtype


def test_a_wave_is_shifted_exactly():
    """cos(2 pi f (p - s)), down and to the right, to 1e-12; on even and on odd sides."""
    for side, (dy, dx) in ((32, (0.3, -2.6)), (31, (-7.25, 0.5))):
        p = torch.arange(side, dtype=torch.float64)

        def wave(dy, dx, p=p, side=side):
            phase = 3 * (p[:, None] - dy) + 5 * (p - dx)
            return torch.cos(2 * math.pi * phase / side)[None, None]

        found = eq.translated(wave(0, 0), dy, dx)
        torch.testing.assert_close(found, wave(dy, dx), rtol=0, atol=1e-12)


def test_nyquist_keeps_what_a_real_row_can_hold():
    """(-1)^p shifted by s is cos(pi s) (-1)^p; elsewhere shifts add up."""
    x = (1 - 2 * (torch.arange(8) % 2)).double().expand(1, 1, 8, 8)
    right = math.cos(0.3 * math.pi) * x
    torch.testing.assert_close(eq.translated(x, 0, 0.3), right, rtol=0, atol=1e-14)
    x = eq.band_limited(noise(), 0.99)
    twice = eq.translated(eq.translated(x, 0.3, 1.6), 0.45, -0.2)
    torch.testing.assert_close(twice, eq.translated(x, 0.75, 1.4), rtol=0, atol=1e-12)


@pytest.mark.parametrize("quarters", range(-5, 6))
def test_quarter_turns_are_exact(quarters):
    x = noise(channels=2)
    assert torch.equal(eq.rotated(x, 90.0 * quarters), torch.rot90(x, quarters, (-2, -1)))


@pytest.mark.parametrize("degrees", ANGLES)
def test_rotation_is_scipys_on_a_smooth_image(degrees):
    """Counter-clockwise as seen; a quintic spline differs by less than 5e-4 of the peak."""
    from scipy.ndimage import rotate

    right = rotate(bump()[0, 0].numpy(), degrees, reshape=False, order=5)
    found = eq.rotated(bump(), degrees)[0, 0].numpy()
    np.testing.assert_allclose(found, right, rtol=0, atol=5e-4)


@pytest.mark.parametrize("degrees", ANGLES)
def test_rotation_is_exact_where_the_docstring_says_so(degrees):
    """Band-limited noise that fades out, against the exact rotation: 45 dB, that is 0.6 %."""
    x = eq.band_limited(noise()) * eq.disc(SIDE, fade=8)
    assert eq.snr(eq.rotated(x, degrees), exactly_rotated(x, degrees)) > 45


def test_every_image_has_its_own_angle():
    x, degrees = noise(6), torch.tensor([0.0, 90.0, -30.0, 45.0, 180.0, 300.0])
    found = eq.rotated(x, degrees)
    for image, angle, turned in zip(x.split(1), degrees.tolist(), found.split(1), strict=True):
        torch.testing.assert_close(turned, eq.rotated(image, angle), rtol=0, atol=1e-12)
    for i, quarters in ((0, 0), (1, 1), (4, 2)):
        assert torch.equal(found[i], torch.rot90(x[i], quarters, (-2, -1)))


@pytest.mark.parametrize("side", [15, 16, 33])
def test_borders_continue_and_nothing_wraps(side):
    """A flat image stays flat; a spot at the left border never comes in at the right one."""
    flat = torch.full((1, 1, side, side), -1.0, dtype=torch.float64)
    torch.testing.assert_close(eq.rotated(flat, 33), flat, rtol=0, atol=1e-12)
    spot = torch.zeros_like(flat)
    middle = slice(side // 2 - 1, side // 2 + 2)
    spot[..., middle, :2] = 1
    for degrees in (-40, 10, 45):
        turned = eq.rotated(spot, degrees)
        assert turned[..., : side // 2].max() > 0.5
        assert turned[..., side // 2 + 2 :].abs().max() < 0.15  # ringing


def test_dtype_stays():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x = noise().to(dtype)
        assert eq.rotated(x, 20).dtype == eq.band_limited(x).dtype == dtype


# ------------------------------------------------------------------- what can be compared


@pytest.mark.parametrize("side", [7, 8, 32])
def test_the_disc_stays_inside_under_rotation(side):
    """Its pixels lie at most (side - 1)/2 from the centre, and it is its own quarter turn."""
    found = eq.disc(side)
    middle = (side - 1) / 2
    right = [
        [float(math.hypot(i - middle, j - middle) <= middle) for j in range(side)]
        for i in range(side)
    ]
    assert torch.equal(found, torch.tensor(right))
    assert torch.equal(found, found.rot90())
    smaller = eq.disc(side, margin=1)
    assert smaller.sum() < found.sum() and (smaller <= found).all()


def test_a_fading_disc_is_a_window():
    window, inner = eq.disc(SIDE, fade=6), eq.disc(SIDE, margin=6)
    assert (window[inner == 1] == 1).all() and (window[eq.disc(SIDE) == 0] == 0).all()
    half = eq.disc(31, fade=6)[15, 15 + 12]  # 3 of 6 pixels before the edge at 15
    assert float(half) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("radius", [0.3, 0.75, 1.0])
def test_band_limited_keeps_a_disc_of_frequencies(radius):
    x = noise()[..., :24]
    f, g = torch.fft.fftfreq(32, dtype=torch.float64), torch.fft.fftfreq(24, dtype=torch.float64)
    inside = torch.hypot(f[:, None], g) < radius / 2
    spectrum, found = torch.fft.fft2(x), torch.fft.fft2(eq.band_limited(x, radius))
    torch.testing.assert_close(found, spectrum * inside, rtol=0, atol=1e-11)


# ------------------------------------------------------------------- decibels


def test_snr_and_psnr_by_hand():
    """Power 4 and 0.25 at two pixels of three, error 0.01 there; what is masked has no effect."""
    b = torch.tensor([2.0, -0.5, 100.0]).view(1, 1, 1, 3)
    a = b + torch.tensor([0.1, -0.1, 7.0]).view(1, 1, 1, 3)
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    assert eq.snr(a, b, mask) == pytest.approx(10 * math.log10(2.125 / 0.01), abs=1e-4)
    assert eq.psnr2(a, b, mask) == pytest.approx(10 * math.log10(4 / 0.01), abs=1e-4)
    soft = torch.tensor([[1.0, 0.5, 0.0]])
    assert eq.snr(a, b, soft) == pytest.approx(10 * math.log10(4.125 / 0.015), abs=1e-4)
    whole = 10 * math.log10(float(b.square().sum()) / (0.02 + 49))
    assert eq.snr(a, b) == pytest.approx(whole, abs=1e-4)


def test_samples_are_pooled_before_the_logarithm():
    b = torch.ones(2, 1, 4, 4, dtype=torch.float64)
    a = b + torch.tensor([0.1, 0.3], dtype=torch.float64).view(2, 1, 1, 1)
    assert eq.snr(a, b) == pytest.approx(10 * math.log10(2 / (0.01 + 0.09)), abs=1e-9)
    assert eq.psnr2(a, b) == pytest.approx(10 * math.log10(4 / 0.05), abs=1e-9)


def test_equal_results_are_infinitely_good_and_nothing_is_nan():
    x = noise()
    zero = torch.zeros_like(x)
    assert eq.snr(x, x) == eq.psnr2(x, x) == eq.snr(zero, zero) == math.inf
    assert eq.snr(x, zero) == -math.inf


# ------------------------------------------------------------------- equivariance


def test_a_circular_filter_commutes_with_translations():
    conv = nn.Conv2d(1, 1, 5, padding=2, padding_mode="circular", bias=False).double()
    x = eq.band_limited(noise(), 0.9)
    assert eq.eq_t(conv, x, [(3, -2)]) > 280 and eq.eq_t(conv, x, SHIFTS) > 280


def test_resampling_is_compared_at_its_own_scale():
    """Every second pixel of an image below half of Nyquist: one pixel becomes half of one."""
    x = eq.band_limited(noise(), 0.45)
    assert eq.eq_t(lambda x: x[..., ::2, ::2], x, [(1, -3), (0.7, 0.1)]) > 280
    full = eq.eq_t(lambda x: x[..., ::2, ::2], noise(), [(1, -3)])
    assert full < 3  # aliased


def test_what_does_not_commute_is_told_by_the_formula():
    """A ramp times x: f(T x) - T f(x) = (ramp - T ramp) T x, masked."""
    x, ramp = noise(), torch.linspace(0, 1, SIDE, dtype=torch.float64)
    mask = eq.disc(SIDE)
    moved = x.roll(2, -1)
    wanted = eq.snr(ramp * moved, (ramp * x).roll(2, -1), mask)
    assert eq.eq_t(lambda x: ramp * x, x, [(0, 2)], mask) == pytest.approx(wanted, abs=1e-9)
    peak = eq.psnr2(ramp * moved, (ramp * x).roll(2, -1), mask)
    found = eq.eq_t(lambda x: ramp * x, x, [(0, 2)], mask, eq.psnr2)
    assert found == pytest.approx(peak, abs=1e-9)


def test_moves_are_pooled_too():
    x, f = noise(), lambda x: x.clamp(min=0) + x.roll(1, -1).square()
    x = eq.band_limited(x)
    single = [eq.eq_r(f, x, [a], measure=eq.psnr2) for a in (20, 50)]
    errors = [10 ** (-dB / 10) for dB in single]
    both = eq.eq_r(f, x, [20, 50], measure=eq.psnr2)
    assert both == pytest.approx(-10 * math.log10(sum(errors) / 2), abs=1e-6)


def test_a_round_filter_commutes_with_rotations_and_a_flat_one_does_not():
    """A round Gaussian blur reaches the floor; a derivative to the right is far below it."""
    x = eq.band_limited(noise()) * eq.disc(SIDE, fade=8)
    f = torch.fft.fftfreq(SIDE, dtype=torch.float64)
    blur = torch.exp(-40 * (f[:, None] ** 2 + f**2))
    found = eq.eq_r(lambda x: torch.fft.ifft2(torch.fft.fft2(x) * blur).real, x, ANGLES)
    assert found > eq.floor_r(x, ANGLES)
    assert eq.eq_r(lambda x: x.roll(-1, -1) - x.roll(1, -1), x, ANGLES) < 3


def test_a_pointwise_square_commutes_where_its_band_fits():
    """Degree 2 doubles the band: it fits below half of what rotation can take, not above."""
    x = eq.disc(SIDE, fade=8) * noise()
    low, full = (eq.eq_r(torch.square, eq.band_limited(x, r), ANGLES) for r in (0.35, 0.75))
    assert low > full + 15


def test_floors():
    """Of band-limited noise that fades out: rotation 40 dB, translation of noise 300 dB."""
    x = eq.band_limited(noise(16))
    faded = x * eq.disc(SIDE, fade=8)
    assert 40 < eq.floor_r(faded, ANGLES) < 60
    assert 20 < eq.floor_r(x, ANGLES) < 40  # what turns in at the border is not known
    assert eq.floor_r(noise(16), ANGLES) < 10  # aliased
    assert eq.floor_t(x, SHIFTS) > 290 and 100 < eq.floor_t(x.float(), SHIFTS) < 150
    assert eq.floor_t(noise(16), SHIFTS) < 20  # Nyquist
    assert eq.floor_t(noise(16), [(1, -2)]) > 290 and eq.floor_r(noise(16), [90, 180]) > 290


def test_measuring_leaves_no_graph():
    net = random_net(channels=1).requires_grad_()
    assert isinstance(eq.eq_t(net, noise(), SHIFTS), float)
    assert all(p.grad is None for p in net.parameters())


# ------------------------------------------------------------------- exact at quarter turns


def test_the_average_is_exact_at_quarter_turns():
    net, x = random_net(), noise(side=8, channels=2)

    def denoise(x, sigma):
        return x + sigma * net(x)

    averaged = eq.c4_averaged(denoise)
    for k in (1, 2, 3):
        right = torch.rot90(averaged(x, 0.7), k, (-2, -1))
        found = averaged(torch.rot90(x, k, (-2, -1)), 0.7)
        torch.testing.assert_close(found, right, rtol=0, atol=1e-12)
        plain = denoise(torch.rot90(x, k, (-2, -1)), 0.7)
        assert (plain - torch.rot90(denoise(x, 0.7), k, (-2, -1))).abs().max() > 0.1
    assert eq.eq_r(lambda x: averaged(x, 0.7), x, [90, 180, 270]) > 280


def test_the_average_is_the_mean_of_four_answers():
    net, x = random_net(), noise(side=8, channels=2)
    answers = [torch.rot90(net(torch.rot90(x, k, (2, 3))), -k, (2, 3)) for k in range(4)]
    found = eq.c4_averaged(lambda x, sigma: net(x))(x, 1.0)
    torch.testing.assert_close(found, sum(answers) / 4, rtol=0, atol=1e-12)


def test_a_denoiser_with_the_symmetry_is_left_as_it_is():
    data = noise(3, side=8)
    symmetric = torch.cat([torch.rot90(data, k, (-2, -1)) for k in range(4)])
    x, sigma = noise(5, side=8) + data[0], torch.linspace(0.5, 2, 5, dtype=torch.float64)
    for denoise in (denoisers.gaussian(0.3, 0.5), denoisers.finite(symmetric)):
        found = eq.c4_averaged(denoise)(x, sigma)
        torch.testing.assert_close(found, denoise(x, sigma), rtol=0, atol=1e-12)


def test_what_else_a_denoiser_is_given_goes_along():
    """Images beside x turn with it, labels do not."""
    x, cond, labels = noise(side=8), noise(side=8, channels=3), torch.arange(4)
    seen = []

    def denoise(x, sigma, labels=None, cond=None):
        seen.append((labels, cond))
        return x * cond.mean(1, True) + labels.view(-1, 1, 1, 1)

    averaged = eq.c4_averaged(denoise)
    wanted = denoise(x, 1.0, labels, cond)
    named, placed = averaged(x, 1.0, labels=labels, cond=cond), averaged(x, 1.0, labels, cond)
    torch.testing.assert_close(named, wanted, rtol=0, atol=1e-12)
    torch.testing.assert_close(placed, wanted, rtol=0, atol=1e-12)
    assert all(torch.equal(seen_labels, labels) for seen_labels, _ in seen)
    assert torch.equal(seen[2][1], torch.rot90(cond, 1, (-2, -1)))


# ------------------------------------------------------------------- bad input


def test_bad_input_is_named():
    wide = noise()[..., :20]
    with pytest.raises(ValueError, match="got 32 x 20; pad or crop"):
        eq.rotated(wide, 10)
    with pytest.raises(ValueError, match="got 32 x 20; pad or crop"):
        eq.c4_averaged(lambda x, sigma: x)(wide, 1.0)
    for degrees in (math.inf, torch.zeros(3), torch.zeros(4, 1)):
        with pytest.raises(ValueError, match="one finite number or one for each of the 4 images"):
            eq.rotated(noise(), degrees)
    with pytest.raises(ValueError, match="finite number of pixels"):
        eq.translated(noise(), math.nan, 0)
    for settings in (dict(margin=-1), dict(fade=-1), dict(margin=16)):
        with pytest.raises(ValueError, match="a disc in 32 pixels needs a margin"):
            eq.disc(SIDE, **settings)
    for radius in (0, -1.0, math.nan):
        with pytest.raises(ValueError, match="radius of the band must be above 0"):
            eq.band_limited(noise(), radius)
    with pytest.raises(ValueError, match="one shape to be compared"):
        eq.snr(noise(), wide)
    for mask in (torch.ones(32, 20), torch.zeros(32, 32), -torch.ones(32, 32)):
        with pytest.raises(ValueError, match="mask must have the"):
            eq.psnr2(noise(), noise(), mask)
    for measured in (eq.eq_t, eq.eq_r):
        with pytest.raises(ValueError, match="at least one shift or angle, got none"):
            measured(lambda x: x, noise(), [])
