"""Published networks that distances are measured on: Inception (FID, KID, IS), AlexNet (LPIPS).

Weights are fetched by `python -m diffutils data get inception`, or given as a file. A distance on
Inception features is an FID or a KID; on any others it is called what it is.
"""

import pickle
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from diffutils.data import downloads, to_float
from diffutils.data.fetch import checked

MOST = 2**30  # bytes of a file of weights, unpacked; the largest has a quarter of it
# How a file that holds no weights fails; AttributeError: an .npz whose arrays are none.
FAILURES = (pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, MemoryError)
FAILURES += (RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError, OSError)
SMALLEST = 64  # pixels; LPIPS was fitted at this side, and below 31 AlexNet has nothing to pool
# network: a tensor that tells its weights, the download, arrays that hold the same
WEIGHTS = {
    "inception": ("Mixed_7c.branch_pool.conv.weight", "95 MB", None),
    "alexnet": ("features.10.weight", "244 MB", ("lpips", "alexnet_features.npz")),
}


class Inception(nn.Module):
    """pytorch-fid's Inception network by its weights `state`, preprocessing included.

    Raises: ValueError if they do not fit.
    Source: Szegedy et al. 2016 (arXiv 1512.00567); the TensorFlow weights of 2015-12-05.
    """

    def __init__(self, state: dict[str, Tensor]):
        from pytorch_fid import inception

        super().__init__()
        # pytorch-fid downloads where it builds; the weights that are here are handed to it.
        with patch.object(inception, "load_state_dict_from_url", lambda *a, **k: state):
            self.net = _fitting("inception", inception.InceptionV3)
        self.register_buffer("fc", state["fc.weight"])
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B 2048"]:
        """Features of grey or RGB images, enlarged to 299 x 299 as pytorch-fid does."""
        return self.net(_rgb(images.to(self.fc.device)).float() / 255)[0].flatten(1)

    def probabilities(self, features: Float[Tensor, "B 2048"]) -> Float[Tensor, "B classes"]:
        """p(y|x), float64: softmax of the `fc` layer without its bias, as in the original code."""
        return (features.double() @ self.fc.T.to(features.device).double()).softmax(1)


class AlexNet(nn.Module):
    """AlexNet as the lpips package uses it: 256 features, and the LPIPS distance.

    state: weights and biases of the five convolutions, `features.0.weight` to
    `features.10.bias`, as torchvision names them. The linear layers ship with lpips.
    Raises: ValueError if they do not fit. Source: Zhang et al. 2018 (arXiv 1801.03924), v0.1.
    """

    def __init__(self, state: dict[str, Tensor]):
        import lpips

        super().__init__()
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lpips speaks to torchvision in an old way
            self.lpips = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        # lpips calls "slice2.3.weight" what torchvision calls "features.3.weight"
        own = self.lpips.net.state_dict()
        theirs = {key: f"features.{key.partition('.')[2]}" for key in own}
        copied = {key: state[name] for key, name in theirs.items() if name in state}
        _fitting("alexnet", lambda: self.lpips.net.load_state_dict(copied))
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B 256"]:
        """Mean over the pixels of the fifth layer; small images are enlarged as in `distance`."""
        x = self.lpips.scaling_layer(self._enlarged(images))
        return self.lpips.net(x).relu5.mean((2, 3))

    def distance(
        self, a: Shaped[Tensor, "B C H W"], b: Shaped[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """LPIPS of each pair; images below 64 pixels are enlarged to that, bilinearly.

        uint8, or floats in [-1, 1], to which gradients then flow.
        """
        return self.lpips(self._enlarged(a), self._enlarged(b)).flatten()

    def _enlarged(self, images: Tensor) -> Tensor:
        x = to_float(_rgb(images.to(self.lpips.scaling_layer.shift.device)))
        if (short := min(x.shape[-2:])) >= SMALLEST:
            return x
        size = [round(side * SMALLEST / short) for side in x.shape[-2:]]
        return F.interpolate(x, size=size, mode="bilinear")


def weights(name: str, files: Sequence[Path] = ()) -> dict[str, Tensor]:
    """Weights of "inception" or "alexnet" by tensor name: from `files`, else where data sets are.

    Raises: FileNotFoundError, which says how to get them; ValueError for a damaged file.
    """
    tensor, size, arrays = WEIGHTS[name]
    for state in map(read_state, files):
        if tensor in state:
            return state
    (remote,) = downloads.REMOTES[name]
    if path := downloads.find(name, remote.file):
        checked(path, remote.checksum)
    elif not (arrays and (path := downloads.find(*arrays))):
        raise FileNotFoundError(
            f"the weights of {name} are not here: run `python -m diffutils data get {name}`"
            f" ({size}), or put {remote.file} into $DIFFUTILS_DATA/{name}, or give the file itself"
            " (evaluate: --weights FILE)"
        )
    return read_state(path)


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a file of torch.save or an .npz; no code in it is run.

    Raises: FileNotFoundError; ValueError if it is neither.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; give a .pth or .npz file")
    try:
        # What it unpacks to is known before it is read.
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()))
        if size > MOST:
            raise ValueError(f"{size:,} bytes, more than published.MOST = {MOST:,}")
        # Read it.
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {key: torch.from_numpy(arrays[key]) for key in arrays.files}
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
            raise ValueError("no dictionary of tensors")
        return state
    except FAILURES as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} holds no weights ({why[:80]}); give a .pth file of tensors by name, or an .npz"
        ) from None


def _fitting(name: str, build: Callable):
    try:
        return build()
    except (RuntimeError, KeyError) as error:
        lines = str(error).splitlines()  # torch tells first in which class, then what
        why = next((x for x in lines if "ize mismatch" in x or "key(s)" in x), str(error))
        raise ValueError(
            f"these are not the weights of {name} ({why.strip()[:120]}); get them by"
            f" `python -m diffutils data get {name}`"
        ) from None


def _rgb(images: Tensor) -> Tensor:
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"images have {images.shape[1]} channels; this network reads grey or RGB: give 1 or 3"
        )
    return images.expand(-1, 3, -1, -1)
