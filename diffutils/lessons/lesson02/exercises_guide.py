"""Exercise 2.6: guidance.  Expected results come from a network whose answers are known."""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import skewed


def guide(D, x, sigma, labels, w, null):
    """Classifier-free guidance (equation 7); `null` is the label that means "any"."""
    without = D(x, sigma, labels.new_full(labels.shape, null))
    return without + w * (D(x, sigma, labels) - without)


def wrong(
    mix=lambda c, u, w: u + w * (c - u),
    asked=lambda labels, null: labels,
    hidden=lambda labels, null: labels * 0 + null,
    level=lambda sigma: sigma,
    state=lambda x: x,
    each=lambda estimate: estimate,
    after=lambda x: x,
):
    """`guide`, of which a mistake replaces one part; mix: of c with the label and u without."""

    def function(D, x, sigma, labels, w, null):
        x, sigma = state(x), level(sigma)
        c, u = D(x, sigma, asked(labels, null)), D(x, sigma, hidden(labels, null))
        return after(mix(each(c), each(u), w))

    return function


def toy(share, spread):
    """A network D: class k answers share[k] + spread[k] tanh(x), less at high noise."""
    import torch

    whole = torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64

    def D(x, sigma, labels):
        good = isinstance(labels, torch.Tensor) and labels.dtype in whole
        if not good or labels.shape != x.shape[:1]:
            raise TypeError(
                "D needs labels as a tensor (B,) of whole numbers: to hide them, one that holds "
                "`null` everywhere"
            )
        if labels.min() < 0 or labels.max() >= len(share):
            raise ValueError(f"D knows the labels 0 to {len(share) - 1}; the last means any")
        level = torch.as_tensor(sigma)
        if level.shape not in ((), x.shape[:1]):
            raise ValueError("D needs sigma as one number, or one for each image")
        level = level.to(x).expand(len(x)).view(-1, 1, 1, 1)
        k = labels.long()
        mean, slope = share.to(x)[k].view(-1, 1, 1, 1), spread.to(x)[k].view(-1, 1, 1, 1)
        return (mean + slope * x.tanh()) / (1 + level**2) ** 0.5

    return D


def guide_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(shape, labels, sigma, w, about, dtype=torch.float64):
        share = torch.from_numpy(random.permutation(0.3 + 0.5 * np.arange(7)) * 0.3 - 0.2)
        spread = 0.4 + 0.8 * torch.from_numpy(random.random(7))
        x, labels = skewed(random, *shape).to(dtype), torch.tensor(labels)
        k, null = labels.view(-1, 1, 1, 1), len(share) - 1
        mean = w * share[k] + (1 - w) * share[null]  # D is a line in share and spread
        slope = w * spread[k] + (1 - w) * spread[null]
        right = (mean + slope * x.double().tanh()) / (1 + sigma**2) ** 0.5
        level = torch.tensor(sigma, dtype=torch.float64)
        given = toy(share, spread), x, level, labels, w, null
        return Case(given, right.to(dtype), about, tolerance=1e-5)

    # Class k answers k tenths, the label 5 that means any 0.5: the worked value.
    tenths = toy(torch.arange(6.0) / 10, torch.zeros(6))
    x, level = skewed(random, 2, 1, 2, 3), torch.zeros((), dtype=torch.float64)
    worked = torch.tensor([-0.7, -0.4]).double().view(2, 1, 1, 1).expand_as(x).clone()
    return [
        case((4, 2, 3, 5), [2, 0, 4, 2], 0.7, 3.0,
             "Four images of different classes: compare with (7) for each of them."),
        Case((tenths, x, level, torch.tensor([1, 2]), 3.0, 5), worked,
             "The worked value: the network says 0.1 for class 1 and 0.5 without a label; w = 3 "
             "gives -0.7.", tolerance=1e-5),
        case((3, 1, 4, 2), [1, 5, 0], 2.5, 10.0,
             "At w = 10 the answer runs far beyond [-1, 1]; (7) lets it."),
        case((5, 3, 1, 2), [3, 1, 1, 0, 2], 0.1, 1.0, "w = 1 is the plain conditional network."),
        case((2, 3, 4, 1), [0, 4], 30.0, 0.0, "w = 0 ignores the label."),
        case((3, 2, 2, 1), [4, 0, 1], 0.0, 0.5, "w may lie between 0 and 1."),
        case((10, 3, 16, 12), [i % 5 for i in range(10)], 1.3, 3.0,
             "Compare with (7); here ten images in single precision, as in the lesson.",
             torch.float32),
    ]  # fmt: skip


GUIDE = Exercise(
    "2.6", "guidance", 2, 10, guide, guide_cases,
    (
        # The two answers are mixed in another way: c with the label, u without.
        Mistake("w of the paper", wrong(lambda c, u, w: (1 + w) * c - w * u),
                "That is the w of Ho & Salimans, who count from the conditional model; ours is "
                "theirs plus 1."),
        Mistake("w minus 1", wrong(lambda c, u, w: u + (w - 1) * (c - u)),
                "The difference is multiplied by w - 1; in (7), which begins at D(x), it is w."),
        Mistake("swapped", wrong(lambda c, u, w: c + w * (u - c)),
                "With and without label are swapped: a large w pushes away from the class."),
        Mistake("pushed away", wrong(lambda c, u, w: u + w * (u - c)),
                "The difference has the wrong sign: it is with label minus without."),
        Mistake("sum for difference", wrong(lambda c, u, w: u + w * (c + u)),
                "In the brackets the two answers are added up; (7) takes their difference."),
        Mistake("difference forgotten", wrong(lambda c, u, w: u + w * c),
                "w multiplies the whole conditional answer; it belongs to the difference."),
        Mistake("brackets forgotten", wrong(lambda c, u, w: w * c),
                "That is w times the answer with label: the brackets around the difference are "
                "missing, or the answer without label is."),
        Mistake("w times without", wrong(lambda c, u, w: w * u),
                "That is w times the answer without label; w multiplies the difference."),
        Mistake("w on the other", wrong(lambda c, u, w: c + w * u),
                "The answer without label is multiplied by w and added; (7) has w times the "
                "difference."),
        Mistake("w added", wrong(lambda c, u, w: (u + w) * (c - u)),
                "w is added before the brackets are multiplied: write `without + w * (...)`."),
        Mistake("difference only", wrong(lambda c, u, w: w * (c - u)),
                "That is the push alone; add it to the answer without a label."),
        Mistake("subtracted", wrong(lambda c, u, w: c - w * u),
                "w times the answer without label is subtracted; (7) has w times the difference, "
                "added to the answer without label."),
        Mistake("w as a term", wrong(lambda c, u, w: u + w + (c - u)),
                "w is added; it multiplies the difference."),
        Mistake("product", wrong(lambda c, u, w: u * w * (c - u)),
                "The answer without label is multiplied; it is added to w times the difference."),
        Mistake("noise returned", lambda D, x, sigma, *a: x - guide(D, x, sigma, *a),
                "x minus the estimate is returned; (7) is the estimate itself."),
        Mistake("divided by w", wrong(lambda c, u, w: u + (c - u) / (w or 1) * (w != 0)),
                "The difference is divided by w; multiply it."),
        Mistake("w at least 1", wrong(lambda c, u, w: u + max(w, 1) * (c - u)),
                "w is raised to 1 where it is smaller; w = 0 ignores the label."),
        Mistake("divided by 1 + w", wrong(lambda c, u, w: (u + w * (c - u)) / (1 + w)),
                "The result is divided by 1 + w; (7) divides by nothing."),
        Mistake("push clamped", wrong(lambda c, u, w: u + (w * (c - u)).clamp(-1, 1)),
                "The push is clamped to [-1, 1]; return (7) as it is, the sampler clips it."),
        Mistake("plain difference", wrong(lambda c, u, w: c - u),
                "That is the difference alone; multiply it by w, and add the answer without "
                "label."),
        Mistake("plain sum", wrong(lambda c, u, w: c + u),
                "The two answers are added up; (7) takes w times their difference."),
        Mistake("plain mean", wrong(lambda c, u, w: (c + u) / 2),
                "That is the mean of the two answers; w must make a difference."),
        Mistake("difference squared", wrong(lambda c, u, w: u + w * (c - u) ** 2),
                "The difference is squared; (7) takes it as it is."),
        Mistake("size of the difference", wrong(lambda c, u, w: u + w * (c - u).abs()),
                "The difference lost its sign; (7) takes it as it is."),
        Mistake("w squared", wrong(lambda c, u, w: u + w**2 * (c - u)),
                "The difference is multiplied by w^2; (7) has w."),
        Mistake("root of w", wrong(lambda c, u, w: u + w**0.5 * (c - u)),
                "The difference is multiplied by the root of w; (7) has w."),
        Mistake("w limited", wrong(lambda c, u, w: u + min(w, 1) * (c - u)),
                "w is limited to 1; larger ones exaggerate, and that is the point."),
        Mistake("w never used", wrong(lambda c, u, w: c),
                "That is the conditional network alone; w must make a difference, and one of the "
                "two answers is without a label."),
        Mistake("label never used", wrong(lambda c, u, w: u),
                "The label is never used, as in the published sprites notebook."),
        Mistake("begins at x", lambda D, x, *a: x + wrong(lambda c, u, w: w * (c - u))(D, x, *a),
                "The push is added to the noisy x; add it to the answer without a label."),
        # The label is hidden in another way.
        Mistake("class 0 as any", wrong(hidden=lambda labels, null: labels * 0),
                "Label 0 is a class of its own; the label that means \"any\" is `null`."),
        Mistake("class 1 as any", wrong(hidden=lambda labels, null: labels * 0 + 1),
                "Label 1 is a class of its own; the label that means \"any\" is `null`."),
        Mistake("last class as any", wrong(hidden=lambda labels, null: labels * 0 + null - 1),
                "null - 1 is a class of its own; the label that means \"any\" is `null`."),
        Mistake("another class for any", wrong(hidden=lambda labels, null: labels.flip(0)),
                "Without a label means `null` for every image, not the label of another."),
        Mistake("one label for all", wrong(asked=lambda labels, null: labels[:1].expand_as(labels)),
                "Every image gets the label of the first; hand over `labels` as they are."),
        # D is asked elsewhere, or its answers are changed.
        Mistake("clamped", wrong(after=lambda x: x.clamp(-1, 1)),
                "The result is clamped to [-1, 1]; return (7) as it is, the sampler clips it."),
        Mistake("answers clamped", wrong(each=lambda estimate: estimate.clamp(-1, 1)),
                "The two answers are clamped to [-1, 1] before they are mixed; take them as they "
                "are."),
        Mistake("both clamped", wrong(each=lambda estimate: estimate.clamp(-1, 1),
                                      after=lambda x: x.clamp(-1, 1)),
                "The two answers and the result are clamped to [-1, 1]; return (7) as it is."),
        Mistake("sigma forgotten", wrong(level=lambda sigma: sigma * 0),
                "D is told sigma = 0; both calls must get the sigma that was handed in."),
        Mistake("sigma 1", wrong(level=lambda sigma: sigma * 0 + 1),
                "D is told sigma = 1; both calls must get the sigma that was handed in."),
        Mistake("sigma squared", wrong(level=lambda sigma: sigma**2),
                "D is told sigma^2; both calls must get the sigma that was handed in."),
        Mistake("x scaled", lambda D, x, sigma, *a: guide(
                    D, x / (1 + sigma**2) ** 0.5, sigma, *a),
                "x is divided by sqrt(1 + sigma^2) first; D does that itself: hand it x."),
        Mistake("x clamped", wrong(state=lambda x: x.clamp(-1, 1)),
                "x is clamped before D sees it; a noisy image must have tails."),
    ),
)  # fmt: skip


EXERCISES = (GUIDE,)
