"""Triples: references show the colours of their image, and training sees what the recipe says."""

import numpy as np
import pytest
import torch

from diffutils.data import load, to_float
from diffutils.data.images import shuffled
from diffutils.lessons.lesson05.inputs import triples as T
from diffutils.metrics import colour


@pytest.fixture(scope="module")
def data():
    return shuffled(load("faces", size=32, limit=60, heldout=40, seed=2), 7)


@pytest.fixture(scope="module")
def parts(data):
    return T.triples(data, seed=3)


def test_the_numbers_belong_to_the_images_in_their_order(data):
    from diffutils.data.drawn import faces

    for part in ("train", "heldout"):
        assert torch.equal(faces.draw(*T.drawn_as(data, part)[:2], 32), getattr(data, part))


def test_every_kind_stands_beside_its_image(data, parts):
    for part in ("train", "heldout"):
        found = parts[part]
        assert torch.equal(found.images, getattr(data, part))
        n = len(found.images)
        assert found.sketches.shape == (n, 1, 32, 32)
        assert set(found.sketches.unique().tolist()) <= {0, 255}
        assert 0.02 < (found.sketches == 0).double().mean() < 0.5
        assert list(found.references) == ["warp", "published", "same", "turn", "other"]
        assert found.cond("turn", "warp").shape == (n, 7, 32, 32)


@pytest.mark.parametrize("kind", T.KINDS)
def test_a_reference_has_the_colours_and_is_not_the_image(parts, kind):
    found = parts["heldout"]
    reference = found.references[kind]
    own = colour.palette_distance(found.images, reference)
    strangers = colour.palette_distance(found.images, reference.roll(1, 0))
    assert own.mean() < 0.7 * strangers.mean()
    differs = (to_float(reference) - to_float(found.images)).abs().flatten(1).mean(1)
    assert (differs == 0).all() if kind == "same" else differs.min() > 0.005


def test_what_a_cross_reference_asks_for(data):
    cross = T.cross(data, seed=3)
    assert torch.equal(cross.references["cross"][1:], data.heldout[:-1])
    true = colour.region_delta_e(cross.images, cross.regions, cross.colours)
    copied = colour.region_delta_e(cross.references["cross"], cross.regions, cross.colours)
    ignored = colour.region_delta_e(data.heldout, cross.regions, cross.colours)
    assert true.nan_to_num(0).max() < 1.5
    assert copied.nanmean() > 5 and ignored.nanmean() > 15
    same = T.triples(data, ["warp"], seed=3)["heldout"].sketches
    assert torch.equal(cross.sketches, same)  # of the face in its own colours


def test_the_recipe_changes_image_and_reference_alike_and_hides_apart(parts):
    found, n = parts["train"], 32
    cond = to_float(found.cond("turn", "other")[:n])
    x0, slots = to_float(found.images[:n]), torch.arange(n)
    new, seen = T.recipe(("turn", "other"), seed=1)(x0, cond, 5, slots)
    assert new.shape == (n, 3, 32, 32) and seen.shape == (n, 4, 32, 32)
    hidden = (seen[:, :1] == 0).flatten(1).all(1)
    assert torch.equal(seen[~hidden, :1], cond[~hidden, :1])
    # A shuffled batch is the same batch: all is drawn by the slot.
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    again = T.recipe(("turn", "other"), seed=1)(x0[order], cond[order], 5, slots[order])
    assert torch.equal(again[0], new[order]) and torch.equal(again[1], seen[order])
    # The change is the same for both: undone, the reference is one of the two stored ones.
    matrix, offset = T.sketch.appearance(1, 5, slots)
    for i in range(n):
        if (seen[i, 1:] == 0).all():
            continue
        stored = (cond[i, 1:4], cond[i, 4:])
        made = [T.sketch.recoloured(x[None], matrix[i : i + 1], offset[i : i + 1]) for x in stored]
        assert any(torch.equal(seen[i, 1:], one[0]) for one in made)


def test_the_recipe_hides_the_stated_share():
    n = 4000
    x0, cond = torch.full((n, 3, 16, 16), 0.5), torch.full((n, 4, 16, 16), 0.5)
    _, seen = T.recipe(("other",), 0, strength=0.0, dropout=0.25)(x0, cond, 0, torch.arange(n))
    gone = torch.stack([(seen[:, :1] == 0).flatten(1).all(1), (seen[:, 1:] == 0).flatten(1).all(1)])
    shares = [*gone.double().mean(1).tolist(), gone.all(0).double().mean().item()]
    assert shares == pytest.approx([0.25, 0.25, 0.0625], abs=0.03)


def test_a_warp_is_drawn_anew_in_every_step(parts):
    x0, slots = to_float(parts["train"].images[:8]), torch.arange(8)
    cond = to_float(parts["train"].sketches[:8])
    recipe = T.recipe(("warp",), 0, strength=0.0, dropout=0.0)
    one, again, other = (recipe(x0, cond, k, slots)[1] for k in (0, 0, 1))
    assert torch.equal(one, again) and (one - other).abs().mean() > 0.05


def test_what_has_no_such_reference_is_refused(data):
    photos = load("photos", size=32, limit=20, seed=0)
    with pytest.raises(ValueError, match="photos has .* kind warp, published, same, got 'turn'"):
        T.triples(photos, ["turn"])
    assert T.triples(photos, ["warp"])["train"].references["warp"].shape == (20, 3, 32, 32)
    digits = load("digits", limit=20, seed=0)
    with pytest.raises(ValueError, match="digits is grey"):
        T.triples(digits, ["warp"])
    assert np.isfinite(to_float(data.train).numpy()).all()


def test_ink_of_other_colours_is_the_same_drawing_and_tells_nothing_of_its_own(data):
    """As in a cross-reference: the sketch was made of the face in another face's colours."""
    own, other = (T.triples(data, ["other"], 3, own_ink=ink)["heldout"] for ink in (True, False))
    assert torch.equal(own.images, other.images)
    assert torch.equal(own.references["other"], other.references["other"])
    shape, palette, _ = T.drawn_as(data, "heldout")
    redrawn = T.faces.draw(shape, T.rolled(palette), data.shape[1])
    index = torch.arange(len(redrawn))
    right = T.sketch.xdog(to_float(redrawn), T.sketch.published_sigma(3, T.STILL, index))
    assert torch.equal(other.sketches, T.to_uint8(right))
    # Dark ink follows dark hair only where the colours are its own.
    luma = T.sketch.luma(to_float(data.heldout)).flatten(1).mean(1)
    ink = [(part.sketches == 0).double().flatten(1).mean(1) for part in (own, other)]
    with_own, with_other = (float(torch.corrcoef(torch.stack([luma, x]))[0, 1]) for x in ink)
    assert with_own < -0.3 and abs(with_other) < 0.5 * abs(with_own)
