"""Weights on disk: safetensors (no pickle) and a JSON card that says what they are."""

import datetime
import json
import math
import os
import platform
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from . import denoisers, schedules
from .denoisers import Denoiser
from .unet import UNet

PRETRAINED = Path(__file__).resolve().parents[1] / "data" / "pretrained"

# The only names a card may use; a card is data, so it cannot name arbitrary code.
COEFFICIENTS = {"eps": denoisers.eps, "x0": denoisers.x0, "v": denoisers.v, "edm": denoisers.edm}
BETAS = {
    "linear": schedules.linear_betas,
    "scaled_linear": schedules.scaled_linear_betas,
    "quadratic": schedules.quadratic_betas,
    "cosine": schedules.cosine_betas,
    "sigmoid": schedules.sigmoid_betas,
}
SCHEDULES = {  # of EDM: densities to train with, grids to sample on
    "log_normal": schedules.log_normal,
    "log_uniform": schedules.log_uniform,
    "log_logistic": schedules.log_logistic,
    "karras": schedules.karras,
}
EMBEDDINGS = {"log": lambda: torch.log, "phi_star": lambda c: lambda sigma: sigma / (sigma + c)}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: temporary file, fsync, rename.

    Raises: OSError, naming the file, e.g. for a full disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_whole(path, content)
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}); make room, or choose another "
            "directory"
        ) from None


def _write_whole(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def save_weights(
    path: Path, module: nn.Module, card: dict, dtype: torch.dtype = torch.float16
) -> None:
    """Write module's weights to PATH (.safetensors) and the card to PATH with .json.

    Floating-point tensors are stored as dtype, others (counters) as they are.

    Raises: ValueError if a number is not finite in dtype.
    """
    from safetensors.torch import save

    path = Path(path)
    state = {
        k: v.detach().to("cpu", dtype if v.is_floating_point() else v.dtype).contiguous()
        for k, v in module.state_dict().items()
    }
    lost = [k for k, v in state.items() if not bool(v.isfinite().all())]
    if lost:
        raise ValueError(
            f"{lost[0]} holds numbers that are not finite in {dtype}; do not save a run that "
            f"diverged, or pass dtype=torch.float32"
        )
    write_whole(path, save(state))
    write_card(path, card)


def write_card(weights: Path, card: dict) -> None:
    """Write the JSON card beside weights; numbers that are not finite become null."""
    content = json.dumps(finite(card), indent=1, allow_nan=False) + "\n"
    write_whole(Path(weights).with_suffix(".json"), content.encode())


def finite(value):
    """A copy of what JSON can hold: None in place of numbers that are not finite."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [*map(finite, value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def load_weights(path: Path, module: nn.Module) -> dict:
    """Read weights into module, in the module's own precision; return the card.

    Raises: FileNotFoundError; ValueError when the file is no safetensors file, does not fit or
    holds a number that is not finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}; expected a .safetensors file")
    try:
        state = load_file(path)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is not a valid safetensors file ({error}); weights are read only from "
            f"safetensors, never from pickle"
        ) from None
    own = module.state_dict()
    wrong = sorted(
        k
        for k in own.keys() | state.keys()
        if k not in own or k not in state or own[k].shape != state[k].shape
    )
    if wrong:
        raise ValueError(
            f"the weights in {path} do not fit this network: {len(wrong)} of {len(own)} tensors "
            f"differ, first {wrong[0]}; build the network as the card beside the file says"
        )
    if lost := [k for k, v in state.items() if not bool(v.isfinite().all())]:
        raise ValueError(
            f"{lost[0]} in {path} holds numbers that are not finite: the file is damaged, or of a "
            f"training that diverged; fetch it again, or train again with a lower lr"
        )
    module.load_state_dict(state)
    return read_card(path)


def read_card(weights: Path) -> dict:
    """The JSON card beside weights.

    Raises: FileNotFoundError without a card; ValueError when it is no JSON object.
    """
    path = Path(weights).with_suffix(".json")
    if not path.is_file():
        raise FileNotFoundError(f"no card at {path}; weights need their .json beside them")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); fetch it again with its weights") from None
    return card


def provenance(began: float) -> dict:
    """What a card says of a training that began at time.monotonic() = began."""
    return {
        "seconds": round(time.monotonic() - began),
        "hardware": hardware(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }


def hardware() -> str:
    """The device that training runs on, in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"CPU, {torch.get_num_threads()} threads ({platform.machine()})"


def build(card: dict) -> SimpleNamespace:
    """The network that a card describes: .denoiser (untrained), .schedule, .density, .card.

    schedule: what sampling walks; density: what training draws from.  A card with betas is DDPM's,
    where both are the table.  EDM's has sigma_data, and three slots of {name, arguments}: density,
    embedding (a coordinate, see `denoisers.rescaled`) and grid.

    Raises: ValueError for a card that lacks an entry or names what does not exist.
    """
    try:
        net = UNet(**card["unet"])
        coefficients = COEFFICIENTS[card["coefficients"]]
        if card["coefficients"] == "edm":
            if not 0 < card["sigma_data"] < math.inf:
                raise ValueError(f"sigma_data is {card['sigma_data']}")
            coefficients = partial(coefficients, sigma_data=card["sigma_data"])
            density, schedule = _named(SCHEDULES, card["density"]), _named(SCHEDULES, card["grid"])
            c_noise = denoisers.rescaled(_named(EMBEDDINGS, card["embedding"]))
        else:
            density = schedule = schedules.Discrete(_named(BETAS, card["betas"]))
            c_noise = schedule.t
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"the card {card.get('name', '')!r} describes no model ({why}); it needs unet, "
            f"coefficients ({', '.join(COEFFICIENTS)}) and betas ({', '.join(BETAS)}), or for edm "
            f"sigma_data, density, grid ({', '.join(SCHEDULES)}) and embedding "
            f"({', '.join(EMBEDDINGS)})"
        ) from None
    denoiser = Denoiser(net, coefficients, c_noise)
    return SimpleNamespace(denoiser=denoiser, schedule=schedule, density=density, card=card)


def _named(known: dict, entry: dict):
    """known[entry["name"]](**entry["arguments"])."""
    return known[entry["name"]](**entry["arguments"])


def load_model(path: Path) -> SimpleNamespace:
    """A trained model from PATH.safetensors and its card: what `build` returns."""
    model = build(read_card(path))
    load_weights(Path(path), model.denoiser.net)
    model.denoiser.eval().requires_grad_(False)
    return model


def shipped() -> list[str]:
    """Names of the models in data/pretrained."""
    cards = (read_card(p) for p in sorted(PRETRAINED.glob("*.json")))
    return [card["name"] for card in cards if "unet" in card]


def pretrained(name: str) -> SimpleNamespace:
    """A model shipped in data/pretrained: what `build` returns.

    Raises: ValueError with the list of names when there is none of that name.
    """
    if name not in shipped():
        known = ", ".join(shipped()) or "none"
        raise ValueError(f"no pretrained model {name!r}; there are: {known}")
    return load_model(PRETRAINED / f"{name}.safetensors")
