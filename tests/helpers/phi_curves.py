"""SSIM curves that are straight in phi*, and R^2 by numpy, for the tests of the search."""

import numpy as np
import torch

from diffutils.methods import perceptual as P

SIGMAS = P.dense_sigmas()
LOGS = SIGMAS.log().numpy()
TABLE = "1 - mean SSIM, tabulated"  # a row of the report


def straight_in(*cs):
    """SSIM curves that are exactly straight in phi* of each c."""
    return torch.stack([1 - SIGMAS / (SIGMAS + c) for c in cs])


def r2(curves, phi, log_levels):
    """Mean R^2 over images by numpy: `phi` equally spaced, with ln sigma of each."""
    measured = [np.interp(log_levels, LOGS, curve) for curve in curves.numpy()]
    return np.mean([np.corrcoef(phi, y)[0, 1] ** 2 for y in measured])


def r2_phi_star(curves, c):
    phi = np.linspace(0.002 / (0.002 + c), 80 / (80 + c), 50)
    return r2(curves, phi, np.log(c * phi / (1 - phi)))
