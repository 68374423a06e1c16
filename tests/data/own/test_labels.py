"""labels.csv: which column, which row, which image; what does not fit is said or refused."""

import unicodedata

import pytest
from made_images import heard, pictures, tree

from diffutils.data import load


def table(tmp_path, text, counts=None, place="labels.csv", encoding="utf-8"):
    spec = tree(tmp_path, counts or {".": 12})
    (tmp_path / place).write_text(text, encoding=encoding)
    return spec


def rows(n=12, form="{i}.png,{c}", head="file,label\n"):
    return head + "".join(form.format(i=i, c="ab"[i % 2]) + "\n" for i in range(n))


def check(data, n=12):
    """Every image has its label: those of even names are a."""
    assert data.classes == ("a", "b") and len(data.train) + len(data.heldout) == n
    labels = [*data.train_labels.tolist(), *data.heldout_labels.tolist()]
    assert sorted(labels) == [0] * (n // 2) + [1] * (n // 2)


@pytest.mark.parametrize(
    "text",
    [
        rows(),
        rows(head=""),
        rows(form="{i},{c}"),
        rows(form="{i}.png;{c}", head="file;label\n"),
        rows(form="{i}.png\t{c}", head="file\tlabel\n"),
        rows(form=' {i}.png , "{c}" ', head=" file , label \n"),
        rows(form="{c},{i}.png", head="label,file\n"),
        rows(form="./{i}.PNG,{c}"),
        rows(form="/home/someone/{i}.png,{c}"),
        rows(form="C:\\data\\{i}.png,{c}"),
        rows() + rows(head=""),
        rows(form="7,{i}.png,{c}", head=",filename,label\n"),
    ],
)
def test_tables_of_many_programs_are_read(tmp_path, text):
    data, said, warned = heard(table(tmp_path, text, encoding="utf-8-sig"))
    check(data)
    assert "labels by labels.csv, column" in said and not warned


@pytest.mark.parametrize("head", [",file,label\n", "Unnamed: 0,image,label\n", "index,id,label\n"])
def test_an_index_is_not_taken_for_the_file(tmp_path, head):
    text = head + "".join(f"{11 - i},{i},{'ab'[i % 2]}\n" for i in range(12))
    spec = table(tmp_path, text)
    data, _, warned = heard(spec)
    check(data)
    numbers = {pixels.tobytes(): i for i, pixels in enumerate(pictures(12, 8))}
    for image, label in zip(data.train, data.train_labels, strict=True):
        assert numbers[image.permute(1, 2, 0).contiguous().numpy().tobytes()] % 2 == label
    assert not warned


def test_two_columns_that_both_name_images_are_refused(tmp_path):
    text = "".join(f"{i},{11 - i},{'ab'[i % 2]}\n" for i in range(12))
    with pytest.raises(ValueError, match="columns 1 and 2 both name images.*file and label"):
        load(table(tmp_path, text))


def test_numbers_as_labels_are_not_taken_for_files(tmp_path):
    data, _, warned = heard(table(tmp_path, "".join(f"{i},{i % 3}\n" for i in range(12))))
    assert data.classes == ("0", "1", "2") and "fewer" in warned


def test_rows_that_disagree_are_refused_and_equal_ones_are_not(tmp_path):
    with pytest.raises(ValueError, match="3.png is 'b' by line 5 .*but 'a' by line 14"):
        load(table(tmp_path, rows() + "3.png,a\n"))


def test_what_does_not_fit_is_said(tmp_path):
    text = rows(n=11) + "11.png,\nx.png,a\ny.png,a\n"
    data, said, warned = heard(table(tmp_path, text))
    assert len(data.train) + len(data.heldout) == 11
    assert "labels.csv: 2 rows name no image: x.png, y.png" in warned
    assert "1 rows have no label" in warned
    assert "1 images have no row in labels.csv and are left out (first: 11.png)" in said


def test_a_column_is_chosen_aloud(tmp_path):
    text = rows(form="{i}.png,{c},7", head="file,hair,eyes\n")
    data, _, warned = heard(table(tmp_path, text))
    check(data)
    assert "labels are its column 'hair'; not read: eyes (label=COLUMN chooses)" in warned
    assert load(f"folder:{tmp_path}", label="eyes").classes == ("7",)
    with pytest.raises(ValueError, match="no column 'nose'; it has"):
        load(f"folder:{tmp_path}", label="nose")
    text = rows(form="{i}.png,{c},train", head="file,label,split\n")
    assert "not read: split" in heard(table(tmp_path, text))[2]


def test_names_are_compared_in_one_spelling(tmp_path):
    spec = tree(tmp_path, {"é": 6, "plain": 6})
    cell = unicodedata.normalize("NFD", "é")
    text = "".join(f"{cell}\\{i}.png,a\nplain/{i}.png,b\n" for i in range(6))
    (tmp_path / "LABELS.CSV").write_text(text, encoding="utf-8")
    data, _, warned = heard(spec)
    check(data)
    assert 'not the folders plain, é (label="folders" reads those)' in warned
    assert load(spec, label="folders").classes == ("plain", "é")


def test_a_name_that_several_images_have_is_none_of_them(tmp_path):
    spec = table(tmp_path, rows(6), {"x": 6, "y": 6})
    with pytest.raises(ValueError, match="0.png is the name of x/0.png, y/0.png; write their fol"):
        load(spec)
    data, _, _ = heard(table(tmp_path / "own", rows(12), {".": 12, "y": 6}))
    assert len(data.train) + len(data.heldout) == 12  # a whole name is meant before a tail


def test_a_table_in_each_part_counts_for_its_part(tmp_path):
    counts = {"train": 12, "test": 4}
    for part, n in counts.items():
        table(tmp_path, rows(n), counts, f"{part}/labels.csv")
    data, said, warned = heard(f"folder:{tmp_path}")
    assert data.train_labels.tolist() == [i % 2 for i in (0, 1, 10, 11, *range(2, 10))]
    assert data.heldout_labels.tolist() == [0, 1, 0, 1] and not warned
    (tmp_path / "test" / "labels.csv").unlink()
    data, _, warned = heard(f"folder:{tmp_path}")
    assert len(data.train) + len(data.heldout) == 12
    assert "4 images to hold out have no labels and are left out" in warned


def test_a_table_beside_the_folder_of_images_counts_for_all(tmp_path):
    (tmp_path / "meta").mkdir()
    check(heard(table(tmp_path, rows(), {"images": 12}, "meta/labels.csv"))[0])


def test_a_few_images_of_a_long_table_are_found(tmp_path):
    text = rows() + "".join(f"far{i}.png,a\n" for i in range(5000))
    data, _, warned = heard(table(tmp_path, text))
    check(data)
    assert "5000 rows name no image" in warned


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "names none of the images"),
        ("0.png\n1.png\n", "has no column with labels; add one"),
        ("x,y\n", "names none of the images"),
        ("0.png,\n", "gives no image a label in column 2"),
    ],
)
def test_tables_without_labels_are_refused(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        load(table(tmp_path, text))


def test_a_label_that_pandas_lost_is_none(tmp_path):
    text = rows(form="{i}.png,{c}") + "12.png,nan\n13.png,NA\n"
    data, _, warned = heard(table(tmp_path, text, {".": 14}))
    check(data)
    assert "2 rows have no label" in warned


def test_one_number_that_is_written_in_two_ways_is_named(tmp_path):
    text = "file,label\n" + "".join(f"{i}.png,{('1', '1.0')[i % 2]}\n" for i in range(12))
    _, _, warned = heard(table(tmp_path, text))
    assert "classes that are one number, or differ by case or spaces alone: '1', '1.0'" in warned
