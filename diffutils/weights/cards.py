"""Weights on disk: safetensors (no pickle) and a JSON card that says what they are."""

import json
from pathlib import Path

import safetensors.torch
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
    state = {
        k: v.detach().to("cpu", dtype if v.is_floating_point() else v.dtype).contiguous()
        for k, v in (module if isinstance(module, dict) else module.state_dict()).items()
    }
    if lost := not_finite(state):
        raise ValueError(
            f"{lost[0]} holds numbers that are not finite in {dtype}; do not save a run that "
            f"diverged, or pass dtype=torch.float32"
        )
    write_whole(path, safetensors.torch.save(state))
    write_card(path, card)


def write_card(weights: Path, card: dict) -> None:
    """Write the JSON card beside weights; numbers that are not finite become null."""
    write_json(Path(weights).with_suffix(".json"), card)


def load_weights(path: Path, module: nn.Module) -> dict:
    """Read weights into module, in the module's own precision; return the card.

    Raises: FileNotFoundError; ValueError when the file is no safetensors file, does not fit or
    holds a number that is not finite.
    """
    # Read.
    if not Path(path).is_file():
        raise FileNotFoundError(f"no weights at {path}; expected a .safetensors file")
    try:
        state = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is not a valid safetensors file ({error}); weights are read only from "
            f"safetensors, never from pickle"
        ) from None
    # Compare with the network.
    own, found = ({(k, v.shape) for k, v in s.items()} for s in (module.state_dict(), state))
    if wrong := sorted({name for name, _ in own ^ found}):
        raise ValueError(
            f"the weights in {path} do not fit this network: {len(wrong)} of {len(own)} tensors "
            f"differ, first {wrong[0]}; build the network as the card beside the file says"
        )
    if lost := not_finite(state):
        raise ValueError(
            f"{lost[0]} in {path} holds numbers that are not finite: the file is damaged, or of a "
            f"training that diverged; fetch it again, or train again with a lower lr"
        )
    module.load_state_dict(state)
    return read_card(path)


def not_finite(state: dict) -> list[str]:
    """The names of tensors that hold a number which is not finite."""
    return [name for name, value in state.items() if not bool(value.isfinite().all())]


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
