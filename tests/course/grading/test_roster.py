"""Whose notebook it is: by names of files and folders, or by a roster, and never by a guess."""

import pytest

from diffutils.course.grading import roster


def test_the_file_names_the_student_without_the_lesson():
    files = ["ada.ipynb", "01_forward_diffusion_bob.ipynb", "Cy Dee - 02_ddpm_training.ipynb"]
    assert [*roster.by_files(files).values()] == ["ada", "bob", "Cy Dee"]


def test_the_folder_names_the_student_where_the_files_are_alike():
    files = ["Ada/01_forward_diffusion.ipynb", "Ada/02_ddpm_training.ipynb", "Bob/mine.ipynb"]
    files += ["Cy_123_assignsubmission_file_/answer.ipynb", "Di/answer.ipynb", "Em/01.ipynb"]
    assert [*roster.by_files(files).values()] == ["Ada", "Ada", "mine", "Cy", "Di", "Em"]


def test_a_file_without_any_name_keeps_its_own():
    assert roster.by_files(["01_forward_diffusion.ipynb"]) == {
        "01_forward_diffusion.ipynb": "01_forward_diffusion"
    }


@pytest.mark.parametrize("text", ["file,name\n", "\ufeffName;File\n", "name\tfile\tgroup\n"])
def test_a_roster_is_read_in_every_dialect(tmp_path, text):
    mark = max(",;\t", key=text.count)
    row = mark.join({"file": "a.ipynb", "name": "Ada"}.get(c.strip("\ufeff\n").lower(), "x")
                    for c in text.split(mark))  # fmt: skip
    path = tmp_path / "roster.csv"
    path.write_text(f"{text}{row}\n\n", encoding="utf-8")
    assert roster.read(path) == [("a.ipynb", "Ada")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has the columns none"),
        (b"student,path\na,b\n", "has the columns student, path"),
        (b"file,name\na.ipynb,\n", "line 2: a file or a name is missing"),
        (b"file,name\n\xff\xff,x\n", "is not in UTF-8"),
        (b"file,name\n" + b"x,y\n" * 2**19, "bytes"),
    ],
)
def test_a_wrong_roster_is_refused_and_says_what_is_expected(tmp_path, content, said):
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="columns file and name, one row a notebook") as refused:
        roster.read(path)
    assert said in str(refused.value)


def test_rows_match_paths_names_and_patterns_and_the_rest_is_said():
    files = ["A/x.ipynb", "B/y.ipynb", "C/lovelace-1.ipynb", "D/z.ipynb", "E/twice.ipynb"]
    rows = [("A/x.ipynb", "Ada"), ("y.ipynb", "Bob"), ("*Lovelace*", "Cy"), ("gone.ipynb", "Di")]
    rows += [("E/*", "Em"), ("twice.ipynb", "Flo")]
    names, said = roster.by_rows(files, rows)
    assert [*names.values()] == ["Ada", "Bob", "Cy", "", ""]
    assert said == [
        "D/z.ipynb: no row of the roster names it",
        "E/twice.ipynb: the roster gives it several names, Em, Flo",
        "roster, Di: no notebook is called gone.ipynb",
    ]
