"""PSNR, SSIM and MS-SSIM against scikit-image, SciPy, torchmetrics and arithmetic by hand."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional import image as torchmetrics

from diffutils.data import load
from diffutils.metrics import similarity

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
SKIMAGE = {"uniform": {}, "gaussian": GAUSSIAN}
METRICS = [similarity.psnr, similarity.ssim, similarity.ms_ssim]


def pictures(n, side, seed=0, channels=3):
    """Smooth noise, uint8, and the same with noise added, so that similarities lie between."""
    g = torch.Generator().manual_seed(seed)
    low = torch.rand(n, channels, side // 4 + 1, side // 4 + 1, generator=g)
    a = torch.nn.functional.interpolate(low, size=(side, side), mode="bilinear")
    b = (a + 0.1 * torch.randn(a.shape, generator=g)).clamp(0, 1)
    return [(255 * x).round().to(torch.uint8) for x in (a, b)]


def to_float(x):
    return x.double() / 127.5 - 1


# ------------------------------------------------------------------- PSNR


def test_psnr_in_closed_form():
    a = torch.zeros(2, 3, 8, 8)
    b = a + torch.tensor([0.2, 0.02]).view(2, 1, 1, 1)
    torch.testing.assert_close(similarity.psnr(a, b), torch.tensor([20.0, 40.0]).double())
    black, white = torch.zeros(1, 1, 4, 4).byte(), torch.full((1, 1, 4, 4), 255).byte()
    assert similarity.psnr(black, white).item() == 0
    assert similarity.psnr(a, a).isinf().all()


def test_psnr_equals_skimage():
    a, b = pictures(3, 16)
    expected = [peak_signal_noise_ratio(*pair) for pair in zip(a.numpy(), b.numpy(), strict=True)]
    assert similarity.psnr(a, b).tolist() == pytest.approx(expected, rel=1e-12)


# ------------------------------------------------------------------- SSIM


@pytest.mark.parametrize("window", SKIMAGE)
@pytest.mark.parametrize("side, channels", [(11, 1), (16, 3), (64, 3)])
def test_ssim_equals_scikit_image(side, channels, window):
    a, b = pictures(3, side, 0, channels)
    kwargs = {"channel_axis": 0, "data_range": 255, **SKIMAGE[window]}
    pairs = zip(a.numpy(), b.numpy(), strict=True)
    expected = [structural_similarity(*pair, **kwargs) for pair in pairs]
    got = similarity.ssim(a, b, window)
    assert got.dtype == torch.float64 and got.tolist() == pytest.approx(expected, abs=1e-9)
    assert all(0.02 < v < 0.98 for v in expected)


@pytest.mark.parametrize("window", SKIMAGE)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.01, 0.3, 5.0])
def test_ssim_of_noisy_photographs_that_are_not_square(window, channels, sigma):
    """Float64 on both sides."""
    clean = load("photos", 128, 2, heldout=1).train[:, :channels, :96].double() / 255
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(clean.shape, generator=random, dtype=torch.float64)
    noisy = (clean + sigma * noise).clamp(0, 1)
    kwargs = {"data_range": 1, "channel_axis": 0, **SKIMAGE[window]}
    pairs = torch.stack([clean, noisy], 1).numpy()
    theirs = [structural_similarity(*pair, **kwargs) for pair in pairs]
    got = similarity.ssim(2 * clean - 1, 2 * noisy - 1, window)
    assert got.tolist() == pytest.approx(theirs, abs=1e-9)


def test_ssim_equals_torchmetrics_but_for_its_padding():
    """torchmetrics averages over reflected edges, too; of its map the middle is what we mean."""
    a, b = pictures(3, 32)
    _, theirs = torchmetrics.structural_similarity_index_measure(
        a.double(), b.double(), data_range=255.0, reduction="none", return_full_image=True
    )
    want = theirs[..., 5:-5, 5:-5].mean((1, 2, 3))
    torch.testing.assert_close(similarity.ssim(a, b), want, rtol=0, atol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_floats_score_as_the_bytes_that_they_are(metric):
    """SSIM on [-1, 1] has another luminance term: the offset is gone that it is made of."""
    a, b = pictures(2, 32)
    torch.testing.assert_close(metric(a, b), metric(to_float(a), to_float(b)), rtol=1e-9, atol=0)


def test_brighter_photographs_are_as_similar_as_their_bytes():
    """Photographs against themselves + 0.1 in [-1, 1]: .96, where SSIM on [-1, 1] gives .78."""
    x = load("photos", size=64, limit=10, heldout=1).train
    a, b = to_float(x), (to_float(x) + 0.1).clamp(max=1)
    want = [
        structural_similarity(p, q, channel_axis=0, data_range=1, **GAUSSIAN)
        for p, q in zip(((a + 1) / 2).numpy(), ((b + 1) / 2).numpy(), strict=True)
    ]
    got = similarity.ssim(a, b)
    assert got.tolist() == pytest.approx(want, abs=1e-9) and got.mean() > 0.95
    bytes_ = [(127.5 * (v + 1)).round().to(torch.uint8) for v in (a, b)]
    torch.testing.assert_close(similarity.ssim(*bytes_), got, rtol=0, atol=5e-3)  # rounding


def test_constants_around_zero_are_nearly_equal_greys():
    """-.02 and .02 are .49 and .51 in [0, 1]: (2 x .49 x .51 + C) / (.49^2 + .51^2 + C) = .9992."""
    a = torch.full((1, 1, 16, 16), -0.02)
    want = (2 * 0.49 * 0.51 + 1e-4) / (0.49**2 + 0.51**2 + 1e-4)
    for window in SKIMAGE:
        assert similarity.ssim(a, -a, window).item() == pytest.approx(want, abs=1e-6)


def test_equal_images_score_one():
    a, _ = pictures(2, 50)
    for metric in (similarity.ssim, similarity.ms_ssim):
        torch.testing.assert_close(metric(a, a), torch.ones(2).double())


@pytest.mark.parametrize("metric", METRICS)
def test_one_image_may_stand_for_many(metric):
    a, b = pictures(3, 32)
    torch.testing.assert_close(metric(a[:1], b), metric(a[:1].expand_as(b), b))


# ------------------------------------------------------------------- MS-SSIM


def windowed(x):
    return gaussian_filter(x, 1.5, truncate=3.5)[5:-5, 5:-5]


def halved(x):
    x = np.pad(x, [(0, side % 2) for side in x.shape], mode="edge")
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def literal_ms_ssim(a, b, scales):
    """Equation 7 of the paper, one channel, in NumPy."""
    exponents = np.array(similarity.SCALES[:scales])
    exponents /= 1 if scales == 5 else exponents.sum()
    result = 1.0
    for j, exponent in enumerate(exponents):
        mean_a, mean_b = windowed(a), windowed(b)
        var_a, var_b = windowed(a * a) - mean_a**2, windowed(b * b) - mean_b**2
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        structure = (2 * (windowed(a * b) - mean_a * mean_b) + c2) / (var_a + var_b + c2)
        luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        last = j == scales - 1
        result *= (luminance * structure if last else structure).mean() ** exponent
        a, b = halved(a), halved(b)
    return result


SIDES = {11: 1, 16: 1, 20: 1, 21: 2, 40: 2, 41: 3, 64: 3, 81: 4, 160: 4, 161: 5}


@pytest.mark.parametrize("side, scales", SIDES.items())
def test_ms_ssim_equals_the_equation_at_every_number_of_scales(side, scales):
    assert similarity.scales(side) == scales
    a, b = pictures(2, side, channels=1)
    expected = [
        literal_ms_ssim(*(x[i, 0].double().numpy() for x in (a, b)), scales) for i in range(2)
    ]
    assert similarity.ms_ssim(a, b).tolist() == pytest.approx(expected, abs=1e-7)


def test_ms_ssim_is_the_mean_of_each_channels_own():
    """As of pytorch-msssim, TensorFlow and piq; channels averaged before the powers differ."""
    a, b = pictures(2, 192)
    b[:, 0], b[:, 1] = a[:, 0], 128  # one channel without a fault, one without a structure
    each = np.array(
        [
            [literal_ms_ssim(*(x[i, c].double().numpy() for x in (a, b)), 5) for c in range(3)]
            for i in range(2)
        ]
    )
    assert each.max(1).min() > 0.99 and each.min(1).max() < 0.3
    assert similarity.ms_ssim(a, b).tolist() == pytest.approx(each.mean(1), abs=1e-7)
    together = torchmetrics.multiscale_structural_similarity_index_measure(
        a.double(), b.double(), data_range=255.0, reduction="none"
    )
    assert (similarity.ms_ssim(a, b) - together).abs().min() > 0.004


def test_ms_ssim_equals_torchmetrics_but_for_its_padding():
    """torchmetrics averages the last SSIM over padded windows, too; without that they agree.

    Its channels stand as images here, since it averages them before the exponents.
    """
    a, b = (x.double().view(-1, 1, 192, 192) for x in pictures(2, 192))
    ours = similarity.ms_ssim(a / 127.5 - 1, b / 127.5 - 1)
    theirs = torchmetrics.multiscale_structural_similarity_index_measure(
        a, b, data_range=255.0, reduction="none"
    )
    small = [torch.nn.functional.avg_pool2d(x, 16) for x in (a, b)]
    padded = torchmetrics.structural_similarity_index_measure(
        *small, data_range=255.0, reduction="none"
    )
    own = similarity.ssim(*(x / 127.5 - 1 for x in small))
    corrected = ours * (padded / own) ** similarity.SCALES[-1]
    torch.testing.assert_close(corrected, theirs, rtol=1e-7, atol=0)
    assert (ours - theirs).abs().max() > 1e-6


def test_ssim_of_one_scale_is_ms_ssim():
    a, b = pictures(3, 20)
    torch.testing.assert_close(similarity.ms_ssim(a, b), similarity.ssim(a, b))


def test_opposite_images_have_no_complex_similarity():
    a, _ = pictures(1, 64)
    assert similarity.ms_ssim(a, 255 - a).tolist() == [0.0]


# ------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("metric", METRICS)
def test_unlike_images_are_refused(metric):
    a, b = pictures(3, 16)
    with pytest.raises(ValueError, match="like with like.*float"):
        metric(a, b.float())
    with pytest.raises((ValueError, TypeError)):  # jaxtyping, where switched on, speaks first
        metric(a, b[:, :, :12])
    with pytest.raises((ValueError, TypeError)):
        metric(a[:2], b)


@pytest.mark.parametrize("window, side", [("gaussian", 11), ("uniform", 7)])
def test_images_below_the_window_are_refused(window, side):
    a = torch.zeros(1, 1, side, side + 3, dtype=torch.uint8)
    assert similarity.ssim(a, a, window).item() == 1
    message = f"window of {side} x {side} pixels, but the images have {side - 1} x {side + 3}"
    with pytest.raises(ValueError, match=message):
        similarity.ssim(a[:, :, 1:], a[:, :, 1:], window)


def test_ms_ssim_refuses_images_below_its_window():
    a = torch.zeros(1, 1, 16, 10)
    with pytest.raises(ValueError, match="window of 11 x 11 pixels, but the images have 16 x 10"):
        similarity.ms_ssim(a, a)


def test_another_window_is_refused():
    a = torch.zeros(1, 1, 16, 16)
    with pytest.raises(ValueError, match="window must be 'uniform' or 'gaussian', got 'box'"):
        similarity.ssim(a, a, "box")
