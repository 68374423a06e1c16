"""Exercise 2.4: the linear yardstick.

Expected results are numbers worked by hand, or come from singular values.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import linear, skewed


def best_linear(x, sigmas):
    """Loss of the best linear denoiser for images x (N, D) at every sigma (S,)."""
    import torch

    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / max(1, len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])


def centred(x):
    """Images about the mean image."""
    return x - x.mean(0)


def covariance(x):
    """Of images that are centred."""
    return x.T @ x / (len(x) - 1)


def spectrum(matrix):
    """Its eigenvalues, without negative ones that rounding may leave."""
    import torch

    return torch.linalg.eigvalsh(matrix).clamp(min=0)


def losses(
    centre=centred,
    of=covariance,
    values=spectrum,
    share=lambda e, s: e / (e + s**2),
    reduce=lambda shares: shares.mean(),
    levels=lambda sigmas: sigmas,
):
    """`best_linear`, of which a mistake replaces one part."""

    def function(x, sigmas):
        import torch

        eigenvalues = values(of(centre(x)))
        return torch.stack([reduce(share(eigenvalues, s)) for s in levels(sigmas)])

    return function


def singular(x):
    """Singular values of images."""
    import torch

    return torch.linalg.svdvals(x)


def losses_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def images(*points):
        return torch.tensor(points, dtype=torch.float64)

    def case(N, D, sigmas, about):
        x = skewed(random, N, D) @ skewed(random, D, D) / D**0.5 + skewed(random, D)
        values = np.linalg.svd(x.numpy() - x.numpy().mean(0), compute_uv=False)
        variances = np.pad(values**2 / (N - 1), (0, max(0, D - len(values))))
        squares = sigmas.numpy()[:, None] ** 2
        known = torch.from_numpy((variances / (variances + squares)).mean(1))
        return Case((x, sigmas), known, about, tolerance=1e-5)

    # Variances 6 and 2/3 along two axes: as they are, and turned by 45 degrees about (5, -2).
    straight = images((3, 0), (-3, 0), (0, 1), (0, -1))
    turn = images((1, 1), (-1, 1)) / 2**0.5
    sigmas, some = images(1.0, 2.0), images(0.4, 2.5, 0.9)
    known = images((6 / 7 + (2 / 3) / (2 / 3 + 1)) / 2, (6 / 10 + (2 / 3) / (2 / 3 + 4)) / 2)
    abar = (1 - linear()[::20]).cumprod(0)
    return [
        case(13, 4, some,
             "The mean image away, the covariance (D, D), its eigenvalues, the mean of "
             "lambda / (lambda + sigma^2) at each sigma."),
        Case((straight, sigmas), known,
             "The worked value: variances 6 and 2/3, at sigma = 1 the mean of 6/7 and 0.4."),
        Case((straight @ turn + images(5, -2), sigmas), known,
             "Turning and moving the cloud of images changes nothing: subtract the mean, and use "
             "the eigenvalues of the whole covariance."),
        Case((images((1, 1), (-1, -1), (2, 2)), sigmas[:1]), images((7 / 3 * 2) / (14 / 3 + 1) / 2),
             "Images that lie on a line: one variance is 0 and costs nothing."),
        case(4, 6, some[1:], "Fewer images than pixels: the mean is over all six eigenvalues."),
        case(2000, 192, ((1 - abar) / abar).sqrt(),
             "2000 images of 192 pixels and 50 levels, nearly as in the lesson: mean away, "
             "covariance, eigenvalues, then the mean of lambda / (lambda + sigma^2)."),
    ]  # fmt: skip


LINEAR = Exercise(
    "2.4", "the linear yardstick", 2, 10, best_linear, losses_cases,
    (
        # The covariance is another one.
        Mistake("mean kept", losses(centre=lambda x: x),
                "The mean image was not subtracted; a covariance is measured about the mean."),
        Mistake("one mean for all", losses(centre=lambda x: x - x.mean()),
                "One mean of all pixels was subtracted; each pixel has its own: x.mean(0)."),
        Mistake("mean of each image", losses(centre=lambda x: x - x.mean(1, keepdim=True)),
                "Each image's own brightness was subtracted; subtract the mean image, x.mean(0)."),
        Mistake("median subtracted", losses(centre=lambda x: x - x.median(0).values),
                "The median image was subtracted; a covariance is measured about the mean."),
        Mistake("standardised", losses(centre=lambda x: centred(x) / x.std(0)),
                "Every pixel is divided by its spread: those are correlations. Take the "
                "covariance."),
        Mistake("images for pixels", losses(of=lambda x: x @ x.T / (len(x) - 1)),
                "`x @ x.T` compares images (N, N); the covariance compares pixels: `x.T @ x`."),
        Mistake("cov of the rows", losses(centre=lambda x: x.T - x.T.mean(0),
                    of=lambda x: x.T @ x / (len(x) - 1)),
                "torch.cov wants pixels as rows; images are rows here, so it is torch.cov(x.T)."),
        Mistake("divided by N", losses(of=lambda x: x.T @ x / len(x)),
                "The covariance is divided by N; with the mean taken from the same images it is "
                "N - 1, as in torch.cov."),
        Mistake("divided by N + 1", losses(of=lambda x: x.T @ x / (len(x) + 1)),
                "The covariance is divided by N + 1; it is N - 1."),
        Mistake("divided by D", losses(of=lambda x: x.T @ x / x.shape[1]),
                "The covariance is divided by the number of pixels; divide by N - 1."),
        Mistake("divided by D - 1", losses(of=lambda x: x.T @ x / (x.shape[1] - 1)),
                "The covariance is divided by D - 1; the images are counted, N - 1."),
        Mistake("not divided", losses(of=lambda x: x.T @ x),
                "`x.T @ x` is not divided by N - 1: it grows with every image."),
        Mistake("brackets forgotten", losses(of=lambda x: x.T @ x / len(x) - 1),
                "`/ len(x) - 1` subtracts 1 from the whole; write `/ (len(x) - 1)`."),
        Mistake("mean kept, divided by N", losses(
                    centre=lambda x: x, of=lambda x: x.T @ x / len(x)),
                "The mean image was not subtracted, and the sum is divided by N, not N - 1."),
        Mistake("mean kept, not divided", losses(centre=lambda x: x, of=lambda x: x.T @ x),
                "`x.T @ x` alone is no covariance: subtract the mean image, divide by N - 1."),
        # The eigenvalues are others.
        Mistake("pixels alone", losses(values=lambda matrix: matrix.diagonal()),
                "Those are the variances of single pixels; neighbours vary together, so take the "
                "eigenvalues of the covariance."),
        Mistake("spreads of pixels", losses(values=lambda matrix: matrix.diagonal() ** 0.5),
                "Those are standard deviations of single pixels; take the eigenvalues of the "
                "covariance."),
        Mistake("pixels alone, by N", losses(of=lambda x: x.T @ x / len(x),
                                             values=lambda matrix: matrix.diagonal()),
                "Those are variances of single pixels, divided by N; take the eigenvalues of the "
                "covariance (N - 1)."),
        Mistake("pixels alone, sigma not squared", losses(
                    values=lambda matrix: matrix.diagonal(), share=lambda e, s: e / (e + s)),
                "Those are variances of single pixels, and sigma is not squared: take eigenvalues "
                "and sigma^2."),
        Mistake("one variance", losses(centre=lambda x: x - x.mean(), of=lambda x: x,
                                       values=lambda x: x.var()[None]),
                "That is one variance of all numbers; take the eigenvalues of the covariance."),
        Mistake("std for variance", losses(values=lambda matrix: spectrum(matrix) ** 0.5),
                "The roots of the eigenvalues are standard deviations; lambda is a variance."),
        Mistake("eigenvalues squared", losses(values=lambda matrix: spectrum(matrix) ** 2),
                "The eigenvalues are squared; those of a covariance are variances already."),
        Mistake("singular values of x", losses(of=lambda x: x, values=singular),
                "Those are singular values of x; their squares, divided by N - 1, are the "
                "eigenvalues."),
        Mistake("singular values not divided", losses(
                    of=lambda x: x, values=lambda x: singular(x) ** 2),
                "The squared singular values still have to be divided by N - 1, and where there "
                "are fewer than D, zeros belong to them."),
        Mistake("largest alone", losses(values=lambda matrix: spectrum(matrix)[-1:]),
                "Only the largest eigenvalue, or fraction, counts; take the mean over all."),
        Mistake("smallest alone", losses(values=lambda matrix: spectrum(matrix)[:1]),
                "Only the smallest eigenvalue counts; take the mean over all."),
        Mistake("zeros left out", losses(reduce=lambda shares: shares[shares > 1e-9].mean()),
                "Eigenvalues of 0 are left out; they cost nothing, but the mean counts them."),
        Mistake("summed too early", losses(values=lambda matrix: spectrum(matrix).sum()[None]),
                "The eigenvalues are added up first; average the fractions "
                "lambda / (lambda + sigma^2)."),
        Mistake("divided by D too", losses(values=lambda matrix: spectrum(matrix) / len(matrix)),
                "The eigenvalues are divided by D; only the mean of the fractions is."),
        Mistake("averaged too early", losses(values=lambda matrix: spectrum(matrix).mean()[None]),
                "The eigenvalues are averaged first, or their sums divided; average the fractions "
                "lambda / (lambda + sigma^2)."),
        Mistake("all entries", losses(values=lambda matrix: matrix.flatten().clamp(min=0)),
                "Those are the entries of the covariance; take its eigenvalues."),
        # The share that is missed is another one.
        Mistake("sigma not squared", losses(share=lambda e, s: e / (e + s)),
                "A variance is added to sigma; it needs sigma^2."),
        Mistake("sigma doubled", losses(share=lambda e, s: e / (e + 2 * s)),
                "2 sigma is added; it needs sigma^2, `s**2`."),
        Mistake("sigma doubled, squared", losses(share=lambda e, s: e / (e + 4 * s**2)),
                "(2 sigma)^2 is added; it needs sigma^2."),
        Mistake("sigma squared twice", losses(share=lambda e, s: e / (e + s**4)),
                "sigma is squared twice; it needs sigma^2."),
        Mistake("1 for lambda", losses(share=lambda e, s: e / (1 + s**2)),
                "lambda is divided by 1 + sigma^2; below stands lambda + sigma^2."),
        Mistake("root of sigma", losses(share=lambda e, s: e / (e + s**0.5)),
                "The root of sigma is added; it needs sigma^2."),
        Mistake("loss of the image", losses(share=lambda e, s: s**2 / (e + s**2)),
                "sigma^2 / (lambda + sigma^2) is the share of the image that is lost; of the noise "
                "lambda / (lambda + sigma^2) is missed."),
        Mistake("error of the image", losses(share=lambda e, s: e * s**2 / (e + s**2)),
                "lambda sigma^2 / (lambda + sigma^2) is the error of the image; that of the noise "
                "has no sigma^2 above."),
        Mistake("upside down", losses(share=lambda e, s: (e + s**2) / e.clamp(min=1e-300)),
                "The fraction is upside down: lambda / (lambda + sigma^2)."),
        Mistake("brackets below forgotten", losses(share=lambda e, s: e / e.clamp(min=1e-300)
                    + s**2),
                "`lambda / lambda + sigma^2` is 1 + sigma^2: write `/ (lambda + sigma**2)`."),
        Mistake("square of the sum", losses(share=lambda e, s: e / (e + s) ** 2),
                "The sum is squared below; only sigma is: lambda + sigma^2."),
        Mistake("minus", losses(share=lambda e, s: e / (e - s**2)),
                "sigma^2 is subtracted below; it is added."),
        Mistake("root of the share", losses(share=lambda e, s: (e / (e + s**2)) ** 0.5),
                "The roots of the fractions are averaged; the loss is a squared error, no root."),
        Mistake("square of the share", losses(share=lambda e, s: (e / (e + s**2)) ** 2),
                "The fractions are squared; lambda / (lambda + sigma^2) is a squared error "
                "already."),
        Mistake("spread against level", losses(share=lambda e, s: e**0.5 / (e**0.5 + s)),
                "Standard deviations stand on both sides; the fraction is of variances."),
        # The mean is another one.
        Mistake("sum", losses(reduce=lambda shares: shares.sum()),
                "The axes are added up; the loss is a mean over pixels."),
        Mistake("median", losses(reduce=lambda shares: shares.median()),
                "That is the median over the eigenvalues; take the mean."),
        Mistake("product", losses(reduce=lambda shares: shares.prod()),
                "The fractions are multiplied; take their mean."),
        Mistake("levels sorted", losses(levels=lambda sigmas: sigmas.sort().values),
                "The levels come back sorted; keep the order of `sigmas`."),
        Mistake("levels reversed", losses(levels=lambda sigmas: sigmas.flip(0)),
                "The levels come back in reverse; keep the order of `sigmas`."),
        Mistake("first level for all", losses(levels=lambda sigmas: sigmas[:1].expand_as(sigmas)),
                "Every level gets the loss of the first sigma."),
        Mistake("one number", lambda x, sigmas: best_linear(x, sigmas).mean(),
                "The losses are averaged over the levels; return one for each, (S,)."),
        Mistake("one loss an eigenvalue", losses(reduce=lambda shares: shares),
                "That is one value for each level and eigenvalue; average over the eigenvalues."),
    ),
)  # fmt: skip


EXERCISES = (LINEAR,)
