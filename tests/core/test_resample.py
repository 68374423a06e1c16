"""Resampling against SciPy and analytic signals; published faults as numbers; layers in a U-Net."""

import math
import subprocess
import sys
from functools import partial

import pytest
import scipy.fft
import scipy.signal
import torch
from torch import nn
from torch.nn import functional as F

from diffutils import resample
from diffutils.resample import (
    FILTERS,
    PADDINGS,
    WIDTH,
    Bilinear,
    Down,
    Filter,
    Filtered,
    MaxDown,
    Up,
    conv_down,
    conv_up,
    down,
    ideal,
    jinc,
    kaiser,
    kaiser_beta,
    matrix,
    published,
    resampled,
    response,
    up,
    windowed_sinc,
)
from diffutils.unet import UNet

SIDES = (1, 2, 3, 4, 6, 7, 16, 33)
every_filter = pytest.mark.parametrize("name", FILTERS)
every_padding = pytest.mark.parametrize("padding", PADDINGS)
critical = partial(windowed_sinc, cutoff=0.5, beta=kaiser_beta(12, 0.4))


def close(got, want, atol=1e-12):
    torch.testing.assert_close(got, torch.as_tensor(want, dtype=got.dtype), atol=atol, rtol=0)


def noise(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def below_nyquist(*shape, seed=0):
    """White noise without the waves whose phase the grid does not hold."""
    spectrum = torch.fft.fft2(noise(*shape, seed=seed))
    spectrum[..., shape[-2] // 2, :] = 0
    spectrum[..., shape[-1] // 2] = 0
    return torch.fft.ifft2(spectrum).real


def shifted(x, dy, dx):
    """A periodic image without waves at Nyquist, moved by any number of pixels."""
    ky, kx = (2j * math.pi * torch.fft.fftfreq(n, dtype=torch.float64) for n in x.shape[-2:])
    return torch.fft.ifft2(torch.fft.fft2(x) * torch.exp(-dy * ky[:, None] - dx * kx)).real


# ------------------------------------------------------------------------ filters


@pytest.mark.parametrize("taps", (2, 3, 6, 12, 25, 64))
@pytest.mark.parametrize("cutoff, width", [(0.5 - WIDTH / 2, WIDTH), (0.5, 0.6), (0.2, 0.02)])
def test_the_windowed_sinc_is_scipys(taps, cutoff, width):
    """kaiser_atten, kaiser_beta and firwin, all three branches of beta: 1e-12."""
    beta = kaiser_beta(taps, width)
    want = scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width))
    assert beta == pytest.approx(want, abs=1e-12)
    firwin = scipy.signal.firwin(taps, cutoff, width=width, fs=2)
    close(windowed_sinc(taps, cutoff, beta), firwin)
    bare = scipy.signal.firwin(taps, cutoff, width=width, fs=2, scale=False)
    close(windowed_sinc(taps, cutoff, beta, normalised=False), bare)


def test_the_grid_above_reaches_every_branch_of_beta():
    assert kaiser_beta(2, 0.02) == 0 and 0 < kaiser_beta(12) < 0.1102 * (50 - 8.7)
    assert kaiser_beta(64, 0.6) > 0.1102 * (50 - 8.7)


def test_the_numbers_of_the_design():
    """firwin(12, 1.0, width=1.2, fs=4), printed to six digits; StyleGAN3's is the default."""
    half = [0.001329, 0.007643, -0.022883, -0.054713, 0.126264, 0.442359]
    h = windowed_sinc(12, 0.5, kaiser_beta(12, 0.6))
    close(h, half + half[::-1], atol=5e-7)
    assert kaiser_beta(12, 0.6) == pytest.approx(5.138445, abs=5e-7)
    f_h = (math.sqrt(2) - 1) / 2
    close(windowed_sinc(), scipy.signal.firwin(12, 0.5 - f_h, width=2 * f_h, fs=2))


@pytest.mark.parametrize("taps, cutoff, beta", [(12, 0.3, 3.0), (3, 0.5, 1.0), (5, 0.9, 0.0)])
def test_the_jinc_is_its_formula(taps, cutoff, beta):
    """Tap by tap with SciPy's window and Bessel's integral for J1: 1e-12."""
    turn = torch.arange(256, dtype=torch.float64) * 2 * math.pi / 256
    window, w = scipy.signal.windows.kaiser(taps, beta), math.pi * cutoff
    want = torch.zeros(taps, taps, dtype=torch.float64)
    for i in range(taps):
        for j in range(taps):
            r = math.hypot(i - (taps - 1) / 2, j - (taps - 1) / 2)
            j1 = (turn - w * r * turn.sin()).cos().mean()
            K = w * j1 / (2 * math.pi * r) if r else w**2 / (4 * math.pi)
            want[i, j] = K * window[i] * window[j]
    close(jinc(taps, cutoff, beta, normalised=False), want)
    close(jinc(taps, cutoff, beta), want / want.sum())


def test_the_jinc_looks_alike_from_all_sides_and_the_sinc_does_not():
    """Response at 0.35 pi along an axis and along a diagonal: within 0.03 against 0.1 apart."""

    def along(K, angle, frequency=0.35 * math.pi):
        at = torch.arange(len(K), dtype=torch.float64) - (len(K) - 1) / 2
        phase = frequency * (at[:, None] * math.sin(angle) + at * math.cos(angle))
        return float((K * phase.cos()).sum())

    radial, h = jinc(), windowed_sinc()
    assert abs(along(radial, 0) - along(radial, math.pi / 4)) < 0.03
    assert abs(along(torch.outer(h, h), 0) - along(torch.outer(h, h), math.pi / 4)) > 0.1


def test_response_is_the_fourier_transform():
    """Of taps and of kernels, against zero-padded FFTs: 1e-12; real for a symmetric filter."""
    w = torch.arange(33, dtype=torch.float64) * math.pi / 32
    for h in (noise(5), noise(12), noise(4, 4)):
        row = h.sum(0) if h.ndim == 2 else h
        about_centre = torch.exp(1j * w * (len(row) - 1) / 2)
        close(response(h, w), torch.fft.rfft(row, 64) * about_centre)
    assert response(windowed_sinc(), w).imag.abs().max() < 1e-12
    assert response(noise(12), w).imag.abs().max() > 0.1


@pytest.mark.parametrize(
    "h, at_nyquist, beyond",
    [
        (windowed_sinc(), 0.012, 0.001),
        (critical(), 0.50, 0.008),
        (torch.tensor([1.0, 2, 1]) / 4, 0.5, 0.146),
        (torch.tensor([1.0, 3, 3, 1]) / 8, 0.354, 0.056),
    ],
    ids=("StyleGAN3", "critical", "121", "1331"),
)
def test_stop_bands(h, at_nyquist, beyond):
    """|H(pi/2)|, and the most above 0.75 pi, as stated to the last digit; H(0) = 1."""
    w = torch.linspace(0.75 * math.pi, math.pi, 501, dtype=torch.float64)
    assert response(h, torch.tensor([0.0])).real.item() == pytest.approx(1, abs=1e-12)
    assert response(h, torch.tensor([math.pi / 2])).abs().item() == pytest.approx(
        at_nyquist, abs=5e-3
    )
    assert response(h, w).abs().max().item() == pytest.approx(beyond, abs=5e-4)


# ----------------------------------------------------- the published kernel, fault by fault


@pytest.mark.parametrize(
    "beta, phases, sum_, beyond",
    [
        (0.0, (1.35, 0.98, 0.98, 0.68), 1.154, 0.17),
        (1.0, (1.10, 1.01, 1.01, 0.88), 0.888, 0.10),
        (2.0, (0.58, 0.96, 0.96, 1.51), 0.520, 0.35),
    ],
)
def test_the_published_kernel_makes_a_checkerboard_and_is_no_low_pass(beta, phases, sum_, beyond):
    """A constant up-sampled with the right gain, the sum, max |H| above 0.75 pi: last digit."""
    assert published(beta).shape == (3, 3)
    close(published(beta).sum(), 1)
    assert published(beta, False).sum().item() == pytest.approx(sum_, abs=5e-4)
    one = torch.ones(1, 1, 4, 4, dtype=torch.float64)
    for padding in PADDINGS:  # the first pixels touch no border: zeros lie below and right
        y = conv_up(one, published(beta), padding)[0, 0]
        close(y[1, 1], phases[0], atol=5e-3)
        close(torch.stack([y[0, 1], y[1, 0], y[0, 0]]), phases[1:], atol=5e-3)
    w = torch.linspace(0.75 * math.pi, math.pi, 501, dtype=torch.float64)
    assert response(published(beta), w).abs().max().item() == pytest.approx(beyond, abs=5e-3)


def test_without_gain_gelu_is_nearly_a_line():
    """Smooth images of std 1 come to GELU with std .26: a line explains 93 % of it, not 72 %."""
    normal = torch.special.ndtri((torch.arange(4000, dtype=torch.float64) + 0.5) / 4000)
    x = normal[:, None, None, None].expand(-1, 1, 2, 2)

    def line(y):
        y = y.flatten()
        return torch.corrcoef(torch.stack([y, F.gelu(y)]))[0, 1].item() ** 2

    y = up(x, "published")
    assert y.std().item() == pytest.approx(0.26, abs=5e-3)
    assert line(y.std() * x) == pytest.approx(0.93, abs=5e-3)
    assert line(x) == pytest.approx(0.72, abs=5e-3)
    assert line(y) > 0.9  # of the checkerboard itself
    right = up(x, "ideal")
    assert right.std().item() == pytest.approx(1, abs=2e-3) and line(right) < 0.73


@every_filter
def test_gain_is_a_switch_of_every_filter(name):
    """The same filter with the gain 1 gives a fourth, exactly."""
    x = noise(1, 2, 6, 8)
    four, one = (up(x, FILTERS[name]._replace(gain=gain)) for gain in (4.0, 1.0))
    assert torch.equal(one, four / 4) and bool((four != 0).any())
    assert FILTERS[name].gain == (1 if name == "published" else 4)


def test_an_odd_kernel_lies_half_a_pixel_off():
    """Flips commute with all filters but the published: 1e-12 against more than 0.1."""
    x = noise(2, 1, 8, 12)
    for name in FILTERS:
        for padding in PADDINGS:
            for way in (up, down):
                gap = (way(x.flip(-1), name, padding) - way(x, name, padding).flip(-1)).abs().max()
                assert gap > 0.1 if name == "published" else gap < 1e-12, (name, padding, way)


# ---------------------------------------------------------------------- matrices


@pytest.mark.parametrize("n", SIDES)
def test_constants_stay(n):
    """Rows of U sum to 1, of D too: ideal 1e-12 anywhere, Kaiser on circles and off the borders."""
    one = torch.ones(1, 1, n, n, dtype=torch.float64)
    for padding in PADDINGS:
        close(ideal(n, padding) @ torch.ones(n, dtype=torch.float64), [1.0] * 2 * n)
        close(down(up(one, "ideal", padding), "ideal", padding), one)
    close(kaiser(n).sum(1), [1.0] * 2 * n)
    for name in ("kaiser", "jinc"):
        close(down(torch.ones(1, 1, 2 * n, 2 * n, dtype=torch.float64), name), one)


def test_zeros_darken_the_borders_of_finite_filters_alone():
    """Row sums of the Kaiser matrix: 1 from the sixth fine pixel on, 0.55 to 0.7 at the border."""
    sums = kaiser(16, "zeros").sum(1)
    close(sums[5:-5], [1.0] * 22)
    assert 0.55 < sums[0] < 0.7 and (sums[:1] - 1).abs() > 0.3
    close(sums, sums.flip(0))


@pytest.mark.parametrize("n", SIDES)
def test_the_ideal_filter_is_scipys_fourier_interpolation(n):
    """Fine pixels lie at odd quarters of coarse ones: scipy.signal.resample to 4 n, 1e-12."""
    x = noise(n, 3)
    quarters = torch.from_numpy(scipy.signal.resample(x.numpy(), 4 * n))
    close(ideal(n) @ x, quarters[(2 * torch.arange(2 * n) - 1) % (4 * n)])


@pytest.mark.parametrize("n", SIDES)
def test_the_mirrored_ideal_filter_is_scipys_cosine_interpolation(n):
    """DCT, zeros, inverse DCT of twice the length; D U = I: 1e-12."""
    x, U = noise(n), ideal(n, "zeros")
    cosines = scipy.fft.dct(x.numpy(), norm="ortho")
    close(U @ x, math.sqrt(2) * scipy.fft.idct(cosines, n=2 * n, norm="ortho"))
    close(U.T @ U / 2, torch.eye(n))


@pytest.mark.parametrize("taps, n", [(12, 16), (2, 5), (24, 3)])
def test_the_kaiser_matrix_is_scipys_upfirdn(taps, n):
    """With zeros outside, up and down, borders too: 1e-12."""
    h, x, y = windowed_sinc(taps), noise(n), noise(2 * n)
    U, first = kaiser(n, "zeros", taps=taps), taps // 2 - 1
    whole = scipy.signal.upfirdn(2 * h, x, up=2)
    close(U @ x, [*whole, 0.0][first : first + 2 * n])
    filtered = scipy.signal.convolve(y, h)
    close(U.T @ y / 2, filtered[taps // 2 : taps // 2 + 2 * n : 2])


@pytest.mark.parametrize("taps, n", [(12, 16), (12, 2), (24, 3), (12, 1)])
def test_a_circular_matrix_sees_a_periodic_signal(taps, n):
    """Against many copies side by side, the middle one; also where taps go round twice: 1e-12."""
    x, y, copies = noise(n), noise(2 * n), 2 * (taps // n) + 3
    U, long = (kaiser(k, p, taps=taps) for k, p in ((n, "circular"), (n * copies, "zeros")))
    middle = copies // 2
    close(U @ x, (long @ x.repeat(copies))[2 * n * middle :][: 2 * n])
    close(U.T @ y / 2, (long.T @ y.repeat(copies) / 2)[n * middle :][:n])


@pytest.mark.parametrize("n", (5, 8, 16, 33))
def test_a_wave_below_nyquist_is_drawn_finer_and_comes_back(n):
    """cos(2 pi k x / n + phase) at x = (m - 1/2)/2: 1e-10; down after up is the identity: 1e-10."""
    coarse, fine = torch.arange(n).double(), (torch.arange(2 * n).double() - 0.5) / 2
    U = ideal(n)
    for k in range((n + 1) // 2):
        for phase in (0.0, 1.0):
            wave, finer = ((2 * math.pi * k / n * x + phase).cos() for x in (coarse, fine))
            close(U @ wave, finer, atol=1e-10)
            close(U.T @ finer / 2, wave, atol=1e-10)
    for k in range(n, n + n // 2):  # above Nyquist of the coarse grid nothing comes through
        wave = (math.pi * k / n * torch.arange(2 * n).double()).cos()
        close(ideal(n, nyquist=0.0).T @ wave / 2, [0.0] * n, atol=1e-10)


def test_the_wave_at_nyquist():
    """1/2 interpolates it as a cosine, 0 takes it out; `up` does the one, `down` the other."""
    n = 8
    wave = (-1.0) ** torch.arange(n, dtype=torch.float64)
    fine = (torch.arange(2 * n).double() - 0.5) / 2
    finer = (math.pi * fine).cos()
    close(ideal(n) @ wave, finer)
    close(ideal(n, nyquist=0.0) @ wave, [0.0] * 2 * n)
    flat = torch.ones(n, dtype=torch.float64)
    close(up(torch.outer(flat, wave)[None, None])[0, 0, 0], finer)
    close(down(finer.expand(1, 1, 2 * n, -1)), torch.zeros(1, 1, n, n))
    close(ideal(n).T @ finer / 2, wave / 2)


@every_padding
@pytest.mark.parametrize("name", ("ideal", "kaiser"))
def test_down_is_half_of_up_transposed(name, padding):
    """<U x, y> = <x, U^T y>, and `down` is U^T/2 on both axes; ideal: without the last wave."""
    x, y = noise(1, 1, 6, 8), noise(1, 1, 12, 16, seed=1)
    make = partial(ideal, nyquist=0.0) if name == "ideal" else kaiser
    rows, columns = (make(n, padding) for n in (6, 8))
    close(down(y, name, padding)[0, 0], rows.T @ y[0, 0] @ columns / 4)
    up_x = rows @ x[0, 0] @ columns.T
    back = rows.T @ y[0, 0] @ columns
    close((up_x * y[0, 0]).sum(), (x[0, 0] * back).sum())
    if name == "kaiser":
        close(up(x, name, padding)[0, 0], up_x)


@pytest.mark.parametrize("name", ("jinc", "published"))
@every_padding
def test_the_convolutions_are_each_others_transposes(name, padding):
    """<up x, y> = gain <x, down y>, on sides that a kernel goes round more than once: 1e-12."""
    for H, W in ((6, 8), (1, 2), (3, 3)):
        x, y = noise(2, 3, H, W), noise(2, 3, 2 * H, 2 * W, seed=1)
        gain = FILTERS[name].gain
        a, b = (up(x, name, padding) * y).sum(), (x * down(y, name, padding)).sum()
        close(a, gain * b, atol=1e-11)
        assert abs(a) > 1e-3


@every_padding
@pytest.mark.parametrize("sides", [(16, 12), (2, 3), (1, 1)])
def test_matrices_and_convolutions_are_two_ways_to_do_the_same(sides, padding):
    """A separable kernel, as two matrices and as one depthwise convolution: 1e-12."""
    h = windowed_sinc()
    x, y = noise(2, 3, *sides), noise(2, 3, *(2 * n for n in sides), seed=1)
    K = torch.outer(h, h)
    close(conv_up(x, K, padding), up(x, "kaiser", padding))
    close(conv_down(y, K, padding), down(y, "kaiser", padding))
    close(conv_up(x, K, padding, gain=1.0), up(x, "kaiser", padding) / 4)


def test_zeros_are_inserted_before_the_filter():
    """`conv_up` as written: zeros, then the kernel at "same" size, then the gain: 1e-12."""
    x, K = noise(2, 3, 5, 6), noise(3, 3)
    K = (K + K.flip(0, 1)) / 2
    inserted = torch.zeros(2, 3, 10, 12, dtype=torch.float64)
    inserted[..., ::2, ::2] = x
    filtered = F.conv2d(inserted, K.expand(3, 1, 3, 3), padding="same", groups=3)
    close(conv_up(x, K, "zeros"), 4 * filtered)
    y = noise(2, 3, 10, 12)
    filtered = F.conv2d(y, K.expand(3, 1, 3, 3), padding="same", groups=3)
    close(conv_down(y, K, "zeros"), filtered[..., ::2, ::2])


def test_nothing_shifts():
    """The centre of what an impulse becomes: fine 2j + 1/2, of a fine one the middle: 1e-10."""
    for U in (kaiser(16, "zeros"), matrix(torch.tensor([1.0, 3, 3, 1]) / 8, 16, "zeros").double()):
        m, j = torch.arange(32).double(), torch.arange(16).double()
        close((m @ U)[4:12] / U.sum(0)[4:12], 2 * j[4:12] + 0.5, atol=1e-10)
    # The ideal filter reaches all around: its delay is the slope of its phase.
    k = torch.arange(8).double()
    spectrum = torch.fft.rfft(ideal(16)[:, 5])[:8]
    close((spectrum * torch.exp(2j * math.pi * k / 32 * (2 * 5 + 0.5))).real, [2.0] * 8, atol=1e-10)
    # Up and down again, or down and up again, is a symmetric operator: no side is favoured.
    for name in FILTERS:
        impulse = torch.zeros(1, 1, 17, 17, dtype=torch.float64)
        impulse[..., 8, 8] = 1
        there = down(up(impulse, name), name)
        close(there, there.flip(-1, -2), atol=1e-10)
        x, y = noise(1, 1, 8, 8), noise(1, 1, 8, 8, seed=1)
        a, b = ((up(down(p, name), name) * q).sum() for p, q in ((x, y), (y, x)))
        if name != "ideal":  # whose up keeps the wave at Nyquist, and whose down does not
            close(a, b, atol=1e-10)


def test_borders_do_not_reach_the_opposite_side_but_on_a_circle():
    """A bright column on the left: on a circle it lights the right border, otherwise 100 x less."""
    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    x[..., 0] = 1
    for name in ("ideal", "kaiser", "jinc"):
        there, not_there = (up(x, name, p)[..., -1].abs().max() for p in PADDINGS)
        assert there > 0.25 and not_there < there / 100, name
    ramp = torch.arange(16).double().expand(1, 1, 16, 16)
    ends = [down(up(ramp, "ideal", p), "ideal", p)[0, 0, 0, 0].item() for p in PADDINGS]
    assert abs(ends[0]) > 0.4 and abs(ends[1]) < 1e-12


# --------------------------------------------------------------------- equivariance


@pytest.mark.parametrize("size", (16, 12))
@pytest.mark.parametrize("shift", [(3.0, -5.0), (0.3, -1.7), (0.5, 0.25)])
def test_a_filtered_square_commutes_with_every_shift(size, shift):
    """Ideal filter, circle, white noise below Nyquist: 1e-10.  Others move by more than 1e-3."""
    x = below_nyquist(2, 3, size, size)
    layer = Filtered(torch.square, "ideal")
    close(layer(shifted(x, *shift)), shifted(layer(x), *shift), atol=1e-10)
    assert layer(x).std() > 0.5
    for other in (Filtered(F.relu, "ideal"), Filtered(torch.square, "kaiser"), torch.square):
        gap = (other(shifted(x, *shift)) - shifted(other(x), *shift)).abs().max()
        whole = all(s == int(s) for s in shift)
        assert gap < 1e-10 if whole else gap > 1e-3


@every_filter
def test_a_filtered_activation_commutes_with_whole_pixels(name):
    """Any filter, any activation, on a circle: 1e-12."""
    x, layer = noise(2, 3, 6, 10), Filtered(F.gelu, name)
    close(layer(x.roll((2, -3), (-2, -1))), layer(x).roll((2, -3), (-2, -1)))


def test_ideal_resampling_commutes_with_shifts_between_grids():
    """A shift by s fine pixels is one by s/2 coarse pixels: 1e-10; MaxPool moves by more."""
    x = below_nyquist(1, 2, 16, 12)
    for s in (1.0, 0.6):
        close(down(shifted(x, s, -s)), shifted(down(x), s / 2, -s / 2), atol=1e-10)
        close(up(shifted(x, s, -s)), shifted(up(x), 2 * s, -2 * s), atol=1e-10)
        gap = MaxDown()(shifted(x, s, -s)) - shifted(MaxDown()(x), s / 2, -s / 2)
        assert gap.abs().max() > 0.1


@every_filter
@every_padding
def test_quarter_turns_commute_unless_the_kernel_is_odd(name, padding):
    """1e-12; the published kernel is off by more than 0.1."""
    x, layer = noise(1, 2, 8, 8), Filtered(F.gelu, name, padding=padding)
    if (name, padding) != ("published", "zeros"):  # there and back, even the odd kernel
        close(layer(x.rot90(1, (-2, -1))), layer(x).rot90(1, (-2, -1)))
    gap = (
        down(x.rot90(1, (-2, -1)), name, padding) - down(x, name, padding).rot90(1, (-2, -1))
    ).abs()
    assert gap.max() > 0.1 if name == "published" else gap.max() < 1e-12


def test_a_whole_network_of_ideal_filters_and_squares_commutes_with_every_shift():
    """Random weights, float64, relative to the output's size: 1e-9; plain squares over 1e-2."""
    x, t = below_nyquist(2, 3, 16, 16), torch.ones(2, dtype=torch.float64)

    def gap(act):
        torch.manual_seed(0)
        net = UNet(
            **dict(channels=(8, 8, 8), blocks=1, attention=(False,) * 3, padding="circular"),
            **dict(down=partial(Down, "ideal"), up=partial(Up, "ideal"), act=act),
        ).double()
        for p in net.parameters():
            nn.init.normal_(p, std=0.1)
        with torch.no_grad():
            out, moved = net(x, t), net(shifted(x, 0.3, -1.7), t)
        return ((moved - shifted(out, 0.3, -1.7)).abs().max() / out.std()).item()

    class Square(nn.Module):
        def __init__(self, width, padding):
            super().__init__()

        def forward(self, x):
            return x.square()

    assert gap(partial(Filtered, torch.square, "ideal")) < 1e-9
    assert gap(Square) > 1e-2


# --------------------------------------------------------------------------- layers


@every_filter
@every_padding
def test_layers_in_the_unet_change_no_weights(name, padding):
    """Same state dict as the plain network, so weights move between configs; every side works."""
    size = dict(channels=(8, 16, 16), blocks=1, attention=(False,) * 3, padding=padding)
    net = UNet(
        **size,
        down=partial(Down, name),
        up=partial(Up, name),
        act=partial(Filtered, F.gelu, name),
    )
    plain = UNet(**size)
    baseline = UNet(**size, down=MaxDown, up=Bilinear)
    for other in (plain, baseline):
        shapes = [(k, v.shape) for k, v in other.state_dict().items()]
        assert shapes == [(k, v.shape) for k, v in net.state_dict().items()]
    for layer in (Up(name, 8, padding), Down(name), Filtered(F.gelu, name), MaxDown(), Bilinear()):
        assert not list(layer.parameters()) and not layer.state_dict()
    for side in (4, 12):
        x = torch.randn(2, 3, side, 2 * side)
        out = net(x, torch.ones(2))
        assert out.shape == x.shape and bool(out.isfinite().all())
        assert baseline(x, torch.ones(2)).shape == x.shape


@every_filter
def test_layers_are_the_functions(name):
    x = noise(2, 3, 6, 8)
    for padding in PADDINGS:
        assert torch.equal(Up(name, padding=padding)(x), up(x, name, padding))
        assert torch.equal(Down(FILTERS[name], padding=padding)(x), down(x, name, padding))
        want = down(up(x, name, padding).sigmoid(), name, padding)
        assert torch.equal(Filtered(torch.sigmoid, name, width=3, padding=padding)(x), want)


@every_filter
def test_memory_formats_and_precisions(name):
    """channels_last the same, and kept; float32 within 2e-6, bfloat16 within 4e-2 of float64."""
    for x in (noise(2, 3, 8, 12), noise(2, 1, 4, 4), noise(0, 3, 4, 4)):
        for way in (up, down):
            want = way(x, name)
            other = x.contiguous(memory_format=torch.channels_last)
            close(way(other, name), want)
            close(way(x.mT.contiguous().mT, name), want)
            for dtype, atol in ((torch.float32, 2e-6), (torch.bfloat16, 4e-2)):
                got = way(x.to(dtype), name)
                assert got.dtype == dtype
                close(got.double(), want, atol=atol)
    x = noise(2, 3, 8, 12).contiguous(memory_format=torch.channels_last)
    if name in ("ideal", "kaiser"):
        assert up(x, name).is_contiguous(memory_format=torch.channels_last)


@every_filter
def test_autocast_meta_and_other_settings(name):
    """bfloat16 under autocast (4e-2), shapes alone on meta, and no trace of a default device."""
    x, layer = torch.randn(2, 3, 8, 12), Filtered(F.gelu, name)
    want = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        got = layer(x)
    assert got.dtype == torch.bfloat16
    close(got.float(), want, atol=4e-2)
    vars(resample.KEPT).clear()
    with torch.device("meta"):
        out = Filtered(F.gelu, name)(torch.empty(2, 3, 8, 12))
        assert out.device.type == "meta" and out.shape == (2, 3, 8, 12)
        assert torch.equal(layer(x), want)
    assert torch.equal(layer(x), want)


@every_filter
def test_what_sampling_made_serves_training(name):
    """First used in inference mode, then trained through: gradients flow, and are right."""
    vars(resample.KEPT).clear()
    layer, x = Filtered(torch.square, name), noise(1, 2, 4, 6)
    with torch.inference_mode():
        layer(x)
    made = len(vars(resample.KEPT))
    assert torch.autograd.gradcheck(layer, x.requires_grad_())
    assert len(vars(resample.KEPT)) == made


COMPILED = """
import sys
import torch
from diffutils import resample

for name in sys.argv[1:]:
    made, graphs = [], []

    def backend(graph, inputs):
        graphs.append([str(node.target) for node in graph.graph.nodes])
        return graph.forward

    torch._dynamo.reset()
    layer = resample.Filtered(torch.square, name)
    compiled = torch.compile(layer, backend=backend, fullgraph=True)
    for shape in ((2, 3, 8, 8), (2, 3, 8, 8), (3, 3, 8, 8), (3, 3, 12, 8), (2, 3, 12, 10)):
        x = torch.randn(shape)
        y = compiled(x)
        made.append(len(vars(resample.KEPT)))
        assert torch.equal(y, layer(x)), (name, shape)
    assert 0 < made[0] == made[1] == made[2] < made[3] < made[4], (name, made)
    assert len(graphs) <= 4, (name, len(graphs))
    nodes = " ".join(node for graph in graphs for node in graph)
    assert not any(word in nodes for word in ("cos", "i0", "arange", "where")), (name, nodes)

# And through autograd's part of the compiler, in which two constants must not share a name.
torch._dynamo.reset()
layers = [resample.Filtered(torch.tanh, name) for name in sys.argv[1:]]
layers = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), *layers)
layers.to(memory_format=torch.channels_last)
x = torch.randn(2, 3, 8, 6, requires_grad=True)
both = [f(x) for f in (torch.compile(layers, backend="aot_eager", fullgraph=True), layers)]
torch.testing.assert_close(*both)
torch.testing.assert_close(*[torch.autograd.grad(y.square().sum(), x)[0] for y in both])
"""


def test_compiled_once_and_made_once():
    """torch.compile takes what filters multiply with like weights: one graph for each size.

    In a process of its own: shape checks, which tests switch on, cannot be compiled.
    """
    command = [sys.executable, "-c", COMPILED, *FILTERS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_is_made_once_is_shared():
    """Among layers of one filter, size, padding, precision and device, and no others."""
    vars(resample.KEPT).clear()
    x, counts = torch.ones(1, 1, 4, 6), []
    for case in ((x, "kaiser", "zeros"), (x + 1, FILTERS["kaiser"], "zeros")):
        up(*case)
        counts.append(len(vars(resample.KEPT)))
    for case in (
        (x, "kaiser"),
        (x.double(), "kaiser"),
        (x, FILTERS["kaiser"]._replace(cutoff=0.5)),
    ):
        up(*case)
        counts.append(len(vars(resample.KEPT)))
    assert counts == [2, 2, 4, 6, 8]
    before = dict(vars(resample.KEPT))
    up(x, "kaiser")
    assert all(vars(resample.KEPT)[name] is one for name, one in before.items())


def test_the_published_baseline():
    """The largest of 2x2 pixels; linear between corners, which stay: pixel by pixel, 1e-12."""
    x = noise(1, 1, 4, 6)
    blocks = x[0, 0].reshape(2, 2, 3, 2).transpose(1, 2).reshape(2, 3, 4)
    assert torch.equal(MaxDown(width=1, padding="zeros")(x)[0, 0], blocks.amax(-1))
    fine = Bilinear(width=1, padding="circular")(x)[0, 0]
    rows, columns = (torch.arange(2 * n).double() * (n - 1) / (2 * n - 1) for n in (4, 6))
    for i, r in enumerate(rows):
        for j, c in enumerate(columns):
            a, b = min(int(r), 2), min(int(c), 4)
            top, bottom = (
                x[0, 0, k, b] * (b + 1 - c) + x[0, 0, k, b + 1] * (c - b) for k in (a, a + 1)
            )
            close(fine[i, j], top * (a + 1 - r) + bottom * (r - a))


# --------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: ideal(0), "a side of 0 pixels cannot be resampled; it takes at least 1"),
        (lambda: kaiser(-1), "a side of -1 pixels"),
        (lambda: ideal(4, "reflect"), "padding is 'reflect', expected one of circular, zeros"),
        (lambda: matrix(windowed_sinc(), 4, "same"), "padding is 'same'"),
        (lambda: kaiser(4, taps=5), "5 taps lie half a pixel off the coarse grid; use an even"),
        (lambda: windowed_sinc(1), "taps=1, cutoff=0.29.*make no low-pass; use at least 2 taps"),
        (lambda: windowed_sinc(cutoff=1.5), "cutoff=1.5"),
        (lambda: jinc(cutoff=0.0), "cutoff=0.0"),
        (lambda: jinc(3, 0.5, -1.0), "beta=-1.0"),
        (lambda: windowed_sinc(beta=math.nan), "beta=nan"),
        (lambda: up(torch.ones(1, 1, 4, 4), "lanczos"), "there is no filter 'lanczos'; use one of"),
        (lambda: Up("lanczos"), "ideal, kaiser, jinc, published, or a Filter of shape"),
        (lambda: Down(Filter("box")), "no filter Filter.shape='box'"),
        (lambda: Up(Filter("ideal", gain=0.0)), "gain=0.0.*and a gain above 0"),
        (lambda: Down(Filter("kaiser", taps=5)), "5 taps"),
        (lambda: Filtered(F.gelu, Filter("jinc", cutoff=2.0)), "cutoff=2.0"),
        (lambda: Filtered(F.gelu, "jinc", padding="same"), "padding is 'same'"),
        (lambda: up(torch.ones(1, 1, 4, 4), "published", "same"), "padding is 'same'"),
        (lambda: down(torch.ones(1, 1, 4, 5)), "sides of .4, 5. pixels cannot be halved; use even"),
        (lambda: down(torch.ones(1, 1, 3, 4), "jinc"), "sides of .3, 4. pixels"),
        (lambda: up(torch.ones(1, 1, 0, 4)), "a side of 0 pixels"),
        (lambda: resampled("up", torch.ones(4, 4), "ideal", "zeros"), "floats .B, C, H, W., got"),
        (
            lambda: resampled("down", torch.ones(1, 3, 4, 4, dtype=torch.uint8), "jinc", "zeros"),
            "got torch.uint8 .1, 3, 4, 4.; to_float.images. makes them",
        ),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
