"""How good restored images are: beside the truth, and beside other true images."""

import torch
from torch import Tensor

from diffutils.course.experiments.measure import lpips
from diffutils.data import to_float
from diffutils.metrics import distances, similarity, spaces

PEAK = 4.0  # squared: of images in [-1, 1]


def of_images(images: Tensor, x0: Tensor, dataset: str, others: Tensor | None = None) -> dict:
    """Means over images, uint8 (N, C, H, W): against the truth x0, and against other true images.

    each: the squared error of every image.  tuned_by: what strengths are chosen by, the less the
    better: LPIPS, or 1 - SSIM where its weights are not at hand.
    """
    error = (to_float(images) - to_float(x0)).double().square().flatten(1).mean(1)
    found = {"mse": float(error.mean()), "each": error.tolist()}
    found["dB"] = float((10 * torch.log10(PEAK / error.clamp(min=1e-12))).mean())
    found["ssim"] = float(similarity.ssim(images, x0).mean())
    found["tuned_by"] = 1 - found["ssim"]
    if lpips():
        with torch.no_grad():
            pairs = zip(images.split(64), x0.split(64), strict=True)
            found["lpips"] = float(torch.cat([lpips()(*pair).cpu() for pair in pairs]).mean())
        found["tuned_by"] = found["lpips"]
    if others is not None:
        space = spaces.of(dataset, images.shape[1])
        features, real = space.features(images), space.features(others)
        found["kernel"] = distances.mmd(features, real)
        found["kernel_floor"] = distances.mmd(space.features(x0), real)
        found["features"] = space.words
    return found


def of_answers(answers: Tensor, x0: Tensor) -> dict:
    """K answers (K, N, C, H, W) to each of N measurements, against the truth x0, all in [-1, 1].

    Lists over images.  covered: the share of numbers between the 5 % and the 95 % quantile of their
    answers; each: the squared error of single answers, each_of_mean: of the mean of K.  For a
    perfect sampler their ratio is 2 / (1 + 1/K): truth and answers scatter alike about one mean.
    """
    ends = torch.tensor([0.05, 0.95])
    # Image by image: torch.quantile takes 16 million numbers at most.
    sets = torch.stack([torch.quantile(own, ends, dim=0) for own in answers.unbind(1)], 1)
    inside = ((sets[0] <= x0) & (x0 <= sets[1])).float()
    single = (answers - x0).double().square().mean(0)
    mean = (answers.mean(0) - x0).double().square()
    each = {"covered": inside, "each": single, "each_of_mean": mean, "std": answers.std(0)}
    return {name: x.flatten(1).mean(1).tolist() for name, x in each.items()}
