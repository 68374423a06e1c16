"""How far a network commutes with shifts and turns, untrained and trained: decibels.

Signal is the network's own output (`equivariance.snr`); a number stands beside the floor that the
operator has on the same inputs.
"""

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from diffutils import resample, rng
from diffutils.lessons.lesson07.systems.configs import config
from diffutils.methods import equivariance
from diffutils.unet import UNet
from diffutils.weights import models

IMAGES = 4  # that a decibel is of
SHIFTS = {"1 px": ((1, 0), (0, 3), (5, 2)), "sub-pixel": ((0.5, 0), (0.25, 0.7), (3.4, 1.6))}
BANDS = {"full": 1.0, "half": 0.5}  # of the inputs, in units of Nyquist
DEGREES = (10, 25, 45, 70)
RADIUS, FADE = 0.5, 8  # of inputs that are turned: their band, and a border that is empty
C_NOISE = 500.0  # what the network is told of the noise, the middle of DDPM's table


def awake(net: nn.Module, seed: int = 0) -> nn.Module:
    """The network with its zero layers drawn at random, too: as made, it says 0 of anything."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)) and not bool(layer.weight.any()):
                layer.reset_parameters()
    return net


def untrained(name: str, channels: int = 3, seed: int = 0, attention: bool = False, **unet) -> UNet:
    """A small U-Net of a configuration, circular, with random weights; "X": the oracle.

    unet: other arguments of `UNet`, its parts among them.
    X has ideal filters and squares for an activation.  A square doubles the band, which the finer
    grid holds, so that X commutes with every shift up to rounding.
    """
    torch.manual_seed(seed)
    size = {"channels": (16, 32, 32), "blocks": 1, "attention": (False, False, attention)}
    size |= {"in_channels": channels, "out_channels": channels, "padding": "circular"}
    if name == "X":
        parts = {
            "down": partial(resample.Down, "ideal"),
            "up": partial(resample.Up, "ideal"),
            "act": partial(resample.Filtered, torch.square, "ideal"),
        }
    else:
        entries = config(name)
        size |= entries.get("unet", {})
        parts = {k: models.filled(models.PARTS[k], v) for k, v in entries["parts"].items()}
    return awake(UNet(**size | parts | unet), seed)


def without_borders(net: nn.Module) -> nn.Module:
    """A copy of the network with circular borders: what its layers lose, and its borders do not.

    With zeros around them networks know where they are; digits then stand in the middle.
    """
    net = copy.deepcopy(net)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "circular"
        if isinstance(layer, resample.Up):
            layer.padding = "circular"
    return net


def inputs(side: int, channels: int, band: float, seed: int = 0) -> Tensor:
    """White noise (N, C, side, side), float64, limited to a band below Nyquist times `band`."""
    x = rng.normal(seed, 0, torch.arange(IMAGES), (channels, side, side), rng.EVALUATION)
    return equivariance.band_limited(x.double(), band)


def told(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network as a function of images alone, in the precision of its weights."""

    def f(x: Tensor) -> Tensor:
        weight = next(net.parameters())
        level = torch.full((len(x),), C_NOISE, device=weight.device)
        return net(x.to(weight), level.to(weight)).to(x)

    return f


def eq_t_row(f: Callable[[Tensor], Tensor], side: int, channels: int) -> dict[str, float]:
    """EQ-T in dB of a network for inputs of both `BANDS` and both kinds of `SHIFTS`."""
    return {
        f"{band}: {kind}": equivariance.eq_t(f, inputs(side, channels, limit), shifts)
        for band, limit in BANDS.items()
        for kind, shifts in SHIFTS.items()
    }


def turned_inputs(side: int, channels: int, seed: int = 0) -> Tensor:
    """Noise that can be turned: without high frequencies, and empty at the border."""
    return inputs(side, channels, RADIUS, seed) * equivariance.disc(side, fade=FADE)


def eq_r_row(f: Callable[[Tensor], Tensor], side: int, channels: int) -> dict[str, float]:
    """EQ-R in dB: for `DEGREES`, for a quarter turn, and the floor of the operator."""
    x = turned_inputs(side, channels)
    return {
        "turns": equivariance.eq_r(f, x, DEGREES),
        "90 degrees": equivariance.eq_r(f, x, (90,)),
        "floor": equivariance.floor_r(x, DEGREES),
    }
