"""Weights on disk: safetensors (no pickle) and a JSON card that says what they are."""

import json
from pathlib import Path

import torch
from torch import nn

from diffutils.weights.files import CHECKOUT, write_json, write_whole

PRETRAINED = CHECKOUT / "data" / "pretrained"


def save_weights(
    path: Path, module: nn.Module | dict, card: dict, dtype: torch.dtype = torch.float16
) -> None:
    """Write a module's weights, or its state_dict, to PATH (.safetensors); the card beside them.

    Floating-point tensors are stored as dtype, others (counters) as they are.

    Raises: ValueError if a number is not finite in dtype.
    """
    from safetensors.torch import save

    path = Path(path)
    state = {
        k: v.detach().to("cpu", dtype if v.is_floating_point() else v.dtype).contiguous()
        for k, v in (module if isinstance(module, dict) else module.state_dict()).items()
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
    write_json(Path(weights).with_suffix(".json"), card)


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
