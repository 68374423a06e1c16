"""Distances between sets of images, similarity of pairs, and the features they are taken on."""

# ruff: noqa: F401 (imported to be found here)

from diffutils.metrics.distances import (
    frechet,
    kernel_distance,
    memorisation,
    mmd,
    nearest,
    precision_recall,
)
from diffutils.metrics.similarity import ms_ssim, psnr, ssim
