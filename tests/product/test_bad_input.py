"""Bad input, as one table: each row is refused in a sentence that helps, or is coped with.

A refusal names the file or the value, says what was expected and what to do. It comes from the
package's own code, not from deep inside a library, and it leaves nothing behind.
"""

import errno
import hashlib
import io
import os
import pickle
import struct
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import diffutils as du
from diffutils import schedules, viz
from diffutils.__main__ import cli
from diffutils.course import parameters
from diffutils.course.experiments import measure
from diffutils.course.runs import rundir
from diffutils.data import downloads, fetch, files, load
from diffutils.data.images import MAX_PIXELS
from diffutils.metrics import distances
from diffutils.viz import display, plots
from diffutils.weights import cards, models

PACKAGE = str(Path(du.__file__).parent)


class Row(NamedTuple):
    """A bad thing, made by make(place); call gets what make returns; what must come of it.

    outcome: the type of the error, or a check of the result where the package goes on.
    words: all stand in the error, or in the warning; none: it goes on in silence.
    """

    name: str
    make: Callable
    call: Callable
    outcome: type | Callable
    words: tuple[str, ...] = ()


class Place:
    """Where a row makes its bad thing: a folder, which is the working directory, and a server."""

    def __init__(self, folder, monkeypatch, web):
        self.folder, self.patch, self.web = folder, monkeypatch, web

    def __truediv__(self, name):
        return self.folder / name

    def __str__(self):
        return str(self.folder)


# ------------------------------------------------------------------- makers


def noise(n=12, side=8, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)


def images(place, n=12, side=8, folder="own"):
    """A folder of n good images; its name for `load`."""
    (place / folder).mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(noise(n, side)):
        Image.fromarray(pixels).save(place / folder / f"{i}-{side}.png")
    return f"folder:{place / folder}"


def broken(place):
    file("a.png", "no image")(place)
    return f"folder:{place}"


def mixed(place):
    images(place, 6)
    return images(place, 6, 20)


def crowded(place):
    place.patch.setattr(files, "MEMORY", 1000)
    return images(place)


def among(name, content):
    """A maker: good images and one file of the given content."""

    def make(place):
        good = images(place)
        (place / "own" / name).write_bytes(content)
        return good

    return make


def of_mode(mode, colours, suffix="png"):
    """A maker: training images of a Pillow mode, each in one of the colours, and a test image."""

    def make(place):
        for part in ("train", "test"):
            (place / "own" / part).mkdir(parents=True)
        for i, colour in enumerate(colours):
            Image.new(mode, (8, 8), colour).save(place / "own" / "train" / f"{i}.{suffix}")
        ramp = Image.linear_gradient("L").resize((8, 8)).convert(mode)
        ramp.save(place / "own" / "test" / f"ramp.{suffix}")
        return f"folder:{place / 'own'}"

    return make


def file_of(image):
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def no_test_part(place):
    """Three training images, and a broken one to test."""
    name = of_mode("RGB", ["red", "green", "blue"])(place)
    (place / "own" / "test" / "ramp.png").write_text("no image")
    return name


def palette(place):
    good = images(place)
    for path in (place / "own").iterdir():
        Image.open(path).convert("P").save(path)
    return good


def png_of(width, height):
    """A PNG file that says it has so many pixels, and is a few bytes long."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def png(side=8, seed=0):
    return file_of(Image.fromarray(noise(1, side, seed=seed)[0]))


def file(name, content, kind=None):
    """A maker: one file; its name for `load`, of a kind or of its suffix."""

    def make(place):
        (place / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"{kind or name.rpartition('.')[2]}:{place / name}"

    return make


def npz(**arrays):
    """A maker: an .npz file of arrays, of twelve good images unless others are given."""

    def make(place):
        np.savez(place / "own.npz", **({} if "pics" in arrays else {"images": noise()}) | arrays)
        return f"npz:{place / 'own.npz'}"

    return make


def archive(members, change=bytes, name="own.zip", packed=False):
    """A maker: a zip archive of members, its bytes changed."""

    def make(place):
        content = io.BytesIO()
        method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with zipfile.ZipFile(content, "w", method) as out:
            for member, data in members.items():
                out.writestr(member, data)
        return file(name, change(content.getvalue()))(place)

    return make


def npy(shape):
    """A maker: an .npz file with an array that promises this shape and holds 64 bytes."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64)
    return archive({"images.npy": content}, name="own.npz")


def encrypted(content):
    """Set the bit that says so in every entry of a zip archive."""
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        first = content.index(mark)
        content = content[: first + at] + b"\x01" + content[first + at + 1 :]
    return content


GREY = file_of(Image.new("L", (8, 8)))
GOOD = {f"{i}.png": png(seed=i) for i in range(12)}


def labels_csv(content):
    def make(place):
        good = images(place)
        (place / "own" / "labels.csv").write_bytes(content)
        return good

    return make


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


NET = {"channels": [8, 8], "blocks": 1, "attention": [False, False], "classes": 3}
CARD = {
    "name": "own",
    "unet": NET,
    "coefficients": "eps",
    "size": 8,
    "images": 20,
    "seed": 0,
    "betas": {"name": "linear", "arguments": {"T": 20}},
    "data": "sprites",
    "settings": {},
    "classes": ["a", "b", "c"],
}


def model(place, **changes):
    """The path of tiny weights with a card; changes replace entries of the card."""
    path = place / "own.safetensors"
    net = models.build(CARD).denoiser.net
    cards.save_weights(path, net, CARD | changes)
    return path


def weights(content):
    """A maker: a good card beside a file that is no weights; content may be made of good bytes."""

    def make(place):
        path = model(place)
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)
        return path

    return make


def card(content):
    """A maker: good weights beside a damaged card."""

    def make(place):
        path = model(place)
        path.with_suffix(".json").write_bytes(content)
        return path

    return make


def torch_file():
    content = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, content)
    return content.getvalue()


def five_classes(place):
    """A command that goes on from weights for three classes with data of five."""
    np.savez(place / "five.npz", images=noise(40), labels=np.arange(40) % 5)
    (place / "out").mkdir()
    small = ("--set", "channels=8,8", "--set", "attention=false,false", "--set", "images=20")
    return (
        "train",
        "--profile",
        "smoke",
        *small,
        "--dataset",
        f"npz:{place / 'five.npz'}",
        "--start",
        model(place),
        "--out",
        "out",
    )


def served(*, ranges=True, cuts=(), status=None, dead=False, checksum=None, disk=None):
    """A maker: `mnist` is one file of 200,000 bytes on a server that behaves badly."""

    def make(place):
        place.patch.setattr(fetch, "PAUSE", 0)
        place.patch.setattr(downloads, "home", lambda: place / "data")
        (place / "data" / "mnist").mkdir(parents=True)
        place.web.files["set.bin"] = content = bytes(noise(1, 300))[:200_000]
        place.web.ranges, place.web.cuts, place.web.status = ranges, list(cuts), status
        if dead:
            place.web.address = "http://127.0.0.1:9/"  # nobody listens there
        md5 = checksum or hashlib.md5(content).hexdigest()
        remote = fetch.Remote("set.bin", (place.web.address + "set.bin",), f"md5:{md5}")
        place.patch.setitem(downloads.REMOTES, "mnist", (remote,))
        if disk is not None:
            place.patch.setattr(fetch, "open", disk, raising=False)
        return "data", "get", "mnist"

    return make


class FullDisk(io.BytesIO):
    """A file on a disk without room."""

    def __init__(self, path, mode):
        super().__init__()
        Path(path).write_bytes(b"")

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(path, mode):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


# ------------------------------------------------------------------- calls


def at(**settings):
    return lambda name: load(name, **settings)


def command(arguments):
    """`python -m diffutils ...`: what it refused (2) or failed at (1), as an error."""
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    if done.exception is None:
        return done.output
    assert done.exit_code in (1, 2) and "Traceback" not in done.output, done.output
    _, _, said = done.stderr.rpartition("Error: ")
    raise Refused(said.strip())


class Refused(Exception):
    """A command that ended with one sentence."""


def sample(labels=None, **settings):
    def call(path):
        return measure.generate(models.load_model(path), 2, labels=labels, **settings)

    return call


def both(data):
    return torch.cat([data.train, data.heldout])


def count(n, shape=(3, 8, 8)):
    return lambda data: len(both(data)) == n and data.shape == shape


def colours(*expected):
    """A check: the training images of a set are these plain colours, within rounding."""

    def check(data):
        found = sorted(tuple(image[:, 4, 4].tolist()) for image in data.train)
        return np.abs(np.subtract(found, sorted(expected))).max() <= 1

    return check


def html_of(place, show):
    """What show() puts into a notebook as HTML."""
    import IPython.display

    seen = []
    place.patch.setattr(display, "_shell", object)
    place.patch.setattr(IPython.display, "display", lambda bundle, **_: seen.append(bundle))
    show()
    return seen[0]["text/html"]


NAMES = ('<script>alert("1")<b>', "it's $\\bad{$ & co")


def class_folders(place):
    """Two class folders with names that are markup and a broken formula."""
    for i, name in enumerate(NAMES):
        images(place, 8 + i, 8 + i, folder=f"own/{name}")
    return place, load(f"folder:{place / 'own'}", size=8)


def shown(made):
    place, data = made
    fig = viz.grid(data.train[:2], titles=data.classes)
    return html_of(place, lambda: viz.show(fig, f"Images of {data.classes[0]} and {data.name}"))


def table_of(made):
    from diffutils.course.tables import markdown

    _, data = made
    return markdown(["class"], [[name] for name in data.classes])


def bar_names(made):
    _, data = made
    fig = plots.bars(dict.fromkeys(data.classes, 1.0))
    fig.canvas.draw()
    return [label.get_text() for label in fig.axes[0].get_yticklabels()]


def given(value):
    return lambda place: value


# ------------------------------------------------------------------- the table

SUM = "0" * 32
PICKLED = np.array([Bomb()], dtype=object)
UTF16 = "1,2,3\n".encode("utf-16")
ROWS = [
    Row(*row[:4], row[4:])
    for row in [
        # folders of images
        (
            "an empty folder",
            lambda p: f"folder:{p}",
            load,
            ValueError,
            "holds no image file; put some in",
            "*.png",
        ),
        (
            "a folder of other files",
            file("notes.txt", "x", "folder"),
            lambda name: load(name.removesuffix("/notes.txt")),
            ValueError,
            "holds no image file",
        ),
        (
            "a folder that is not there",
            lambda p: f"folder:{p / 'no'}",
            load,
            FileNotFoundError,
            "/no does not exist",
            "give the path of a folder",
        ),
        (
            "a zip given as a folder",
            archive(GOOD),
            lambda name: load(name.replace("zip:", "folder:")),
            ValueError,
            "own.zip is a file",
            "or zip:",
        ),
        (
            "a cut image among good ones",
            among("cut.png", png(64)[:300]),
            load,
            count(12),
            "1 broken images skipped: cut.png",
        ),
        (
            "text named as an image among good ones",
            among("notes.png", b"no image"),
            load,
            count(12),
            "skipped: notes.png (cannot identify",
        ),
        (
            "all images broken",
            broken,
            load,
            ValueError,
            "none of its 1 images can be read; first: a.png",
        ),
        ("greyscale", of_mode("L", [0, 100, 200]), load, colours((0,), (100,), (200,))),
        ("one bit a pixel", of_mode("1", [0, 1, 1]), load, colours((0,), (255,), (255,))),
        ("a palette", palette, load, count(12)),
        (
            "CMYK",
            of_mode("CMYK", [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 0, 255)], "tif"),
            load,
            colours((0, 255, 255), (255, 0, 255), (0, 0, 0)),
        ),
        (
            "16 bits a pixel",
            of_mode("I;16", [0, 257 * 100, 65535]),
            load,
            colours((0,), (100,), (255,)),
        ),
        (
            "alpha",
            of_mode("RGBA", [(255, 0, 0, 0), (255, 0, 0, 255), (0, 0, 0, 51)]),
            load,
            colours((255, 255, 255), (255, 0, 0), (204, 204, 204)),
        ),
        (
            "grey with alpha",
            of_mode("LA", [(0, 0), (0, 255), (9, 255)]),
            load,
            colours((255,) * 3, (0,) * 3, (9,) * 3),
        ),
        ("grey among colour", among("grey.png", GREY), load, count(13)),
        (
            "mixed sizes, none asked for",
            mixed,
            load,
            ValueError,
            "8 to 20 pixels wide; give one size, for example size=64",
        ),
        ("mixed sizes, one asked for", mixed, at(size=16), count(12, (3, 16, 16))),
        (
            "an image of one pixel among good ones",
            among("dot.png", png(1)),
            load,
            count(12),
            "skipped: dot.png (1 x 1 is less than 4 pixels a side)",
        ),
        (
            "a huge image among good ones",
            among("huge.png", png_of(9000, 9000)),
            load,
            count(12),
            f"skipped: huge.png (9000 x 9000 is more than {MAX_PIXELS:,} pixels)",
        ),
        (
            "a decompression bomb among good ones",
            among("bomb.png", png_of(60_000, 60_000)),
            load,
            count(12),
            f"skipped: bomb.png (more than {MAX_PIXELS:,} pixels)",
        ),
        (
            "more pixels than fit into memory",
            crowded,
            load,
            ValueError,
            "take more than",
            "give a size, for example size=64",
        ),
        (
            "too few images to split",
            lambda p: images(p, 9),
            load,
            ValueError,
            "own holds 9 different images (mirror images count as one)",
            "at least 10 are needed, of which one in ten is held out; add images",
        ),
        (
            "a split with two training images",
            of_mode("RGB", ["red", "blue"]),
            load,
            ValueError,
            "own holds 2 training images and 1 held-out ones, but at least 3 to train on",
            "1 held out are needed; add images",
        ),
        (
            "a split with one training image six times",
            of_mode("RGB", ["red"] * 6),
            load,
            ValueError,
            "own holds 6 training images, all equal, and 1 held-out ones",
            "add images",
        ),
        (
            "a split whose test images are broken",
            no_test_part,
            load,
            ValueError,
            "own holds 3 training images and 0 held-out ones",
            "add images",
        ),
        (
            "labels.csv of other images",
            labels_csv(b"x.png,cat\ny.png,dog\n"),
            load,
            ValueError,
            "labels.csv names none of the images; its first column must be file names",
        ),
        (
            "labels.csv in UTF-16",
            labels_csv(UTF16),
            load,
            ValueError,
            "labels.csv is not CSV text in UTF-8; save it so",
        ),
        (
            "a label without labels.csv",
            images,
            at(label="hair"),
            ValueError,
            "has no labels.csv to read label='hair' from",
        ),
        # arrays
        (
            "npz: other keys",
            npz(pics=noise()),
            load,
            ValueError,
            "holds ['pics']; the images must be called 'images'",
            "np.savez(path, images=...)",
        ),
        (
            "npz: flat images",
            npz(images=np.zeros((5, 64))),
            load,
            ValueError,
            "images have shape (5, 64); expected (N, H, W[, C])",
        ),
        ("npz: no images", npz(images=np.zeros((0, 8, 8))), load, ValueError, "shape (0, 8, 8"),
        (
            "npz: five channels",
            npz(images=np.zeros((5, 8, 8, 5))),
            load,
            ValueError,
            "expected 1, 3 or 4 channels",
        ),
        (
            "npz: images of one pixel",
            npz(images=noise(6, 1)),
            load,
            ValueError,
            "images are 1 x 1 pixels; expected at least 4 a side",
        ),
        (
            "npz: text as pixels",
            npz(images=np.full((5, 8, 8), "red")),
            load,
            ValueError,
            "pixels must be numbers, but their type is <U3",
        ),
        (
            "npz: pixels in no known range",
            npz(images=noise() * -7.0),
            load,
            ValueError,
            "pixels lie in [-1785, 0]; expected [0, 255], [0, 1] or [-1, 1]",
        ),
        (
            "npz: NaN",
            npz(images=np.full((5, 8, 8), np.nan)),
            load,
            ValueError,
            "pixels hold NaN or infinite values; replace them",
        ),
        (
            "npz: a hostile pickle",
            npz(labels=PICKLED),
            load,
            ValueError,
            "does not hold plain arrays",
            "write it again with np.savez",
        ),
        (
            "npz: labels of another length",
            npz(labels=np.arange(5)),
            load,
            ValueError,
            "labels has 5 rows for 12 images; give one for each",
        ),
        (
            "npz: labels beyond the classes",
            npz(labels=np.arange(12), classes=["a", "b"]),
            load,
            ValueError,
            "labels run from 0 to 11, but classes holds 2 names",
        ),
        (
            "npz: classes that are no list",
            npz(labels=np.arange(12), classes=np.array("x")),
            load,
            ValueError,
            "classes has shape (); expected (K,), one name for each class",
        ),
        (
            "npz: labels that are not one-hot",
            npz(labels=np.ones((12, 3))),
            load,
            ValueError,
            "labels of shape (12, 3) are not one-hot",
        ),
        (
            "npz: labels between the numbers",
            npz(labels=np.arange(12) / 2),
            load,
            ValueError,
            "labels must be whole numbers or names",
        ),
        (
            "npz: huge labels",
            npz(labels=np.full(12, 1e300)),
            load,
            ValueError,
            "labels run from 1e+300 to 1e+300; expected class numbers of at most 2,147,483,648",
        ),
        (
            "npz: complex labels",
            npz(labels=np.arange(12) + 1j),
            load,
            ValueError,
            "labels must be whole numbers or names, but their type is complex128",
        ),
        (
            "npz: test labels without labels",
            npz(test_images=noise(3), test_labels=np.arange(3)),
            load,
            ValueError,
            "holds test_labels without labels and test_images",
            "or leave test_labels out",
        ),
        (
            "npz: test labels without test images",
            npz(labels=np.arange(12), test_labels=np.arange(3)),
            load,
            ValueError,
            "holds test_labels without labels and test_images",
        ),
        (
            "npz: test images of another size",
            npz(test_images=noise(3, 10)),
            load,
            ValueError,
            "images are (8, 8, 3), but test images (10, 10, 3)",
            "make them equal",
        ),
        (
            "npz: an .npy file",
            file("own.npz", b"\x93NUMPY\x01\x00"),
            load,
            ValueError,
            "own.npz is not a readable zip archive",
            "written by np.savez",
        ),
        (
            "npz: an array without its end",
            npy("(9, 8, 8)"),
            load,
            ValueError,
            "does not hold plain arrays",
        ),
        (
            "npz: an array larger than any memory",
            npy(f"({10**16},)"),
            load,
            ValueError,
            "plain arrays of numbers that fit into memory",
        ),
        (
            "npz: a file that is not there",
            lambda p: f"npz:{p / 'no.npz'}",
            load,
            FileNotFoundError,
            "no.npz does not exist; give the path of an .npz file",
        ),
        (
            "npz: a folder",
            lambda p: f"npz:{p}",
            load,
            ValueError,
            "is a folder; give the path of an .npz file",
            "or folder:",
        ),
        # tables
        (
            "csv without numbers",
            file("own.csv", "name,city\nAnna,Rome\nBob,Bonn\n"),
            load,
            ValueError,
            "holds rows such as 'Anna,Rome'; expected one image a row",
            "separated by commas",
        ),
        (
            "csv with semicolons",
            file("own.csv", "0;1;2;3\n4;5;6;7\n"),
            load,
            ValueError,
            "holds rows such as '4;5;6;7'",
            "separated by commas",
        ),
        (
            "csv of unequal rows",
            file("own.csv", "0,9," * 8 + "1\n" + "1,2\n"),
            at(label="last"),
            ValueError,
            "cannot be read as rows of numbers: row 2 has 2 cells, not 17",
            "every row needs one number a pixel",
        ),
        (
            "csv with a word among numbers",
            file("own.csv", ("0,9," * 8)[:-1] + "\n" + "0,9,x,9," * 3 + "1,2,3,4\n"),
            at(label="none"),
            ValueError,
            "row 2 holds 'x' in column 3",
        ),
        (
            "csv of no square",
            file("own.csv", (("0,9," * 10)[:-1] + "\n") * 2),
            at(label="none"),
            ValueError,
            "20 pixels a row are no square image of 1 or 3 channels",
        ),
        (
            "csv without rows",
            file("own.csv", ""),
            load,
            ValueError,
            "holds no rows of pixels; expected one image a row",
        ),
        (
            "csv in UTF-16",
            file("own.csv", UTF16),
            load,
            ValueError,
            "own.csv is not CSV text in UTF-8",
        ),
        (
            "csv.gz that is cut",
            file("own.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0", "csv"),
            load,
            ValueError,
            "own.csv.gz is not CSV text",
        ),
        (
            "csv that is not there",
            lambda p: f"csv:{p / 'no.csv'}",
            load,
            FileNotFoundError,
            "no.csv does not exist; give the path of a .csv file",
        ),
        # archives
        (
            "zip with a name that leads out of it",
            archive(GOOD | {"../../evil.png": png()}),
            load,
            ValueError,
            "../../evil.png leads out of it; pack the images again",
        ),
        (
            "zip with an absolute name",
            archive({"/etc/evil.png": png()}),
            load,
            ValueError,
            "/etc/evil.png leads out of it",
        ),
        (
            "zip with a Windows name that leads out",
            archive({"a\\..\\..\\evil.png": png()}),
            load,
            ValueError,
            "leads out of it",
        ),
        (
            "zip bomb",
            archive({"bomb.png": bytes(2**28 + 1)}, packed=True),
            load,
            ValueError,
            "none of its 1 images can be read; first: bomb.png (268 MB are more than 268 MB)",
        ),
        (
            "npz bomb",
            archive({f"a{i}.npy": bytes(2**26) for i in range(17)}, name="own.npz", packed=True),
            load,
            ValueError,
            "unpacks to 1,141 MB of numbers, more than 1,074 MB",
            "allow more by diffutils.data.arrays.MOST",
        ),
        (
            "zip that is encrypted",
            archive({"a.png": png()}, encrypted),
            load,
            ValueError,
            "a.png in it is encrypted; unpack it and give folder:PATH",
        ),
        (
            "zip that is cut",
            archive(GOOD, lambda content: content[:-30]),
            load,
            ValueError,
            "own.zip is not a readable zip archive",
            "copy or fetch it again",
        ),
        (
            "zip with a damaged image",
            archive(
                GOOD, lambda content: content.replace(png(seed=2), png(seed=2)[:-9] + b"x" * 9)
            ),
            load,
            count(11),
            "skipped: 2.png (Bad CRC-32",
        ),
        (
            "zip of other files",
            archive({"notes.txt": b"x"}),
            load,
            ValueError,
            "own.zip holds no image file",
        ),
        (
            "a folder given as zip",
            lambda p: f"zip:{p}",
            load,
            ValueError,
            "is a folder; give the path of a zip archive",
            "or folder:",
        ),
        (
            "zip that is not there",
            lambda p: f"zip:{p / 'no.zip'}",
            load,
            FileNotFoundError,
            "no.zip does not exist; give the path of a zip archive",
        ),
        # names and parameters
        (
            "an unknown data set",
            given("imagenet"),
            load,
            ValueError,
            "no data set is called 'imagenet'; the names are",
            *du.data.NAMES,
        ),
        (
            "a misspelt data set",
            given("Spirtes"),
            load,
            ValueError,
            "no data set is called 'Spirtes' (did you mean 'sprites'?)",
        ),
        (
            "a misspelt kind of file",
            given("fodler:x"),
            load,
            ValueError,
            "(did you mean 'folder:PATH'?)",
        ),
        (
            "a kind of file without a path",
            given("npz:"),
            load,
            ValueError,
            "'npz:' names no file; write npz:PATH",
        ),
        ("no data set at all", given(None), load, ValueError, "no data set is called None"),
        (
            "size as text",
            given("sprites"),
            at(size="64"),
            ValueError,
            "size='64'; expected a whole number of at least 1",
        ),
        ("size 0", given("sprites"), at(size=0), ValueError, "size=0; expected a whole number"),
        (
            "a size of millions",
            given("sprites"),
            at(size=10**6),
            ValueError,
            "size=1000000; expected a side of at most 8192 pixels",
        ),
        (
            "a negative limit",
            given("sprites"),
            at(limit=-3),
            ValueError,
            "limit=-3; expected a whole number",
        ),
        (
            "half a held-out image",
            given("sprites"),
            at(heldout=1.5),
            ValueError,
            "heldout=1.5; expected a whole number",
        ),
        (
            "true as limit",
            given("sprites"),
            at(limit=True),
            ValueError,
            "limit=True; expected a whole number",
        ),
        (
            "a seed as text",
            given("sprites"),
            at(seed="x"),
            ValueError,
            "seed='x'; expected a whole number from 0 up",
        ),
        (
            "a negative seed",
            given("digits"),
            at(seed=-1),
            ValueError,
            "seed=-1; expected a whole number from 0 up",
        ),
        (
            "a seed that torch does not take",
            given("sprites"),
            at(seed=2**64, limit=4),
            ValueError,
            "seed=18446744073709551616; expected a whole number from 0 up to 2**63 - 1",
        ),
        (
            "a folder of an unknown user",
            given("folder:~nosuchuser/x"),
            load,
            ValueError,
            "the path '~nosuchuser/x' cannot be used (Could not determine home directory)",
            "written in full",
        ),
        (
            "a path of 5000 letters",
            given("folder:" + "a" * 5000),
            load,
            ValueError,
            "aaa...' cannot be used (File name too long)",
        ),
        (
            "a path that no file can have",
            given("npz:a\0b"),
            load,
            ValueError,
            "the path 'a\\x00b' cannot be used",
        ),
        (
            "a label of a set with one kind",
            given("sprites"),
            at(label="hair"),
            ValueError,
            "label='hair': only faces, folder, zip, csv have labels to choose from, not sprites",
        ),
        (
            "an attribute that faces lack",
            given("faces"),
            at(label="shoe", limit=2),
            ValueError,
            "faces have no attribute 'shoe'; they have hair_style",
        ),
        (
            "train: --set without a value",
            given(("train", "--profile", "smoke", "--set", "steps")),
            command,
            Refused,
            "--set takes KEY=VALUE, got 'steps'",
        ),
        (
            "train: an unknown field",
            given(("train", "--profile", "smoke", "--set", "stepz=3")),
            command,
            Refused,
            "'stepz', which lesson 02 does not know; choose from max_size",
        ),
        (
            "train: negative steps",
            given(("train", "--profile", "smoke", "--set", "steps=-5")),
            command,
            Refused,
            "steps is -5, expected at least 1",
        ),
        (
            "train: an unknown profile",
            given(("train", "--profile", "fast")),
            command,
            Refused,
            "profile is 'fast'; choose one of smoke, student, overnight, full, published",
        ),
        (
            "train: an unknown data set",
            lambda p: ("train", "--profile", "smoke", "--dataset", "spirits", "--out", p),
            command,
            Refused,
            "no data set is called 'spirits' (did you mean 'sprites'?)",
        ),
        (
            "lesson: a misspelt profile",
            given("Student"),
            lambda value: du.lesson("02", value),
            ValueError,
            "profile is 'Student'; choose one of smoke, student",
        ),
        (
            "lesson: a seed as text",
            given("x"),
            lambda value: du.lesson("02", "smoke", seed=value),
            ValueError,
            "seed is 'x', expected a whole number from 0 up",
        ),
        *(
            (
                f"lesson: {value!r:.12} as seed",
                given(value),
                lambda v: du.lesson("02", "smoke", seed=v),
                ValueError,
                f"seed is {value!r}, expected a whole number from 0 up to 2**63 - 1",
            )
            for value in (float("inf"), 2.5, 2**64, 10**400)
        ),
        (
            "lesson: a number above any float",
            given({"images": 10**400}),
            lambda value: du.lesson("02", "smoke", overrides=value),
            ValueError,
            "images is 1000000",
            "expected a whole number",
        ),
        (
            "lesson: too few images",
            given({"images": 9}),
            lambda value: du.lesson("02", "smoke", overrides=value),
            ValueError,
            "images is 9, expected at least 10",
        ),
        (
            "lesson: too few steps for scaled linear betas",
            given({"T": 20}),
            lambda value: du.lesson("01", "smoke", overrides=value),
            ValueError,
            "T is 20, expected at least 21: scaled linear betas",
        ),
        (
            "scaled linear betas of too few steps",
            given(20),
            schedules.scaled_linear_betas,
            ValueError,
            "T = 20 is too few steps",
            "with beta_max = 0.02 take T above 20",
        ),
        (
            "lesson: a list",
            given(["01"]),
            lambda value: du.lesson(value, "smoke"),
            ValueError,
            "There is no lesson ['01']; choose one of 01, 02",
        ),
        *(
            (
                f"lesson: {value!r} as run directory",
                given(value),
                parameters.run_dir,
                ValueError,
                f"run_dir is {value!r}, expected the path of a directory, or None",
            )
            for value in (5, True, "")
        ),
        (
            "lesson: a run directory of an unknown user",
            given("~nosuchuser/x"),
            parameters.run_dir,
            ValueError,
            "the path '~nosuchuser/x' cannot be used",
        ),
        (
            "lesson: images of an unknown user",
            given("folder:~nosuchuser/x"),
            lambda value: du.lesson("02", "smoke", dataset=value),
            ValueError,
            "the path '~nosuchuser/x' cannot be used",
        ),
        (
            "lesson: images at a path of 5000 letters",
            given("folder:" + "a" * 5000),
            lambda value: du.lesson("02", "smoke", dataset=value),
            ValueError,
            "File name too long",
        ),
        (
            "train: a seed that torch does not take",
            lambda p: ("train", "--profile", "smoke", "--seed", 2**64, "--out", p),
            command,
            Refused,
            "18446744073709551616 is not in the range 0<=x<=9223372036854775807",
        ),
        (
            "train: channels of width one",
            lambda p: (
                "train",
                "--profile",
                "smoke",
                "--set",
                "channels=1,1",
                "--set",
                "attention=false,false",
                "--set",
                "images=20",
                "--out",
                p,
            ),
            command,
            Refused,
            "channels is (1, 1), expected at least one level, each of 2 or more",
        ),
        (
            "lesson: a misspelt override",
            given({"stesp": 1}),
            lambda value: du.lesson("02", "smoke", overrides=value),
            ValueError,
            "'stesp', which lesson 02 does not know; choose from max_size",
        ),
        (
            "lesson: an override of the wrong type",
            given({"channels": "wide"}),
            lambda value: du.lesson("02", "smoke", overrides=value),
            ValueError,
            "channels is 'wide', expected a list, each item a whole number",
        ),
        (
            "lesson: overrides as text",
            given("steps=1"),
            lambda value: du.lesson("02", "smoke", overrides=value),
            ValueError,
            "overrides is 'steps=1', expected a dictionary",
        ),
        (
            "lesson: no data set",
            given(None),
            lambda value: du.lesson("02", "smoke", dataset=value),
            ValueError,
            "dataset is None; choose one of sprites",
        ),
        (
            "lesson: no such lesson",
            given("99"),
            lambda value: du.lesson(value, "smoke"),
            ValueError,
            "no lesson '99'; choose one of 01, 02",
        ),
        # downloads
        (
            "download of an unknown set",
            given(("data", "get", "minst")),
            command,
            Refused,
            "'minst' has no download (did you mean 'mnist'?); those that have are mnist, "
            "cifar10, sprites-dlai",
        ),
        (
            "download of a set drawn by code",
            given(("data", "get", "sprites")),
            command,
            Refused,
            "'sprites' has no download",
        ),
        (
            "download: 404",
            served(status=404),
            command,
            Refused,
            "set.bin answered 404 Not Found",
            "fetch the file by hand and put it into",
        ),
        (
            "download: 500",
            served(status=500),
            command,
            Refused,
            "set.bin answered 500 Internal Server Error",
            "run the same command again",
        ),
        (
            "download: no network",
            served(dead=True),
            command,
            Refused,
            "could not be reached",
            "fetch the file by hand and put it into",
        ),
        (
            "download: a server that always hangs up",
            served(cuts=[70_000] + [0] * 9),
            command,
            Refused,
            "set.bin broke off at 0.1 of 0.2 MB (35 %)",
            "run the same command again",
        ),
        (
            "download: cut off, and resumed",
            served(cuts=[70_000]),
            command,
            lambda said: (
                "broke off at 0.1 of 0.2 MB (35 %); trying" in said and "mnist is in" in said
            ),
        ),
        (
            "download: cut off, no ranges",
            served(cuts=[70_000], ranges=False),
            command,
            lambda said: "mnist is in" in said,
        ),
        (
            "download: a wrong checksum",
            served(checksum=SUM),
            command,
            Refused,
            "sent another file (its md5 checksum is",
            f"not {SUM}",
        ),
        (
            "download: a full disk",
            served(disk=FullDisk),
            command,
            Refused,
            "set.bin cannot be written (No space left on device); make room",
        ),
        (
            "download: a folder that is read-only",
            served(disk=read_only),
            command,
            Refused,
            "set.bin cannot be written (Permission denied)",
            "a folder that $DIFFUTILS_DATA names",
        ),
        # weights and cards
        (
            "weights: a hostile pickle",
            weights(pickle.dumps(Bomb())),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
            "never from pickle",
        ),
        (
            "weights: a file of torch.save",
            weights(torch_file()),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
            "never from pickle",
        ),
        (
            "weights: cut",
            weights(lambda good: good[:-100]),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
        ),
        (
            "weights: only the header",
            weights(lambda good: good[:50]),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
        ),
        (
            "weights: empty",
            weights(b""),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
        ),
        (
            "weights: a web page",
            weights(b"<html>404</html>" * 10),
            models.load_model,
            ValueError,
            "own.safetensors is not a valid safetensors file",
        ),
        (
            "card: cut",
            card(b"{"),
            models.load_model,
            ValueError,
            "own.json is damaged",
            "fetch it again with its weights",
        ),
        (
            "card: a list",
            card(b"[1]"),
            models.load_model,
            ValueError,
            "own.json is damaged (a JSON object is expected, not list)",
        ),
        ("card: no text", card(b"\xff"), models.load_model, ValueError, "own.json is damaged"),
        (
            "card: of no model",
            card(b"{}"),
            models.load_model,
            ValueError,
            "describes no model ('unet'); it needs unet, coefficients",
            "betas (linear",
        ),
        (
            "card: of another network",
            lambda p: model(p, unet=NET | {"classes": 2}),
            models.load_model,
            ValueError,
            "it names 3 classes, but its network knows 2",
        ),
        (
            "weights for fewer classes than the data",
            five_classes,
            command,
            Refused,
            "do not fit this network",
            "first class_embedding.weight",
        ),
        (
            "weights that are not there",
            lambda p: ("measure", p / "no.safetensors"),
            command,
            Refused,
            "no card at",
            "no.json",
        ),
        # models and measures
        (
            "an image that cannot be halved",
            lambda p: model(p, size=9),
            sample(steps=2),
            ValueError,
            "9x9 cannot be halved 1 times; use sides divisible by 2",
        ),
        (
            "labels that the model does not know",
            model,
            sample(torch.tensor([0, 7])),
            ValueError,
            "labels run from 0 to 7, but the model knows 3 classes",
        ),
        (
            "negative labels",
            model,
            sample(torch.tensor([0, -1])),
            ValueError,
            "labels run from -1 to 0, but the model knows 3 classes",
        ),
        (
            "labels of another number",
            model,
            sample(torch.tensor([0])),
            ValueError,
            "2 images need 2 labels, got 1",
        ),
        (
            "measure: more classes than the weights know",
            lambda p: ("measure", model(p)),
            command,
            Refused,
            "labels run from 0 to 7, but the model knows 3 classes",
        ),
        (
            "negative steps",
            model,
            sample(steps=-5),
            ValueError,
            "the number of sampling steps must be 1 to 20, got -5",
        ),
        (
            "measure: no images",
            lambda p: ("measure", model(p), "-n", 0),
            command,
            Refused,
            "0 is not in the range 1<=x<=100000",
        ),
        (
            "features with NaN",
            given(torch.full((9, 4), torch.nan)),
            lambda x: distances.frechet(x, torch.rand(9, 4)),
            ValueError,
            "features hold NaN or infinity: look at the samples",
        ),
        # names that are markup
        (
            "class names in a figure's HTML",
            class_folders,
            shown,
            lambda page: "<script" not in page and "&lt;script&gt;alert(&quot;1&quot;)" in page,
        ),
        (
            "class names in a table",
            class_folders,
            table_of,
            lambda text: "<script" not in text and "&lt;script>" in text,
        ),
        (
            "class names beside bars",
            class_folders,
            bar_names,
            lambda names: sorted(names) == sorted(NAMES),
        ),
    ]
]


def test_the_table_is_as_long_as_the_course_asks_and_names_each_row_once():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40


def everything(folder):
    """All files, but for what is left on purpose: a lock, and the part to go on from."""
    parts = {path for path in folder.rglob("*.part") if path.stat().st_size}
    return {path for path in folder.rglob("*") if path.name not in rundir.FILES} - parts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.fault("bad input: files, folders, cards, parameters, downloads")
def test_bad_input(row, tmp_path, monkeypatch, web):
    monkeypatch.chdir(tmp_path)
    for name in ("DIFFUTILS_DATA", "DIFFUTILS_PROFILE", "DIFFUTILS_RUN_DIR"):
        monkeypatch.delenv(name, raising=False)
    made = row.make(Place(tmp_path, monkeypatch, web))
    before = everything(tmp_path)
    if isinstance(row.outcome, type):
        with pytest.raises(row.outcome) as caught:
            row.call(made)
        said = str(caught.value)
        assert "\n" not in said and len(said) < 700, said
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        assert last.filename.startswith((PACKAGE, __file__)), last  # ours, not a library's
        assert everything(tmp_path) == before
    else:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            result = row.call(made)
        own = [w for w in seen if w.category is UserWarning]
        said = " ".join(str(w.message) for w in own)
        assert bool(row.words) == bool(own), said
        assert row.outcome(result), result
    for word in row.words:
        assert word in said, said
