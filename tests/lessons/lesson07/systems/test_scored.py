"""The published table, and its three numbers made by any network with classes."""

import pytest
import torch

from diffutils import lessons
from diffutils.lessons.lesson07.systems import configs, scored
from diffutils.metrics import distances
from diffutils.metrics.spaces import Space


def test_every_published_row_can_be_asked_for():
    for name in scored.PUBLISHED:
        assert configs.config(name)["parts"]
    assert lessons.budget("07", "published").trial_arms == tuple(scored.PUBLISHED)
    assert len(scored.PUBLISHED) == 13 and set(scored.PUBLISHED["A"]) == set(scored.SETS)


@pytest.fixture
def space():
    """Eight features of an image, and probabilities of four classes."""
    mix = torch.randn(3 * 4 * 4, 8, generator=torch.Generator().manual_seed(0)).double()

    def features(images):
        return images.double().flatten(1) @ mix / 1000

    return Space("mixed pixels", features, probabilities=lambda x: x[:, :4].softmax(1))


def images(n, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 4, 4), generator=generator, dtype=torch.uint8)


def test_scores_are_those_of_all_images_at_once(space):
    """Batches of 7 give what the whole sets give, by the functions of `metrics`."""
    fake, real = images(60, 0), images(90, 1)
    found = scored.scores(fake, scored.side(real, space, print, 7), space, print, 7)
    a, b = space.features(fake), space.features(real)
    assert found["FID"] == pytest.approx(distances.frechet(a, b), rel=1e-9)
    assert found["KID"] == pytest.approx(100 * distances.mmd(a, b), rel=1e-9)
    p = a[:, :4].softmax(1)
    marginal = (p * (p / p.mean(0)).log()).sum(1).mean().exp()
    assert found["IS"] == pytest.approx(float(marginal), rel=0.15)  # of ten parts, not of one


def test_what_the_images_are_too_few_for_is_nan(space):
    found = scored.scores(images(8, 0), scored.side(images(90, 1), space, print), space, print)
    assert found["FID"] != found["FID"] and found["KID"] == found["KID"]


def test_without_inception_there_is_nothing_to_call_fid(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFUTILS_DATA", str(tmp_path))
    assert scored.inception() is None
