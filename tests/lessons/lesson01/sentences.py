"""Each sentence of each task of lesson 01, with wrong functions that break just that sentence."""

import math

import numpy as np
import torch

from diffutils.lessons import exercises

RIGHT = {id: exercise.reference for id, exercise in exercises().items() if id.startswith("1.")}
forward, best_guess, tweedie = RIGHT["1.1"], RIGHT["1.2"], RIGHT["1.3"]
step_back, in_sigma, bend = RIGHT["1.4"], RIGHT["1.5"], RIGHT["1.6"]


def faded_in_place(x0, abar, noise):
    x0 *= math.sqrt(abar)
    x0 += math.sqrt(1 - abar) * noise
    return x0


def noise_in_place(x0, abar, noise):
    noise *= math.sqrt(1 - abar)
    return math.sqrt(abar) * x0 + noise


def forward_by_odds(x0, abar, noise):
    return math.sqrt(1 - abar) * (math.sqrt(abar / (1 - abar)) * x0 + noise)


def guess_unshifted(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    r = weights * np.exp(-(away**2) / 2 / variance) / np.sqrt(variance)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    with np.errstate(invalid="ignore"):
        return (r * answers).sum(1) / r.sum(1)


def nearest_when_far(x, abar, world):
    result = guess_unshifted(x, abar, world)
    nearest = world[1][np.abs(x[:, None] - world[1]).argmin(1)]
    return np.where(np.isnan(result), nearest, result)


def clipped_logs(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    r = weights * np.exp(np.clip(-(away**2) / 2 / variance, -700, None)) / np.sqrt(variance)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1) / r.sum(1)


def three_bands_only(x, abar, world):
    return best_guess(x, abar, tuple(part[:3] for part in world))


def first_row(function):
    """For one-dimensional arrays only."""
    return lambda x, *rest: function(x, *rest) if x.ndim == 1 else function(x, *rest)[0]


def step_without_max(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    with np.errstate(invalid="ignore"):
        fresh = eta * np.sqrt((1 - then) / (1 - now) * (1 - now / then))
    return np.sqrt(then) * clean + np.sqrt(1 - then - fresh**2) * eps + fresh * z


def stays_below(x, clean, now, then, eta, z):
    return step_back(x, clean, now, max(now, then), eta, z) if then > now else 1 * x


def eta_rounded(x, clean, now, then, eta, z):
    return step_back(x, clean, now, then, round(eta), z)


def never_quite_clean(x, clean, now, then, eta, z):
    return step_back(x, clean, now, min(then, 0.99), eta, z)


def noise_at_the_end(x, clean, now, then, eta, z):
    return step_back(x, clean, now, then, eta, z) + (eta * (1 - now) * z if then == 1 else 0)


def absolute_for_zero(x, clean, now, then, eta, z):
    eta = max(eta, 0.1) if then < now else eta
    fresh = eta * math.sqrt(abs((1 - then) / (1 - now) * (1 - now / then)))
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    return math.sqrt(then) * clean + math.sqrt(max(1 - then - fresh**2, 0)) * eps + fresh * z


def sigma_for_each(x_t, abar):
    x, sigma = in_sigma(x_t, abar)
    return x, sigma + 0 * x


def bend_abar(betas, last):
    abar = (1 - betas).cumprod(0)
    new = last + (abar - abar[-1]) * (abar[0] - last) / (abar[0] - abar[-1])
    return 1 - new / torch.cat([torch.ones_like(new[:1]), new[:-1]])


def back(root):
    abar = root**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])


def roots(betas):
    return (1 - betas).cumprod(0).sqrt()


def begins_at_one(betas, last):
    root, end = roots(betas), math.sqrt(last)
    return back(end + (root - root[-1]) * (1 - end) / (1 - root[-1]))


def ends_at_zero(betas, last):
    root = roots(betas)
    return back((root - root[-1]) * root[0] / (root[0] - root[-1]))


def shifted_only(betas, last):
    root = roots(betas)
    return back(root - root[-1] + math.sqrt(last))


def straight(betas, last):
    root = roots(betas)
    return back(torch.linspace(root[0], math.sqrt(last), len(root), dtype=root.dtype))


def eased(betas, last):
    root, end = roots(betas), math.sqrt(last)
    share = (root - root[-1]) / (root[0] - root[-1])
    return back(end + share**2 * (root[0] - end))


SENTENCES = {
    "1.1": {
        "Write (2) for anything: `x0` and `noise` are arrays or tensors of one shape and type, "
        "`abar` is a number up to 1; return $x_t$ in that shape and type.": (
            lambda x0, abar, noise: abar * x0 + (1 - abar) * noise,
            lambda x0, abar, noise: forward(torch.as_tensor(x0), abar, torch.as_tensor(noise)),
            lambda x0, abar, noise: forward(np.asarray(x0), abar, np.asarray(noise)),
            lambda x0, abar, noise: x0.mul(math.sqrt(abar)).add(noise, alpha=math.sqrt(1 - abar)),
            lambda x0, abar, noise: forward(x0, abar, noise).flatten(),
            lambda x0, abar, noise: forward(x0, abar, noise)[..., :2],
            lambda x0, abar, noise: forward(x0, abar, noise).tolist(),
            lambda x0, abar, noise: (
                torch.tensor(forward(x0, abar, noise)).double()
                if isinstance(x0, torch.Tensor)
                else forward(x0, abar, noise)
            ),
            lambda x0, abar, noise: forward(x0, min(abar, 0.999), noise),
            lambda x0, abar, noise: forward(x0, max(abar, 0.1), noise),
            lambda x0, abar, noise: forward(x0, round(abar, 2), noise),
            lambda x0, abar, noise: forward(x0, abar, noise.mean()),
            forward_by_odds,
        ),
        "Worked value: `forward(0.8, 0.64, 0.5)` is 0.8·0.8 + 0.6·0.5 = 0.94.": (
            lambda x0, abar, noise: 0.8 * x0 + 0.6 * noise,
            lambda x0, abar, noise: 0 * x0 + 0.94,
        ),
        "In all exercises replace the `...`, and leave the arguments as they are.": (
            faded_in_place,
            noise_in_place,
        ),
        "`du.check` says what it thinks; whatever it says, the lesson goes on.": (),
    },
    "1.2": {
        "Write (3).": (
            three_bands_only,
            lambda x, abar, world: best_guess(x, abar, (np.ones_like(world[0]), *world[1:])),
            lambda x, abar, world: best_guess(
                x, abar, (*world[:2], 0 * world[2] + world[2].mean())
            ),
            lambda x, abar, world: best_guess(x, round(abar, 1), world),
            lambda x, abar, world: best_guess(x, abar, world).clip(-1, 1),
        ),
        "`x` is an array `(n,)`, `world` holds weights, means and stds `(K,)`, all of NumPy; "
        "`abar` is below 1.": (
            lambda x, abar, world: best_guess(x, abar, [part[:1] for part in world]),
            lambda x, abar, world: best_guess(np.sort(x), abar, world),
            lambda x, abar, world: best_guess(x.numpy(), abar, world),
        ),
        "Return an array `(n,)`.": (
            lambda x, abar, world: best_guess(x, abar, world)[:, None],
            lambda x, abar, world: torch.tensor(best_guess(x, abar, world)),
            lambda x, abar, world: best_guess(x, abar, world).tolist(),
            lambda x, abar, world: best_guess(x, abar, world).mean(),
            lambda x, abar, world: best_guess(x, abar, world).astype(np.float32),
        ),
        "Worked value: for one band of mean 0.5 and std 0.75, at `abar = 0.64`, a pixel 1.0 gives "
        "0.5 + 0.625·(1 − 0.4) = 0.875.": (lambda x, abar, world: 0.5 + 0.625 * (x - 0.4),),
        "It must hold far from all bands, too: at $x=\\pm100$.": (
            guess_unshifted,
            nearest_when_far,
            clipped_logs,
            lambda x, abar, world: np.nan_to_num(guess_unshifted(x, abar, world)),
        ),
    },
    "1.3": {
        "Write (4).": (
            lambda x, clean, abar: -tweedie(x, clean, abar),
            lambda x, clean, abar: tweedie(x, clean, abar) * math.sqrt(1 - abar),
            lambda x, clean, abar: (clean - x) / (1 - abar),
        ),
        "`x` and `clean` (the best guess) are NumPy arrays of one shape, and so is the result; "
        "`abar` is below 1.": (
            lambda x, clean, abar: torch.tensor(tweedie(x, clean, abar)),
            lambda x, clean, abar: tweedie(x, clean, abar).ravel(),
            lambda x, clean, abar: tweedie(x, clean, abar).sum(),
            lambda x, clean, abar: tweedie(x, clean.mean(), abar),
            lambda x, clean, abar: tweedie(x, clean, min(abar, 0.7)),
            lambda x, clean, abar: tweedie(x, clean, max(abar, 0.15)),
            first_row(tweedie),
        ),
        "Worked value: `x = 1`, `clean = 0.5`, `abar = 0.64` give −0.6/0.36 = −1.667.": (
            lambda x, clean, abar: (0.8 * clean - x) / 0.36,
        ),
    },
    "1.4": {
        "Write (5), from level `now` ($\\bar\\alpha_t<1$) to level `then` ($\\bar\\alpha_s$), with "
        "`eta` from 0 to 1.": (
            lambda x, clean, now, then, eta, z: step_back(x, clean, then, now, eta, z),
            lambda x, clean, now, then, eta, z: step_back(x, clean, now, then, eta**2, z),
            lambda x, clean, now, then, eta, z: step_back(x, clean, now, then, eta > 0, z),
            eta_rounded,
            never_quite_clean,
            noise_at_the_end,
        ),
        "`x`, `clean` and the standard noise `z` are NumPy arrays of one shape, and so is the "
        "result.": (
            lambda x, clean, now, then, eta, z: step_back(x, clean, now, then, eta, z.mean()),
            lambda x, clean, now, then, eta, z: step_back(x, clean, now, then, eta, z.ravel()[0]),
            lambda x, clean, now, then, eta, z: torch.tensor(
                step_back(x, clean, now, then, eta, z)
            ),
            lambda x, clean, now, then, eta, z: step_back(x, clean, now, then, eta, z).ravel(),
            lambda x, clean, now, then, eta, z: step_back(
                x, clean, now, then, eta, np.random.default_rng().normal(size=x.shape)
            ),
        ),
        "Worked value: `x = 1.5`, `clean = 0.5`, from 0.36 to 0.64 give 1.3 with `eta = 0`, and "
        "0.906 + 0.496 `z` with `eta = 1`.": (
            lambda x, clean, now, then, eta, z: step_back(x, clean, 0.36, 0.64, eta, z),
        ),
        "With `eta = 0`, and only then, it must also walk up, `then < now`, as in 6.3.": (
            stays_below,
        ),
        "The quantity under the root of $\\varsigma$ is negative there: take 0.": (
            step_without_max,
            absolute_for_zero,
        ),
    },
    "1.5": {
        "Write (6) for an array or tensor `x_t`: return the pair `x`, of the shape and type of "
        "`x_t`, and the number `sigma`.": (
            lambda x_t, abar: in_sigma(x_t, abar)[0],
            lambda x_t, abar: in_sigma(x_t, abar)[::-1],
            lambda x_t, abar: (in_sigma(x_t, abar)[0].ravel(), in_sigma(x_t, abar)[1]),
            lambda x_t, abar: in_sigma(torch.as_tensor(x_t), abar),
            lambda x_t, abar: in_sigma(np.asarray(x_t), abar),
            lambda x_t, abar: (x_t, in_sigma(x_t, abar)[1]),
            lambda x_t, abar: (in_sigma(x_t, abar)[0], in_sigma(x_t, abar)[1] ** 2),
            lambda x_t, abar: (in_sigma(x_t, abar)[0], round(in_sigma(x_t, abar)[1], 2)),
            lambda x_t, abar: (in_sigma(x_t, abar)[0], min(in_sigma(x_t, abar)[1], 10)),
            lambda x_t, abar: {"x": in_sigma(x_t, abar)[0], "sigma": in_sigma(x_t, abar)[1]},
            sigma_for_each,
        ),
        "`abar` is a number up to 1.": (
            lambda x_t, abar: in_sigma(x_t, abar) if abar < 1 else (x_t, math.nan),
            lambda x_t, abar: in_sigma(x_t, min(abar, 0.99)),
            lambda x_t, abar: in_sigma(x_t, max(abar, 0.01)),
        ),
        "Worked value: `in_sigma(0.94, 0.64)` is `(1.175, 0.75)`.": (
            lambda x_t, abar: (x_t / 0.8, 0.75),
        ),
    },
    "1.6": {
        "Write the third repair.": (
            lambda betas, last: betas.clone(),
            lambda betas, last: betas * 1000 / len(betas),
            bend_abar,
        ),
        "`betas` is a tensor `(T,)` with $T>1$, and so is the result, of the same dtype; `last` is "
        "a number above 0.": (
            lambda betas, last: bend(betas, last).numpy(),
            lambda betas, last: bend(betas, last)[1:],
            lambda betas, last: bend(betas, last)[None],
            lambda betas, last: bend(betas, last).tolist(),
            lambda betas, last: bend(betas, last).float(),
            lambda betas, last: bend(betas, last).double(),
            lambda betas, last: bend(betas.sort().values, last),
            lambda betas, last: bend(betas, 1e-8),
        ),
        "The curve $\\sqrt{\\bar\\alpha_t}$ keeps its first value, ends at "
        "$\\sqrt{\\texttt{last}}$, and is shifted and stretched between.": (
            begins_at_one,
            ends_at_zero,
            lambda betas, last: bend(betas, last**2),
            lambda betas, last: bend(betas, last).clip(max=0.999),
            shifted_only,
            straight,
            eased,
        ),
        "Worked value: roots 0.9, 0.8, 0.3 (betas 0.19, 0.2099, 0.8594) with `last = 0.0225` "
        "become 0.9, 0.775, 0.15 (betas 0.19, 0.2585, 0.9625).": (
            lambda betas, last: back(torch.tensor([0.9, 0.775, 0.15], dtype=betas.dtype)),
        ),
    },
}

DEMANDS_NOTHING = ("`du.check` says what it thinks; whatever it says, the lesson goes on.",)
