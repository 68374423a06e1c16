"""Own tables, csv:; headers, the column of labels, colour."""

import gzip

import numpy as np
import pytest
import torch
from made_images import as_set, pictures

from diffutils.data import load


def write_rows(path, rows, header=None):
    lines = ([",".join(header)] if header else []) + [",".join(map(str, row)) for row in rows]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def digits_with_labels(n=40):
    images = pictures(n, 6, channels=1)
    images[:, 0, 0] = 0
    return images, np.arange(n) % 10


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@pytest.mark.parametrize("header", [None, "words", "numbers"])
@pytest.mark.parametrize("place", ["first", "last", "none"])
def test_csv_keeps_every_row_and_finds_the_label(tmp_path, place, header, suffix):
    images, labels = digits_with_labels()
    pixels = images.reshape(40, -1)
    parts = {
        "first": [labels[:, None], pixels],
        "last": [pixels, labels[:, None]],
        "none": [pixels],
    }[place]
    rows = np.concatenate(parts, 1)
    names = {
        None: None,
        "numbers": [str(i) for i in range(rows.shape[1])],
        "words": [f"pixel{i}" for i in range(rows.shape[1])],
    }[header]
    write_rows(tmp_path / f"a{suffix}", rows, names)
    data = load(f"csv:{tmp_path / 'a'}{suffix}")
    assert as_set(torch.cat([data.train, data.heldout])) == {bytes(image) for image in images}
    if place != "none":
        assert data.classes == tuple("0123456789")
        known = {bytes(image): label for image, label in zip(images, labels, strict=True)}
        for image, label in zip(data.train, data.train_labels, strict=True):
            assert known[bytes(image[0].numpy())] == label


@pytest.mark.parametrize("planes", [True, False])
def test_csv_colour_in_planes_or_pixel_by_pixel(tmp_path, planes):
    side = np.linspace(0, 200, 8)
    smooth = np.stack(
        [np.add.outer(side, side) / 2, np.add.outer(side, -side) / 2 + 100, np.full((8, 8), 30.0)],
        -1,
    )
    images = np.stack([smooth + i for i in range(20)]).round().astype(int)
    flat = images.transpose(0, 3, 1, 2) if planes else images
    write_rows(tmp_path / "a.csv", flat.reshape(20, -1))
    data = load(f"csv:{tmp_path / 'a.csv'}")
    both = torch.cat([data.train, data.heldout])
    assert as_set(both) == {image.astype(np.uint8).tobytes() for image in images}


def test_csv_with_words_as_labels_and_with_options(tmp_path):
    images, labels = digits_with_labels()
    words = np.array(["cat", "dog"])[labels % 2]
    path = tmp_path / "a.csv"
    flat = images.reshape(40, -1).tolist()
    rows = [[*pixels, word] for pixels, word in zip(flat, words, strict=True)]
    write_rows(path, rows)
    assert load(f"csv:{path}").classes == ("cat", "dog")
    both = np.concatenate([labels[:, None] % 3, images.reshape(40, -1)], 1)
    both[:, -1] = np.arange(40) % 5
    write_rows(path, both)
    with pytest.raises(ValueError, match="first or the last"):
        load(f"csv:{path}")
    assert len(load(f"csv:{path}", label="first").classes) == 3
