"""Exercises 2.1 to 2.3: the posterior, the loss, and one clipped step back.

Expected results come by another road than the reference: Bayes' rule with precisions, data for
which the loss is known, loops over single images.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def tables(betas):
    """alpha (T,), abar (T,) and abar of the step before (T,), which begins with 1."""
    import torch

    alpha = 1 - betas
    abar = alpha.cumprod(0)
    return alpha, abar, torch.cat([torch.ones_like(abar[:1]), abar[:-1]])


def linear(T: int = 1000):
    """The usual betas, float64."""
    import torch

    return torch.linspace(1e-4, 0.02, T, dtype=torch.float64)


def bayes(betas, t, x0, x_t):
    """Mean and variance of q(x_{t-1} | x_t, x0): precisions add, means are weighted by them."""
    before = float((1 - betas[:t]).prod())
    step = 1 - float(betas[t])
    precision = step / (1 - step) + 1 / (1 - before)
    mean = (step**0.5 * x_t / (1 - step) + before**0.5 * x0 / (1 - before)) / precision
    return mean, 1 / precision


# --------------------------------------------------------------------- 2.1 the posterior


def posterior(betas, t, x0, x_t):
    """Mean and variance of q(x_{t-1} | x_t, x0), equations (2) and (3); t counts from 0."""
    alpha, abar, before = tables(betas)
    of_x0 = before[t].sqrt() * betas[t] / (1 - abar[t])
    of_xt = alpha[t].sqrt() * (1 - before[t]) / (1 - abar[t])
    return of_x0 * x0 + of_xt * x_t, (1 - before[t]) / (1 - abar[t]) * betas[t]


def weighted(betas, t, x0, x_t, *, single=False, of_x0=0.5, of_xt=0.5, barred=False, shift=0):
    """`posterior`, of which a mistake may replace one part; of_x0 and of_xt are powers."""
    alpha, abar, before = tables(betas)
    a, b = (alpha, alpha) if single else (abar, abar if shift else before)
    first = b[t] ** of_x0 * betas[t] / (1 - a[t])
    second = (abar if barred else alpha)[t] ** of_xt * (1 - b[t]) / (1 - a[t])
    return first * x0 + second * x_t, (1 - b[t]) / (1 - a[t]) * betas[t]


def wrapped(betas, t, x0, x_t):
    """`posterior` with the step before the first read as abar[-1], the last in the table."""
    _, abar, _ = tables(betas)
    first = abar[t - 1].sqrt() * betas[t] / (1 - abar[t])
    second = (1 - betas[t]).sqrt() * (1 - abar[t - 1]) / (1 - abar[t])
    return first * x0 + second * x_t, (1 - abar[t - 1]) / (1 - abar[t]) * betas[t]


def one_early(betas, t, x0, x_t, *, wraps):
    """`posterior` by one who counts t from 1; with `wraps`, abar[t - 2] is read at t = 1 too."""
    alpha, abar, _ = tables(betas)
    before = abar[t - 2] if wraps or t > 1 else abar[0] ** 0
    first = before.sqrt() * betas[t - 1] / (1 - abar[t - 1])
    second = alpha[t - 1].sqrt() * (1 - before) / (1 - abar[t - 1])
    return first * x0 + second * x_t, (1 - before) / (1 - abar[t - 1]) * betas[t - 1]


def posterior_cases(seed) -> list[Case]:
    import torch

    small = torch.tensor([0.36, 0.75], dtype=torch.float64)
    x0, x_t = torch.tensor([0.8, -0.5]).double(), torch.tensor([1.0, 2.5]).double()
    return [
        Case((small, 1, x0, x_t), bayes(small, 1, x0, x_t),
             "The worked value: with betas 0.36 and 0.75 the mean is 0.7143 x0 + 0.2143 x_t, the "
             "variance 0.3214."),
        Case((linear(), 300, x0, x_t), bayes(linear(), 300, x0, x_t),
             "In the middle of a real schedule the mean lies close to x_t."),
        Case((linear(), 0, x0, x_t), (x0, 0.0),
             "At t = 0 the step before is the clean image: abar is 1 there, so the mean is x0 and "
             "the variance 0."),
    ]  # fmt: skip


POSTERIOR = Exercise(
    "2.1", "the step that knows the answer", 2, 10, posterior, posterior_cases,
    (
        Mistake("bar forgotten", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, single=True),
                "alpha stands where abar belongs: only the root in front of x_t is without a bar."),
        Mistake("bar too many", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, barred=True),
                "The root in front of x_t is that of one step, alpha_t, without a bar."),
        Mistake("roots forgotten", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, of_x0=1.0, of_xt=1.0),
                "Both roots are missing in (3): images scale with roots, variances without."),
        Mistake("root of x0 forgotten", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, of_x0=1.0),
                "The root in front of x0 is missing: sqrt(abar_(t-1)) beta_t, not abar_(t-1)."),
        Mistake("root of x_t forgotten", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, of_xt=1.0),
                "The root in front of x_t is missing: sqrt(alpha_t), not alpha_t."),
        Mistake("beta for beta-tilde", lambda betas, t, x0, x_t: (
                    posterior(betas, t, x0, x_t)[0], betas[t]),
                "The mean is right; the variance is beta, but x0 is known here: beta-tilde, (2)."),
        Mistake("std returned", lambda betas, t, x0, x_t: (
                    posterior(betas, t, x0, x_t)[0], posterior(betas, t, x0, x_t)[1] ** 0.5),
                "The second value is the standard deviation; the variance is asked for."),
        Mistake("images swapped", lambda betas, t, x0, x_t: posterior(betas, t, x_t, x0),
                "The weights of x0 and x_t are swapped."),
        Mistake("wrong step before", lambda betas, t, x0, x_t: weighted(
                    betas, t, x0, x_t, shift=1),
                "abar_(t-1) is read at t itself; mind which of the two (3) means."),
        Mistake("wraps around", wrapped,
                "At t = 0, abar[t - 1] is abar[-1]: Python reads the last entry. The abar before "
                "the first step is 1."),
        Mistake("t counted from 1", lambda *a: one_early(*a, wraps=False),
                "Everything is read one step early: in code t counts from 0, so betas[t] and "
                "abar[t] belong to this step, abar[t - 1] to the one before."),
        Mistake("t counted from 1, wraps around", lambda *a: one_early(*a, wraps=True),
                "Everything is read one step early, and abar[t - 2] runs off the table: in code t "
                "counts from 0, so betas[t] and abar[t] belong to this step."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 2.2 the loss


def loss(net, x0, t, noise, betas):
    """Equation (6) for a batch (B, C, H, W) with a step t (B,) for every image."""
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()


def loss_with(
    net,
    x0,
    t,
    noise,
    betas,
    *,
    single=False,
    image=0.5,
    grain=0.5,
    after=lambda x: x,
    measure=lambda gap: gap.square().mean(),
    target=lambda x0, noise: noise,
    read=0,
    told=0,
):
    """`loss`, of which a mistake may replace one part."""
    share = (1 - betas) if single else (1 - betas).cumprod(0)
    abar = share[t + read].view(-1, 1, 1, 1)
    x_t = after(abar**image * x0 + (1 - abar) ** grain * noise)
    return measure(target(x0, noise) - net(x_t, t + told))


def loss_cases(seed) -> list[Case]:
    import torch

    betas, t = linear(), torch.tensor([10, 300, 900])
    x0 = torch.linspace(-1, 1, 3 * 8).double().view(3, 2, 2, 2)
    noise = 2 * torch.cos(torch.arange(24.0)).double().view(3, 2, 2, 2)
    image = x0[:1]

    def knows(x_t, t):  # the best network for data that is one image
        abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
        return (x_t - abar.sqrt() * image) / (1 - abar).sqrt()

    one_by_one = []
    for x, n, k in zip(x0, noise, t.tolist(), strict=True):
        abar = float((1 - betas[: k + 1]).prod())
        one_by_one.append(float(((0.3 * (abar**0.5 * x + (1 - abar) ** 0.5 * n) - n) ** 2).mean()))
    return [
        Case((lambda x_t, t: torch.zeros_like(x_t), x0, t, torch.full_like(x0, 2.0), betas), 4.0,
             "A network that says 0 misses all the noise: noise 2 everywhere costs 4."),
        Case((knows, image.repeat(3, 1, 1, 1), t, noise, betas), 0.0,
             "For data that is a single image a perfect network exists; its loss must be 0."),
        Case((lambda x_t, t: 0.3 * x_t, x0, t, noise, betas), sum(one_by_one) / 3,
             "The batch must give the mean of what its images give one by one, each at its t."),
    ]  # fmt: skip


LOSS = Exercise(
    "2.2", "the loss", 2, 10, loss, loss_cases,
    (
        Mistake("bar forgotten", lambda *a: loss_with(*a, single=True),
                "alpha stands where abar belongs: the images are hardly noisy at any t."),
        Mistake("roots forgotten", lambda *a: loss_with(*a, image=1.0, grain=1.0),
                "Both roots are missing where x_t is made: abar and 1 - abar are variances."),
        Mistake("variance for std", lambda *a: loss_with(*a, grain=1.0),
                "The noise in x_t is multiplied by 1 - abar; sigma^2 stands where sigma belongs."),
        Mistake("L1", lambda *a: loss_with(*a, measure=lambda gap: gap.abs().mean()),
                "That is the absolute error: it learns the median, and the step needs the mean."),
        Mistake("sum", lambda *a: loss_with(*a, measure=lambda gap: gap.square().sum()),
                "The squares are added up; take their mean, so that 1 means: knows nothing."),
        Mistake("image as target", lambda *a: loss_with(*a, target=lambda x0, noise: x0),
                "The network guesses the noise; you compare its answer with the image."),
        Mistake("state clamped", lambda *a: loss_with(*a, after=lambda x: x.clamp(-1, 1)),
                "x_t is clamped to [-1, 1]: a noisy image must have tails."),
        Mistake("one step for all", lambda net, x0, t, noise, betas: loss_with(
                    net, x0, t[:1].expand_as(t), noise, betas),
                "All images get the step of the first; abar must have the shape (B, 1, 1, 1)."),
        Mistake("t counted from 1", lambda *a: loss_with(*a, read=-1),
                "abar is read at t - 1: in code t counts from 0, so abar[t] belongs to t."),
        Mistake("net told another t", lambda *a: loss_with(*a, told=1),
                "The network is told t + 1; hand it the t that x_t was made with."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 2.3 one clipped step


def clipped_step(x, t, eps, betas, z):
    """x_{t-1} from x_t, the guess eps and fresh noise z, with the estimate of x0 clipped."""
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    mean, variance = posterior(betas, t, x0_hat.clamp(-1, 1), x)
    return mean + variance.sqrt() * z


def step_with(
    x,
    t,
    eps,
    betas,
    z,
    *,
    single=False,
    low=-1.0,
    high=1.0,
    last=0.0,
    estimate=0.5,
    sign=-1,
    divide=1,
    spread=lambda beta, tilde: tilde**0.5,
):
    """`clipped_step`, of which a mistake may replace one part."""
    abar = (1 - betas) if single else (1 - betas).cumprod(0)
    x0_hat = (x + sign * (1 - abar[t]) ** estimate * eps) * abar[t] ** (-divide * estimate)
    mean, variance = posterior(betas, t, x0_hat.clamp(low, high), x)
    return mean + (spread(betas[t], variance) if t else last * betas[t] ** 0.5) * z


def step_cases(seed) -> list[Case]:
    import torch

    betas, flat, far = linear(), *torch.tensor([[[0.3], [-0.2]], [[-2.0], [3.0]]]).double()
    eps, z = torch.tensor([[0.5], [-1.5]]).double(), torch.tensor([[1.0], [-2.0]]).double()

    def noisy(t, x0):
        abar = float((1 - betas[: t + 1]).prod())
        return abar**0.5 * x0 + (1 - abar) ** 0.5 * eps

    def case(t, x0, about):
        mean, variance = bayes(betas, t, x0.clamp(-1, 1), noisy(t, x0))
        return Case((noisy(t, x0), t, eps, betas, z), mean + variance**0.5 * z, about)

    return [
        case(400, flat, "The estimate of x0 must come out as 0.3 and -0.2 here."),
        case(400, far, "The estimate of x0 is -2 and 3 here, clipped to -1 and 1 before (3)."),
        Case((noisy(0, flat), 0, eps, betas, z), flat,
             "At t = 0 nothing random may be added: the answer is the estimate."),
    ]  # fmt: skip


STEP = Exercise(
    "2.3", "one step, clipped", 2, 10, clipped_step, step_cases,
    (
        Mistake("not clipped", lambda *a: step_with(*a, low=-1e9, high=1e9),
                "The estimate of x0 is not clipped to [-1, 1]."),
        Mistake("state clamped", lambda *a: clipped_step(*a).clamp(-1, 1),
                "The state is clamped as well; clip only the estimate, noise must keep its tails."),
        Mistake("state clamped instead", lambda *a: step_with(
                    *a, low=-1e9, high=1e9).clamp(-1, 1),
                "The state is clamped, not the estimate, as in the published faces sampler."),
        Mistake("input clamped", lambda x, *a: clipped_step(x.clamp(-1, 1), *a),
                "x is clamped before it is used; a noisy state must keep its tails."),
        Mistake("input clamped instead", lambda x, *a: step_with(
                    x.clamp(-1, 1), *a, low=-1e9, high=1e9),
                "x is clamped before it is used, and the estimate is not: turn that round."),
        Mistake("clipped to [0, 1]", lambda *a: step_with(*a, low=0.0),
                "The estimate is clipped to [0, 1]; images run from -1 to 1 here."),
        Mistake("noise added to the estimate", lambda *a: step_with(*a, sign=1),
                "The estimate of x0 adds the noise; take it away: x - sqrt(1 - abar) eps."),
        Mistake("multiplied", lambda *a: step_with(*a, divide=-1),
                "The estimate of x0 is multiplied by sqrt(abar); divide by it."),
        Mistake("not divided", lambda *a: step_with(*a, divide=0),
                "The estimate of x0 is not divided by sqrt(abar): the image has faded by it."),
        Mistake("nothing drawn", lambda x, t, eps, betas, z: clipped_step(x, t, eps, betas, 0 * z),
                "That is the mean alone: nothing random is added. Add sqrt(variance) z."),
        Mistake("beta for beta-tilde", lambda *a: step_with(
                    *a, spread=lambda beta, tilde: beta**0.5),
                "The noise has variance beta; this exercise asks for beta-tilde, (2)."),
        Mistake("noise at the last step", lambda *a: step_with(*a, last=1.0),
                "Noise is added at t = 0, the last step: the picture keeps that grain."),
        Mistake("beta, and noise at the last step", lambda *a: step_with(
                    *a, spread=lambda beta, tilde: beta**0.5, last=1.0),
                "The noise has variance beta, at the last step too; beta-tilde is 0 there."),
        Mistake("variance for std", lambda *a: step_with(*a, spread=lambda beta, tilde: tilde),
                "z is multiplied by the variance; sigma^2 stands where sigma belongs."),
        Mistake("bar forgotten", lambda *a: step_with(*a, single=True),
                "The estimate of x0 uses alpha; x_t was made with abar."),
        Mistake("roots forgotten", lambda *a: step_with(*a, estimate=1.0),
                "The estimate of x0 lacks its roots: x_t = sqrt(abar) x0 + sqrt(1 - abar) eps."),
    ),
)  # fmt: skip


EXERCISES = (POSTERIOR, LOSS, STEP)
