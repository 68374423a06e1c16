"""Inception and AlexNet against the packages they come from; weights found, fetched, refused."""

import hashlib
import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils.data import downloads
from diffutils.metrics import classifiers, spaces
from diffutils.metrics import published as fs

ARRAYS = Path(os.environ.get("DIFFUTILS_DATA", "")) / "lpips"
needs_lpips = pytest.mark.skipif(
    not os.environ.get("DIFFUTILS_DATA") or not (ARRAYS / "alexnet_features.npz").is_file(),
    reason="DIFFUTILS_DATA names no folder with lpips/alexnet_features.npz",
)


def images(n, side=40, channels=3):
    g = torch.Generator().manual_seed(side)
    return torch.randint(0, 256, (n, channels, side, side), generator=g, dtype=torch.uint8)


def alexnet_state(seed=0):
    g = torch.Generator().manual_seed(seed)
    shapes = {
        0: (64, 3, 11, 11),
        3: (192, 64, 5, 5),
        6: (384, 192, 3, 3),
        8: (256, 384, 3, 3),
        10: (256, 256, 3, 3),
    }
    state = {}
    for i, shape in shapes.items():
        scale = (2 / np.prod(shape[1:])) ** 0.5
        state[f"features.{i}.weight"] = scale * torch.randn(shape, generator=g)
        state[f"features.{i}.bias"] = 0.1 * torch.randn(shape[0], generator=g)
    return state


@pytest.fixture(scope="module")
def inception_net():
    """pytorch-fid's whole network as it builds it, with seeded weights in place of its download."""
    from pytorch_fid import inception
    from torchvision.models import Inception3

    with (
        torch.random.fork_rng(),
        patch.object(inception, "load_state_dict_from_url", lambda *a, **k: None),
        patch.object(Inception3, "load_state_dict", lambda self, state: None),
    ):
        torch.manual_seed(0)
        net = inception.fid_inception_v3()
    for name, p in net.named_parameters():  # keep the signal up through 90 layers
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(p)
    return net.eval()


@pytest.fixture(scope="module")
def inception(inception_net):
    return fs.Inception(inception_net.state_dict())


@torch.no_grad()
def test_inception_features_are_pytorch_fids_element_by_element(inception, inception_net, tmp_path):
    from pytorch_fid import fid_score
    from pytorch_fid import inception as theirs

    files = []
    for i, image in enumerate(images(2)):
        files.append(tmp_path / f"{i}.png")
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(files[-1])
    state = inception_net.state_dict()
    with patch.object(theirs, "load_state_dict_from_url", lambda *a, **k: state):
        net = theirs.InceptionV3([3]).eval()
    expected = fid_score.get_activations(files, net, batch_size=2, num_workers=0)
    got = inception(images(2))
    assert got.shape == (2, 2048) and np.abs(expected).max() > 0.01
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_probabilities_are_the_softmax_of_fc_without_its_bias(inception, inception_net):
    pool = torch.randn(3, 2048, generator=torch.Generator().manual_seed(1)).double()
    weight, bias = inception_net.fc.weight.double(), inception_net.fc.bias.double()
    got = inception.probabilities(pool)
    assert got.shape == (3, 1008) and got.dtype == torch.float64
    torch.testing.assert_close(got, (pool @ weight.T).softmax(1), rtol=1e-12, atol=0)
    assert not torch.allclose(got, (pool @ weight.T + bias).softmax(1), rtol=1e-4)


@torch.no_grad()
def test_grey_images_are_read_as_rgb(inception):
    grey = images(1, 20, 1)
    torch.testing.assert_close(inception(grey), inception(grey.expand(-1, 3, -1, -1)))
    with pytest.raises(ValueError, match="2 channels; this network reads grey or RGB"):
        inception(images(1, 20, 2))


def test_only_on_inception_is_a_distance_called_fid(inception_net, tmp_path):
    path = tmp_path / "inception.pth"
    torch.save(inception_net.state_dict(), path)
    space = spaces.named("inception", [path])
    assert (space.frechet, space.kernel) == ("FID", "KID") and "Inception" in space.words
    x = space.features(images(1, 30))
    assert x.shape == (1, 2048) and x.dtype == torch.float64
    assert space.probabilities(x).sum().item() == pytest.approx(1)
    torch.save(alexnet_state(), tmp_path / "alexnet.pth")
    for name in ("alexnet", "random", "sprites-features"):
        space = spaces.named(name, [path, tmp_path / "alexnet.pth"])
        assert (space.frechet, space.kernel) == ("Fréchet distance", "kernel distance")
        assert space.probabilities is None
        x = space.features(images(2, 32))
        assert x.dtype == torch.float64 and x.shape[0] == 2


def test_named_classifiers_give_the_features_of_their_module():
    for name, net in (
        ("random", classifiers.random_features()),
        ("sprites-features", classifiers.load_classifier("sprites-features")),
    ):
        x = images(5, 16)
        assert torch.equal(spaces.named(name).features(x), classifiers.features(net, x))


def test_an_unknown_space_is_answered_with_the_names():
    with pytest.raises(
        ValueError,
        match="'spirits'; there are: .*sprites-features.*; other spaces"
        " are inception, alexnet, random",
    ):
        spaces.named("spirits")


@torch.no_grad()
def test_alexnet_is_torchvisions_trunk():
    from torchvision.models import alexnet

    trunk = alexnet(weights=None).features[:12].eval()
    state = alexnet_state()
    trunk.load_state_dict({key.removeprefix("features."): value for key, value in state.items()})
    net, x = fs.AlexNet(alexnet_state()), images(3, 70)
    # the normalisation of ImageNet, for images in [-1, 1], as lpips rounds it
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1)
    expected = trunk((x / 127.5 - 1 - shift) / scale).mean((2, 3))
    assert expected.std() > 0.01
    torch.testing.assert_close(net(x), expected, rtol=1e-4, atol=1e-5)


def test_small_images_are_enlarged_to_64():
    net, x = fs.AlexNet(alexnet_state()), images(2, 16)
    by_hand = torch.nn.functional.interpolate(x / 127.5 - 1, size=(64, 64), mode="bilinear")
    scaled = net.lpips.scaling_layer(by_hand)
    torch.testing.assert_close(net(x), net.lpips.net(scaled).relu5.mean((2, 3)))
    assert net.distance(x, x).tolist() == [0, 0] and (net.distance(x, x.flip(2)) > 0).all()
    # Floats are distances of the same, with a slope: a sampler may be trained by it.
    a, b = (v / 127.5 - 1 for v in (x, x.flip(2)))
    loss = net.distance(a.requires_grad_(True), b)
    torch.testing.assert_close(loss, net.distance(x, x.flip(2)), rtol=1e-4, atol=1e-5)
    loss.sum().backward()
    assert a.grad.abs().flatten(1).sum(1).min() > 0
    wide = images(1, 32)[..., :24, :]
    assert net._enlarged(wide).shape == (1, 3, 64, 85)


def test_building_alexnet_leaves_the_random_state_alone():
    before = torch.random.get_rng_state()
    fs.AlexNet(alexnet_state())
    assert torch.equal(before, torch.random.get_rng_state())


@needs_lpips
def test_lpips_equals_the_published_example(monkeypatch):
    def example(name):
        pixels = np.asarray(Image.open(ARRAYS / f"{name}.png").convert("RGB"))
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]

    net = fs.AlexNet(fs.weights("alexnet"))
    reference = example("ex_ref")
    assert net.distance(reference, example("ex_p0")).item() == pytest.approx(0.722, abs=1e-3)
    assert net.distance(reference, example("ex_p1")).item() == pytest.approx(0.138, abs=1e-3)


@needs_lpips
def test_the_linear_layers_of_lpips_are_the_published_ones():
    net = fs.AlexNet(fs.weights("alexnet")).lpips.state_dict()
    linear = fs.read_state(ARRAYS / "lpips_lin_alex_v0.1.npz")
    assert len(linear) == 5
    for key, value in linear.items():
        assert torch.equal(net[key], value), key


@pytest.mark.parametrize(
    "name, file",
    [
        ("inception", "pt_inception-2015-12-05-6726825d.pth"),
        ("alexnet", "alexnet-owt-7be5be79.pth"),
    ],
)
def test_missing_weights_say_how_to_get_them(empty, name, file):
    with pytest.raises(FileNotFoundError) as error:
        fs.weights(name)
    said = str(error.value)
    for word in (
        f"python -m diffutils data get {name}",
        file,
        f"$DIFFUTILS_DATA/{name}",
        "--weights FILE",
    ):
        assert word in said
    assert "\n" not in said


def test_weights_are_found_where_a_download_puts_them_and_checked(empty, monkeypatch):
    folder = empty / "data" / "alexnet"
    folder.mkdir(parents=True)
    (remote,) = downloads.REMOTES["alexnet"]
    torch.save(alexnet_state(), folder / remote.file)
    with pytest.raises(ValueError, match="sha256 checksum is .*, expected 7be5be79"):
        fs.weights("alexnet")
    digest = hashlib.sha256((folder / remote.file).read_bytes()).hexdigest()
    known = downloads.Remote(remote.file, remote.urls, f"sha256:{digest}")
    monkeypatch.setitem(downloads.REMOTES, "alexnet", (known,))
    got = fs.weights("alexnet")
    assert got.keys() == alexnet_state().keys()
    assert all(torch.equal(got[key], value) for key, value in alexnet_state().items())


def test_weights_are_found_as_arrays(empty):
    (empty / "lpips").mkdir()
    arrays = {key: value.numpy() for key, value in alexnet_state().items()}
    np.savez(empty / "lpips" / "alexnet_features.npz", **arrays)
    got = fs.weights("alexnet")
    assert all(torch.equal(got[key], value) for key, value in alexnet_state().items())


def test_a_given_file_goes_first_and_is_told_by_what_is_in_it(empty, inception_net):
    torch.save(alexnet_state(1), empty / "one.pth")
    torch.save(inception_net.state_dict(), empty / "other.pth")
    files = [empty / "one.pth", empty / "other.pth"]
    assert torch.equal(
        fs.weights("alexnet", files)["features.3.bias"], alexnet_state(1)["features.3.bias"]
    )
    assert "fc.weight" in fs.weights("inception", files)
    with pytest.raises(FileNotFoundError, match="the weights of inception are not here"):
        fs.weights("inception", files[:1])


@pytest.mark.parametrize("name", ["inception", "alexnet"])
def test_weights_of_another_network_are_refused(name):
    key = fs.WEIGHTS[name][0]
    network = {"inception": fs.Inception, "alexnet": fs.AlexNet}[name]
    with pytest.raises(ValueError, match=f"not the weights of {name}.*data get {name}") as error:
        network({key: torch.zeros(2, 2)})
    assert "\n" not in str(error.value)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


def cut_inside(path):
    np.savez(path, a=np.arange(5000))
    content = bytearray(path.read_bytes())
    content[300:310] = bytes(10)
    path.write_bytes(content)


@pytest.mark.parametrize("name, make", [
    ("a.npz", lambda path: np.savez(path, a=np.array(["text"]))),
    ("a.npz", lambda path: np.savez(path, a=np.array([{}], dtype=object))),
    ("a.npz", cut_inside),
    ("a.npz", lambda path: np.savez_compressed(path, a=np.zeros(2**20))),
    ("a.pth", lambda path: torch.save({"a": torch.zeros(2), "b": "text"}, path)),
    ("a.pth", lambda path: torch.save({"a": torch.zeros(2**20)}, path)),
])  # fmt: skip
def test_a_file_of_other_things_or_too_large_is_one_sentence(tmp_path, monkeypatch, name, make):
    monkeypatch.setattr(fs, "MOST", 2**20)
    make(tmp_path / name)
    with pytest.raises(ValueError, match=r"a\.\w+ holds no weights .*; give a .pth") as error:
        fs.read_state(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["pickle", "text", "empty", "npz", "list"])
@pytest.mark.fault("hostile pickle, or a file without weights")
def test_a_file_that_holds_no_weights_runs_nothing(empty, content):
    import pickle

    path = empty / ("a.npz" if content == "npz" else "a.pth")
    if content == "list":
        torch.save([torch.zeros(2)], path)
    else:
        made = {"pickle": pickle.dumps(Evil(), 2), "text": b"<html>404</html>" * 9, "empty": b""}
        path.write_bytes(made.get(content, b"no zip"))
    with pytest.raises(ValueError, match=r"a\.\w+ holds no weights .*; give a .pth") as error:
        fs.read_state(path)
    assert "\n" not in str(error.value) and not (empty / "evil").exists()


def test_a_file_that_is_not_there(empty):
    with pytest.raises(FileNotFoundError, match="no weights at .*a.pth"):
        fs.read_state(empty / "a.pth")
