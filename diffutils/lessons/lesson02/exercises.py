"""Exercise 2.1: the posterior.  Expected results come by Bayes' rule with precisions.

In the formulas below: b = beta_t, a = alpha_t, A = abar_t, P = abar of the step before.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import few_betas, linear, skewed
from diffutils.lessons.lesson02.posterior import (
    at_once,
    bare,
    bayes,
    late_start,
    onward,
    product,
    right_mean,
    right_variance,
    stopped,
    symbols,
    table,
    wrong,
)


def posterior(betas, t, x0, x_t):
    """Mean and variance of q(x_{t-1} | x_t, x0), equations (2) and (3); t counts from 0."""
    beta, alpha, abar, before = symbols(betas, t)
    of_x0 = before.sqrt() * beta / (1 - abar)
    of_xt = alpha.sqrt() * (1 - before) / (1 - abar)
    return of_x0 * x0 + of_xt * x_t, (1 - before) / (1 - abar) * beta


def posterior_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    betas, long = few_betas(random), linear()

    def case(betas, t, x0, x_t, about, dtype=torch.float64):
        mean, variance = bayes(betas, t, x0, x_t)
        given = betas.to(dtype), t, x0.to(dtype), x_t.to(dtype)
        return Case(given, (mean.to(dtype), variance), about, tolerance=1e-5)

    def images(*shape):
        return skewed(random, *shape), skewed(random, *shape)

    # The worked value, then every branch of the task; the last as the lesson calls it.
    small = torch.tensor([0.36, 0.75], dtype=torch.float64)
    x0, x_t = torch.tensor([0.8, -0.5]).double(), torch.tensor([1.0, 2.5]).double()
    return [
        case(betas, 3, *images(2, 3, 4, 5),
             "In the middle of a schedule of seven steps: compare with (2) and (3) term by term."),
        case(small, 1, x0, x_t,
             "The worked value: with betas 0.36 and 0.75 the mean is 0.7143 x0 + 0.2143 x_t, the "
             "variance 0.3214."),
        case(betas, 0, *images(3, 2),
             "At t = 0 the step before is the clean image: abar is 1 there, so the mean is x0 and "
             "the variance 0."),
        case(betas, 1, *images(4, 1, 2),
             "At t = 1 the step before is the first one, whose abar is alpha[0]."),
        case(long, 300, torch.full((1,), 0.8).double(), torch.ones(1).double(),
             "As the lesson calls it: at t = 300 of 1,000 steps the mean is close to x_t. Compare "
             "with (2) and (3)."),
        case(betas, 6, *images(5),
             "At the last step of the table, t = T - 1: compare with (2) and (3) term by term."),
        case(long, 400, *images(4000, 1),
             "Compare with (2) and (3) term by term; here 4000 numbers at once, as in 2.3."),
        case(betas, 4, *images(6, 2, 1, 1),
             "In single precision, as your own model walks: compare with (2) and (3).",
             torch.float32),
    ]  # fmt: skip


POSTERIOR = Exercise(
    "2.1", "the step that knows the answer", 2, 10, posterior, posterior_cases,
    (
        # The table is read in another way.
        Mistake("bar forgotten", wrong(read=bare),
                "alpha stands where abar belongs: only the root in front of x_t is without a bar."),
        Mistake("product forgotten", wrong(read=table(lambda betas: 1 - betas)),
                "Both abars are single alphas; an abar is the product of all alphas so far: "
                "`(1 - betas).cumprod(0)`."),
        Mistake("bar forgotten before", wrong(read=table(product, lambda betas: 1 - betas)),
                "The abar of the step before is a single alpha; it too is the product so far."),
        Mistake("sum for product", wrong(read=table(lambda betas: (1 - betas).cumsum(0))),
                "The alphas are added up; abar is their product, `cumprod`."),
        Mistake("product of betas", wrong(read=table(lambda betas: betas.cumprod(0))),
                "abar is the product of the alphas, 1 - beta, not of the betas."),
        Mistake("1 minus abar", wrong(read=table(lambda betas: 1 - product(betas), first=0.0)),
                "Where abar belongs stands 1 - abar; the share of the image is abar."),
        Mistake("wrong step before", wrong(read=at_once),
                "abar_(t-1) is read at t itself; mind which of the two (2) and (3) mean."),
        Mistake("step before multiplied", wrong(read=onward),
                "abar_t times alpha_t is no step before; divide by alpha_t, or read abar[t - 1]."),
        Mistake("wraps around", wrong(read=table(product, first=None)),
                "At t = 0, abar[t - 1] is abar[-1]: Python reads the last entry. The abar before "
                "the first step is 1."),
        Mistake("first step 0", wrong(read=table(product, first=0.0)),
                "At t = 0 the abar before is taken as 0, pure noise; before the first step stands "
                "the clean image, and its abar is 1."),
        Mistake("first step stays", wrong(read=stopped),
                "At t = 0 abar[0] stands for the step before; that step is the clean image, "
                "abar = 1."),
        Mistake("clean too long", wrong(read=late_start),
                "At t = 1 the abar of the step before is taken as 1; that is so at t = 0 alone."),
        Mistake("t counted from 1", wrong(read=table(product, shift=-1)),
                "Everything is read one step early: in code t counts from 0, so betas[t] and "
                "abar[t] belong to this step, abar[t - 1] to the one before."),
        Mistake("t counted from 1, wraps around", wrong(read=table(product, first=None, shift=-1)),
                "Everything is read one step early, and abar[t - 2] runs off the table: in code t "
                "counts from 0, so betas[t] and abar[t] belong to this step."),
        Mistake("one step late", wrong(read=table(product, shift=1)),
                "Everything is read one step late, at t + 1: betas[t] and abar[t] belong to this "
                "step, abar[t - 1] to the one before."),
        # The mean is another one.
        Mistake("bar too many", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + A**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x_t is that of one step, alpha_t, without a bar."),
        Mistake("root of the step before twice", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + P**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x_t is sqrt(alpha_t); sqrt(abar_(t-1)) belongs to x0 alone."),
        Mistake("alpha in front of x0", wrong(lambda b, a, A, P, x0, x_t: (
                    a**0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x0 is sqrt(abar_(t-1)); sqrt(alpha_t) belongs to x_t alone."),
        Mistake("abar of t in front of x0", wrong(lambda b, a, A, P, x0, x_t: (
                    A**0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x0 is that of the step before, sqrt(abar_(t-1))."),
        Mistake("1 - abar in front of x0", wrong(lambda b, a, A, P, x0, x_t: (
                    (1 - P) ** 0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "In front of x0 stands the root of 1 - abar_(t-1); it is that of abar_(t-1)."),
        Mistake("root of beta in front of x_t", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + b**0.5 * (1 - P) * x_t) / (1 - A)),
                "In front of x_t stands the root of beta_t; it is that of alpha_t."),
        Mistake("roots swapped", wrong(lambda b, a, A, P, x0, x_t: (
                    a**0.5 * b * x0 + P**0.5 * (1 - P) * x_t) / (1 - A)),
                "The two roots are swapped: sqrt(abar_(t-1)) belongs to x0, sqrt(alpha_t) to x_t."),
        Mistake("roots forgotten", wrong(lambda b, a, A, P, x0, x_t: (
                    P * b * x0 + a * (1 - P) * x_t) / (1 - A)),
                "Both roots are missing in (3): images scale with roots, variances without."),
        Mistake("root of x0 forgotten", wrong(lambda b, a, A, P, x0, x_t: (
                    P * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x0 is missing: sqrt(abar_(t-1)) beta_t, not abar_(t-1)."),
        Mistake("root of x_t forgotten", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a * (1 - P) * x_t) / (1 - A)),
                "The root in front of x_t is missing: sqrt(alpha_t), not alpha_t."),
        Mistake("halves for roots", wrong(lambda b, a, A, P, x0, x_t: (
                    P / 2 * b * x0 + a / 2 * (1 - P) * x_t) / (1 - A)),
                "`** 1/2` is half of it: Python takes the power first. Write `** 0.5` or "
                "`.sqrt()`."),
        Mistake("half for the root of x0", wrong(lambda b, a, A, P, x0, x_t: (
                    P / 2 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "In front of x0 stands half of abar_(t-1), not its root: `** 1/2` divides by 2; "
                "write `** 0.5`."),
        Mistake("half for the root of x_t", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a / 2 * (1 - P) * x_t) / (1 - A)),
                "In front of x_t stands half of alpha_t, not its root: `** 1/2` divides by 2; "
                "write `** 0.5`."),
        Mistake("root too wide", wrong(lambda b, a, A, P, x0, x_t:
                    (P * b / (1 - A)) ** 0.5 * x0 + (a * (1 - P) / (1 - A)) ** 0.5 * x_t),
                "Roots are taken of whole fractions; in (3) only abar_(t-1) and alpha_t stand "
                "under a root."),
        Mistake("root below", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - A) ** 0.5),
                "The weights are divided by the root of 1 - abar_t; (3) has no root below."),
        Mistake("squares for roots", wrong(lambda b, a, A, P, x0, x_t: (
                    P**2 * b * x0 + a**2 * (1 - P) * x_t) / (1 - A)),
                "Squares stand where (3) has roots."),
        Mistake("roots forgotten, std returned", wrong(lambda b, a, A, P, x0, x_t: (
                    P * b * x0 + a * (1 - P) * x_t) / (1 - A),
                    lambda *a: right_variance(*a) ** 0.5),
                "The roots belong to the mean, (3), not to the variance, (2)."),
        Mistake("x0 twice", wrong(lambda b, a, A, P, x0, x_t: right_mean(b, a, A, P, x0, x0)),
                "x0 stands in both terms; the second belongs to x_t."),
        Mistake("x_t twice", wrong(lambda b, a, A, P, x0, x_t: right_mean(b, a, A, P, x_t, x_t)),
                "x_t stands in both terms; the first belongs to x0."),
        Mistake("terms multiplied", wrong(lambda b, a, A, P, x0, x_t:
                    P**0.5 * b / (1 - A) * x0 * a**0.5 * (1 - P) / (1 - A) * x_t),
                "The two terms of (3) are multiplied; add them."),
        Mistake("bar of t in front of x_t", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - A) * x_t) / (1 - A)),
                "In front of x_t stands 1 - abar_t; above it is 1 - abar_(t-1)."),
        Mistake("beta in front of x_t", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * b * x_t) / (1 - A)),
                "In front of x_t stands beta_t; above it is 1 - abar_(t-1)."),
        Mistake("bars swapped", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - A) * x_t) / (1 - P)),
                "1 - abar_t and 1 - abar_(t-1) are swapped: the one of t stands below."),
        Mistake("images swapped", wrong(lambda b, a, A, P, x0, x_t:
                    right_mean(b, a, A, P, x_t, x0)),
                "The weights of x0 and x_t are swapped."),
        Mistake("1 minus forgotten", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * P * x_t) / (1 - A)),
                "In front of x_t stands abar_(t-1); it is 1 - abar_(t-1)."),
        Mistake("divided by abar", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / A),
                "Both weights are divided by abar_t; (3) divides by 1 - abar_t."),
        Mistake("not divided", wrong(lambda b, a, A, P, x0, x_t:
                    P**0.5 * b * x0 + a**0.5 * (1 - P) * x_t),
                "Nothing is divided by 1 - abar_t; both weights in (3) are."),
        Mistake("x0 not divided", wrong(lambda b, a, A, P, x0, x_t:
                    P**0.5 * b * x0 + a**0.5 * (1 - P) / (1 - A) * x_t),
                "The weight of x0 is not divided by 1 - abar_t; both weights in (3) are."),
        Mistake("x_t not divided", wrong(lambda b, a, A, P, x0, x_t:
                    P**0.5 * b / (1 - A) * x0 + a**0.5 * (1 - P) * x_t),
                "The weight of x_t is not divided by 1 - abar_t; both weights in (3) are."),
        Mistake("divided by the bar before", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - P) * x_t) / (1 - P)),
                "The weights are divided by 1 - abar_(t-1); below stands 1 - abar_t."),
        Mistake("brackets forgotten", wrong(lambda b, a, A, P, x0, x_t:
                    (P**0.5 * b / 1 - A) * x0 + (a**0.5 * (1 - P) / 1 - A) * x_t),
                "`/ 1 - abar` divides by 1 and then subtracts: write `/ (1 - abar)`."),
        Mistake("brackets forgotten, both values", wrong(
                    lambda b, a, A, P, x0, x_t:
                    (P**0.5 * b / 1 - A) * x0 + (a**0.5 * (1 - P) / 1 - A) * x_t,
                    lambda b, a, A, P: (1 - P) / 1 - A * b),
                "`/ 1 - abar` divides by 1 and then subtracts, in the mean and in the variance: "
                "write `/ (1 - abar)`."),
        Mistake("beta forgotten", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The weight of x0 lacks its factor beta_t."),
        Mistake("root of beta", wrong(lambda b, a, A, P, x0, x_t: (
                    (P * b) ** 0.5 * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The root in front of x0 covers beta_t too; it is that of abar_(t-1) alone."),
        Mistake("alpha for beta", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * a * x0 + a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The weight of x0 holds alpha_t where (3) has beta_t."),
        Mistake("beta too many", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 + a**0.5 * (1 - P) * b * x_t) / (1 - A)),
                "beta_t stands in front of x_t too; in (3) it belongs to x0 alone."),
        Mistake("minus", wrong(lambda b, a, A, P, x0, x_t: (
                    P**0.5 * b * x0 - a**0.5 * (1 - P) * x_t) / (1 - A)),
                "The two terms of (3) are added; you subtract the second."),
        Mistake("x_t forgotten", wrong(lambda b, a, A, P, x0, x_t: P**0.5 * b / (1 - A) * x0),
                "The mean holds the term of x0 alone; (3) adds one of x_t."),
        Mistake("x0 forgotten", wrong(lambda b, a, A, P, x0, x_t:
                    a**0.5 * (1 - P) / (1 - A) * x_t),
                "The mean holds the term of x_t alone; (3) adds one of x0."),
        Mistake("x0 as the mean", wrong(lambda b, a, A, P, x0, x_t: x0),
                "The mean is x0 itself; that is so at t = 0 alone. Take (3)."),
        Mistake("x_t as the mean", wrong(lambda b, a, A, P, x0, x_t: x_t),
                "The mean is x_t itself; take (3), which knows x0 too."),
        Mistake("mean of (1)", wrong(lambda b, a, A, P, x0, x_t: P**0.5 * x0),
                "The variance is right; the mean is that of (1), which does not know x_t. Take "
                "(3)."),
        Mistake("equation (1)", wrong(lambda b, a, A, P, x0, x_t: P**0.5 * x0,
                                      lambda b, a, A, P: 1 - P),
                "That is (1) for the step before: it knows x0 but not x_t. Take (2) and (3)."),
        Mistake("equation (5)", wrong(lambda b, a, A, P, x0, x_t:
                    (x_t - b / (1 - A) ** 0.5 * x0) / a**0.5),
                "That mean is (5), which takes the noise; here x0 itself is known: (3)."),
        Mistake("one step of (1) undone", wrong(lambda b, a, A, P, x0, x_t: x_t / a**0.5),
                "That is x_t / sqrt(alpha_t), which does not know x0: take (3)."),
        Mistake("noisy anew", wrong(lambda b, a, A, P, x0, x_t: P**0.5 * x0 + (1 - P) ** 0.5 * x_t),
                "That is (1) with x_t in place of the noise: take (3)."),
        Mistake("mean not weighted", wrong(lambda b, a, A, P, x0, x_t:
                    a**0.5 / b * x_t + P**0.5 / (1 - P) * x0),
                "The sum of means times precisions still has to be multiplied by the variance."),
        Mistake("mean clamped", wrong(lambda b, a, A, P, x0, x_t:
                    right_mean(b, a, A, P, x0, x_t).clamp(-1, 1)),
                "The mean is clamped to [-1, 1]; (3) does not clamp, and noisy images have tails."),
        # The variance is another one.
        Mistake("beta for beta-tilde", wrong(variance=lambda b, a, A, P: b),
                "The mean is right; the variance is beta, but x0 is known here: beta-tilde, (2)."),
        Mistake("std returned", wrong(variance=lambda b, a, A, P: right_variance(b, a, A, P)**0.5),
                "The second value is the standard deviation; the variance is asked for."),
        Mistake("variance squared", wrong(variance=lambda b, a, A, P:
                    right_variance(b, a, A, P) ** 2),
                "The second value is the square of the variance; (2) is the variance itself."),
        Mistake("root of beta returned", wrong(variance=lambda b, a, A, P: b**0.5),
                "The second value is the root of beta_t; take the variance (2), without a root."),
        Mistake("beta squared", wrong(variance=lambda b, a, A, P: b**2),
                "The second value is beta_t squared; take (2)."),
        Mistake("variance multiplied", wrong(variance=lambda b, a, A, P: (1 - P) * (1 - A) * b),
                "In the variance 1 - abar_t is multiplied; (2) divides by it."),
        Mistake("precision returned", wrong(variance=lambda b, a, A, P:
                    1 / right_variance(b, a, A, P)),
                "The second value is the precision, 1 / variance; the variance is asked for."),
        Mistake("log variance", wrong(variance=lambda b, a, A, P: right_variance(b, a, A, P).log()),
                "The second value is the logarithm of the variance; the variance is asked for."),
        Mistake("variance upside down", wrong(variance=lambda b, a, A, P: (1 - A) / (1 - P) * b),
                "The fraction in the variance is upside down: 1 - abar_(t-1) stands above."),
        Mistake("variance without beta", wrong(variance=lambda b, a, A, P: (1 - P) / (1 - A)),
                "The variance lacks its factor beta_t, or 1 - abar_(t-1) its brackets, which comes "
                "to the same."),
        Mistake("variance not divided", wrong(variance=lambda b, a, A, P: (1 - P) * b),
                "The variance is not divided by 1 - abar_t."),
        Mistake("variance without 1 minus", wrong(variance=lambda b, a, A, P: P / A * b),
                "The variance holds the abars themselves; (2) has 1 - abar above and below."),
        Mistake("variance, 1 minus forgotten", wrong(variance=lambda b, a, A, P: P / (1 - A) * b),
                "Above in the variance stands abar_(t-1); it is 1 - abar_(t-1)."),
        Mistake("variance, brackets", wrong(variance=lambda b, a, A, P: (1 - P) / 1 - A * b),
                "In the variance `/ 1 - abar` divides by 1 and then subtracts: write "
                "`/ (1 - abar)`."),
        Mistake("alpha in the variance", wrong(variance=lambda b, a, A, P: (1 - P) / (1 - A) * a),
                "The variance is multiplied by alpha_t; (2) has beta_t."),
        Mistake("variance of (1)", wrong(variance=lambda b, a, A, P: 1 - P),
                "The mean is right; the variance is that of (1) for the step before, which does "
                "not know x_t: take (2)."),
        Mistake("variance, wrong sign", wrong(variance=lambda *a: -right_variance(*a)),
                "The second value is minus the variance: 1 - abar_(t-1), not abar_(t-1) - 1."),
        Mistake("variance, divided by abar", wrong(variance=lambda b, a, A, P: (1 - P) / A * b),
                "The variance is divided by abar_t; (2) divides by 1 - abar_t."),
        Mistake("variance, alpha above", wrong(variance=lambda b, a, A, P: b * b / (1 - A)),
                "Above in the variance stands 1 - alpha_t; it is 1 - abar_(t-1)."),
        Mistake("variance, root of beta", wrong(variance=lambda b, a, A, P:
                    (1 - P) / (1 - A) * b**0.5),
                "In the variance stands the root of beta_t; (2) has beta_t itself."),
        Mistake("variance, root of the fraction", wrong(variance=lambda b, a, A, P:
                    ((1 - P) / (1 - A)) ** 0.5 * b),
                "In the variance the fraction stands under a root; (2) has none."),
        Mistake("half the variance", wrong(variance=lambda *a: right_variance(*a) / 2),
                "The second value is half the variance: `** 1/2` divides by 2, and (2) has no "
                "root."),
        Mistake("variance of x_t", wrong(variance=lambda b, a, A, P: 1 - A),
                "The mean is right; the variance is that of x_t in (1): take (2)."),
    ),
)  # fmt: skip


EXERCISES = (POSTERIOR,)
