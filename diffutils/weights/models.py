"""A trained model from its card: network, coefficients, schedules."""

import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch

from diffutils import denoisers, schedules
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet
from diffutils.weights.cards import PRETRAINED, load_weights, read_card

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
