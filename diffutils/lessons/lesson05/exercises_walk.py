"""Exercise 5.5: a loss at the end of a walk.

Expected results come from a network whose walk is a product of numbers, and from walks along the
slope (x - D) / sigma whose first part is cut off.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def walk_loss(denoise, x, sigmas, x0, last):
    """Mean squared error at the end of Euler's walk, with a gradient through its last steps."""
    import torch

    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()


def wrong(
    kept=lambda k, n, last: k >= n - last,
    began=lambda x, sigmas: x,
    handed=lambda x, left: x,
    shown=lambda x, now: x,
    told=lambda sigmas, k: sigmas[k],
    estimate=lambda D: D,
    step=lambda x, D, now, then: D + then / now * (x - D),
    steps=lambda n: n,
    measure=lambda x, x0, start: (x - x0).square().mean(),
):
    """`walk_loss`, of which a mistake replaces one part; left: steps until a gradient is kept."""

    def function(denoise, x, sigmas, x0, last):
        import torch

        n, start, x = len(sigmas) - 1, x, began(x, sigmas)
        for k in range(steps(n)):
            with torch.set_grad_enabled(kept(k, n, last)):
                x = handed(x, n - k - last)
                D = estimate(denoise(shown(x, sigmas[k]), told(sigmas, k)))
                x = step(x, D, sigmas[k], sigmas[k + 1])
        return measure(x, x0, start)

    return function


def heun(denoise, x, sigmas, x0, last):
    """A mistake: the step of lesson 04."""
    import torch

    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            slope = (x - denoise(x, sigmas[k])) / sigmas[k]
            there = x + (sigmas[k + 1] - sigmas[k]) * slope
            if k < n - 1:
                slope = (slope + (there - denoise(there, sigmas[k + 1])) / sigmas[k + 1]) / 2
            x = x + (sigmas[k + 1] - sigmas[k]) * slope
    return (x - x0).square().mean()


def network(random, channels: int, dtype, scale: float | None = None):
    """A small network to train; with a scale it multiplies the state, which no level changes."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            share = torch.from_numpy(random.uniform(0.6, 1.4, (channels, 1, 1)))
            share = share if scale is None else torch.full_like(share[:1], scale)
            self.weight = torch.nn.Parameter(share.to(dtype))

        def forward(self, x, sigma):
            if x.ndim != 4 or not isinstance(sigma, torch.Tensor) or sigma.shape != ():
                raise ValueError("denoise needs the state (B, C, H, W) and one level, a tensor ()")
            if x.dtype != dtype:
                raise TypeError(f"the network's weights are {dtype}, but the state is {x.dtype}")
            if scale is not None:
                return self.weight * x
            level = (1 + sigma.to(x) ** 2).sqrt()
            return 1.6 * (self.weight * x / level + 0.2).tanh() + 0.3 / level

    return Net()


def cut_walk(net, x, sigmas, x0, last):
    """Loss and gradient of a walk along slopes, which begins anew before its last steps."""
    import torch

    levels = sigmas.tolist()
    for place, (now, then) in enumerate(zip(levels, levels[1:], strict=False)):
        if place == len(levels) - 1 - last:
            x = x.detach()
        x = x + (then - now) * (x - net(x, torch.tensor(now, dtype=sigmas.dtype))) / now
    loss = ((x - x0) ** 2).sum() / x.numel()
    (slope,) = torch.autograd.grad(loss, net.weight)
    return loss.item(), slope


def product_walk(net, x, sigmas, x0, last):
    """The same for a network that multiplies by a: each step multiplies by a + r (1 - a)."""
    import math

    a, n, levels = net.weight.item(), len(sigmas) - 1, sigmas.tolist()
    ratios = [then / now for now, then in zip(levels, levels[1:], strict=False)]
    factors = [a + r * (1 - a) for r in ratios]
    turn = sum(
        (1 - ratios[k]) * math.prod(factors[:k] + factors[k + 1 :]) for k in range(n - last, n)
    )
    gap = math.prod(factors) * x - x0
    slope = 2 * (gap * x).mean() * turn
    return gap.square().mean().item(), slope.view(1, 1, 1)


def walk_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    double = torch.float64

    def falling(n, highest):
        """n falling levels in uneven steps, and 0."""
        steps = random.uniform(0.3, 0.8, n)
        return torch.tensor([*(highest * np.cumprod(steps) / steps[0]), 0.0], dtype=double)

    def drawn(*shape, dtype=double):
        return torch.from_numpy(random.exponential(1.0, shape) - 0.6).to(dtype)

    def case(shape, n, last, about, scale=None, dtype=double, highest=4.0, tolerance=1e-6):
        net, sigmas = network(random, shape[1], dtype, scale), falling(n, highest)
        x0 = 0.6 * drawn(*shape, dtype=dtype)
        x = x0 + highest * drawn(*shape, dtype=dtype)
        walked = (cut_walk if scale is None else product_walk)(net, x, sigmas, x0, last)
        return Case(
            (net, x, sigmas, x0, last), walked, about, tolerance, lambda given: given[0].weight
        )

    def watching(x, sigma):
        return 0.4 * x + (1.0 if torch.is_grad_enabled() else 0.25)

    def watched(x, sigmas, x0, last):
        ratios, end = (sigmas[1:] / sigmas[:-1]).tolist(), x
        for left, r in zip(range(len(ratios), 0, -1), ratios, strict=True):
            end = (0.4 + 0.6 * r) * end + (1 - r) * (1.0 if left <= last else 0.25)
        return ((end - x0) ** 2).mean().item()

    # The worked value, walks of several lengths, and last those of the lesson.
    def half(x, sigma):
        return torch.full_like(x, 0.5)

    state = drawn(2, 1, 3, 4)
    through = "The loss or its gradient is off: follow the state through all n steps"
    watch = drawn(2, 3, 4, 1), falling(4, 3.0), drawn(2, 3, 4, 1), 2
    small, lesson = {"dtype": torch.float32, "tolerance": 2e-4}, (16, 3, 32, 32)
    return [
        Case(
            (half, state, falling(3, 5.0), torch.zeros_like(state), 2),
            0.25,
            "The worked value: where denoise always answers 0.5, the walk ends there.",
        ),
        case((3, 2, 4, 5), 5, 2, f"{through}; the last two keep a gradient."),
        case((2, 3, 5, 4), 4, 4, f"{through}; here all of them keep a gradient."),
        case((3, 1, 2, 5), 4, 3, f"{through}; this network only multiplies by a number.", 0.4),
        case((4, 1, 3, 2), 3, 1, f"{through}; only the last keeps a gradient."),
        Case(
            (watching, *watch),
            watched(*watch),
            "Here denoise sees whether a gradient is recorded: not before the last two steps.",
        ),
        case((2, 2, 1, 3), 1, 1, "A walk of one step ends at the network's first answer."),
        case(lesson, 10, 3, f"{through}; here as the lesson calls it.", highest=80.0, **small),
        case(lesson, 4, 1, f"{through}; here as the lesson calls it.", highest=20.0, **small),
    ]


WALK_MISTAKES = (
    # The gradient goes through other steps.
    Mistake(
        "gradient through all steps",
        wrong(kept=lambda k, n, last: True),
        "Every step keeps its gradient; those before the last `last` run under torch.no_grad().",
    ),
    Mistake(
        "one step too many",
        wrong(kept=lambda k, n, last: k >= n - last - 1),
        "One step too many keeps its gradient: it begins at k = n - last.",
    ),
    Mistake(
        "one step too few",
        wrong(kept=lambda k, n, last: k > n - last),
        "One step too few keeps its gradient: it begins at k = n - last.",
    ),
    Mistake(
        "cut off afterwards",
        wrong(kept=lambda k, n, last: True, handed=lambda x, left: x if left else x.detach()),
        "The first steps keep a gradient, and its memory, until it is cut off; run them under "
        "torch.no_grad().",
    ),
    Mistake(
        "gradient of one step",
        wrong(handed=lambda x, left: x.detach()),
        "The state is cut off before every step, so only the last one has a gradient.",
    ),
    Mistake(
        "estimate kept, state cut off",
        wrong(step=lambda x, D, now, then: D + then / now * (x - D).detach()),
        "x - D is cut off; the gradient goes through it too.",
    ),
    # The step is another one.
    Mistake(
        "all the way at once",
        wrong(step=lambda x, D, now, then: D),
        "Each step goes all the way to D; the part (sigma_next / sigma) (x - D) stays.",
    ),
    Mistake(
        "state and estimate swapped",
        wrong(step=lambda x, D, now, then: x + then / now * (D - x)),
        "x and D are swapped: at the level 0 nothing of x - D may be left.",
    ),
    Mistake(
        "sign",
        wrong(step=lambda x, D, now, then: D - then / now * (x - D)),
        "The rest is subtracted: the step is D plus (sigma_next / sigma) (x - D).",
    ),
    Mistake(
        "difference turned round",
        wrong(step=lambda x, D, now, then: x + (now - then) * (x - D) / now),
        "The step leads away from D: the levels fall, so it is sigma_next - sigma.",
    ),
    Mistake(
        "slope not divided",
        wrong(step=lambda x, D, now, then: x + (then - now) * (x - D)),
        "x - D is not divided by sigma; the slope is (x - D) / sigma.",
    ),
    Mistake(
        "not divided",
        wrong(step=lambda x, D, now, then: D + then * (x - D)),
        "x - D is multiplied by sigma_next alone; it shrinks by sigma_next / sigma.",
    ),
    Mistake(
        "ratio of the squares",
        wrong(step=lambda x, D, now, then: D + (then / now) ** 2 * (x - D)),
        "x - D shrinks by the ratio of the variances; it shrinks by sigma_next / sigma.",
    ),
    Mistake("Heun", heun, "That is Heun's step with two slopes; Euler's asks the network once."),
    # The network is shown or told something else, or its answer is changed.
    Mistake(
        "next level told",
        wrong(told=lambda sigmas, k: sigmas[k + 1]),
        "The network is told the level where the step ends; tell it sigmas[k], where x is.",
    ),
    Mistake(
        "first level told",
        wrong(told=lambda sigmas, k: sigmas[0]),
        "The network is told sigmas[0] in every step; tell it the level where x is.",
    ),
    Mistake(
        "state scaled",
        wrong(shown=lambda x, now: x / (1 + now**2) ** 0.5),
        "The state is scaled before denoise sees it; denoise does that itself.",
    ),
    Mistake(
        "start scaled",
        wrong(began=lambda x, sigmas: x * sigmas[0]),
        "x is multiplied by sigmas[0] at first; it is the state at that level already.",
    ),
    Mistake(
        "estimates clamped",
        wrong(estimate=lambda D: D.clamp(-1, 1)),
        "The network's answers are clamped to [-1, 1]; take them as they are.",
    ),
    Mistake(
        "end clamped",
        wrong(measure=lambda x, x0, start: (x.clamp(-1, 1) - x0).square().mean()),
        "The end is clamped to [-1, 1], and has no gradient there; compare it as it is.",
    ),
    Mistake(
        "last step forgotten",
        wrong(steps=lambda n: n - 1),
        "The walk ends one step early; its last step leads to the level 0.",
    ),
    # The loss is another one.
    Mistake(
        "sum",
        wrong(measure=lambda x, x0, start: (x - x0).square().sum()),
        "The squares are summed; take their mean.",
    ),
    Mistake(
        "root",
        wrong(measure=lambda x, x0, start: (x - x0).square().mean().sqrt()),
        "A root is taken of the mean squared difference; return it as it is.",
    ),
    Mistake(
        "absolute",
        wrong(measure=lambda x, x0, start: (x - x0).abs().mean()),
        "That is the mean absolute difference; square it.",
    ),
    Mistake(
        "one an image",
        wrong(measure=lambda x, x0, start: (x - x0).square().mean((1, 2, 3))),
        "That is one number for each image; return their mean, a tensor ().",
    ),
    Mistake(
        "against the start",
        wrong(measure=lambda x, x0, start: (x - start).square().mean()),
        "The end is compared with the state where the walk began; compare it with x0.",
    ),
)
WALK_LOSS = Exercise(
    "5.5", "a loss at the end of the walk", 3, 15, walk_loss, walk_cases, WALK_MISTAKES
)


EXERCISES = (WALK_LOSS,)
