"""Exercise 2.3: one clipped step back.  Expected results come by Bayes' rule with precisions.

In the formulas below: b = beta_t, a = alpha_t, A = abar_t, P = abar of the step before.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import few_betas, linear, skewed
from diffutils.lessons.lesson02.posterior import (
    at_once,
    bayes,
    product,
    right_mean,
    right_variance,
    symbols,
    table,
)


def clipped_step(x, t, eps, betas, z):
    """x_{t-1} from x_t, the guess eps and fresh noise z, with the estimate of x0 clipped."""
    b, a, A, P = symbols(betas, t)
    x0_hat = estimated(A, x, eps).clamp(-1, 1)
    return right_mean(b, a, A, P, x0_hat, x) + right_variance(b, a, A, P).sqrt() * z


def estimated(A, x, eps):
    """Equation (1) solved for x0."""
    return (x - (1 - A) ** 0.5 * eps) / A**0.5


def clipped(estimate):
    """The estimate within the range of images."""
    return estimate.clamp(-1, 1)


def wrong(
    estimate=estimated,
    clip=clipped,
    mean=right_mean,
    spread=lambda b, a, A, P: right_variance(b, a, A, P) ** 0.5,
    read=symbols,
    bar=lambda b, a, A, P: A,
    drawn=lambda t, eps, z: z,
    after=lambda x: x,
):
    """`clipped_step`, of which a mistake replaces one part; bar: of the estimate alone."""

    def function(x, t, eps, betas, z):
        b, a, A, P = read(betas, t)
        x0_hat = clip(estimate(bar(b, a, A, P), x, eps))
        return after(mean(b, a, A, P, x0_hat, x) + spread(b, a, A, P) * drawn(t, eps, z))

    return function


def other(formula):
    """An answer as a formula of b, a, A, P, the clipped estimate, x, eps and z."""

    def function(x, t, eps, betas, z):
        b, a, A, P = symbols(betas, t)
        return formula(b, a, A, P, clipped(estimated(A, x, eps)), x, eps, z)

    return function


def step_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    betas, long = few_betas(random), linear()

    def case(betas, t, x0, eps, z, about, dtype=torch.float64):
        abar = float((1 - betas[: t + 1]).prod())
        x = abar**0.5 * x0 + (1 - abar) ** 0.5 * eps
        mean, variance = bayes(betas, t, x0.clamp(-1, 1), x)
        known = (mean + variance**0.5 * z).to(dtype)
        x, eps, betas, z = (number.to(dtype) for number in (x, eps, betas, z))
        return Case((x, t, eps, betas, z), known, about, tolerance=1e-5)

    def images(*shape, share=0.9):  # share 0.9: estimates run beyond both ends of [-1, 1]
        x0 = share * (2 * skewed(random, *shape) - 1.1)
        x0 = x0 if share == 0.9 else x0.clamp(-0.9, 0.9)
        return x0, skewed(random, *shape) - 0.5, skewed(random, *shape)

    # The worked value, and estimates that are worked by hand: inside the range, and beyond it.
    small, one, fresh = (
        torch.tensor([0.36, 0.75]).double(),
        torch.ones(2).double(),
        skewed(random, 2),
    )
    flat, far = torch.tensor([[[0.3], [-0.2]], [[-2.0], [3.0]]]).double()
    eps, z = torch.tensor([[0.5], [-1.5]]).double(), torch.tensor([[1.0], [-2.0]]).double()
    return [
        case(betas, 3, *images(2, 3, 4, 5),
             "Write the three steps one by one: estimate, clip it, then mean and noise of (2), "
             "(3)."),
        Case((one, 1, -one, small, fresh), 13 / 14 + (9 / 28) ** 0.5 * fresh,
             "The worked value: the estimate is 4.79, clipped to 1; (3) gives 0.929. Add 0.567 z.",
             tolerance=1e-5),
        case(long, 0, flat, eps, z,
             "At t = 0 nothing random may be added: the answer is the estimate, here 0.3 and "
             "-0.2."),
        case(long, 400, flat, eps, z, "The estimate of x0 must come out as 0.3 and -0.2 here."),
        case(long, 400, far, eps, z,
             "The estimate of x0 is -2 and 3 here, clipped to -1 and 1 before (3)."),
        case(betas, 0, *images(3, 4), "At t = 0 the answer is the clipped estimate."),
        case(betas, 1, *images(5), "Already at t = 1 there is noise to add."),
        case(betas, 5, *images(4, 2, share=0.4),
             "No estimate runs beyond [-1, 1] here: nothing is to be clipped."),
        case(long, 700, *images(4000, 1),
             "Compare with (2) and (3), the estimate clipped before; here 4000 numbers at once, as "
             "in the lesson."),
        case(betas, 4, *images(6, 2, 1, 1),
             "In single precision, as your own model walks: estimate, clip it, then (2), (3).",
             torch.float32),
    ]  # fmt: skip


STEP = Exercise(
    "2.3", "one step, clipped", 2, 10, clipped_step, step_cases,
    (
        # Clipped elsewhere or otherwise.
        Mistake("not clipped", wrong(clip=lambda e: e),
                "The estimate of x0 is not clipped to [-1, 1]."),
        Mistake("state clamped", wrong(after=clipped),
                "The state is clamped as well; clip only the estimate, noise must keep its tails."),
        Mistake("state clamped instead", wrong(clip=lambda e: e, after=clipped),
                "The state is clamped, not the estimate, as in the published faces sampler."),
        Mistake("mean clamped", wrong(mean=lambda *a: right_mean(*a).clamp(-1, 1)),
                "The mean is clamped as well; clip only the estimate, before (3)."),
        Mistake("mean clamped instead", wrong(
                    clip=lambda e: e, mean=lambda *a: right_mean(*a).clamp(-1, 1)),
                "The mean is clamped, not the estimate; clip before (3)."),
        Mistake("input clamped", lambda x, *a: clipped_step(x.clamp(-1, 1), *a),
                "x is clamped before it is used; a noisy state must keep its tails."),
        Mistake("input clamped instead", lambda x, *a: wrong(clip=lambda e: e)(
                    x.clamp(-1, 1), *a),
                "x is clamped before it is used, and the estimate is not: turn that round."),
        Mistake("guess clamped instead", wrong(
                    lambda A, x, eps: estimated(A, x, eps.clamp(-1, 1)), clip=lambda e: e),
                "The guess of the noise is clamped; noise has tails, the estimate is clipped."),
        Mistake("guess clamped", wrong(lambda A, x, eps: estimated(A, x, eps.clamp(-1, 1))),
                "The guess of the noise is clamped as well; noise has tails, clip the estimate."),
        Mistake("clipped before dividing", wrong(
                    lambda A, x, eps: (x - (1 - A) ** 0.5 * eps).clamp(-1, 1) / A**0.5,
                    clip=lambda e: e),
                "The estimate is clipped before it is divided by sqrt(abar); clip it last."),
        Mistake("clipped to [0, 1]", wrong(clip=lambda e: e.clamp(0, 1)),
                "The estimate is clipped to [0, 1]; images run from -1 to 1 here."),
        Mistake("clipped above alone", wrong(clip=lambda e: e.clamp(max=1)),
                "The estimate is clipped at 1 alone; images end at -1 too."),
        Mistake("clipped below alone", wrong(clip=lambda e: e.clamp(min=-1)),
                "The estimate is clipped at -1 alone; images end at 1 too."),
        Mistake("tanh for clip", wrong(clip=lambda e: e.tanh()),
                "tanh bends every estimate; clip leaves those within [-1, 1] as they are."),
        Mistake("scaled for clip", wrong(clip=lambda e: e / e.abs().max()),
                "All estimates are divided by the largest; clip leaves those within [-1, 1] as "
                "they are."),
        Mistake("clipped to [-0.5, 0.5]", wrong(clip=lambda e: e.clamp(-0.5, 0.5)),
                "The estimate is clipped to [-0.5, 0.5]; images run from -1 to 1."),
        Mistake("x clamped in (3)", wrong(mean=lambda b, a, A, P, x0, x: right_mean(
                    b, a, A, P, x0, x.clamp(-1, 1))),
                "x is clamped before it goes into (3); a noisy state must keep its tails."),
        Mistake("x clamped in the estimate", wrong(lambda A, x, eps: estimated(
                    A, x.clamp(-1, 1), eps)),
                "x is clamped before the estimate is made; clip the estimate alone."),
        Mistake("z clamped", wrong(drawn=lambda t, eps, z: z.clamp(-1, 1)),
                "The fresh noise z is clamped; noise must keep its tails."),
        # The estimate is another one.
        Mistake("noise added to the estimate", wrong(lambda A, x, eps:
                    (x + (1 - A) ** 0.5 * eps) / A**0.5),
                "The estimate of x0 adds the noise; take it away: x - sqrt(1 - abar) eps."),
        Mistake("multiplied", wrong(lambda A, x, eps: (x - (1 - A) ** 0.5 * eps) * A**0.5),
                "The estimate of x0 is multiplied by sqrt(abar); divide by it."),
        Mistake("not divided", wrong(lambda A, x, eps: x - (1 - A) ** 0.5 * eps),
                "The estimate of x0 is not divided by sqrt(abar): the image has faded by it."),
        Mistake("only the noise divided", wrong(lambda A, x, eps: x - (1 - A) ** 0.5 * eps / A**.5),
                "In the estimate only the noise is divided by sqrt(abar): brackets are missing "
                "around x - sqrt(1 - abar) eps."),
        Mistake("roots forgotten", wrong(lambda A, x, eps: (x - (1 - A) * eps) / A),
                "The estimate of x0 lacks its roots: x_t = sqrt(abar) x0 + sqrt(1 - abar) eps."),
        Mistake("root of the noise forgotten", wrong(lambda A, x, eps:
                    (x - (1 - A) * eps) / A**0.5),
                "In the estimate the noise is multiplied by 1 - abar; its root belongs there."),
        Mistake("root below forgotten", wrong(lambda A, x, eps: (x - (1 - A) ** 0.5 * eps) / A),
                "The estimate is divided by abar; divide by its root."),
        Mistake("halves for roots", wrong(lambda A, x, eps: (x - (1 - A) / 2 * eps) / A / 2),
                "`** 1/2` is half of it: Python takes the power first. Write `** 0.5` or "
                "`.sqrt()`."),
        Mistake("half above", wrong(lambda A, x, eps: (x - (1 - A) / 2 * eps) / A**0.5),
                "In the estimate `(1 - abar) ** 1/2` is half of it, not its root: write `** 0.5`."),
        Mistake("halved below", wrong(lambda A, x, eps: (x - (1 - A) ** 0.5 * eps) / A / 2),
                "`/ abar ** 1/2` divides by abar and then by 2: write `/ abar ** 0.5`."),
        Mistake("only x divided", wrong(lambda A, x, eps: x / A**0.5 - (1 - A) ** 0.5 * eps),
                "In the estimate only x is divided by sqrt(abar): the noise is too."),
        Mistake("x multiplied", wrong(lambda A, x, eps: A**0.5 * x - (1 - A) ** 0.5 * eps),
                "In the estimate x is multiplied by sqrt(abar); all of x - sqrt(1 - abar) eps is "
                "divided by it."),
        Mistake("1 minus the root", wrong(lambda A, x, eps: (x - (1 - A**0.5) * eps) / A**0.5),
                "In the estimate stands 1 - sqrt(abar); it is sqrt(1 - abar)."),
        Mistake("factors swapped", wrong(lambda A, x, eps: (x - A**0.5 * eps) / (1 - A) ** 0.5),
                "The factors in the estimate are swapped: x_t = sqrt(abar) x0 + sqrt(1 - abar) "
                "eps."),
        Mistake("noise in full", wrong(lambda A, x, eps: (x - eps) / A**0.5),
                "In the estimate the noise lacks its factor sqrt(1 - abar)."),
        Mistake("nothing estimated", wrong(lambda A, x, eps: x),
                "x itself stands where the estimate of x0 belongs."),
        Mistake("noise as the estimate", wrong(lambda A, x, eps: eps),
                "eps stands where the estimate of x0 belongs; eps is the guess of the noise."),
        Mistake("bar forgotten", wrong(bar=lambda b, a, A, P: a),
                "The estimate of x0 uses alpha; x_t was made with abar."),
        Mistake("beta for 1 - abar", wrong(bar=lambda b, a, A, P: b),
                "The estimate of x0 uses beta where abar belongs."),
        Mistake("abar before", wrong(bar=lambda b, a, A, P: P),
                "The estimate of x0 uses the abar of the step before; x_t was made with abar[t]."),
        # The mean or the noise is another one.
        Mistake("wrong step before", wrong(read=at_once),
                "In (2) and (3) abar_(t-1) is read at t itself."),
        Mistake("images swapped", wrong(mean=lambda b, a, A, P, x0, x: right_mean(
                    b, a, A, P, x, x0)),
                "The estimate and x are swapped in (3): posterior(betas, t, x0_hat, x)."),
        Mistake("x twice", wrong(mean=lambda b, a, A, P, x0, x: right_mean(b, a, A, P, x, x)),
                "x stands in both terms of (3); the first belongs to the estimate."),
        Mistake("estimate twice", wrong(mean=lambda b, a, A, P, x0, x: right_mean(
                    b, a, A, P, x0, x0)),
                "The estimate stands in both terms of (3); the second belongs to x."),
        Mistake("posterior wraps around", wrong(read=table(product, first=None)),
                "At t = 0 the posterior reads abar[-1], the last entry; there it is 1."),
        Mistake("nothing drawn", wrong(drawn=lambda t, eps, z: 0 * z),
                "That is the mean alone: nothing random is added. Add sqrt(variance) z."),
        Mistake("estimate returned", other(lambda b, a, A, P, x0, x, eps, z: x0),
                "That is the clipped estimate; a step goes on with (3) and adds noise."),
        Mistake("noise around the estimate", wrong(mean=lambda b, a, A, P, x0, x: x0),
                "Noise is added to the estimate itself; first put it into (3)."),
        Mistake("noise taken away", wrong(drawn=lambda t, eps, z: -z),
                "z is subtracted; add it, so that equal noise gives equal images."),
        Mistake("guess drawn", wrong(drawn=lambda t, eps, z: eps),
                "The guess eps is added where the fresh noise z belongs."),
        Mistake("no noise at t = 1", wrong(drawn=lambda t, eps, z: z * (t > 1)),
                "At t = 1 no noise is added; only t = 0 is the last step."),
        Mistake("beta for beta-tilde", wrong(spread=lambda b, a, A, P: b**0.5 * (P < 1)),
                "The noise has variance beta; this exercise asks for beta-tilde, (2)."),
        Mistake("beta, and noise at the last step", wrong(spread=lambda b, a, A, P: b**0.5),
                "The noise has variance beta, at the last step too; beta-tilde is 0 there."),
        Mistake("noise at the last step", wrong(spread=lambda b, a, A, P:
                    right_variance(b, a, A, P) ** 0.5 if P < 1 else b**0.5),
                "Noise is added at t = 0, the last step: the picture keeps that grain."),
        Mistake("beta for its root", wrong(spread=lambda b, a, A, P: b),
                "z is multiplied by beta_t; multiply it by the root of beta-tilde, (2)."),
        Mistake("not clipped, and beta", wrong(clip=lambda e: e,
                                               spread=lambda b, a, A, P: b**0.5 * (P < 1)),
                "The estimate is not clipped, and the noise has variance beta; clip, and take "
                "beta-tilde, (2)."),
        Mistake("not clipped, beta to the end", wrong(clip=lambda e: e,
                                                      spread=lambda b, a, A, P: b**0.5),
                "The estimate is not clipped, and the noise has variance beta even at t = 0; "
                "clip, and take beta-tilde, (2)."),
        Mistake("not clipped, nothing drawn", wrong(clip=lambda e: e,
                                                    drawn=lambda t, eps, z: 0 * z),
                "The estimate is not clipped, and nothing is drawn: clip it, and add "
                "sqrt(variance) z."),
        Mistake("not clipped, variance for std", wrong(clip=lambda e: e, spread=right_variance),
                "The estimate is not clipped, and z is multiplied by the variance: clip it, and "
                "take the root."),
        Mistake("z forgotten", wrong(drawn=lambda t, eps, z: 1 + 0 * z),
                "The root of the variance is added as it is; multiply it by z."),
        Mistake("variance for std", wrong(spread=right_variance),
                "z is multiplied by the variance; multiply it by the root."),
        Mistake("half for the root of the variance", wrong(spread=lambda *a:
                    right_variance(*a) / 2),
                "z is multiplied by half the variance, not its root: write `variance ** 0.5`."),
        Mistake("variance squared", wrong(spread=lambda *a: right_variance(*a) ** 2),
                "z is multiplied by the square of the variance; multiply it by the root."),
        Mistake("noise in full strength", wrong(spread=lambda *a: 1.0),
                "z is added as it came, with variance 1; multiply it by sqrt(variance)."),
        Mistake("noise of (1)", wrong(spread=lambda b, a, A, P: (1 - A) ** 0.5),
                "z is multiplied by sqrt(1 - abar), all the noise of x_t; take the root of (2)."),
        Mistake("noise of (1) before", wrong(spread=lambda b, a, A, P: (1 - P) ** 0.5),
                "z is multiplied by sqrt(1 - abar_(t-1)), all the noise of the next state; take "
                "the root of (2)."),
        # Another equation.
        Mistake("lesson 01, eta = 0", other(lambda b, a, A, P, x0, x, eps, z:
                    P**0.5 * x0 + (1 - P) ** 0.5 * eps),
                "That is lesson 01's step with eta = 0: the old guess comes back and nothing is "
                "drawn. Take (2) and (3)."),
        Mistake("lesson 01, eta = 1", other(lambda b, a, A, P, x0, x, eps, z:
                    P**0.5 * x0 + (1 - P - right_variance(b, a, A, P)) ** 0.5 * eps
                    + right_variance(b, a, A, P) ** 0.5 * z),
                "That is lesson 01's step with the guess eps as it came; with a clipped estimate "
                "eps no longer fits. Put the estimate and x into (3)."),
        Mistake("made noisy again", other(lambda b, a, A, P, x0, x, eps, z:
                    A**0.5 * x0 + (1 - A) ** 0.5 * z),
                "That is (1) at t itself: no step back was taken. Take (3)."),
        Mistake("made noisy anew", other(lambda b, a, A, P, x0, x, eps, z:
                    P**0.5 * x0 + (1 - P) ** 0.5 * z),
                "That is (1): the estimate made noisy anew, without x. (3) knows both."),
    ),
)  # fmt: skip


EXERCISES = (STEP,)
