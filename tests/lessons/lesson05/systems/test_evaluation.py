"""Numbers of a colouring: perfect for the truth, and the protocol that rewards the wrong thing."""

import pytest
import torch

from diffutils.data import load
from diffutils.lessons.lesson05.inputs import triples as T
from diffutils.lessons.lesson05.systems import evaluation as E
from diffutils.metrics import distances


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
    assert rivals["copy"]["lines"] > 2 * rivals["ignore"]["lines"]
    assert rivals["ignore"]["lines"] > 0.02  # dark ink follows dark colours
    assert table["truth"]["lines"] == 0
    assert min(row["delta_e"] for row in rivals.values()) > 15  # to copy is to miss, too


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


def test_a_kernel_distance_of_pairs_counts_no_pair():
    """Without the pairs (i, i): 0 for equal sets, and as `mmd` for sets that have none."""
    generator = torch.Generator().manual_seed(0)
    a, b, c = torch.randn(3, 400, 12, generator=generator, dtype=torch.float64)
    assert abs(E.kernel(a, a)) < 1e-9 and distances.mmd(a, a) < -0.001
    assert E.kernel(a, b + 0.5) == pytest.approx(distances.mmd(a, b + 0.5), abs=0.01)
    near = [E.kernel(x, x + 0.05 * c) for x in (a, b)]  # of pairs, and the same shuffled
    apart = [E.kernel(x, (x + 0.05 * c)[torch.randperm(400, generator=generator)]) for x in (a, b)]
    assert max(map(abs, near)) < 0.02 and max(map(abs, apart)) < 0.1
