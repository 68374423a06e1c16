"""Right answers to the exercises of lesson 07, written in other ways than the course's."""

import functools
import math

import numpy as np
import torch
from torch.nn import functional as F

# --------------------------------------------------------------------- 7.1


def as_given(result, x):
    """An array of numbers as what x is."""
    return torch.from_numpy(result) if torch.is_tensor(x) else result


def doubled_place_by_place(x, h):
    n, c = len(x), len(h) // 2
    out = 0 * x.repeat(2)
    for k in range(2 * n):
        for i in range(len(h)):
            place = (k + i - c) % (2 * n)
            if place % 2 == 0:
                out[k] += 2 * h[i] * x[place // 2]
    return out


def doubled_by_spreading(x, h):
    """Every number gives its share to the places around it; h is symmetric."""
    out, c = 0 * x.repeat(2), len(h) // 2
    for j in range(len(x)):
        for i in range(len(h)):
            out[(2 * j + i - c) % (2 * len(x))] += h[i] * x[j] * 2
    return out


def doubled_by_rolls(x, h):
    roll = torch.roll if torch.is_tensor(x) else np.roll
    fine = 0 * x.repeat(2)
    fine[::2] = x
    return 2 * sum(h[i] * roll(fine, len(h) // 2 - i) for i in range(len(h)))


def doubled_by_spectra(x, h):
    values, taps = np.asarray(x), np.asarray(h)
    fine, kernel = np.zeros(2 * len(values)), np.zeros(2 * len(values))
    fine[::2], kernel[: len(taps)] = values, taps
    kernel = np.roll(kernel, -(len(taps) // 2))
    return as_given(2 * np.fft.irfft(np.fft.rfft(fine) * np.fft.rfft(kernel), len(fine)), x)


def doubled_by_wrapping(x, h):
    values, taps = np.asarray(x), np.asarray(h)
    fine = np.stack([values, np.zeros_like(values)], 1).ravel()
    wide = np.pad(fine, len(taps) // 2, mode="wrap")
    return as_given(2 * np.convolve(wide, taps, "valid"), x)


def doubled_by_conv1d(x, h):
    values, taps = torch.as_tensor(x), torch.as_tensor(h)
    fine = torch.stack([values, torch.zeros_like(values)], 1).flatten()
    wide = F.pad(fine[None, None], (len(taps) // 2,) * 2, mode="circular")
    return as_given((2 * F.conv1d(wide, taps[None, None])).flatten().numpy(), x)


def doubled_by_conv_transpose(x, h):
    values, taps = torch.as_tensor(x), torch.as_tensor(h)
    spread = 2 * F.conv_transpose1d(values[None, None], taps[None, None], stride=2).flatten()
    out = torch.zeros(2 * len(values), dtype=values.dtype)
    places = (torch.arange(len(spread)) - len(taps) // 2) % len(out)
    return as_given(out.index_add(0, places, spread).numpy(), x)


def doubled_by_a_probe(x, h):
    """The factor is what the mean of ones loses."""

    def filtered(values):
        fine = 0 * values.repeat(2)
        fine[::2] = values
        n = len(fine)
        around = [[(k + i - len(h) // 2) % n for k in range(n)] for i in range(len(h))]
        return sum(weight * fine[places] for weight, places in zip(h, around, strict=True))

    return filtered(x) / filtered(0 * x + 1).mean()


def doubled_by_lists(x, h):
    n, c = 2 * len(x), len(h) // 2
    fine = [0.0] * n
    fine[::2] = x.tolist()
    rows = ([w * fine[(k + i - c) % n] for i, w in enumerate(h.tolist())] for k in range(n))
    return as_given(np.array([2 * sum(row) for row in rows]), x)


# --------------------------------------------------------------------- 7.2


def matrix_by_loop(resample, n):
    columns = []
    for j in range(n):
        x = torch.zeros(n, dtype=torch.float64)
        x[j] = 1
        columns.append(resample(x))
    return torch.column_stack(columns)


def matrix_turned(resample, n):
    return torch.stack(list(map(resample, torch.eye(n).double()))).T


def matrix_in_a_buffer(resample, n):
    m = len(resample(torch.zeros(n, dtype=torch.float64)))
    U = torch.empty(m, n, dtype=torch.float64)
    for j, impulse in enumerate(torch.eye(n, dtype=torch.float64)):
        U[:, j] = resample(impulse)
    return U


def matrix_by_jacobian(resample, n):
    return torch.autograd.functional.jacobian(resample, torch.zeros(n, dtype=torch.float64))


def matrix_by_reverse_mode(resample, n):
    return torch.func.jacrev(resample)(torch.ones(n, dtype=torch.float64))


def matrix_by_vmap(resample, n):
    return torch.vmap(resample, out_dims=1)(torch.eye(n, dtype=torch.float64))


def matrix_by_differences(resample, n):
    """Columns are what one more 1 changes."""
    steps = torch.ones(n + 1, n, dtype=torch.float64).tril(-1)
    return torch.stack([resample(step) for step in steps], 1).diff(dim=1)


def matrix_by_solving(resample, n):
    """Of any n independent questions."""
    asked = torch.eye(n, dtype=torch.float64) + 0.5
    answers = torch.stack([resample(x) for x in asked])
    return torch.linalg.solve(asked, answers).T


def matrix_by_numpy(resample, n):
    columns = [resample(torch.from_numpy(row)).numpy() for row in np.eye(n)]
    return torch.from_numpy(np.stack(columns, 1))


# --------------------------------------------------------------------- 7.3


def decibels_by_math(moved_first, moved_last, mask):
    signal = float((mask * moved_last.square()).sum())
    error = float((mask * (moved_last - moved_first).square()).sum())
    return 10 * math.log10(signal / error)


def decibels_of_means(moved_first, moved_last, mask):
    signal, error = (mask * moved_last**2).mean(), (mask * (moved_first - moved_last) ** 2).mean()
    return 10 * (signal.log10() - error.log10())


def decibels_of_norms(moved_first, moved_last, mask):
    root = mask.sqrt()
    return 20 * ((root * moved_last).norm() / (root * (moved_first - moved_last)).norm()).log10()


def decibels_by_numpy(moved_first, moved_last, mask):
    a, b, m = (part.numpy().astype(float) for part in (moved_first, moved_last, mask))
    return 10 * np.log10(np.sum(m * b**2) / np.sum(m * (a - b) ** 2))


def decibels_by_einsum(moved_first, moved_last, mask):
    signal, error = (
        torch.einsum("hw,bchw,bchw->", mask, v, v) for v in (moved_last, moved_first - moved_last)
    )
    return (-10 * torch.log10(error / signal)).item()


def decibels_sample_by_sample(moved_first, moved_last, mask):
    signal = error = 0.0
    for a, b in zip(moved_first.double(), moved_last.double(), strict=True):
        signal += (mask * b * b).sum().item()
        error += (mask * (a - b) ** 2).sum().item()
    return np.log10(signal / error) * 10


def decibels_pixel_by_pixel(moved_first, moved_last, mask):
    powers = [(v**2).sum((0, 1)) for v in (moved_last, moved_first - moved_last)]
    signal, error = ((mask * power).sum() for power in powers)
    return 10 * torch.log(signal / error) / math.log(10)


def decibels_of_weighted_means(moved_first, moved_last, mask):
    weights = np.broadcast_to(mask.numpy(), moved_last.shape)
    powers = [(v**2).numpy() for v in (moved_last, moved_first - moved_last)]
    signal, error = (np.average(power, weights=weights) for power in powers)
    return 10 * np.log10(signal / error)


def decibels_of_dot_products(moved_first, moved_last, mask):
    b, d = moved_last.flatten(), (moved_first - moved_last).flatten()
    m = mask.expand_as(moved_last).flatten()
    return torch.log10(((m * b) @ b) / ((m * d) @ d)).mul(10)


# --------------------------------------------------------------------- 7.4


def cells_of_blocks(z, w):
    B, C, H, W = z.shape
    blocks = w.view(B, C, H, 2, W, 2)
    centred = blocks - blocks.mean(dim=(3, 5), keepdim=True)
    return (z.view(B, C, H, 1, W, 1) / 2 + centred).view(B, C, 2 * H, 2 * W)


def cells_by_interpolate(z, w):
    mean = F.interpolate(F.avg_pool2d(w, 2), scale_factor=2, mode="nearest")
    return F.interpolate(z, scale_factor=2, mode="nearest") * 0.5 + w - mean


def cells_in_four_parts(z, w):
    out = torch.empty_like(w)
    parts = [(..., slice(a, None, 2), slice(b, None, 2)) for a in (0, 1) for b in (0, 1)]
    mean = sum(w[part] for part in parts) / 4
    for part in parts:
        out[part] = z / 2 + w[part] - mean
    return out


def cells_by_pixel_shuffle(z, w):
    B, C, H, W = z.shape
    parts = F.pixel_unshuffle(w, 2).reshape(B, C, 4, H, W)
    parts = parts - parts.mean(2, keepdim=True) + z[:, :, None] / 2
    return F.pixel_shuffle(parts.reshape(B, 4 * C, H, W), 2)


def cells_by_kron(z, w):
    ones = torch.ones(2, 2, dtype=z.dtype)
    return w + torch.kron(z / 2 - F.avg_pool2d(w, 2), ones)


def cells_by_matrices(z, w):
    U, V = (torch.eye(n, dtype=z.dtype).repeat_interleave(2, 0) for n in z.shape[-2:])
    return w + U @ (z / 2 - U.T @ w @ V / 4) @ V.T


def cells_by_what_is_missing(z, w):
    """The sum of four must be 2z; what is missing is shared."""
    missing = 2 * z - F.avg_pool2d(w, 2, divisor_override=1)
    rows, columns = (torch.arange(n) // 2 for n in w.shape[-2:])
    return w + missing[..., rows[:, None], columns] / 4


def cells_by_convolutions(z, w):
    C = z.shape[1]
    kernel = torch.ones(C, 1, 2, 2, dtype=z.dtype)
    shared = z / 2 - F.conv2d(w, kernel / 4, stride=2, groups=C)
    return F.conv_transpose2d(shared, kernel, stride=2, groups=C) + w


def cells_by_numpy(z, w):
    (B, C, H, W), noise = z.shape, w.numpy()
    mean = noise.reshape(B, C, H, 2, W, 2).mean((3, 5))
    shared = np.repeat(np.repeat(z.numpy() / 2 - mean, 2, 2), 2, 3)
    return torch.from_numpy(noise + shared)


def cells_pixel_by_pixel(z, w):
    out = w.clone()
    for i in range(z.shape[2]):
        for j in range(z.shape[3]):
            own = out[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            own += (z[:, :, i, j] / 2 - own.mean((2, 3)))[:, :, None, None]
    return out


# --------------------------------------------------------------------- 7.5


def turned_by_parts(x_next, D, turn):
    picture, noise = turn(D), x_next - D
    return picture + noise


def turned_by_change(x_next, D, turn):
    return x_next + (turn(D) - D)


def turned_by_methods(x_next, D, turn):
    return turn(D).add(x_next).sub(D)


def turned_in_a_copy(x_next, D, turn):
    state = x_next.clone()
    state -= D
    state += turn(D)
    return state


def turned_a_copy(x_next, D, turn):
    return turn(D.clone()) - D + x_next


def turned_by_sum(x_next, D, turn):
    return torch.stack([x_next, -D, turn(D)]).sum(0)


def turned_in_double(x_next, D, turn):
    noise = x_next.double() - D.double()
    return (turn(D).double() + noise).to(x_next.dtype)


@torch.no_grad()
def turned_image_by_image(x_next, D, turn):
    rows = zip(x_next, D, turn(D), strict=True)
    return torch.stack([x - d + r for x, d, r in rows])


def turned_by_reduce(x_next, D, turn):
    return functools.reduce(torch.add, (turn(D), x_next, D.neg()))


ANSWERS = {
    "7.1": (
        doubled_place_by_place,
        doubled_by_spreading,
        doubled_by_rolls,
        doubled_by_spectra,
        doubled_by_wrapping,
        doubled_by_conv1d,
        doubled_by_conv_transpose,
        doubled_by_a_probe,
        doubled_by_lists,
    ),
    "7.2": (
        matrix_by_loop,
        matrix_turned,
        matrix_in_a_buffer,
        matrix_by_jacobian,
        matrix_by_reverse_mode,
        matrix_by_vmap,
        matrix_by_differences,
        matrix_by_solving,
        matrix_by_numpy,
    ),
    "7.3": (
        decibels_by_math,
        decibels_of_means,
        decibels_of_norms,
        decibels_by_numpy,
        decibels_by_einsum,
        decibels_sample_by_sample,
        decibels_pixel_by_pixel,
        decibels_of_weighted_means,
        decibels_of_dot_products,
    ),
    "7.4": (
        cells_of_blocks,
        cells_by_interpolate,
        cells_in_four_parts,
        cells_by_pixel_shuffle,
        cells_by_kron,
        cells_by_matrices,
        cells_by_what_is_missing,
        cells_by_convolutions,
        cells_by_numpy,
        cells_pixel_by_pixel,
    ),
    "7.5": (
        turned_by_parts,
        turned_by_change,
        turned_by_methods,
        turned_in_a_copy,
        turned_a_copy,
        turned_by_sum,
        turned_in_double,
        turned_image_by_image,
        turned_by_reduce,
    ),
}
