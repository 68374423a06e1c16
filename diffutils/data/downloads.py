"""Published sets that come from the network once: mnist, cifar10, mnist-m, sprites-dlai.

`load` only reads files that are here; `download(name)` fetches them, and the weights of the
networks `inception` and `alexnet`, which metrics measure with.
"""

import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch

from diffutils.data import arrays, digits
from diffutils.data.fetch import Remote, checked, fetch, wrong
from diffutils.data.images import ImageSet
from diffutils.weights.files import CHECKOUT, at_home, own_folder
from diffutils.weights.warned import warn

SPRITES = 89_400


def sprite_labels(path: Path, n: int = SPRITES) -> np.ndarray:
    """The labels of sprites-dlai: a one-hot row of five for each of n images, else ValueError."""
    try:
        labels = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError):
        labels = np.empty(0)
    one_hot = labels.shape == (n, 5) and np.all(np.sort(labels, 1) == [0, 0, 0, 0, 1])
    if not one_hot:
        cure = "run `python -m diffutils data get sprites-dlai`"
        raise ValueError(f"{path} is not one-hot for 5 classes and {n} images; {cure}")
    return labels


# name: the page, and of each file on it the checksum, and the megabytes it has at most
PUBLISHED = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", {
        "train-images-idx3-ubyte.gz": ("md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", 48),
        "train-labels-idx1-ubyte.gz": ("md5:d53e105ee54ea40749a09fcbcd1e9432", 1),
        "t10k-images-idx3-ubyte.gz":  ("md5:9fb629c4189551a2d022fa330f9573f3", 8),
        "t10k-labels-idx1-ubyte.gz":  ("md5:ec29112dd5afa0611ce80d1b7f02629c", 1)}),
    "cifar10": ("https://www.cs.toronto.edu/~kriz/", {
        "cifar-10-python.tar.gz": ("md5:c58f30108f718f92721af3b95e74349a", 171)}),
    # No checksum is published for the labels: they are checked to be 89,400 one-hot rows.
    "sprites-dlai": (
        "https://huggingface.co/datasets/ashis-palai/sprites_image_dataset/resolve/main/", {
        "sprites_1788_16x16.npy": ("git:b1fea8dd0c4f6f8ab64bea721918a035d75c11a7", 69),
        "sprite_labels_nc_1788_16x16.npy": ("", 4)}),
    # The names of weights carry the first digits of the checksum.
    "inception": ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/", {
        "pt_inception-2015-12-05-6726825d.pth":
            ("sha256:6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2", 100)}),
    "alexnet": ("https://download.pytorch.org/models/", {
        "alexnet-owt-7be5be79.pth":
            ("sha256:7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02", 250)}),
}  # fmt: skip
# MNIST's files are often kept unpacked; these checksums are of what the published ones hold.
UNPACKED = {
    "train-images-idx3-ubyte.gz": "md5:6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "md5:a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "md5:2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "md5:27ae3e4e09519cfbb04c329615203637",
}
CHECKS = {"sprite_labels_nc_1788_16x16.npy": sprite_labels}
REMOTES = {
    name: tuple(
        Remote(
            file, (page + file,), checksum, most * 10**6, UNPACKED.get(file, ""), CHECKS.get(file)
        )
        for file, (checksum, most) in files.items()
    )
    for name, (page, files) in PUBLISHED.items()
}
MADE_HERE = " (made here)"  # after the name of a set that only imitates the published one
CIFAR_FOLDER = "cifar-10-batches-py"
CIFAR_BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR_CLASSES = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
FIRST_DIGITS = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]  # labels of MNIST's first training images
SPRITE_CLASSES = ("hero", "non-hero", "food", "spell", "side-facing")


def home() -> Path:
    """The folder that downloads go to: `data` of the project, or of the working directory."""
    return (CHECKOUT or Path.cwd()) / "data"


def find(name: str, file: str) -> Path | None:
    """The first `file` (a glob pattern) in a root, its folder `name`, or below that folder.

    The roots are $DIFFUTILS_DATA, ./data, the project's data and that at home.
    """
    named = os.environ.get("DIFFUTILS_DATA")
    for root in map(Path, filter(None, (named, "data", home(), at_home("data")))):
        root = root.expanduser()
        for found in (root / name).glob(f"**/{file}"), root.glob(file):
            if first := min(found, default=None):
                return first
    return None


def meant(name: str, names: Iterable[str]) -> str:
    """A question that offers the name most like a misspelt one, or nothing."""
    words = {known.partition(":")[0]: known for known in names}
    near = get_close_matches(name.lower(), words, 1)
    return f" (did you mean {words[near[0]]!r}?)" if near else ""


def download(name: str, report: Callable[[str], None] = print) -> Path:
    """Fetch the files of a name of `REMOTES` into data/name, once; report: takes lines of progress.

    Raises: as `fetch`; ValueError (the name has no download, or a file that is here is damaged).
    """
    if name not in REMOTES:
        offered, known = meant(str(name), REMOTES), ", ".join(REMOTES)
        raise ValueError(f"{name!r} has no download{offered}; those that have are {known}")
    folder = own_folder(home()) / name
    for remote in REMOTES[name]:
        path = folder / remote.file
        if path.is_file():
            checked(path, remote.checksum, remote.largest)
            if not (problem := wrong(path, remote)):
                part = path.with_name(f"{path.name}.part")
                if part.is_file():  # of a download that another way has made needless
                    part.unlink()
                continue
            report(f"{problem.partition(';')[0]}: fetched again")
        report(f"{remote.file} -> {folder}")
        fetch(remote, folder, report)
    return folder


def command(name: str) -> str:
    """What fetches a published set."""
    return f"python -m diffutils data get {'mnist' if name == 'mnist-m' else name}"


def _missing(name: str, wanted: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"{name} is not here: run `{command(name)}`, or put {wanted} into {home() / name} or "
        f"into $DIFFUTILS_DATA/{name}"
    )


def _paths(name: str, wanted: str = "its files") -> list[Path]:
    """The files of a set, as published or unpacked; FileNotFoundError if one is not here."""
    folders = {"mnist": ("mnist", "MNIST"), "cifar10": ("cifar10", CIFAR_FOLDER)}.get(name, [name])

    def first(file: str) -> Path | None:
        files = file, file.replace("-ubyte.gz", "-ubyte")  # torchvision unpacks mnist
        return next(filter(None, (find(folder, f) for folder in folders for f in files)), None)

    unpacked = list(map(first, CIFAR_BATCHES)) if name == "cifar10" else [None]
    paths = unpacked if all(unpacked) else [first(remote.file) for remote in REMOTES[name]]
    if not all(paths):
        raise _missing(name, wanted)
    return paths


def here(name: str) -> Path | None:
    """Folder or file that a published set would be read from, None if it is not here."""
    if name == "mnist-m":
        return find(name, "mnist_m*.npz") or here("mnist")
    try:
        return _paths(name)[0].parent
    except FileNotFoundError:
        return None


def read_idx(path: Path, remote: Remote) -> np.ndarray:
    """A published idx file of bytes, gzipped or unpacked -> uint8 array; ValueError for another."""
    zipped = path.suffix == ".gz"
    content = checked(path, remote.checksum if zipped else remote.unpacked, remote.largest)
    content = gzip.decompress(content) if zipped else content
    rank = content[3]
    shape = np.frombuffer(content[4 : 4 + 4 * rank], ">i4")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist() -> ImageSet:
    """60,000 + 10,000 handwritten digits 28 x 28 in the official split."""
    paths = _paths("mnist", "the four idx files (*-ubyte.gz)")
    parts = [read_idx(*file) for file in zip(paths, REMOTES["mnist"], strict=True)]
    licence, source = "CC BY-SA 3.0, as usually stated", "Y. LeCun, C. Cortes, C. J. C. Burges"
    return arrays.from_arrays("mnist", *parts, licence=licence, source=source)


def cifar10() -> ImageSet:
    """50,000 + 10,000 photographs 32 x 32 of ten classes in the official split."""
    # Read the six files, from the folder or from the archive.
    (remote,) = REMOTES["cifar10"]
    paths = _paths("cifar10", f"{remote.file} or the folder {CIFAR_FOLDER}")
    if len(paths) > 1:
        known = zip(paths, CIFAR_BATCHES.values(), strict=True)
        contents = [checked(path, f"md5:{md5}") for path, md5 in known]
    else:
        content = checked(paths[0], remote.checksum, remote.largest)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = [archive.extractfile(f"{CIFAR_FOLDER}/{name}") for name in CIFAR_BATCHES]
            contents = [member.read() for member in members]
    # Unpickling runs code: it is done only after the official checksum of the file has matched.
    batches = [pickle.loads(content, encoding="bytes") for content in contents]
    parts = []
    for part in (batches[:-1], batches[-1:]):
        parts.append(np.concatenate([batch[b"data"] for batch in part]).reshape(-1, 3, 32, 32))
        parts.append(np.concatenate([batch[b"labels"] for batch in part]))
    licence, source = "none stated; cite Krizhevsky 2009", "A. Krizhevsky, V. Nair, G. Hinton"
    about = dict(classes=CIFAR_CLASSES, licence=licence, source=source)
    return arrays.from_arrays("cifar10", *parts, **about)


def mnist_m(seed: int = 0) -> ImageSet:
    """MNIST-M from a file mnist_m*.npz, else made from MNIST and photo patches and named so.

    No checksum is published: colour images of its size are accepted, with a warning if need be.
    Of a file whose test images have no labels a tenth of the training images is held out.
    """
    # Make it where it is not here.
    path = find("mnist-m", "mnist_m*.npz")
    if path is None:
        if here("mnist") is None:
            raise _missing("mnist-m", "mnist_m.npz")
        return digits.on_photos(mnist(), "mnist-m" + MADE_HERE, seed)
    # See whether it can be MNIST-M.
    data = arrays.npz(path)
    red, green = data.train[:, 0], data.train[:, 1 % data.shape[0]]
    if data.shape not in ((3, 28, 28), (3, 32, 32)) or torch.equal(red, green):
        what = "which has colour images of 28 x 28 or 32 x 32 pixels"
        raise ValueError(f"{path} is not MNIST-M, {what}; read it as npz:{path}")
    known = data.train_labels is not None and len(data.classes) == 10
    if not known or data.train_labels[: len(FIRST_DIGITS)].tolist() != FIRST_DIGITS:
        why = "its labels do not begin as those of MNIST"
        warn(f"{path} was taken for MNIST-M by its name and shape alone: {why}")
    if known and data.heldout_labels is None:
        # Test images without labels would take the labels from all; labelled ones are held out.
        images = data.train.permute(0, 2, 3, 1).numpy()
        data = arrays.from_arrays(
            "mnist-m", images, data.train_labels.numpy(), classes=data.classes
        )
    licence = "as MNIST and BSDS500: non-commercial research and education"
    return replace(data, name="mnist-m", source="Y. Ganin, V. Lempitsky, 2015", licence=licence)


def sprites_dlai() -> ImageSet:
    """89,400 sprites 16 x 16 of five classes; copies and mirrored copies stay on one side."""
    remotes = REMOTES["sprites-dlai"]
    paths = _paths("sprites-dlai", " and ".join(remote.file for remote in remotes))
    content = checked(paths[0], remotes[0].checksum, remotes[0].largest)
    images = np.load(io.BytesIO(content), allow_pickle=False)
    labels = sprite_labels(paths[1], len(images))
    source = "sprites by ElvGames, FrootsnVeggies and kyrise"
    about = dict(classes=SPRITE_CLASSES, licence="MIT, as its page states", source=source)
    return arrays.from_arrays("sprites-dlai", images, labels, **about)
