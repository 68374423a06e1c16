"""A trained model from its card: network, coefficients, schedules."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from diffutils import denoisers, resample, schedules
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet
from diffutils.weights import cards, records


@dataclass(frozen=True)
class Model:
    """A denoiser and all that sampling needs beside it; `dataclasses.replace` changes it."""

    denoiser: Denoiser
    schedule: Callable  # sigma(u) that sampling walks
    density: Callable  # sigma(u) that training draws from
    card: dict
    log: Sequence[dict] = ()  # step, loss and heldout of each record of its training

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image; the card's size is a side or [H, W]."""
        if (size := self.card.get("size")) is None:
            raise ValueError(f"the card {self.card.get('name', '')!r} gives no size of its images")
        H, W = (size, size) if isinstance(size, int) else size
        return self.denoiser.net.in_channels, H, W


def edm(card: dict) -> Callable:
    """EDM's coefficients with the card's sigma_data."""
    if not 0 < (sigma_data := card["sigma_data"]) < math.inf:
        raise ValueError(f"sigma_data is {sigma_data}")
    return partial(denoisers.edm, sigma_data=sigma_data)


# The only names a card may use; a card is data, so it cannot name arbitrary code.
COEFFICIENTS = {  # of a card
    "eps": lambda card: denoisers.eps,
    "x0": lambda card: denoisers.x0,
    "v": lambda card: denoisers.v,
    "edm": edm,
}
KINDS = ("linear", "scaled_linear", "quadratic", "cosine", "sigmoid")
BETAS = {name: getattr(schedules, f"{name}_betas") for name in KINDS}
# Linear, but to the end of pure noise.
BETAS["rescaled_linear"] = lambda **range: schedules.rescale_terminal_snr(
    schedules.linear_betas(**range)
)
GRIDS = ("log_normal", "log_uniform", "log_logistic", "karras")  # densities too, to train with
SCHEDULES = {name: getattr(schedules, name) for name in GRIDS}
EMBEDDINGS = {  # what the network is told: from 0 to 1000, or sigma/(sigma + c) as SSIMBaD tells it
    "log": lambda: denoisers.rescaled(torch.log),
    "phi_star": lambda c: denoisers.rescaled(lambda sigma: sigma / (sigma + c)),
    "phi_star_unscaled": lambda c: lambda sigma: sigma / (sigma + c),
}


def filtered(layer: Callable) -> Callable:
    """A factory of resampling layers by the fields of a `resample.Filter`."""
    return lambda **filter: partial(layer, resample.Filter(**filter))


def activation(kind: type[nn.Module]) -> Callable:
    """A factory of activations: plain, or filtered by the fields of a `resample.Filter`."""

    def made(**filter):
        if filter:
            return partial(resample.Filtered, kind(), resample.Filter(**filter))
        return lambda width, padding: kind()

    return made


PARTS = {  # of the U-Net: what halves, what doubles, what bends
    "down": {"max": lambda: resample.MaxDown, "filter": filtered(resample.Down)},
    "up": {"bilinear": lambda: resample.Bilinear, "filter": filtered(resample.Up)},
    "act": {kind.__name__.lower(): activation(kind) for kind in (nn.SiLU, nn.GELU, nn.ReLU)},
}

# What a model's card says, where it says it.
FIELDS = {
    "name": str,
    "unet": dict,
    "coefficients": str,
    "sigma_data": (int, float),
    **dict.fromkeys(("betas", "density", "grid", "embedding", "loaded", "settings", "parts"), dict),
    "size": (int, list),
    "images": int,
    "classes": list,
    "data": str,
    "seed": int,
}
MOST = 2**30  # parameters, 4 GiB in float32; a training takes four times that
MOST_LEVELS = 10**6  # of a table of betas
MOST_SIDE = 2**14  # pixels


def build(card: dict, blank: bool = False) -> Model:
    """The untrained model that a card describes; blank: its weights take no memory (device meta).

    unet: arguments of `UNet`, cond_channels for an image condition among them.  coefficients: a
    name; edm's has a sigma_data beside it.  parts: by name in `PARTS`, slots of {name, arguments}
    that take the place of the U-Net's own.  Noise levels are such a slot, or three: betas, DDPM's
    table; or density, grid and embedding (a coordinate, see `denoisers.rescaled`).

    Raises: ValueError for a card that lacks an entry, names what does not exist, or describes more
    than `MOST` parameters.
    """
    try:
        # Measure the network before it takes memory.
        records.check(card, FIELDS)
        parts = {k: filled(PARTS[k], slot) for k, slot in card.get("parts", {}).items()}
        with torch.device("meta"):
            net = UNet(**card["unet"], **parts)
        _check_sizes(card, net)
        net = net if blank else UNet(**card["unet"], **parts)
        # Tell it the noise levels.
        coefficients = COEFFICIENTS[card["coefficients"]](card)
        if "betas" in card:
            density = schedule = schedules.Discrete(filled(BETAS, card["betas"]))
            c_noise = schedule.t
        else:
            density, schedule = (filled(SCHEDULES, card[slot]) for slot in ("density", "grid"))
            c_noise = filled(EMBEDDINGS, card["embedding"])
    except (KeyError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"the card {card.get('name', '')!r} describes no model ({why}); it needs unet, "
            f"coefficients ({', '.join(COEFFICIENTS)}) and betas ({', '.join(BETAS)}), or for edm "
            f"sigma_data, density, grid ({', '.join(SCHEDULES)}) and embedding "
            f"({', '.join(EMBEDDINGS)})"
        ) from None
    return Model(Denoiser(net, coefficients, c_noise), schedule, density, card)


def _check_sizes(card: dict, net: UNet) -> None:
    """Raise ValueError for sizes that no memory holds, or that contradict each other."""
    if (count := sum(p.numel() for p in net.parameters())) > MOST:
        raise ValueError(f"its network has {count:,} parameters, more than models.MOST = {MOST:,}")
    if (T := dict(card.get("betas", {}).get("arguments", {})).get("T", 1)) > MOST_LEVELS:
        raise ValueError(f"T is {T}, more than models.MOST_LEVELS = {MOST_LEVELS:,}")
    size = card.get("size", 1)
    sides = [size, size] if isinstance(size, int) else size
    if len(sides) != 2 or not all(type(x) is int and 1 <= x <= MOST_SIDE for x in sides):
        wanted = f"a side or [height, width], each 1 to {MOST_SIDE:,}"
        raise ValueError(f"size is {str(size)[:40]}, expected {wanted}")
    if (names := len(card.get("classes", []))) > net.classes:
        raise ValueError(f"it names {names} classes, but its network knows {net.classes}")


def filled(known: dict[str, Callable], slot: dict):
    """What the known function of the slot's name returns for the slot's arguments."""
    return known[slot["name"]](**slot["arguments"])


def load_model(path: Path) -> Model:
    """A trained model from PATH.safetensors and its card.

    Raises: FileNotFoundError; ValueError as `build` and `cards.load_weights` do.
    """
    model = build(cards.read_card(path), blank=True)
    cards.load_weights(path, model.denoiser.net)
    model.denoiser.eval().requires_grad_(False)
    return model


def shipped(*slots: str, **entries) -> list[str]:
    """Names of the models in data/pretrained whose cards have these slots and these entries.

    Of faces, on DDPM's table: shipped("betas", data="faces").
    """
    found, needed = map(cards.read_card, sorted(cards.PRETRAINED.glob("*.json"))), {"name", "unet"}
    found = (card for card in found if needed | {*slots} <= card.keys())
    return [card["name"] for card in found if entries.items() <= card.items()]


def pretrained(name: str) -> Model:
    """A model shipped in data/pretrained.

    Raises: ValueError with the list of names when there is none of that name.
    """
    if name not in (known := shipped()):
        raise ValueError(f"no pretrained model {name!r}; there are: {', '.join(known) or 'none'}")
    return load_model(cards.PRETRAINED / f"{name}.safetensors")
