"""Random numbers as a function of (seed, step, sample index): the Philox4x32-10 generator.

An ordinary generator has a state, so what sample 7 receives depends on what was drawn before it.
Philox has none: it scrambles a counter.  We put the step and the global sample index into that
counter.  A resumed run, another batch size or another number of processes therefore sees the same
numbers, on every device up to the rounding of its logarithm and cosine.

Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

MASK = 0xFFFFFFFF

# What a number is for.  Different streams are independent for the same (seed, step, index).
NOISE, LEVEL, FLIP, LABEL, ORDER, START, EVALUATION, SAMPLING, AUGMENT = range(9)


def philox(counter: tuple[Tensor, ...], seed: int) -> tuple[Tensor, ...]:
    """Scramble four 32-bit counter words (int64 tensors) into four random 32-bit words."""
    a, b, c, d = counter
    k0, k1 = seed & MASK, (seed >> 32) & MASK
    for _ in range(10):
        # 32 x 32 -> 64 bit products; int64 wraps around, and the mask removes the copied sign.
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) & MASK ^ b ^ k0, q & MASK, (p >> 32) & MASK ^ d ^ k1, p & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return a, b, c, d


def words(seed: int, step: int, index: Int[Tensor, "B"], n: int, stream: int) -> Int[Tensor, "B n"]:
    """n random 32-bit words for every sample index (int64 in [0, 2^32))."""
    block = torch.arange(-(-n // 4), device=index.device)
    shape = (len(index), len(block))
    counter = (
        block.expand(shape),
        index[:, None].expand(shape),
        torch.full(shape, step, device=index.device),
        torch.full(shape, stream, device=index.device),
    )
    return torch.stack(philox(counter, seed), dim=-1).flatten(1)[:, :n]


def uniform(
    seed: int, step: int, index: Int[Tensor, "B"], n: int, stream: int = LEVEL
) -> Float[Tensor, "B n"]:
    """n uniform numbers in [0, 1) for every sample index, multiples of 2^-24 (exact in float32)."""
    return (words(seed, step, index, n, stream) >> 8).float() * 2.0**-24


def normal(
    seed: int, step: int, index: Int[Tensor, "B"], shape: tuple[int, ...], stream: int = NOISE
) -> Float[Tensor, "B ..."]:
    """Standard normal noise of the given shape for every sample index (Box-Muller)."""
    n = math.prod(shape)
    w = words(seed, step, index, n + n % 2, stream).view(len(index), -1, 2)
    u = (w.float() + 1) * 2.0**-32  # in (0, 1]: the logarithm stays finite
    radius, angle = (-2 * u[..., 0].log()).sqrt(), 2 * math.pi * u[..., 1]
    z = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
    return z.flatten(1)[:, :n].reshape(len(index), *shape)


@lru_cache(maxsize=4)  # every step of an epoch asks for it
def permutation(seed: int, epoch: int, n: int) -> Int[Tensor, "n"]:
    """A random order of 0 .. n-1 for this epoch (on the CPU; shared, so do not write to it)."""
    keys = words(seed, epoch, torch.arange(n), 2, ORDER)
    return torch.argsort((keys[:, 0] << 31) ^ keys[:, 1], stable=True)
