"""Names of files: one spelling, one rule for what is left out, in folders and in archives."""

import os
import stat
import unicodedata
import zipfile

import pytest
from made_images import heard, pictures, tree
from PIL import Image

from diffutils.data.own import names
from diffutils.data.own.formats import SUFFIXES


def zipped(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return zipfile.ZipFile(path)


def put(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


READ = ("a/0.png", "a/1.JPG", "b/c/d.jfif", "b/c.heic", "x", "y.txt", "labels.csv")
HIDDEN = ("a/.hidden.png", "a/._0.png", ".cache/2.png", ".git/config", "__MACOSX/a/3.png")
FILES = (*READ, *HIDDEN, "Thumbs.db")


def test_folders_and_archives_are_read_by_one_rule(tmp_path):
    folder = names.in_folder(put(tmp_path / "own", *FILES))
    archive = names.in_zip(zipped(tmp_path / "own.zip", dict.fromkeys(FILES, b"x")))
    assert folder.images == archive.images == ["a/0.png", "a/1.JPG", "b/c/d.jfif"]
    assert {*folder.files} == {*archive.files} == {*READ}
    assert folder.left_out == archive.left_out
    said = " ".join(folder.left_out)
    assert "1 *.heic, 1 *.txt, 1 without a suffix" in said
    assert ".cache, a/.hidden.png" in said
    assert not any(word in said for word in ("._0", ".git", "MACOSX", "1 *.csv", "Thumbs"))


def test_names_are_spelled_in_one_way(tmp_path):
    apart = unicodedata.normalize("NFD", "é")
    entries = (f"./caf{apart}/0.png", "caf\\1.png", "caf//2.png", "./a/./3.png")
    found = names.in_zip(zipped(tmp_path / "own.zip", dict.fromkeys(entries, b"x")))
    assert found.images == ["a/3.png", "caf/1.png", "caf/2.png", "café/0.png"]
    assert names.in_folder(put(tmp_path / "own", f"caf{apart}/0.png")).images == ["café/0.png"]


def test_utf8_names_without_the_flag_are_read_as_macos_wrote_them(tmp_path):
    path = tmp_path / "own.zip"
    zipped(path, {"é/0.png": b"x"}).close()
    content = path.read_bytes()
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        first = content.index(mark) + at + 1
        assert content[first] == 8
        content = content[:first] + b"\0" + content[first + 1 :]
    path.write_bytes(content)
    assert names.in_zip(zipfile.ZipFile(path)).images == ["é/0.png"]


def test_links_are_followed_and_loops_survived(tmp_path):
    own = put(tmp_path / "own", "cat/0.png", "dog/0.png")
    put(tmp_path / "far", "1.png", "2.png")
    (own / "bird").symlink_to(tmp_path / "far")
    (own / "cat" / "loop").symlink_to(own)
    (own / "ant").symlink_to(own / "cat")
    (own / "dog" / "1.png").symlink_to(tmp_path / "far" / "1.png")
    (own / "dog" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (own / "dog" / "self.png").symlink_to(own / "dog" / "self.png")
    os.mkfifo(own / "dog" / "pipe.png")
    found = names.in_folder(own)
    wanted = ["bird/1.png", "bird/2.png", "cat/0.png", "dog/0.png", "dog/1.png"]
    assert found.images == wanted
    said = " ".join(found.left_out)
    assert "read already are left out: ant, cat/loop" in said
    for name in ("dog/gone.png (No such file", "dog/self.png (", "dog/pipe.png (no file)"):
        assert name in said


def test_links_in_an_archive_and_names_that_are_there_twice_are_named(tmp_path):
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped(tmp_path / "own.zip", {link: b"0.png", "cat/0.png": b"old"})
        with zipfile.ZipFile(tmp_path / "own.zip", "a") as again:
            again.writestr("cat/0.png", b"new")
    archive = zipfile.ZipFile(tmp_path / "own.zip")
    found = names.in_zip(archive)
    assert names.content(found.files["cat/0.png"], archive) == b"new"
    assert "cat/link.png (a link)" in " ".join(found.left_out)
    assert "last counts: cat/0.png" in " ".join(found.left_out)


def test_folders_that_are_closed_are_named(tmp_path, monkeypatch):
    own = put(tmp_path / "own", "cat/0.png", "dog/0.png")
    iterdir = type(own).iterdir

    def closed(path):
        if path.name == "dog":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(type(own), "iterdir", closed)
    found = names.in_folder(own)
    assert found.images == ["cat/0.png"]
    assert "dog (Permission denied)" in " ".join(found.left_out)


def test_files_without_bound_are_not_read(tmp_path):
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(names.LARGEST + 1)
    with pytest.raises(ValueError, match="268 MB are more than 268 MB"):
        names.content(path)


def test_every_suffix_that_pillow_reads_counts_but_for_what_starts_programs(tmp_path):
    assert {".jfif", ".jp2", ".qoi", ".tga", ".webp", ".pbm", ".apng", ".mpo"} <= SUFFIXES
    assert not {".eps", ".ps", ".pdf", ".wmf", ".mpg", ".h5", ".iim"} & SUFFIXES
    for i, suffix in enumerate(("png", "jfif", "jp2", "tga", "qoi", "tiff", "pcx", "sgi", "dds")):
        image = Image.fromarray(pictures(1, 16, seed=i)[0])
        image.save(tmp_path / f"{i}.{suffix}")
    for i in range(3):
        Image.fromarray(pictures(1, 16, seed=50 + i)[0]).save(tmp_path / f"m{i}.png")
    data, _, warned = heard(f"folder:{tmp_path}")
    assert len(data.train) + len(data.heldout) == 12 and not warned


def test_postscript_starts_no_program_whatever_it_is_called(tmp_path, monkeypatch):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n%%EOF\n"
    tree(tmp_path / "own", {"a": 12})
    for suffix in ("png", "jpg", "tif"):
        (tmp_path / "own" / "a" / f"evil.{suffix}").write_bytes(eps)
    (tmp_path / "own" / "a" / "open.eps").write_bytes(eps)

    def started(*args, **kwargs):
        raise AssertionError(f"started {args}")

    monkeypatch.setattr("subprocess.Popen", started)
    _, _, warned = heard(f"folder:{tmp_path / 'own'}", size=8)
    assert "3 broken images skipped: a/evil.jpg" in warned and "1 *.eps" in warned


def test_names_in_no_stated_encoding_are_named(tmp_path):
    path = tmp_path / "own.zip"
    zipped(path, {"K_se/0.png": b"x"}).close()
    path.write_bytes(path.read_bytes().replace(b"K_se", b"K\xe4se"))  # as some Windows programs
    found = names.in_zip(zipfile.ZipFile(path))
    assert found.left_out == [
        "names in an encoding that the archive does not state, read as CP437: KΣse/0.png"
    ]


def test_controls_in_names_reach_no_terminal(tmp_path):
    data, said, warned = heard(tree(tmp_path, {"a\x1b[31m\nb": 10, "c": 3}))
    assert data.classes == ("a\ufffd[31m\ufffdb", "c") and "c (3)" in warned
    assert "\x1b" not in said + warned and "a\ufffd[31m\ufffdb 10" in said
