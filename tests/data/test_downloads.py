"""Published sets: found where users unpack them, checked, split."""

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import heard, pictures

from diffutils.data import downloads, load

DATA = os.environ.get("DIFFUTILS_DATA", "")
needs_mnist = pytest.mark.skipif(
    not (Path(DATA) / "mnist").is_dir() or not DATA,
    reason="DIFFUTILS_DATA names no folder with mnist/*.gz",
)


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def tiny_mnist(folder, monkeypatch, zipped=True):
    """Four idx files with 50 + 20 images, and REMOTES that name their checksums."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    arrays = []
    for n in (50, 20):
        arrays.append(random.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        arrays.append(np.arange(n, dtype=np.uint8) % 10)
    remotes = []
    for remote, array in zip(downloads.REMOTES["mnist"], arrays, strict=True):
        content = gzip.compress(idx(array)) if zipped else idx(array)
        file = remote.file if zipped else remote.file.removesuffix(".gz")
        (folder / file).write_bytes(content)
        md5 = hashlib.md5(content).hexdigest()
        known = {"checksum": "", "unpacked": ""} | {
            "checksum" if zipped else "unpacked": f"md5:{md5}"
        }
        remotes.append(replace(remote, **known))
    monkeypatch.setitem(downloads.REMOTES, "mnist", tuple(remotes))
    return arrays


@pytest.mark.parametrize("name", ["mnist", "cifar10", "mnist-m", "sprites-dlai"])
def test_a_missing_set_says_where_to_put_it_and_how_to_get_it(empty, name):
    with pytest.raises(FileNotFoundError) as error:
        load(name)
    message = str(error.value)
    assert "python -m diffutils data get" in message and f"$DIFFUTILS_DATA/{name}" in message


@pytest.mark.parametrize(
    "folder, zipped",
    [
        ("mnist", True),
        ("data/mnist", True),
        ("mnist/MNIST/raw", False),
        ("MNIST/raw", False),
    ],
)
def test_mnist_is_found_where_users_unpack_it(empty, monkeypatch, folder, zipped):
    arrays = tiny_mnist(empty / folder, monkeypatch, zipped)
    data = load("mnist")
    assert torch.equal(data.train[:, 0], torch.from_numpy(arrays[0]))
    assert data.heldout_labels.tolist() == arrays[3].tolist()
    assert load("mnist", size=32, limit=10).train.shape == (10, 1, 32, 32)
    assert downloads.here("mnist") is not None


def test_damaged_files_are_refused(empty, monkeypatch):
    tiny_mnist(empty / "mnist", monkeypatch)
    path = empty / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="md5 checksum is .* expected"):
        load("mnist")


@pytest.mark.parametrize("zipped", [True, False])
def test_idx_files_of_another_set_do_not_pass_for_mnist(empty, monkeypatch, zipped):
    with monkeypatch.context() as patch:
        tiny_mnist(empty / "MNIST" / "raw", patch, zipped)
    with pytest.raises(ValueError, match="damaged or another file.*read that as npz:PATH"):
        load("mnist")


def test_a_file_that_is_too_large_is_not_read(empty, monkeypatch):
    tiny_mnist(empty / "mnist", monkeypatch)
    with (empty / "mnist" / "t10k-labels-idx1-ubyte.gz").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="another file: it has 1,099,511.6 MB"):
        load("mnist")


def test_mnist_m_is_made_from_mnist_and_photographs_and_says_so(empty, monkeypatch):
    arrays = tiny_mnist(empty / "mnist", monkeypatch)
    data = load("mnist-m")
    assert data.name == "mnist-m (made here)" and data.train.shape == (50, 3, 28, 28)
    assert data.train_labels.tolist() == arrays[1].tolist()


def test_mnist_m_is_known_by_shape_and_labels(empty):
    """No checksum is published; MNIST's training labels begin 5, 0, 4, 1, 9."""
    images = pictures(30, 32)
    labels = np.array([5, 0, 4, 1, 9, 2, 1, 3, 1, 4, *range(10), *range(10)])
    path = empty / "mnist_m_x.npz"
    np.savez(path, images=images, labels=labels, test_images=pictures(3, 32, seed=1))
    data, _, warned = heard("mnist-m")
    assert data.name == "mnist-m" and not warned
    # Its test images have no labels: what is held out has them, or none could be used.
    assert len(data.heldout_labels) == len(data.heldout) == 30 - len(data.train) > 0
    np.savez(path, images=images, labels=labels[::-1], test_images=pictures(3, 32, seed=1))
    _, _, warned = heard("mnist-m")
    assert "by its name and shape alone" in warned
    for wrong in (images[:, ::4, ::4], np.repeat(images[..., :1], 3, 3)):
        np.savez(path, images=wrong)
        with pytest.raises(ValueError, match="is not MNIST-M.*read it as npz:"):
            load("mnist-m")


def tiny_cifar(monkeypatch):
    random = np.random.default_rng(0)
    contents = {}
    for name in downloads.CIFAR_BATCHES:
        batch = {
            b"data": random.integers(0, 256, (20, 3072), dtype=np.uint8),
            b"labels": list(range(10)) * 2,
        }
        contents[name] = pickle.dumps(batch)
    monkeypatch.setattr(
        downloads, "CIFAR_BATCHES", {n: hashlib.md5(c).hexdigest() for n, c in contents.items()}
    )
    return contents


@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "data/cifar10/cifar-10-batches-py"])
def test_cifar10_from_an_unpacked_folder(empty, monkeypatch, folder):
    contents = tiny_cifar(monkeypatch)
    (empty / folder).mkdir(parents=True)
    for name, content in contents.items():
        (empty / folder / name).write_bytes(content)
    data = load("cifar10")
    assert (tuple(data.train.shape), len(data.heldout)) == ((100, 3, 32, 32), 20)
    first = pickle.loads(contents["data_batch_1"])[b"data"][0].reshape(3, 32, 32)
    assert np.array_equal(data.train[0].numpy(), first) and data.classes[9] == "truck"
    (empty / folder / "test_batch").write_bytes(b"evil")
    with pytest.raises(ValueError, match="checksum"):
        load("cifar10")


def test_cifar10_from_the_archive(empty, monkeypatch):
    contents = tiny_cifar(monkeypatch)
    path = empty / "cifar10" / "cifar-10-python.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(ValueError, match="checksum"):  # not the published archive
        load("cifar10")
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setitem(
        downloads.REMOTES, "cifar10", (downloads.Remote(path.name, (), f"md5:{md5}"),)
    )
    assert len(load("cifar10").train) == 100


def test_sprites_dlai_are_checked_by_blob_id_and_split_by_content(empty, monkeypatch):
    random = np.random.default_rng(0)
    base = random.integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    images = np.concatenate([base, base[:, :, ::-1], base])
    labels = np.eye(5)[np.arange(180) % 5]
    folder = empty / "sprites-dlai"
    folder.mkdir()
    files = downloads.REMOTES["sprites-dlai"]
    np.save(folder / files[0].file, images)
    np.save(folder / files[1].file, labels)
    with pytest.raises(ValueError, match="git checksum is .* expected b1fea8dd"):
        load("sprites-dlai")
    content = (folder / files[0].file).read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    monkeypatch.setitem(
        downloads.REMOTES,
        "sprites-dlai",
        (downloads.Remote(files[0].file, (), f"git:{blob}"), files[1]),
    )
    data = load("sprites-dlai")
    assert len(data.train) + len(data.heldout) == 180 and len(data.heldout) % 3 == 0
    assert data.classes == ("hero", "non-hero", "food", "spell", "side-facing")
    np.save(folder / files[1].file, labels[:-1])
    with pytest.raises(ValueError, match="not one-hot for 5 classes and 180 images"):
        load("sprites-dlai")


def test_inception_comes_from_where_pytorch_fid_takes_it():
    inception = pytest.importorskip("pytorch_fid.inception")
    assert downloads.REMOTES["inception"][0].urls == (inception.FID_WEIGHTS_URL,)


@needs_mnist
def test_real_mnist_and_the_set_made_from_it():
    data = load("mnist")
    assert (tuple(data.train.shape), len(data.heldout)) == ((60000, 1, 28, 28), 10000)
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.heldout_labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.skipif(
    not DATA or not list(Path(DATA).glob("mnist_m*.npz")),
    reason="DIFFUTILS_DATA names no folder with mnist_m*.npz",
)
def test_real_mnist_m_has_mnist_s_labels():
    data = load("mnist-m")
    assert data.name == "mnist-m" and data.shape == (3, 32, 32) and len(data.classes) == 10
