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

from diffutils.data import arrays, digits
from diffutils.data.fetch import Remote, checked, fetch
from diffutils.data.images import ImageSet

# name: the page, and of each file on it the checksum
PUBLISHED = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", {
        "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz":  "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz":  "md5:ec29112dd5afa0611ce80d1b7f02629c"}),
    "cifar10": ("https://www.cs.toronto.edu/~kriz/", {
        "cifar-10-python.tar.gz": "md5:c58f30108f718f92721af3b95e74349a"}),
    # No checksum is published for the labels: they are checked to be 89,400 one-hot rows.
    "sprites-dlai": (
        "https://huggingface.co/datasets/ashis-palai/sprites_image_dataset/resolve/main/", {
        "sprites_1788_16x16.npy": "git:b1fea8dd0c4f6f8ab64bea721918a035d75c11a7",
        "sprite_labels_nc_1788_16x16.npy": ""}),
    # The names of weights carry the first digits of the checksum.
    "inception": ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/", {
        "pt_inception-2015-12-05-6726825d.pth":
            "sha256:6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"}),
    "alexnet": ("https://download.pytorch.org/models/", {
        "alexnet-owt-7be5be79.pth":
            "sha256:7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"}),
}  # fmt: skip
REMOTES = {
    name: tuple(Remote(file, (page + file,), checksum) for file, checksum in files.items())
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
CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
                 "dog", "frog", "horse", "ship", "truck")  # fmt: skip
SPRITE_CLASSES = ("hero", "non-hero", "food", "spell", "side-facing")


def home() -> Path:
    """The folder that downloads go to: `data` of the project, or of the working directory."""
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "pyproject.toml").is_file() else Path.cwd()) / "data"


def find(name: str, file: str) -> Path | None:
    """The first `file` (a glob pattern) in a root, its folder `name`, or below that folder.

    The roots are $DIFFUTILS_DATA, ./data and the project's data.
    """
    named = os.environ.get("DIFFUTILS_DATA")
    for root in [*([Path(named).expanduser()] if named else []), Path("data"), home()]:
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

    Raises: ValueError (the name has no download, or a file that is here is damaged);
        ConnectionError (no mirror gives a whole file); OSError (the folder cannot be written).
    """
    if name not in REMOTES:
        offered, known = meant(str(name), REMOTES), ", ".join(REMOTES)
        raise ValueError(f"{name!r} has no download{offered}; those that have are {known}")
    folder = home() / name
    for remote in REMOTES[name]:
        path = folder / remote.file
        if path.is_file():
            checked(path, remote.checksum)
        else:
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


def read_idx(path: Path, checksum: str = "") -> np.ndarray:
    """An idx file of bytes, gzipped or not -> uint8 array; ValueError if it is none, or cut."""
    zipped = path.suffix == ".gz"
    content = gzip.decompress(checked(path, checksum)) if zipped else path.read_bytes()
    rank = content[3] if len(content) > 4 and content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content[4 : 4 + 4 * rank], ">i4")
    if not rank or len(content) != 4 + 4 * rank + shape.prod():
        raise ValueError(f"{path} is not a complete idx file; delete it and fetch it again")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist() -> ImageSet:
    """60,000 + 10,000 handwritten digits 28 x 28 in the official split."""
    paths = _paths("mnist", "the four idx files (*-ubyte.gz)")
    files = zip(paths, REMOTES["mnist"], strict=True)
    parts = [read_idx(path, remote.checksum) for path, remote in files]
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
        content = checked(paths[0], remote.checksum)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = [archive.extractfile(f"{CIFAR_FOLDER}/{name}") for name in CIFAR_BATCHES]
            contents = [member.read() for member in members]
    # Unpickling runs code: it is done only after the official checksum of the file has matched.
    batches = [pickle.loads(content, encoding="bytes") for content in contents]
    parts = []
    for part in (batches[:-1], batches[-1:]):
        parts.append(np.concatenate([batch[b"data"] for batch in part]).reshape(-1, 3, 32, 32))
        parts.append(np.concatenate([batch[b"labels"] for batch in part]))
    about = dict(
        licence="none stated; cite Krizhevsky 2009", source="A. Krizhevsky, V. Nair, G. Hinton"
    )
    return arrays.from_arrays("cifar10", *parts, classes=CIFAR_CLASSES, **about)


def mnist_m(seed: int = 0) -> ImageSet:
    """MNIST-M from a file mnist_m*.npz, else made from MNIST and photo patches and named so."""
    path = find("mnist-m", "mnist_m*.npz")
    if path is not None:
        return replace(
            arrays.npz(path),
            name="mnist-m",
            source="Y. Ganin, V. Lempitsky, 2015",
            licence="as MNIST and BSDS500: non-commercial research and education",
        )
    if here("mnist") is None:
        raise _missing("mnist-m", "mnist_m.npz")
    return digits.on_photos(mnist(), "mnist-m" + MADE_HERE, seed)


def sprites_dlai() -> ImageSet:
    """89,400 sprites 16 x 16 of five classes; copies and mirrored copies stay on one side."""
    remotes = REMOTES["sprites-dlai"]
    paths = _paths("sprites-dlai", " and ".join(remote.file for remote in remotes))
    checked(paths[0], remotes[0].checksum)
    images, labels = (np.load(path, allow_pickle=False) for path in paths)
    if labels.shape != (len(images), 5) or not np.all(np.sort(labels, 1) == [0, 0, 0, 0, 1]):
        raise ValueError(f"{paths[1]} is not one-hot for 5 classes and {len(images)} images")
    source = "sprites by ElvGames, FrootsnVeggies and kyrise"
    about = dict(classes=SPRITE_CLASSES, licence="MIT, as its page states", source=source)
    return arrays.from_arrays("sprites-dlai", images, labels, **about)
