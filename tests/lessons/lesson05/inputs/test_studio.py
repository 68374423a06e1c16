"""What a person hands in at the colourist's desk: pictures, sketches, colours."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils.data import load
from diffutils.lessons.lesson05.inputs import studio
from diffutils.lessons.lesson05.inputs import triples as T


def file(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "P", "I;16"])
def test_any_kind_of_picture_becomes_rgb_of_that_size(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    image = Image.new(mode, (70, 40), 0)
    found = studio.picture(file(image, kind), 32)
    assert found.shape == (1, 3, 32, 32) and found.dtype == torch.uint8


def test_no_picture_and_a_huge_one_are_refused_in_words():
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        studio.picture(b"%PDF", 32)
    with pytest.raises(ValueError, match="this file has 11 MB, more than 10"):
        studio.picture(b"0" * 11_000_000, 32)


def test_a_drawing_stays_as_it_is_and_a_picture_is_sketched():
    drawing = np.full((32, 32), 250, np.uint8)
    drawing[10:12, 4:28] = 30
    image = studio.picture(file(Image.fromarray(drawing)), 32)
    found = studio.as_sketch(image, lines=True)
    assert torch.equal(found[0, 0] == 0, torch.from_numpy(drawing) == 30)
    assert set(studio.as_sketch(image, lines=False).unique().tolist()) <= {0, 255}


def test_chosen_colours_are_those_of_the_face():
    data = load("faces", size=64, limit=20, heldout=4, seed=0)
    shape, palette, _ = T.drawn_as(data, "heldout")
    one = [{k: v[:1] for k, v in numbers.items()} for numbers in (shape, palette)]
    same = studio.repainted(*one, 64, {})
    assert torch.equal(same[0], data.heldout[0])
    green = studio.repainted(*one, 64, {"background": "#10c020"})
    changed = (green != same).any(1)[0]
    assert green[0, :, 0, 0].tolist() == pytest.approx([0x10, 0xC0, 0x20], abs=1)
    assert 0.05 < changed.double().mean() < 0.8
    with pytest.raises(ValueError, match="no region 'hat'; it has hair, skin"):
        studio.repainted(*one, 64, {"hat": "#000000"})
    with pytest.raises(ValueError, match="'green' is no colour"):
        studio.repainted(*one, 64, {"hair": "green"})


def test_without_a_person_nothing_is_shown(capsys):
    studio.desk(None, None, None, None)
    assert capsys.readouterr().out == ""
