"""Numbers of a colouring: perfect for the truth, and the protocol that rewards the wrong thing."""

import pytest
import torch

from diffutils.data import load
from diffutils.lessons.lesson05.inputs import triples as T
from diffutils.lessons.lesson05.systems import evaluation as E


@pytest.fixture(scope="module")
def data():
    return load("faces", size=32, limit=200, heldout=60, seed=0)


@pytest.fixture(scope="module")
def cross(data):
    return T.cross(data)


@pytest.fixture(scope="module")
def table(data, cross):
    train = T.triples(data, ["warp"])["train"]
    answers = E.rivals(data, train, cross) | {"truth": cross.images}
    return E.table({name: E.scores(images, cross, "cross") for name, images in answers.items()})


def test_the_truth_is_perfect(table):
    truth = table["truth"]
    assert truth["mse"] == 0 and truth["ssim"] == pytest.approx(1) and truth["delta_e"] < 0.5


def test_each_rival_fails_where_it_must(table):
    rivals = {name: row for name, row in table.items() if name != "truth"}
    assert min(row["delta_e"] for row in rivals.values()) > 5
    assert rivals["copy"]["palette"] == 0  # its colours are right, and stand in wrong places
    assert rivals["copy"]["structure"] > 2 * rivals["ignore"]["structure"]
    assert rivals["ignore"]["structure"] < 1e-9  # the sketch was made of it
    assert rivals["ignore"]["delta_e"] > rivals["copy"]["delta_e"]


def test_scoring_against_the_old_colours_rewards_ignoring_the_reference(data, cross):
    """The published protocol: a cross-reference is compared with the face as it was."""
    published = T.Part(data.heldout, cross.sketches, cross.references)
    old, true = (
        E.scores(x, published, "cross")["mse"].mean() for x in (data.heldout, cross.images)
    )
    assert old == 0 < true


def test_numbers_are_means_of_images(data, cross):
    shifted = (cross.images.int() + 10).clamp(max=255).to(torch.uint8)
    row = E.table({"x": E.scores(shifted, cross, "cross")})["x"]
    error = ((shifted.double() - cross.images.double()) / 127.5).square().flatten(1).mean(1)
    assert row["mse"] == pytest.approx(error.mean().item(), rel=1e-5)
    assert row["dB"] == pytest.approx((10 * torch.log10(4 / error)).mean().item(), rel=1e-5)
    assert row["dB of the mean"] == pytest.approx(10 * (4 / error.mean()).log10().item(), rel=1e-5)


def test_the_nearest_sketch_is_found():
    sketches = torch.randint(0, 2, (9, 1, 8, 8), generator=torch.Generator().manual_seed(0)) * 255
    assert E.like(sketches[[4, 2]].byte(), sketches.byte()).tolist() == [4, 2]
