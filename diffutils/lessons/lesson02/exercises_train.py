"""Exercises 2.4 to 2.6: the linear yardstick, averaged weights, and guidance.

Expected results are numbers worked by hand, or follow from data whose covariance is known.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 2.4 the linear yardstick


def best_linear(x, sigmas):
    """Loss of the best linear denoiser for images x (N, D) at every sigma (S,)."""
    return losses_with(x, sigmas)


def losses_with(
    x,
    sigmas,
    *,
    centre=True,
    full=True,
    by_N=False,
    power=2,
    keep=lambda e: e,
    share=lambda e, s2: e / (e + s2),
    reduce=lambda p: p.mean(),
):
    """`best_linear`, of which a mistake may replace one part."""
    import torch

    x = x - x.mean(0) if centre else x
    covariance = x.T @ x / max(1, len(x) - (0 if by_N else 1))
    eigenvalues = torch.linalg.eigvalsh(covariance) if full else covariance.diagonal()
    eigenvalues = keep(eigenvalues.clamp(min=0))
    return torch.stack([reduce(share(eigenvalues, s**power)) for s in sigmas])


def losses_cases(seed) -> list[Case]:
    import torch

    def images(*points):
        return torch.tensor(points, dtype=torch.float64)

    # Variances 6 and 2/3 along two axes: as they are, and turned by 45 degrees about (5, -2).
    straight = images((3, 0), (-3, 0), (0, 1), (0, -1))
    turn = images((1, 1), (-1, 1)) / 2**0.5
    sigmas = torch.tensor([1.0, 2.0], dtype=torch.float64)
    known = images((6 / 7 + (2 / 3) / (2 / 3 + 1)) / 2, (6 / 10 + (2 / 3) / (2 / 3 + 4)) / 2)
    return [
        Case((straight, sigmas), known,
             "The worked value: variances 6 and 2/3, at sigma = 1 the mean of 6/7 and 0.4."),
        Case((straight @ turn + images(5, -2), sigmas), known,
             "Turning and moving the cloud of images changes nothing: subtract the mean, and use "
             "the eigenvalues of the whole covariance."),
        Case((images((1, 1), (-1, -1), (2, 2)), sigmas[:1]), images((7 / 3 * 2) / (14 / 3 + 1) / 2),
             "Images that lie on a line: one variance is 0 and costs nothing."),
    ]  # fmt: skip


LINEAR = Exercise(
    "2.4", "the linear yardstick", 2, 10, best_linear, losses_cases,
    (
        Mistake("mean kept", lambda x, sigmas: losses_with(x, sigmas, centre=False),
                "The mean image was not subtracted; a covariance is measured about the mean."),
        Mistake("pixels alone", lambda x, sigmas: losses_with(x, sigmas, full=False),
                "Those are the variances of single pixels; neighbours vary together, so take the "
                "eigenvalues of the covariance."),
        Mistake("sigma not squared", lambda x, sigmas: losses_with(x, sigmas, power=1),
                "A variance is added to sigma; it needs sigma^2."),
        Mistake("loss of the image", lambda x, sigmas: losses_with(
                    x, sigmas, share=lambda e, s2: s2 / (e + s2)),
                "sigma^2 / (lambda + sigma^2) is the share of the image that is lost; of the noise "
                "lambda / (lambda + sigma^2) is missed."),
        Mistake("sum", lambda x, sigmas: losses_with(x, sigmas, reduce=lambda p: p.sum()),
                "The axes are added up; the loss is a mean over pixels."),
        Mistake("divided by N", lambda x, sigmas: losses_with(x, sigmas, by_N=True),
                "The covariance is divided by N; with the mean taken from the same images it is "
                "N - 1, as in torch.cov."),
        Mistake("std for variance", lambda x, sigmas: losses_with(
                    x, sigmas, keep=lambda e: e**0.5),
                "The roots of the eigenvalues are standard deviations; lambda is a variance."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 2.5 averaged weights


def average(averaged, weights, k, decay):
    """The running average after update k = 0, 1, ..., with warm-up of the decay."""
    d = min(decay, (1 + k) / (10 + k))
    return d * averaged + (1 - d) * weights


def average_cases(seed) -> list[Case]:
    import torch

    old, new = torch.tensor([1.0, 2.0]).double(), torch.tensor([0.0, 4.0]).double()
    return [
        Case((old, new, 0, 0.999), torch.tensor([0.1, 3.8]).double(),
             "The worked value: at k = 0, d is 0.1, so 1 and 0 give 0.1."),
        Case((old, new, 90, 0.999), torch.tensor([0.91, 2.18]).double(),
             "At k = 90, d is 91/100: still on the way up."),
        Case((old, new, 10**6, 0.9), torch.tensor([0.9, 2.2]).double(),
             "After many steps d is the decay itself and no more."),
    ]  # fmt: skip


AVERAGE = Exercise(
    "2.5", "averaged weights", 1, 5, average, average_cases,
    (
        Mistake("swapped", lambda averaged, weights, k, decay: average(
                    weights, averaged, k, decay),
                "d and 1 - d are swapped: d = 1 - 1/m goes to the old average, 1/m to the new "
                "weights."),
        Mistake("no warm-up", lambda averaged, weights, k, decay: (
                    decay * averaged + (1 - decay) * weights),
                "d is the decay at every k. Is the warm-up missing, or are its brackets? "
                "1 + k/(10 + k) is never below 1; (1 + k)/(10 + k) starts at 1/10."),
        Mistake("brackets below", lambda averaged, weights, k, decay: (
                    (d := min(decay, (1 + k) / 10 + k)) * averaged + (1 - d) * weights),
                "(1 + k) / 10 + k divides by 10 alone: write (1 + k) / (10 + k)."),
        Mistake("max for min", lambda averaged, weights, k, decay: (
                    (d := max(decay, (1 + k) / (10 + k))) * averaged + (1 - d) * weights),
                "The longer memory of the two is taken: d starts small and never exceeds the "
                "decay."),
        Mistake("no limit", lambda averaged, weights, k, decay: (
                    (d := (1 + k) / (10 + k)) * averaged + (1 - d) * weights),
                "d goes on growing to 1, and the average stops learning: limit it by the decay."),
        Mistake("counted from 1", lambda averaged, weights, k, decay: average(
                    averaged, weights, k + 1, decay),
                "k counts from 0: the first d is 1/10."),
        Mistake("product", lambda averaged, weights, k, decay: (
                    (d := decay * (1 + k) / (10 + k)) * averaged + (1 - d) * weights),
                "The decay is multiplied by the warm-up; the smaller of the two is asked for."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 2.6 guidance


def guide(D, x, sigma, labels, w, null):
    """Classifier-free guidance (equation 7); `null` is the label that means "any"."""
    without = D(x, sigma, labels.new_full(labels.shape, null))
    return without + w * (D(x, sigma, labels) - without)


def guide_cases(seed) -> list[Case]:
    import torch

    labels, x = torch.tensor([1, 2]), torch.ones(2, 1, 2, 2, dtype=torch.float64)
    tenth = torch.tensor([[[[0.1]]], [[[0.2]]]], dtype=torch.float64)

    def D(x, sigma, labels):  # class k answers k tenths of x, less at high noise
        if not isinstance(labels, torch.Tensor) or labels.shape != x.shape[:1]:
            raise TypeError(
                "D needs labels as a tensor (B,): to hide them, one that holds `null` everywhere"
            )
        return labels.view(-1, 1, 1, 1) / 10 * x / (1 + sigma)

    def case(w, expected, about):
        return Case((D, x, 0.0, labels, w, 5), expected.expand_as(x).clone(), about)

    return [
        case(3.0, 0.5 + 3 * (tenth - 0.5),
             "The worked value: the network says 0.1 for class 1 and 0.5 without a label; w = 3 "
             "gives -0.7."),
        case(10.0, 0.5 + 10 * (tenth - 0.5),
             "At w = 10 the answer runs far beyond [-1, 1]; (7) lets it."),
        case(1.0, tenth, "w = 1 is the plain conditional network."),
        case(0.0, torch.full_like(tenth, 0.5), "w = 0 ignores the label."),
        Case((D, x, 1.0, labels, 2.0, 5), ((2 * tenth - 0.5) / 2).expand_as(x).clone(),
             "Both calls must get the sigma that was handed in."),
    ]  # fmt: skip


def both(D, x, sigma, labels, null):
    """The two answers that guidance mixes: with the label and without."""
    return D(x, sigma, labels), D(x, sigma, labels * 0 + null)


def guided(D, x, sigma, labels, w, null, *, mix):
    """`guide` with another mixture."""
    return mix(*both(D, x, sigma, labels, null), w)


GUIDE = Exercise(
    "2.6", "guidance", 2, 10, guide, guide_cases,
    (
        Mistake("w of the paper", lambda *a: guided(*a, mix=lambda c, u, w: (1 + w) * c - w * u),
                "That is the w of Ho & Salimans, who count from the conditional model; ours is "
                "theirs plus 1."),
        Mistake("swapped", lambda *a: guided(*a, mix=lambda c, u, w: c + w * (u - c)),
                "With and without label are swapped: a large w pushes away from the class."),
        Mistake("difference forgotten", lambda *a: guided(*a, mix=lambda c, u, w: u + w * c),
                "w multiplies the whole conditional answer; it belongs to the difference."),
        Mistake("difference only", lambda *a: guided(*a, mix=lambda c, u, w: w * (c - u)),
                "That is the push alone; add it to the answer without a label."),
        Mistake("clamped", lambda *a: guide(*a).clamp(-1, 1),
                "The result is clamped to [-1, 1]; return (7) as it is, the sampler clips it."),
        Mistake("class 0 as any", lambda D, x, sigma, labels, w, null: guide(
                    D, x, sigma, labels, w, 0),
                "Label 0 is a class of its own; the label that means \"any\" is `null`."),
        Mistake("label never used", lambda D, x, sigma, labels, w, null: both(
                    D, x, sigma, labels, null)[1],
                "The label is never used, as in the published sprites notebook."),
        Mistake("w never used", lambda D, x, sigma, labels, w, null: D(x, sigma, labels),
                "That is the conditional network alone; w must make a difference."),
    ),
)  # fmt: skip


EXERCISES = (LINEAR, AVERAGE, GUIDE)
