"""Drawings of a method: where pictures, words and arrows stand."""

import torch

from diffutils.viz import diagrams, figure


def test_a_picture_stands_where_it_is_put_with_its_words_below():
    _, ax = figure()
    diagrams.put(ax, torch.full((1, 4, 4), 128, dtype=torch.uint8), 10, 20, "a grey one")
    (image,), (words,) = ax.images, ax.texts
    assert image.get_extent() == [10, 19, 20, 29] and (image.get_array() == 128).all()
    assert words.get_position() == (14.5, 19.3) and words.get_text() == "a grey one"


def test_an_arrow_has_its_words_in_the_middle():
    _, ax = figure()
    diagrams.arrow(ax, (0, 0), (10, 4), "noise", "green")
    line, words = ax.texts
    assert line.xy == (10, 4) and line.get_position() == (0, 0)
    assert words.get_position() == (5, 2) and words.get_text() == "noise"
