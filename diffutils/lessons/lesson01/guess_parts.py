"""Equation (3) with one part replaced: the slips of exercise 1.2."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np


def seen(x, abar, world) -> SimpleNamespace:
    """Everything in (3) that has a name."""
    weights, means, stds = world
    root, variance = np.sqrt(abar), abar * stds**2 + 1 - abar
    away = x[:, None] - root * means
    return SimpleNamespace(
        x=x[:, None],
        abar=abar,
        root=root,
        weights=weights,
        means=means,
        stds=stds,
        variance=variance,
        away=away,
    )


def logs(odds=np.log, height=-0.5, slope=-0.5, of=None, spread=None, away=None) -> Callable:
    """log r_k; of: the variance in the height, spread: the one in the exponent."""
    variance = lambda s: s.variance  # noqa: E731
    of, spread, away = of or variance, spread or variance, away or (lambda s: s.away)
    return lambda s: (
        odds(s.weights) + height * np.log(of(s)) + slope * np.square(away(s)) / spread(s)
    )


def says(gain=None, away=None, means=None) -> Callable:
    """What each band answers."""
    gain = gain or (lambda s: s.root * s.stds**2 / s.variance)
    away, means = away or (lambda s: s.away), means or (lambda s: s.means)
    return lambda s: means(s) + gain(s) * away(s)


def softmax(log_r, axis=1):
    """Shares that add up to 1 along the axis."""
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    with np.errstate(invalid="ignore"):  # along the wrong axis a sum may be 0
        return r / r.sum(axis, keepdims=True)


def guess(log_r=None, shares=softmax, answers=None, total=None, changed=None) -> Callable:
    """Equation (3) with other parts; changed: what is put in place of a name, from all names."""
    log_r, answers = log_r or logs(), answers or says()
    total = total or (lambda r, answers: (r * answers).sum(1))

    def wrong(x, abar, world):
        s = seen(x, abar, world)
        vars(s).update(changed(s) if changed else {})
        return total(shares(log_r(s)), answers(s))

    return wrong


def shifted(log_r, axis=1, keepdims=True):
    """exp(log_r) of the lines along the axis, each divided by its largest."""
    return np.exp(log_r - log_r.max(axis, keepdims=keepdims))


def underflow(log_r):
    """Shares without the shift: 0/0 far away."""
    with np.errstate(invalid="ignore"):
        return np.exp(log_r) / np.exp(log_r).sum(1, keepdims=True)


def guarded(log_r):
    """The same with a small number that makes 0 of 0/0."""
    return np.exp(log_r) / (np.exp(log_r).sum(1, keepdims=True) + 1e-12)


def column(r):
    """Shares of the pixels in a band, in place of those of the bands in a pixel."""
    return r / np.maximum(r.sum(0), 1e-300)


def likeliest(log_r):
    """Share 1 for the likeliest band, 0 for the others."""
    return (log_r == log_r.max(1, keepdims=True)).astype(float)


def density(s):
    """w_k times the normal density, without its logarithm or its constant."""
    return s.weights * np.exp(-(s.away**2) / (2 * s.variance)) / np.sqrt(s.variance)


IN_R = (
    ("width without noise", logs(spread=lambda s: s.abar * s.stds**2),
     "The width of a band in r_k lacks the noise: it is abar d^2 + 1 - abar."),
    ("width of clean pixels", logs(spread=lambda s: s.stds**2),
     "The exponent of r_k is divided by d^2, the variance of clean pixels; that of x_t is "
     "`variance`."),
    ("clean pixels throughout", logs(of=lambda s: s.stds**2, spread=lambda s: s.stds**2),
     "Both places in r_k have the variance d^2 of clean pixels; that of x_t is `variance`."),
    ("height of clean pixels", logs(of=lambda s: s.stds**2),
     "The height of the density in r_k has the width of clean pixels; that of x_t is the root of "
     "`variance`."),
    ("variance squared", logs(spread=lambda s: s.variance**2),
     "The exponent of r_k is divided by the variance squared; `variance` is one."),
    ("variance as std", logs(height=-1, spread=lambda s: s.variance**2),
     "`variance` is taken for a standard deviation; it is the square of one."),
    ("std for variance", logs(spread=lambda s: np.sqrt(s.variance)),
     "The exponent of r_k is divided by the standard deviation; it needs the variance."),
    ("multiplied by the variance", logs(spread=lambda s: 1 / s.variance),
     "`/ 2 * variance` divides by 2, then multiplies: write / (2 * variance)."),
    ("exponent not divided", logs(spread=lambda s: 1),
     "The exponent of a normal density is -away**2 / (2 variance): the variance is missing."),
    ("half forgotten", logs(slope=-1),
     "The exponent of a normal density is -away**2 / (2 variance): the 2 is missing."),
    ("a quarter for a half", logs(slope=-0.25),
     "The exponent of a normal density is -away**2 / (2 variance), once halved, not twice."),
    ("exponent without minus", logs(slope=0.5),
     "The minus in the exponent is missing, so the farthest band is the likeliest."),
    ("exponent forgotten", logs(slope=0),
     "x has no part in r_k: the exponent -away**2 / (2 variance) is missing."),
    ("distance not squared", logs(away=lambda s: np.sqrt(np.abs(s.away))),
     "The exponent has |away| in place of away**2."),
    ("signed distance", lambda s: logs(slope=0)(s) - s.away / (2 * s.variance),
     "The exponent has `away` as it is; a normal density has its square."),
    ("weights forgotten", logs(odds=np.zeros_like),
     "The weights w_k are missing: a frequent band is a likelier source."),
    ("weights without log", logs(odds=lambda w: w),
     "log r_k takes the logarithm of the weight w_k; you add the weight itself."),
    ("weights subtracted", logs(odds=lambda w: -np.log(w)),
     "log(w_k) is subtracted; a frequent band is a likelier source, so it is added."),
    ("another logarithm", logs(odds=np.log10),
     "The logarithm of the weights has base 10; np.log, the natural one, goes with np.exp."),
    ("weights squared", logs(odds=lambda w: 2 * np.log(w)),
     "The weights w_k come in twice: r_k has one factor w_k."),
    ("weights times the log", lambda s: s.weights * logs(odds=np.zeros_like)(s),
     "The weight multiplies the *logarithm* of the density; to the log, log(w_k) is added."),
    ("height forgotten", logs(height=0),
     "A normal density has 1/sqrt(variance) in front; between bands of different width it does "
     "not cancel."),
    ("height without root", logs(height=-1),
     "The height of a normal density is 1/sqrt(variance): half of log(variance)."),
    ("height with two roots", logs(height=-0.25),
     "The height of a normal density is 1/sqrt(variance), one root: half of log(variance)."),
    ("weights as shares", logs(height=0, slope=0),
     "r is w_k whatever x is: it is w_k times the normal density of x in band k, then normalised."),
    ("height upside down", logs(height=0.5),
     "A wide band is a low one: half of log(variance) is subtracted, not added."),
    ("height upside down, without root", logs(height=1),
     "log(variance) is added to log r_k; a wide band is a low one: half of it is subtracted."),
    ("height without log", lambda s: logs(height=0)(s) - s.variance / 2,
     "Half of the variance is subtracted from log r_k; it must be half of its logarithm."),
    ("root without log", lambda s: logs(height=0)(s) - np.sqrt(s.variance),
     "The root of the variance is subtracted from log r_k; it must be the logarithm of that root."),
    ("bands not faded in r", logs(away=lambda s: s.x - s.means),
     "In r_k the bands have not faded: compare x_t with sqrt(abar) m_k."),
    ("density without log", density,
     "These are densities already, not their logarithms: either take np.log, or leave out np.exp."),
    ("whole density without log", lambda s: density(s) / np.sqrt(2 * np.pi),
     "np.exp is taken of the densities themselves: `log_r` must hold their logarithms."),
)  # fmt: skip

IN_SHARES = (
    ("not normalised", shifted, "The rows of r must add up to 1: divide by r.sum(1, "
     "keepdims=True)."),
    ("not normalised, not shifted", np.exp,
     "The rows of r must add up to 1: subtract the largest of the row before np.exp, then divide "
     "by the sum of the row."),
    ("densities as shares", lambda log_r: np.exp(log_r) / np.sqrt(2 * np.pi),
     "r are densities still: divide by the sum of the row, so that they are shares that add up to "
     "1."),
    ("underflow", underflow,
     "Right, except far from all bands, where np.exp leaves the range of numbers and a quotient is "
     "NaN: subtract the largest log_r of each row first."),
    ("guarded against 0/0", guarded,
     "Far from all bands every r is 0 here, so that the answer is 0: subtract the largest log_r "
     "of each row before np.exp instead."),
    ("sum over pixels", lambda log_r: softmax(log_r, 0),
     "r is divided by the sum over the pixels (axis 0); it is the bands (axis 1) that share every "
     "pixel."),
    ("sum over pixels, not shifted", lambda log_r: column(np.exp(log_r)),
     "r is divided by the sum of its column (axis 0); it is each row that adds up to 1."),
    ("softmax over pixels", lambda log_r: column(shifted(log_r, 0)),
     "The shares are taken along axis 0, the pixels; it is the bands, axis 1, that share a pixel."),
    ("sum over everything", lambda log_r: shifted(log_r) / shifted(log_r).sum(),
     "r is divided by the sum of the whole table; each row has its own sum, of axis 1."),
    ("sum over everything, not shifted", lambda log_r: np.exp(log_r) / np.exp(log_r).sum(),
     "np.exp(log_r) is divided by its sum over all pixels and bands; each row has its own sum."),
    ("largest of the column", lambda log_r: (r := shifted(log_r, 0)) / r.sum(1, keepdims=True),
     "The largest of each *column* is subtracted, which changes the shares in a row: axis 1."),
    ("keepdims forgotten in max", lambda log_r: (r := shifted(log_r, 1, False))
     / r.sum(1, keepdims=True),
     "log_r.max(1) has shape (n,) and lines up with the columns: write max(1, keepdims=True)."),
    ("keepdims forgotten in sum", lambda log_r: (r := shifted(log_r)) / r.sum(1),
     "r.sum(1) has shape (n,) and lines up with the columns: write sum(1, keepdims=True)."),
    ("keepdims forgotten", lambda log_r: (r := shifted(log_r, 1, False)) / r.sum(1),
     "max(1) and sum(1) have shape (n,) and line up with the columns: both need keepdims=True."),
    ("keepdims forgotten, not shifted", lambda log_r: (r := np.exp(log_r)) / r.sum(1),
     "The sum of each row has shape (n,) and lines up with the columns: it needs keepdims=True."),
    ("exp forgotten", lambda log_r: log_r / log_r.sum(1, keepdims=True),
     "r is made of the logarithms: np.exp is missing."),
    ("exp forgotten after the shift", lambda log_r: (d := log_r - log_r.max(1, keepdims=True))
     / d.sum(1, keepdims=True),
     "r is made of shifted logarithms: np.exp is missing."),
    ("logarithms as shares", lambda log_r: log_r,
     "r is log_r as it is: take np.exp, and divide by the sum of the row."),
    ("nearest band only", likeliest,
     "Only the likeliest band answers; the mean needs all, each with its share r_k."),
    ("same shares", lambda log_r: np.full_like(log_r, 1 / log_r.shape[1]),
     "All bands answer with the same share, wherever x is; band k has the share r_k."),
)  # fmt: skip

IN_ANSWERS = (
    ("gain without its root", says(gain=lambda s: s.abar * s.stds**2 / s.variance),
     "The numerator in front of (x_t - sqrt(abar) m_k) has abar; it needs its root."),
    ("gain without root", says(gain=lambda s: s.stds**2 / s.variance),
     "The factor of (x_t - sqrt(abar) m_k) lacks the sqrt(abar) in its numerator."),
    ("gain divided by the root", says(gain=lambda s: s.stds**2 / s.variance / s.root),
     "sqrt(abar) belongs above the fraction in front of (x_t - sqrt(abar) m_k), not below."),
    ("gain with std", says(gain=lambda s: s.root * s.stds / s.variance),
     "The numerator has d_k where d_k squared belongs."),
    ("gain without width", says(gain=lambda s: s.root / s.variance),
     "The numerator of the fraction lacks d_k squared."),
    ("gain not divided", says(gain=lambda s: s.root * s.stds**2),
     "sqrt(abar) d^2 must be divided by the variance of x_t in that band."),
    ("gain divided by the std", says(gain=lambda s: s.root * s.stds**2 / np.sqrt(s.variance)),
     "sqrt(abar) d^2 is divided by a standard deviation; `variance` itself stands below."),
    ("gain divided by the noise", says(gain=lambda s: s.root * s.stds**2 / (1 - s.abar)),
     "sqrt(abar) d^2 is divided by 1 - abar; the variance of x_t in a band has abar d^2 too."),
    ("gain upside down", says(gain=lambda s: s.variance / (s.root * s.stds**2)),
     "The fraction in front of (x_t - sqrt(abar) m_k) stands upside down."),
    ("gain forgotten", says(gain=lambda s: 1),
     "The fraction in front of (x_t - sqrt(abar) m_k) is missing."),
    ("gain with minus", says(gain=lambda s: -s.root * s.stds**2 / s.variance),
     "A band answers with its mean plus, not minus, the fraction times `away`."),
    ("answers not faded", says(away=lambda s: s.x - s.means),
     "What a band says depends on x_t - sqrt(abar) m_k (`away`), not on x_t - m_k."),
    ("pixel for distance", says(away=lambda s: s.x),
     "The fraction multiplies x_t itself; it belongs in front of x_t - sqrt(abar) m_k (`away`)."),
    ("means faded", says(means=lambda s: s.root * s.means),
     "A band answers for the clean pixel, so its mean is m_k, not sqrt(abar) m_k."),
    ("means forgotten", says(means=lambda s: 0),
     "The answers lack the mean m_k of the band, in front of the fraction."),
    ("means only", says(gain=lambda s: 0),
     "Every band answers with its mean only; it must also listen to x_t."),
)  # fmt: skip
