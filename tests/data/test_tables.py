"""Own tables, csv:; headers, the column of labels, colour."""

import gzip

import numpy as np
import pytest
import torch
from made_images import as_set, heard, pictures

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


ROWS = pictures(40, 8, channels=1).reshape(40, -1).tolist()
PIXELS = [f"pixel{i}" for i in range(64)]


def read(folder, rows, header=None, **settings):
    write_rows(folder / "own.csv", rows, header)
    return heard(f"csv:{folder / 'own.csv'}", **settings)


@pytest.mark.parametrize(
    "before, after, header, classes, left_out",
    [
        (lambda k: [k], [], ["", *PIXELS], 0, "the first column"),
        (lambda k: [k], [], None, 0, "the first column"),
        (lambda k: [k + 1], [], PIXELS, 0, "the first column"),
        (lambda k: [97 * k % 41], [], ["Unnamed: 0", *PIXELS], 0, "the first column 'Unnamed: 0'"),
        (lambda k: [k, k % 3], [], None, 3, "the first column"),
        (lambda k: [k, 2 * (k % 3)], [], ["id", "label", *PIXELS], 3, "the first column 'id'"),
        (lambda k: [f"{k}.png"], ["cat"], None, 1, "the first column"),
        (lambda k: [k % 3], [""], None, 3, "the last column"),
        (lambda k: [], [""], None, 0, "the last column"),
    ],
)
def test_a_column_that_is_neither_pixel_nor_label_is_left_out_and_named(
    tmp_path, before, after, header, classes, left_out
):
    rows = [[*before(k), *row, *after] for k, row in enumerate(ROWS)]
    data, said, warned = read(tmp_path, rows, header)
    assert len(data.classes) == classes and data.shape == (1, 8, 8)
    assert f"own.csv: {left_out} is neither pixel nor label" in warned
    assert as_set(torch.cat([data.train, data.heldout])) == {bytes(row) for row in ROWS}
    assert "40 rows of 8 x 8 pixels, grey" in said


def test_a_header_that_was_an_image_is_left_out_and_named(tmp_path):
    for header in (
        ["0"] + [f"0.{i}" for i in range(1, 64)],
        ["X0"] + [f"X0.{i}" for i in range(1, 64)],
    ):
        data, _, warned = read(tmp_path, ROWS, header)
        assert len(data.train) + len(data.heldout) == 40 and "was an image" in warned


@pytest.mark.parametrize("header", [[*range(64)], [f"{i}.0" for i in range(64)], PIXELS])
def test_a_header_of_any_kind_is_no_image(tmp_path, header):
    data, said, warned = read(tmp_path, ROWS, [str(cell) for cell in header])
    assert len(data.train) + len(data.heldout) == 40 and not warned and "header" in said
    labelled = [[k % 3, *row] for k, row in enumerate(ROWS)]
    data, _, _ = read(tmp_path, labelled, ["label", *map(str, header)])
    assert data.classes == ("0", "1", "2") and len(data.train) + len(data.heldout) == 40


def test_a_first_row_that_is_an_image_is_no_header(tmp_path):
    data, said, _ = read(
        tmp_path, [[0, 0.5, 0, 0.25] * 16, *[[x / 255 for x in row] for row in ROWS]]
    )
    assert len(data.train) + len(data.heldout) == 41 and "no header" in said


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_read(tmp_path, separator):
    text = "".join(separator.join(f'"{x}"' for x in row) + "\n" for row in ROWS)
    (tmp_path / "own.csv").write_text(text)
    data, _, _ = heard(f"csv:{tmp_path / 'own.csv'}")
    assert as_set(torch.cat([data.train, data.heldout])) == {bytes(row) for row in ROWS}


@pytest.mark.parametrize(
    "text, told",
    [
        ("\n".join(";".join(f"0,{x:03}" for x in row) for row in ROWS), "written with a point"),
        ("\n".join(" ".join(map(str, row)) for row in ROWS), "separated by commas"),
        (
            "my images\n" + "\n".join(",".join(map(str, row)) for row in ROWS),
            "delete what is above",
        ),
        (",".join(PIXELS) + "\n", "a header, but no rows"),
        (
            "\n".join(",".join(map(str, row)) for row in ROWS) + ",7\n",
            "row 40 has 65 cells, not 64",
        ),
        ("\n".join(",".join(str(x // 16) for x in row) for row in ROWS), "is it 15, or 255"),
    ],
)
def test_tables_that_are_written_in_another_way(tmp_path, text, told):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        heard(f"csv:{tmp_path / 'own.csv'}")


def test_labels_with_gaps_need_a_name_or_a_word(tmp_path):
    rows = [[(0, 5, 9)[k % 3], *row] for k, row in enumerate(ROWS)]
    with pytest.raises(ValueError, match="cannot be told.*give label='first'"):
        read(tmp_path, rows)
    assert read(tmp_path, rows, label="first")[0].classes == ("0", "5", "9")
    assert read(tmp_path, rows, ["label", *PIXELS])[0].classes == ("0", "5", "9")
    rows[5][0] = ""
    with pytest.raises(ValueError, match="1 rows have no label, the first is row 6"):
        read(tmp_path, rows, ["label", *PIXELS])


def test_a_label_or_one_more_pixel_is_asked(tmp_path):
    """49 numbers are 7 x 7 pixels, or a label and 4 x 4 in colour."""
    rows = [[k % 3, *row[:48]] for k, row in enumerate(ROWS)]
    with pytest.raises(ValueError, match="label in the first column; no label"):
        read(tmp_path, rows)
    assert read(tmp_path, rows, label="none")[0].shape == (1, 7, 7)
    data, _, warned = read(tmp_path, rows, label="first")
    assert data.shape == (3, 4, 4) and "pixel by pixel or plane by plane" in warned
