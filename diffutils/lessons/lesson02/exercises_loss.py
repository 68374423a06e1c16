"""Exercise 2.2: the loss.  Expected results come image by image, and from data with known loss."""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import few_betas, linear, skewed


def loss(net, x0, t, noise, betas):
    """Equation (6) for a batch (B, C, H, W) with a step t (B,) for every image."""
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()


def mixed(abar, x0, noise):
    """Equation (1)."""
    return abar**0.5 * x0 + (1 - abar) ** 0.5 * noise


def wrong(
    bar=lambda betas, t: (1 - betas).cumprod(0)[t],
    mix=mixed,
    seen=lambda x_t, x0, noise: x_t,
    told=lambda t, betas: t,
    target=lambda x0, noise, x_t, abar: noise,
    measure=lambda gap: gap.square().mean(),
):
    """`loss`, of which a mistake replaces one part."""

    def function(net, x0, t, noise, betas):
        abar = bar(betas, t).view(-1, 1, 1, 1)
        x_t = mix(abar, x0, noise)
        guess = net(seen(x_t, x0, noise), told(t, betas))
        return measure(target(x0, noise, x_t, abar) - guess)

    return function


def of_image(net, x0, t, noise, betas, factor=lambda abar: (1 - abar) / abar):
    """The error of the estimated image, or the error of the noise with another factor."""
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    return (factor(abar) * (noise - net(mixed(abar, x0, noise), t)).square()).mean()


def weighted(net, x0, t, noise, betas):
    """Equation (4), with beta_t as variance: the factor that Ho et al. drop is kept."""
    beta, alpha = betas[t].view(-1, 1, 1, 1), 1 - betas[t].view(-1, 1, 1, 1)
    return of_image(net, x0, t, noise, betas, lambda abar: beta / (2 * alpha * (1 - abar)))


def network(channels: int, dtype):
    """A small network to train, which sees every pixel for itself and the step."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            share = 0.5 + 0.3 * torch.arange(channels, dtype=dtype)
            self.weight = torch.nn.Parameter(share.view(-1, 1, 1))

        def forward(self, x_t, t):
            if x_t.ndim != 4 or not isinstance(t, torch.Tensor) or t.shape != x_t.shape[:1]:
                raise ValueError("net needs x_t (B, C, H, W) and t (B,): one step for each image")
            x, t = x_t.to(dtype), t.view(-1, 1, 1, 1)
            return (self.weight * x + 0.2).tanh() * (1.5 + torch.cos(0.9 * t)).to(dtype)

    return Net()


def of_one(net, x0, t, noise, betas):
    """The loss as the mean over images, each at its own step."""
    losses = []
    for i in range(len(x0)):
        abar = float((1 - betas[: int(t[i]) + 1]).prod())
        x_t = abar**0.5 * x0[i : i + 1] + (1 - abar) ** 0.5 * noise[i : i + 1]
        losses.append(((net(x_t, t[i : i + 1]) - noise[i : i + 1]) ** 2).mean())
    return sum(losses) / len(losses)


def loss_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    betas, steps = few_betas(random), torch.tensor([4, 0, 5])

    def trained(betas, t, shape, dtype, about, tolerance=1e-5):
        net, x0, noise = network(shape[1], dtype), skewed(random, *shape), skewed(random, *shape)
        x0, noise = (0.5 * x0).to(dtype), (1.4 * noise - 0.3).to(dtype)
        value = of_one(net, x0, t, noise, betas)
        (slope,) = torch.autograd.grad(value, net.weight)
        arguments, leaf = (net, x0, t, noise, betas), lambda given: given[0].weight
        return Case(arguments, (value.item(), slope), about, tolerance, leaf)

    # Data and networks whose loss is known.
    image, noise = 0.6 * skewed(random, 1, 2, 4, 5), skewed(random, 3, 2, 4, 5)

    def knows(x_t, t):  # the best network for data that is one image
        abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
        return (x_t - abar.sqrt() * image) / (1 - abar).sqrt()

    def zero(x_t, t):
        return torch.zeros_like(x_t)

    two = torch.full((3, 2, 4, 5), 2.0).double()
    return [
        trained(betas, steps, (3, 2, 4, 5), torch.float64,
                "The batch must give the mean of what its images give one by one, each at its t."),
        Case((zero, image.repeat(3, 1, 1, 1), steps, two, betas), 4.0,
             "A network that says 0 misses all the noise: noise 2 everywhere costs 4."),
        Case((knows, image.repeat(3, 1, 1, 1), steps, noise, betas), 0.0,
             "For data that is a single image a perfect network exists; if its loss is not 0, x_t "
             "is not that of (1)."),
        trained(betas, torch.tensor([2, 6, 6, 1, 3]), (5, 1, 2, 3), torch.float64,
                "Compare with (6): x_t has sqrt(abar) and sqrt(1 - abar) of each image's own t; "
                "all squares are averaged."),
        trained(linear(), torch.linspace(0, 999, 8).long(), (8, 3, 16, 12), torch.float32,
                "Compare with (6), here as the lesson calls it: eight images in single precision, "
                "1,000 betas in double precision.", 1e-4),
        trained(linear(100).float(), torch.linspace(0, 99, 6).long(), (6, 2, 1, 1), torch.float32,
                "Compare with (6), here as your own model learns: all in single precision.", 1e-4),
    ]  # fmt: skip


LOSS = Exercise(
    "2.2", "the loss", 2, 10, loss, loss_cases,
    (
        # abar is another one.
        Mistake("bar forgotten", wrong(bar=lambda betas, t: (1 - betas)[t]),
                "alpha stands where abar belongs: the images are hardly noisy at any t."),
        Mistake("product of betas", wrong(bar=lambda betas, t: betas.cumprod(0)[t]),
                "abar is the product of the alphas, 1 - beta, not of the betas."),
        Mistake("beta for abar", wrong(bar=lambda betas, t: betas[t]),
                "beta stands where abar belongs: abar is the product of all 1 - beta so far."),
        Mistake("one step for all", wrong(bar=lambda betas, t:
                    (1 - betas).cumprod(0)[t[:1]].expand_as(t)),
                "All images are made noisy with the abar of the first; it must have the shape "
                "(B, 1, 1, 1)."),
        Mistake("one step for all, net too", lambda net, x0, t, noise, betas: loss(
                    net, x0, t[:1].expand_as(t), noise, betas),
                "All images get the step of the first; abar must have the shape (B, 1, 1, 1)."),
        Mistake("mean of abar", wrong(bar=lambda betas, t:
                    (1 - betas).cumprod(0)[t].mean().expand(len(t))),
                "All images are made noisy with one average abar; each has its own t."),
        Mistake("last abar", wrong(bar=lambda betas, t: (1 - betas).cumprod(0)[-1].expand(len(t))),
                "abar is the last of the table for every image; each has its own t."),
        Mistake("t counted from 1", wrong(bar=lambda betas, t: (1 - betas).cumprod(0)[t - 1]),
                "abar is read at t - 1: in code t counts from 0, so abar[t] belongs to t."),
        Mistake("abar of the step before", wrong(bar=lambda betas, t:
                    (1 - betas).cumprod(0)[t] / (1 - betas)[t]),
                "abar is that of the step before; abar[t] belongs to t."),
        Mistake("one step late", wrong(bar=lambda betas, t: (1 - betas).cumprod(0)[t + 1]),
                "abar is read at t + 1: in code t counts from 0, so abar[t] belongs to t."),
        Mistake("first abars", wrong(bar=lambda betas, t: (1 - betas).cumprod(0)[: len(t)]),
                "The first abars of the table are taken, one for each image; take those at t."),
        Mistake("product over the batch", wrong(bar=lambda betas, t: (1 - betas)[t].cumprod(0)),
                "The product runs over the images; it runs over the steps: `.cumprod(0)[t]`."),
        Mistake("root of abar twice", wrong(bar=lambda betas, t: (1 - betas).cumprod(0)[t] ** 0.5),
                "The root of abar stands where abar belongs, so a root is taken twice."),
        # x_t is another one.
        Mistake("roots forgotten", wrong(mix=lambda abar, x0, noise:
                    abar * x0 + (1 - abar) * noise),
                "Both roots are missing where x_t is made: abar and 1 - abar are variances."),
        Mistake("variance for std", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * x0 + (1 - abar) * noise),
                "The noise in x_t is multiplied by 1 - abar, its variance; multiply by the root."),
        Mistake("root of the image forgotten", wrong(mix=lambda abar, x0, noise:
                    abar * x0 + (1 - abar) ** 0.5 * noise),
                "The image in x_t is multiplied by abar; it fades by the root of abar."),
        Mistake("halves for roots", wrong(mix=lambda abar, x0, noise:
                    abar / 2 * x0 + (1 - abar) / 2 * noise),
                "`** 1/2` is half of it: Python takes the power first. Write `** 0.5` or "
                "`.sqrt()`."),
        Mistake("half for the root of the image", wrong(mix=lambda abar, x0, noise:
                    abar / 2 * x0 + (1 - abar) ** 0.5 * noise),
                "The image is multiplied by half of abar: `** 1/2` divides by 2; write `** 0.5`."),
        Mistake("half for the root of the noise", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * x0 + (1 - abar) / 2 * noise),
                "The noise is multiplied by half of 1 - abar: `** 1/2` divides by 2; write "
                "`** 0.5`."),
        Mistake("1 minus the root", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * x0 + (1 - abar**0.5) * noise),
                "The noise is multiplied by 1 - sqrt(abar); (1) has sqrt(1 - abar)."),
        Mistake("squares for roots", wrong(mix=lambda abar, x0, noise:
                    abar**2 * x0 + (1 - abar) ** 2 * noise),
                "Squares stand where x_t needs roots: sqrt(abar) and sqrt(1 - abar)."),
        Mistake("factors swapped", wrong(mix=lambda abar, x0, noise:
                    (1 - abar) ** 0.5 * x0 + abar**0.5 * noise),
                "The factors of image and noise are swapped: sqrt(abar) belongs to the image."),
        Mistake("noise subtracted", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * x0 - (1 - abar) ** 0.5 * noise),
                "In x_t the noise is subtracted; (1) adds it, and the network is to find it."),
        Mistake("image not faded", wrong(mix=lambda abar, x0, noise:
                    x0 + (1 - abar) ** 0.5 * noise),
                "The image in x_t keeps its full strength; multiply it by sqrt(abar)."),
        Mistake("noise in full", wrong(mix=lambda abar, x0, noise: abar**0.5 * x0 + noise),
                "The noise in x_t has full strength at every t; multiply it by sqrt(1 - abar)."),
        Mistake("units of lesson 01", wrong(mix=lambda abar, x0, noise:
                    x0 + ((1 - abar) / abar) ** 0.5 * noise),
                "That is x0 + sigma n, the units of D; here the network sees x_t of (1)."),
        Mistake("nothing scaled", wrong(mix=lambda abar, x0, noise: x0 + noise),
                "Image and noise are added in full; (1) has the factors sqrt(abar), "
                "sqrt(1 - abar)."),
        Mistake("noise forgotten", wrong(mix=lambda abar, x0, noise: abar**0.5 * x0),
                "x_t holds no noise; (1) adds sqrt(1 - abar) noise."),
        Mistake("image forgotten", wrong(mix=lambda abar, x0, noise: (1 - abar) ** 0.5 * noise),
                "x_t holds no image; (1) adds sqrt(abar) x0."),
        Mistake("one factor for both", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * (x0 + noise)),
                "Image and noise have the same factor; the noise has sqrt(1 - abar)."),
        Mistake("noise faded twice", wrong(mix=lambda abar, x0, noise:
                    abar**0.5 * (x0 + (1 - abar) ** 0.5 * noise)),
                "The noise is multiplied by sqrt(abar) too: mind the brackets."),
        Mistake("factors swapped, roots forgotten", wrong(mix=lambda abar, x0, noise:
                    (1 - abar) * x0 + abar * noise),
                "The factors of image and noise are swapped, and their roots are missing."),
        Mistake("state clamped", wrong(seen=lambda x_t, x0, noise: x_t.clamp(-1, 1)),
                "x_t is clamped to [-1, 1]: a noisy image must have tails."),
        # The network is shown or told something else.
        Mistake("clean image shown", wrong(seen=lambda x_t, x0, noise: x0),
                "The network sees the clean image x0; show it x_t."),
        Mistake("noise shown", wrong(seen=lambda x_t, x0, noise: noise),
                "The network sees the noise that it shall guess; show it x_t."),
        Mistake("net told another t", wrong(told=lambda t, betas: t + 1),
                "The network is told t + 1; hand it the t that x_t was made with."),
        Mistake("net told an earlier t", wrong(told=lambda t, betas: t - 1),
                "The network is told t - 1; hand it the t that x_t was made with."),
        Mistake("net told a share", wrong(told=lambda t, betas: t / len(betas)),
                "The network is told t / T; hand it t itself."),
        Mistake("net told abar", wrong(told=lambda t, betas: (1 - betas).cumprod(0)[t]),
                "The network is told abar; hand it t."),
        Mistake("net told beta", wrong(told=lambda t, betas: betas[t]),
                "The network is told beta; hand it t."),
        Mistake("net told 0", wrong(told=lambda t, betas: t * 0),
                "The network is told t = 0; hand it the t that x_t was made with."),
        Mistake("net told the place", wrong(told=lambda t, betas: (t * 0 + 1).cumsum(0) - 1),
                "The network is told 0, 1, 2, ...; hand it the t that x_t was made with."),
        # The guess is compared with something else.
        Mistake("image as target", wrong(target=lambda x0, noise, x_t, abar: x0),
                "The network guesses the noise; you compare its answer with the image."),
        Mistake("noisy image as target", wrong(target=lambda x0, noise, x_t, abar: x_t),
                "The network guesses the noise; you compare its answer with x_t."),
        Mistake("noise as added", wrong(target=lambda x0, noise, x_t, abar:
                    (1 - abar) ** 0.5 * noise),
                "The guess is compared with sqrt(1 - abar) noise; the network guesses the noise "
                "itself."),
        Mistake("v as target", wrong(target=lambda x0, noise, x_t, abar:
                    abar**0.5 * noise - (1 - abar) ** 0.5 * x0),
                "That is the target of a v-network; this one guesses the noise."),
        Mistake("guess added", wrong(target=lambda x0, noise, x_t, abar: -noise),
                "Noise and guess are added up; the loss is their difference, squared."),
        Mistake("error of the image", of_image,
                "That is the error of the estimated image; (6) is the error of the noise."),
        Mistake("factor of (4)", weighted,
                "The factor in front of (4) is kept; (6) drops it."),
        # The gap is measured in another way.
        Mistake("L1", wrong(measure=lambda gap: gap.abs().mean()),
                "That is the absolute error: it learns the median, and the step needs the mean."),
        Mistake("Huber", wrong(measure=lambda gap: (
                    (gap.abs() < 1) * gap.square() / 2 + (gap.abs() >= 1) * (gap.abs() - 0.5)
                ).mean()),
                "That is the smooth L1 (Huber) loss; (6) takes plain squares."),
        Mistake("root", wrong(measure=lambda gap: gap.square().mean().sqrt()),
                "A root of the mean square is returned; (6) has no root."),
        Mistake("mean of the gaps", wrong(measure=lambda gap: gap.mean()),
                "The gaps are averaged without being squared: errors of opposite sign cancel."),
        Mistake("square of the mean", wrong(measure=lambda gap: gap.mean().square()),
                "The mean gap is squared; square every gap first, then take the mean."),
        Mistake("sum", wrong(measure=lambda gap: gap.square().sum()),
                "The squares are added up; take their mean, so that 1 means: knows nothing."),
        Mistake("sum an image", wrong(measure=lambda gap: gap.square().flatten(1).sum(1).mean()),
                "Squares are added up over an image and averaged over the batch; take the mean "
                "over all pixels."),
        Mistake("sum of the images", wrong(measure=lambda gap: gap.square().mean((1, 2, 3)).sum()),
                "The losses of the images are added up; take their mean."),
        Mistake("minus", wrong(measure=lambda gap: -gap.square().mean()),
                "It is minus the loss: training would make it worse."),
        Mistake("twice", wrong(measure=lambda gap: 2 * gap.square().mean()),
                "It is twice the loss; (6) has no factor."),
        Mistake("norm", wrong(measure=lambda gap: gap.square().sum().sqrt()),
                "That is the norm of the gap; take the mean of its squares."),
        Mistake("largest", wrong(measure=lambda gap: gap.square().max()),
                "That is the largest of the squares; take their mean."),
        Mistake("logarithm", wrong(measure=lambda gap: gap.square().mean().log()),
                "The logarithm of the loss is returned; (6) has none."),
        Mistake("standard deviation", wrong(measure=lambda gap: gap.std()),
                "That is the standard deviation of the gaps; take the mean of their squares."),
        Mistake("doubled for squared", wrong(measure=lambda gap: (gap * 2).mean()),
                "`* 2` doubles the gaps; `** 2` squares them."),
        Mistake("half", wrong(measure=lambda gap: gap.square().mean() / 2),
                "It is half of the loss; (6) has no 1/2."),
        Mistake("spread", wrong(measure=lambda gap: gap.var(correction=0)),
                "That is the variance of the gaps, about their mean; a guess that is off by a "
                "constant would cost nothing. Take the mean square."),
        Mistake("sample variance", wrong(measure=lambda gap: gap.var()),
                "That is the variance of the gaps, about their mean and with N - 1; take the mean "
                "square."),
        Mistake("median", wrong(measure=lambda gap: gap.square().median()),
                "That is the median of the squares; take their mean."),
        Mistake("one loss an image", wrong(measure=lambda gap: gap.square().mean((1, 2, 3))),
                "That is one loss for every image; return one number, the mean over all pixels."),
        Mistake("not averaged", wrong(measure=lambda gap: gap.square()),
                "Those are the squares, pixel by pixel; return one number, their mean."),
    ),
)  # fmt: skip


EXERCISES = (LOSS,)
