"""Denoisers that need neither a training nor a network: what Deep Image Prior has to beat."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

Filter = Callable[[np.ndarray, float], np.ndarray]  # image (H, W, C) in [0, 1], sigma -> the same


def total_variation(y: np.ndarray, sigma: float) -> np.ndarray:
    """Chambolle's total variation, its weight in proportion to the noise."""
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(y, weight=0.8 * sigma, channel_axis=-1)


def wavelet(y: np.ndarray, sigma: float) -> np.ndarray:
    """Soft thresholds of wavelets by BayesShrink (Chang et al. 2000), colours apart from light."""
    from skimage.restoration import denoise_wavelet

    settings = {"method": "BayesShrink", "convert2ycbcr": y.shape[-1] == 3, "channel_axis": -1}
    return denoise_wavelet(y, sigma=sigma, rescale_sigma=True, **settings)


def non_local_means(y: np.ndarray, sigma: float) -> np.ndarray:
    """Means of pixels whose 5 x 5 patches look alike (Buades et al. 2005)."""
    from skimage.restoration import denoise_nl_means

    settings = {"patch_size": 5, "patch_distance": 6, "channel_axis": -1}
    return denoise_nl_means(y, h=0.8 * sigma, sigma=sigma, fast_mode=True, **settings)


def block_matching(y: np.ndarray, sigma: float) -> np.ndarray:
    """BM3D (Dabov et al. 2007), of the package bm3d, which not everybody has."""
    from bm3d import bm3d, bm3d_rgb

    return bm3d_rgb(y, sigma) if y.shape[-1] == 3 else bm3d(y[..., 0], sigma)[..., None]


def filters() -> dict[str, Filter]:
    """Those that are here, by name."""
    found = {"TV": total_variation, "wavelet": wavelet, "NLM": non_local_means}
    return found | ({"BM3D": block_matching} if find_spec("bm3d") else {})


def filtered(name: str, y: Tensor, sigma: float) -> Tensor:
    """Images y (N, C, H, W) about [-1, 1] with noise of std sigma, denoised one by one.

    Raises: KeyError for a filter that is not here.
    """
    run = filters()[name]
    found = []
    for image in y.double().cpu().permute(0, 2, 3, 1).numpy():
        clean = run((image + 1) / 2, sigma / 2)
        clean = np.ascontiguousarray(clean).reshape(image.shape)  # of grey some drop the channel
        found.append(torch.from_numpy(clean).permute(2, 0, 1))
    return (2 * torch.stack(found) - 1).clamp(-1, 1).to(y.dtype)
