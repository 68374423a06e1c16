"""Right answers to the exercises of lesson 05, written in other ways than the course's."""

import statistics

import numpy as np
import torch
from skimage import color
from torch.nn import functional

# --------------------------------------------------------------------- 5.1


def end_by_moments(mean, spread, mu, s):
    of_y, of_x = mean * mean + spread * spread, mu * mu + s * s
    return of_y - 2 * mean * mu + of_x


def end_by_products(mean, spread, mu, s):
    gap = mean - mu
    return gap * gap + spread * spread + s * s


def end_by_abs(mean, spread, mu, s):
    return abs(mean - mu) ** 2 + abs(spread) ** 2 + abs(s) ** 2


def end_by_pow(mean, spread, mu, s):
    return pow(mean - mu, 2) + pow(spread, 2) + pow(s, 2)


def end_by_sum(mean, spread, mu, s):
    return sum(part**2 for part in (mean - mu, spread, s))


def end_by_one_gaussian(mean, spread, mu, s):
    """y - x is Gaussian too, with the mean and the variance of a difference."""
    offset, deviation = mean - mu, (spread**2 + s**2) ** 0.5
    return offset**2 + deviation**2


def end_by_four_corners(mean, spread, mu, s):
    """Two points each, at plus and minus one deviation, have the right two moments."""
    total = 0
    for z in (-1, 1):
        for n in (-1, 1):
            total = total + (mean + z * spread - mu - n * s) ** 2
    return total / 4


def end_into_a_copy(mean, spread, mu, s):
    total = mean - mu
    total = total * total
    total = total + spread**2
    total += s**2
    return total


# --------------------------------------------------------------------- 5.2


def hide_by_mask(sketch, reference, u_sketch, u_reference, p):
    s, r = sketch.clone(), reference.clone()
    s[u_sketch < p] = 0
    r[u_reference < p] = 0
    return torch.cat((s, r), dim=1)


def hide_by_product(sketch, reference, u_sketch, u_reference, p):
    keep_s = (u_sketch >= p).to(sketch.dtype)[:, None, None, None]
    keep_r = (u_reference >= p).to(reference.dtype)[:, None, None, None]
    return torch.cat([sketch * keep_s, reference * keep_r], 1)


def hide_one_by_one(sketch, reference, u_sketch, u_reference, p):
    rows = []
    for i in range(len(sketch)):
        s = torch.zeros_like(sketch[i]) if u_sketch[i] < p else sketch[i]
        r = torch.zeros_like(reference[i]) if u_reference[i] < p else reference[i]
        rows.append(torch.cat([s, r]))
    return torch.stack(rows)


def hide_by_masked_fill(sketch, reference, u_sketch, u_reference, p):
    return torch.hstack(
        [
            sketch.masked_fill((u_sketch < p).reshape(-1, 1, 1, 1), 0),
            reference.masked_fill((u_reference < p).reshape(-1, 1, 1, 1), 0),
        ]
    )


def hide_in_a_buffer(sketch, reference, u_sketch, u_reference, p):
    B, _, H, W = sketch.shape
    condition = sketch.new_zeros(B, 4, H, W)
    shown = ~(u_sketch < p)
    condition[shown, :1] = sketch[shown]
    shown = ~(u_reference < p)
    condition[shown, 1:] = reference[shown]
    return condition


def hide_afterwards(sketch, reference, u_sketch, u_reference, p):
    condition = torch.cat([sketch, reference], 1)
    condition[u_sketch < p, 0] = 0.0
    condition[u_reference < p, 1:] = 0.0
    return condition


def hide_by_numpy(sketch, reference, u_sketch, u_reference, p):
    s = np.where(u_sketch.numpy()[:, None, None, None] < p, np.zeros_like(sketch), sketch)
    r = np.where(u_reference.numpy()[:, None, None, None] < p, np.zeros_like(reference), reference)
    return torch.from_numpy(np.concatenate([s, r], axis=1))


def hide_by_einsum(sketch, reference, u_sketch, u_reference, p):
    keep = torch.stack([u_sketch, *[u_reference] * 3], 1).ge(p).to(sketch)
    return torch.einsum("bc,bchw->bchw", keep, torch.cat([sketch, reference], 1))


# --------------------------------------------------------------------- 5.3


def guide_by_weights(D_none, D_sketch, D_both, w_s, w_r):
    return (1 - w_s) * D_none + (w_s - w_r) * D_sketch + w_r * D_both


def guide_by_lerp(D_none, D_sketch, D_both, w_s, w_r):
    return torch.lerp(D_none, D_sketch, w_s) + w_r * (D_both - D_sketch)


def guide_by_methods(D_none, D_sketch, D_both, w_s, w_r):
    return D_none.add(D_sketch - D_none, alpha=w_s).add(D_both.sub(D_sketch), alpha=w_r)


def guide_into_a_buffer(D_none, D_sketch, D_both, w_s, w_r):
    result = D_none.clone()
    result += w_s * (D_sketch - D_none)
    result += w_r * (D_both - D_sketch)
    return result


def guide_by_einsum(D_none, D_sketch, D_both, w_s, w_r):
    weights = torch.tensor([1 - w_s, w_s - w_r, w_r], dtype=D_none.dtype)
    return torch.einsum("k,kbchw->bchw", weights, torch.stack([D_none, D_sketch, D_both]))


def guide_by_numpy(D_none, D_sketch, D_both, w_s, w_r):
    n, s, b = D_none.numpy(), D_sketch.numpy(), D_both.numpy()
    return torch.from_numpy(n + w_s * (s - n) + w_r * (b - s))


def guide_in_double(D_none, D_sketch, D_both, w_s, w_r):
    n, s, b = D_none.double(), D_sketch.double(), D_both.double()
    return (n + w_s * (s - n) + w_r * (b - s)).to(D_none.dtype)


def guide_one_by_one(D_none, D_sketch, D_both, w_s, w_r):
    rows = [n + w_s * (s - n) + w_r * (b - s) for n, s, b in zip(D_none, D_sketch, D_both)]  # noqa: B905
    return torch.stack(rows)


# --------------------------------------------------------------------- 5.5


def walk_with_if(denoise, x, sigmas, x0, last):
    n = sigmas.shape[0] - 1
    for k in range(n):
        if k < n - last:
            with torch.no_grad():
                D = denoise(x, sigmas[k])
                x = D + (sigmas[k + 1] / sigmas[k]) * (x - D)
        else:
            D = denoise(x, sigmas[k])
            x = D + (sigmas[k + 1] / sigmas[k]) * (x - D)
    return torch.mean((x - x0) ** 2)


def walk_in_two_parts(denoise, x, sigmas, x0, last):
    def walk(x, levels):
        for now, then in zip(levels[:-1], levels[1:], strict=True):
            D = denoise(x, now)
            x = D + then / now * (x - D)
        return x

    with torch.no_grad():
        x = walk(x, sigmas[: len(sigmas) - last])
    return functional.mse_loss(walk(x, sigmas[-last - 1 :]), x0)


def walk_along_slopes(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k, (now, then) in enumerate(zip(sigmas[:-1], sigmas[1:], strict=True)):
        with torch.set_grad_enabled(n - k <= last):
            slope = (x - denoise(x, now)) / now
            x = x + (then - now) * slope
    gap = (x - x0).flatten()
    return gap @ gap / len(gap)


def walk_by_lerp(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            ratio = float(sigmas[k + 1] / sigmas[k])
            x = torch.lerp(denoise(x, sigmas[k]), x, ratio)
    return (x0 - x).pow(2).sum() / x.numel()


def walk_decorated(denoise, x, sigmas, x0, last):
    def step(x, k):
        share = sigmas[k + 1] / sigmas[k]
        return (1 - share) * denoise(x, sigmas[k]) + share * x

    silent, first = torch.no_grad()(step), len(sigmas) - 1 - last
    for k in range(first):
        x = silent(x, k)
    for k in range(first, first + last):
        x = step(x, k)
    return (x - x0).square().mean()


def walk_by_noises(denoise, x, sigmas, x0, last):
    """The estimate and the noise that it implies, which the next level scales."""
    steps = len(sigmas) - 1
    with torch.no_grad():
        for k in range(steps - last):
            D = denoise(x, sigmas[k])
            noise = (x - D) / sigmas[k]
            x = D + sigmas[k + 1] * noise
    for k in range(steps - last, steps):
        D = denoise(x, sigmas[k])
        noise = (x - D) / sigmas[k]
        x = D + sigmas[k + 1] * noise
    return ((x - x0) ** 2).mean((1, 2, 3)).mean()


def walk_counting_down(denoise, x, sigmas, x0, last):
    left = len(sigmas) - 1
    while left:
        now, then = sigmas[-left - 1], sigmas[-left]
        torch_grad = torch.enable_grad() if left <= last else torch.no_grad()
        with torch_grad:
            D = denoise(x, now)
            x = D + (x - D) * (then / now)
        left -= 1
    return torch.nn.MSELoss()(x, x0)


def walk_to_the_last_estimate(denoise, x, sigmas, x0, last):
    """The last level is 0, so the walk ends at the last estimate."""
    ratios = (sigmas[1:] / sigmas[:-1]).tolist()
    for k, ratio in enumerate(ratios):
        with torch.set_grad_enabled(k + last >= len(ratios)):
            D = denoise(x, sigmas[k])
            x = (1 - ratio) * D + ratio * x
    return (D - x0).square().mean()


# --------------------------------------------------------------------- 5.4


def colour_in_one_go(image, masks, colours):
    with np.errstate(all="ignore"):
        middles = [np.median(image[m], axis=0) if m.any() else [np.nan] * 3 for m in masks]
    return color.deltaE_ciede2000(color.rgb2lab(np.array(middles)), color.rgb2lab(colours))


def colour_by_list(image, masks, colours):
    found = []
    for mask, colour in zip(masks, colours, strict=True):
        if not mask.any():
            found.append(np.nan)
            continue
        middle = np.median(image[mask], axis=0)
        found.append(color.deltaE_ciede2000(color.rgb2lab(middle), color.rgb2lab(colour)))
    return np.array(found)


def colour_by_nanmedian(image, masks, colours):
    found = np.zeros(len(masks))
    for i in range(len(masks)):
        if masks[i].sum() == 0:
            found[i] = float("nan")
        else:
            alone = np.where(masks[i][..., None], image, np.nan)
            lab = color.rgb2lab(np.nanmedian(alone, axis=(0, 1)))
            found[i] = color.deltaE_ciede2000(lab, color.rgb2lab(colours[i]))
    return found


def colour_by_sorting(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, mask in enumerate(masks):
        pixels = np.sort(image[mask], axis=0)
        if n := len(pixels):
            middle = (pixels[(n - 1) // 2] + pixels[n // 2]) / 2
            found[i] = color.deltaE_ciede2000(*color.rgb2lab(np.stack([middle, colours[i]])))
    return found


def colour_by_statistics(image, masks, colours):
    found = np.empty(masks.shape[0])
    for i, mask in enumerate(masks):
        pixels = image[mask].astype(float)
        found[i] = np.nan
        if pixels.size:
            middle = [statistics.median(pixels[:, c].tolist()) for c in range(3)]
            one, other = color.rgb2lab(middle), color.rgb2lab(colours[i])
            found[i] = color.deltaE_ciede2000(one, other)
    return found


def colour_without_if(image, masks, colours):
    """np.median warns of an empty region, and answers nan."""
    middles = np.stack([np.median(image[mask], axis=0) for mask in masks])
    return color.deltaE_ciede2000(color.rgb2lab(middles), color.rgb2lab(colours)).astype(float)


def colour_by_images(image, masks, colours):
    lab = color.rgb2lab(colours[None])[0]
    found = np.full(len(lab), np.nan)
    for i in np.flatnonzero(masks.any(axis=(1, 2))):
        y, x = np.nonzero(masks[i])
        middle = np.percentile(image[y, x], 50, axis=0)
        found[i] = color.deltaE_ciede2000(color.rgb2lab(middle[None, None])[0, 0], lab[i])
    return found


def colour_by_quantile_of_flat(image, masks, colours):
    pixels = image.reshape(-1, 3)
    lab, found = color.rgb2lab(colours), []
    for mask, wanted in zip(masks.reshape(len(masks), -1), lab, strict=True):
        inside = pixels[mask]
        middle = color.rgb2lab(np.quantile(inside, 0.5, axis=0)) if len(inside) else None
        found.append(np.nan if middle is None else color.deltaE_ciede2000(wanted, middle))
    return np.asarray(found, dtype=np.float64)


# --------------------------------------------------------------------- 5.6


def leaks_by_loop(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    two = method(sketch, reference, other, seed)
    for a, b in zip(one.flatten().tolist(), two.flatten().tolist(), strict=True):
        if abs(a - b) > 1e-6:
            return True
    return False


def leaks_by_any(method, sketch, reference, truth, other, seed):
    gap = method(sketch, reference, truth, seed) - method(sketch, reference, other, seed)
    return bool((torch.abs(gap) > 1e-6).any())


def leaks_by_allclose(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    two = method(sketch, reference, other, seed)
    return not torch.allclose(one, two, rtol=0, atol=1e-6)


def leaks_by_numpy(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed).numpy()
    two = method(sketch, reference, other, seed).numpy()
    return np.abs(one - two).max() > 1e-6


def leaks_as_a_tensor(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    return (method(sketch, reference, other, seed) - one).abs().amax() > 1e-6


def leaks_by_both_ends(method, sketch, reference, truth, other, seed):
    gap = method(sketch, reference, truth, seed) - method(sketch, reference, other, seed)
    return gap.max().item() > 1e-6 or gap.min().item() < -1e-6


def leaks_with_copies(method, sketch, reference, truth, other, seed):
    def images(t):
        return method(sketch.clone(), reference.clone(), t.clone(), seed).double()

    return torch.dist(images(truth), images(other), p=float("inf")).item() > 1e-6


def leaks_without_gradient(method, sketch, reference, truth, other, seed):
    with torch.no_grad():
        a, b = (method(sketch, reference, t, seed) for t in (truth, other))
    if torch.equal(a, b):
        return False
    return True if torch.linalg.vector_norm(a - b, ord=float("inf")) > 1e-6 else False


ANSWERS = {
    "5.1": (
        end_by_moments, end_by_products, end_by_abs, end_by_pow, end_by_sum, end_by_one_gaussian,
        end_by_four_corners, end_into_a_copy,
    ),
    "5.2": (
        hide_by_mask, hide_by_product, hide_one_by_one, hide_by_masked_fill, hide_in_a_buffer,
        hide_afterwards, hide_by_numpy, hide_by_einsum,
    ),
    "5.3": (
        guide_by_weights, guide_by_lerp, guide_by_methods, guide_into_a_buffer, guide_by_einsum,
        guide_by_numpy, guide_in_double, guide_one_by_one,
    ),
    "5.5": (
        walk_with_if, walk_in_two_parts, walk_along_slopes, walk_by_lerp, walk_decorated,
        walk_by_noises, walk_counting_down, walk_to_the_last_estimate,
    ),
    "5.4": (
        colour_in_one_go, colour_by_list, colour_by_nanmedian, colour_by_sorting,
        colour_by_statistics, colour_without_if, colour_by_images, colour_by_quantile_of_flat,
    ),
    "5.6": (
        leaks_by_loop, leaks_by_any, leaks_by_allclose, leaks_by_numpy, leaks_as_a_tensor,
        leaks_by_both_ends, leaks_with_copies, leaks_without_gradient,
    ),
}  # fmt: skip
