"""Distances between sets of images, similarity of pairs, and the features they are taken on."""

from diffutils.metrics.distances import (
    frechet,
    kernel_distance,
    memorisation,
    mmd,
    nearest,
    precision_recall,
)
from diffutils.metrics.similarity import ms_ssim, psnr, ssim

__all__ = [
    "frechet",
    "kernel_distance",
    "memorisation",
    "mmd",
    "ms_ssim",
    "nearest",
    "precision_recall",
    "psnr",
    "ssim",
]
