"""Published sets that come from the network once: mnist, cifar10, mnist-m, sprites-dlai.

`load` only reads files that are here; `download(name)` fetches them when it is asked to, and the
weights of the networks `inception` and `alexnet`, which metrics measure with, too.
"""

import gzip
import os
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from diffutils.data import arrays, digits
from diffutils.data.fetch import Remote, checked, fetch
from diffutils.data.images import ImageSet


def _from(page: str, file: str, checksum: str) -> Remote:
    return Remote(file, (page + file,), checksum)


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_SPRITES = "https://huggingface.co/datasets/ashis-palai/sprites_image_dataset/resolve/main/"
_PYTORCH_FID = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
_TORCHVISION = "https://download.pytorch.org/models/"
REMOTES = {
    "mnist": (
        _from(_MNIST, "train-images-idx3-ubyte.gz", "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        _from(_MNIST, "train-labels-idx1-ubyte.gz", "md5:d53e105ee54ea40749a09fcbcd1e9432"),
        _from(_MNIST, "t10k-images-idx3-ubyte.gz",  "md5:9fb629c4189551a2d022fa330f9573f3"),
        _from(_MNIST, "t10k-labels-idx1-ubyte.gz",  "md5:ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    "cifar10": (
        _from("https://www.cs.toronto.edu/~kriz/", "cifar-10-python.tar.gz",
              "md5:c58f30108f718f92721af3b95e74349a"),
    ),
    "sprites-dlai": (
        _from(_SPRITES, "sprites_1788_16x16.npy", "git:b1fea8dd0c4f6f8ab64bea721918a035d75c11a7"),
        # No checksum is published for the labels: they are checked to be 89,400 one-hot rows.
        _from(_SPRITES, "sprite_labels_nc_1788_16x16.npy", ""),
    ),
    # Both names carry the first digits of the checksum.
    "inception": (
        _from(_PYTORCH_FID, "pt_inception-2015-12-05-6726825d.pth",
              "sha256:6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"),
    ),
    "alexnet": (
        _from(_TORCHVISION, "alexnet-owt-7be5be79.pth",
              "sha256:7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"),
    ),
}  # fmt: skip
MADE_HERE = " (made here)"  # after the name of a set that only imitates the published one
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


def roots() -> list[Path]:
    """Where sets are looked for: $DIFFUTILS_DATA, ./data, the project's data."""
    named = os.environ.get("DIFFUTILS_DATA")
    return ([Path(named).expanduser()] if named else []) + [Path("data"), home()]


def find(name: str, file: str) -> Path | None:
    """The first `file` (a glob pattern) in a root, its folder `name`, or below that folder."""
    for root in roots():
        for place, pattern in ((root / name, f"**/{file}"), (root, file)):
            found = sorted(place.glob(pattern)) if place.is_dir() else []
            if found:
                return found[0]
    return None


def download(name: str, root: Path | None = None, report: Callable[[str], None] = print) -> Path:
    """Fetch the files of a name of `REMOTES` that are not here yet into root/name.

    root: the project's data folder by default; report: takes one line of progress at a time.

    Raises: ValueError (a file that is here is damaged); ConnectionError (no mirror gives a whole
        file); OSError (the folder cannot be written).
    """
    folder = Path(root or home()) / name
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


def _missing(name: str, files: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"{name} is not here: run `{command(name)}`, or put {files} into {home() / name} or "
        f"into $DIFFUTILS_DATA/{name}"
    )


def _paths(name: str) -> list[Path | None]:
    """Where the files of a set are, None for one that is not here."""
    if name != "mnist":
        return [find(name, remote.file) for remote in REMOTES[name]]
    paths = []
    for remote in REMOTES["mnist"]:  # as published, or unpacked as torchvision leaves them
        files = remote.file, remote.file.removesuffix(".gz")
        found = (find(folder, file) for folder in ("mnist", "MNIST") for file in files)
        paths.append(next(filter(None, found), None))
    return paths


def read_idx(path: Path, checksum: str = "") -> np.ndarray:
    """An idx file of bytes, gzipped or not -> uint8 array of the shape in its header.

    Raises: ValueError (not an idx file of bytes, or cut short).
    """
    content = checked(path, checksum if path.suffix == ".gz" else "")
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    rank = content[3] if len(content) > 4 and content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content[4 : 4 + 4 * rank], ">i4")
    if not rank or len(content) != 4 + 4 * rank + shape.prod():
        raise ValueError(f"{path} is not a complete idx file; delete it and fetch it again")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist() -> ImageSet:
    """60,000 + 10,000 handwritten digits 28 x 28 in the official split."""
    paths, remotes = _paths("mnist"), REMOTES["mnist"]
    if None in paths:
        raise _missing("mnist", "the four idx files (*-ubyte.gz)")
    return arrays.from_arrays(
        "mnist",
        *(read_idx(path, remote.checksum) for path, remote in zip(paths, remotes, strict=True)),
        licence="CC BY-SA 3.0, as usually stated",
        source="Y. LeCun, C. Cortes, C. J. C. Burges",
    )


def _cifar_batches() -> dict[str, bytes]:
    """Checked contents of the six batch files, from an unpacked folder or from the archive."""
    paths = [find("cifar10", name) or find("cifar-10-batches-py", name) for name in CIFAR_BATCHES]
    if all(paths):
        known = zip(CIFAR_BATCHES.items(), paths, strict=True)
        return {name: checked(path, f"md5:{md5}") for (name, md5), path in known}
    (remote,) = REMOTES["cifar10"]
    path = find("cifar10", remote.file)
    if path is None:
        raise _missing("cifar10", f"{remote.file} or the folder cifar-10-batches-py")
    checked(path, remote.checksum)
    with tarfile.open(path) as archive:
        files = {name: archive.extractfile(f"cifar-10-batches-py/{name}") for name in CIFAR_BATCHES}
        return {name: file.read() for name, file in files.items()}


def cifar10() -> ImageSet:
    """50,000 + 10,000 photographs 32 x 32 of ten classes in the official split."""
    # Unpickling runs code: it is done only after the official checksum of the file has matched.
    batches = {n: pickle.loads(c, encoding="bytes") for n, c in _cifar_batches().items()}
    train = [batches[name] for name in CIFAR_BATCHES if name != "test_batch"]
    parts = []
    for part in (train, [batches["test_batch"]]):
        parts.append(np.concatenate([batch[b"data"] for batch in part]).reshape(-1, 3, 32, 32))
        parts.append(np.concatenate([batch[b"labels"] for batch in part]))
    return arrays.from_arrays(
        "cifar10",
        *parts,
        classes=CIFAR_CLASSES,
        licence="none stated; cite Krizhevsky 2009",
        source="A. Krizhevsky, V. Nair, G. Hinton",
    )


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
    try:
        data = mnist()
    except FileNotFoundError:
        raise _missing("mnist-m", "mnist_m.npz") from None
    return digits.on_photos(data, "mnist-m" + MADE_HERE, seed)


def sprites_dlai() -> ImageSet:
    """89,400 sprites 16 x 16 of five classes; copies and mirrored copies stay on one side.

    Raises: FileNotFoundError (the two npy files are not here); ValueError (their content is not the
        published one).
    """
    paths, remotes = _paths("sprites-dlai"), REMOTES["sprites-dlai"]
    if None in paths:
        raise _missing("sprites-dlai", " and ".join(remote.file for remote in remotes))
    checked(paths[0], remotes[0].checksum)
    images, labels = (np.load(path, allow_pickle=False) for path in paths)
    if labels.shape != (len(images), 5) or not np.all(np.sort(labels, 1) == [0, 0, 0, 0, 1]):
        raise ValueError(f"{paths[1]} is not one-hot for 5 classes and {len(images)} images")
    return arrays.from_arrays(
        "sprites-dlai",
        images,
        labels,
        classes=SPRITE_CLASSES,
        licence="MIT, as its page states",
        source="sprites by ElvGames, FrootsnVeggies and kyrise",
    )


def here(name: str) -> Path | None:
    """Folder or file that a published set would be read from, None if it is not here."""
    if name == "mnist-m":
        return find(name, "mnist_m*.npz") or here("mnist")
    if name == "cifar10" and (found := find(name, "data_batch_1")):
        return found.parent
    paths = _paths(name)
    return None if None in paths else paths[0].parent
