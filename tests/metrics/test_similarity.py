"""SSIM and MS-SSIM against scikit-image, SciPy and torchmetrics."""

import numpy as np
import pytest
import torch

from diffutils.metrics import similarity


def pictures(n, side, seed=0, channels=3):
    """Smooth noise, uint8, and the same with noise added, so that similarities lie between."""
    g = torch.Generator().manual_seed(seed)
    low = torch.rand(n, channels, side // 4 + 1, side // 4 + 1, generator=g)
    a = torch.nn.functional.interpolate(low, size=(side, side), mode="bilinear")
    b = (a + 0.1 * torch.randn(a.shape, generator=g)).clamp(0, 1)
    return [(255 * x).round().to(torch.uint8) for x in (a, b)]


@pytest.mark.parametrize("side, channels", [(11, 1), (16, 3), (64, 3)])
def test_ssim_equals_scikit_image(side, channels):
    skimage = pytest.importorskip("skimage.metrics")
    a, b = pictures(3, side, 0, channels)
    expected = [
        skimage.structural_similarity(
            x.numpy(),
            y.numpy(),
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        for x, y in zip(a, b, strict=True)
    ]
    got = similarity.ssim(a, b)
    assert got.dtype == torch.float64 and got.tolist() == pytest.approx(expected, abs=1e-7)
    assert all(0.02 < v < 0.98 for v in expected)


def test_the_range_follows_the_type():
    a, b = pictures(2, 32)
    x, y = (v.double() / 127.5 - 1 for v in (a, b))
    # mapped to [-1, 1] the images lose the offset that SSIM's luminance term is made of
    assert not torch.allclose(similarity.ssim(a, b), similarity.ssim(x, y), atol=1e-3)
    torch.testing.assert_close(
        similarity.ssim(a, b), similarity.ssim(a.double() / 255, b.double() / 255, peak=1.0)
    )


def test_equal_images_score_one():
    a, _ = pictures(2, 50)
    for metric in (similarity.ssim, similarity.ms_ssim):
        torch.testing.assert_close(metric(a, a), torch.ones(2).double())


def windowed(x):
    from scipy.ndimage import gaussian_filter

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


@pytest.mark.parametrize(
    "side, scales",
    [
        (11, 1),
        (16, 1),
        (20, 1),
        (21, 2),
        (40, 2),
        (41, 3),
        (64, 3),
        (81, 4),
        (160, 4),
        (161, 5),
    ],
)
def test_ms_ssim_equals_the_equation_at_every_number_of_scales(side, scales):
    assert similarity.scales(side) == scales
    a, b = pictures(2, side, channels=1)
    expected = [
        literal_ms_ssim(*(x[i, 0].double().numpy() for x in (a, b)), scales) for i in range(2)
    ]
    assert similarity.ms_ssim(a, b).tolist() == pytest.approx(expected, abs=1e-7)


def test_ms_ssim_equals_torchmetrics_but_for_its_padding():
    """torchmetrics averages the last SSIM over padded windows, too; without that they agree."""
    image = pytest.importorskip("torchmetrics.functional.image")
    a, b = (x.double() for x in pictures(2, 192))
    ours = similarity.ms_ssim(a, b, peak=255.0)
    theirs = image.multiscale_structural_similarity_index_measure(
        a, b, data_range=255.0, reduction="none"
    )
    small = [torch.nn.functional.avg_pool2d(x, 16) for x in (a, b)]
    padded = image.structural_similarity_index_measure(*small, data_range=255.0, reduction="none")
    corrected = ours * (padded / similarity.ssim(*small, peak=255.0)) ** similarity.SCALES[-1]
    torch.testing.assert_close(corrected, theirs, rtol=1e-7, atol=0)
    assert (ours - theirs).abs().max() > 1e-6


def test_ssim_of_one_scale_is_ms_ssim():
    a, b = pictures(3, 20)
    torch.testing.assert_close(similarity.ms_ssim(a, b), similarity.ssim(a, b))


def test_opposite_images_have_no_complex_similarity():
    a, _ = pictures(1, 64)
    assert similarity.ms_ssim(a, 255 - a).tolist() == [0.0]


@pytest.mark.parametrize("metric", [similarity.ssim, similarity.ms_ssim])
def test_what_cannot_be_compared_is_refused(metric):
    a, b = pictures(2, 16)
    with pytest.raises(ValueError, match="like with like.*float"):
        metric(a, b.float())
    with pytest.raises((ValueError, TypeError)):  # jaxtyping, where switched on, speaks first
        metric(a, b[:, :, :12])
    with pytest.raises(ValueError, match="window of 11 x 11 pixels, but the images have 10 x 16"):
        metric(a[:, :, :10], b[:, :, :10])
