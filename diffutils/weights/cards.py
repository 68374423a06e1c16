"""Weights on disk: safetensors (no pickle) and a JSON card that says what they are.

A card holds two checksums: `sha256` of the file of weights, `card_sha256` of what else it says.
"""

import hashlib
import json
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from diffutils.weights import files, records
from diffutils.weights.warned import warn

PRETRAINED = files.SHIPPED / "data" / "pretrained"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
CHECKSUMS = {"sha256": str, "card_sha256": str}
AGAIN = "fetch it again with its weights, or go on with its training, which writes both anew"


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
        cure = "do not save a run that diverged, or pass dtype=torch.float32"
        raise ValueError(f"{lost[0]} holds numbers that are not finite in {dtype}; {cure}")
    content = safetensors.torch.save(state)
    card = card | {"sha256": hashlib.sha256(content).hexdigest()}
    files.write_together({path: content, card_path(path): _signed(card)})


def write_card(weights: Path, card: dict) -> None:
    """Write the JSON card beside weights anew; numbers that are not finite become null."""
    files.write_whole(card_path(weights), _signed(card))


def card_path(weights: Path) -> Path:
    """Where the card of weights lies."""
    return Path(weights).with_suffix(".json")


def load_weights(path: Path, module: nn.Module) -> dict:
    """Read weights into module, in the module's own precision; return the card.

    A module on the meta device, which takes no memory, gets its weights on the CPU.

    Raises: FileNotFoundError; ValueError when the file does not have its checksum, is no
    safetensors file, does not fit or holds a number that is not finite.
    """
    # Read.
    if not Path(path).is_file():
        raise FileNotFoundError(f"no weights at {path}; expected a .safetensors file")
    card = read_card(path)
    try:
        state = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is not a valid safetensors file ({error}); weights are read only from "
            "safetensors, never from pickle"
        ) from None
    check_sum(path, card)
    # Compare with the network.
    own = module.state_dict()
    if wrong := sorted({name for name, *_ in _kinds(own) ^ _kinds(state)}):
        raise ValueError(
            f"the weights in {path} do not fit this network: {len(wrong)} of {len(own)} tensors "
            f"differ, first {wrong[0]}; build the network as the card beside the file says"
        )
    if lost := not_finite(state):
        raise ValueError(
            f"{lost[0]} in {path} holds numbers that are not finite: the file is damaged, or of a "
            f"training that diverged; fetch it again, or train again with a lower lr"
        )
    blank = any(p.is_meta for p in module.parameters())
    state = {k: v.to(own[k].dtype, copy=True) for k, v in state.items()}
    module.load_state_dict(state, assign=blank)
    return card


def _kinds(state: dict) -> set[tuple]:
    """Of each tensor its name, its shape, and its type; types of floating-point are one."""
    return {(k, v.shape, "float" if v.dtype in FLOATS else v.dtype) for k, v in state.items()}


def not_finite(state: dict) -> list[str]:
    """The names of tensors that hold a number which is not finite."""
    return [name for name, value in state.items() if not bool(value.isfinite().all())]


def check_sum(path: Path, card: dict) -> None:
    """Raise ValueError unless weights are the ones that their card was written for.

    A card of an earlier version has no checksums: what ships is refused, one's own comes with a
    warning.
    """
    if lost := CHECKSUMS.keys() - card.keys():
        said = f"the card beside {path} has no {min(lost)}, by which damage would be seen"
        if Path(path).parent.resolve() == PRETRAINED.resolve():
            raise ValueError(f"{said}; {AGAIN}")
        warn(f"{said}; it is taken as it is")
    if "sha256" not in card:
        return
    with open(path, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != card["sha256"]:
        why = "one of the two is damaged, or the program was stopped between writing them"
        raise ValueError(f"{path} does not have the checksum on its card: {why}; {AGAIN}")


def read_card(weights: Path) -> dict:
    """The JSON card beside weights.

    Raises: FileNotFoundError without a card; ValueError when it is no JSON object, or not what
    was written.
    """
    path = card_path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"no card at {path}; weights need their .json beside them")
    card = records.read(path, {}, AGAIN)
    try:
        records.check(card, CHECKSUMS)
        if card.get("card_sha256", _checksum(card)) != _checksum(card):
            raise ValueError("it does not have its checksum")
    except ValueError as error:
        cure = f"{AGAIN}; where you changed it on purpose, delete its line card_sha256"
        raise ValueError(f"{path} is damaged ({error}); {cure}") from None
    return card


def _signed(card: dict) -> bytes:
    """A card as the text of its file; beside the checksum of its weights the one of what it says.

    A card without, of an earlier version, gets none: its weights were not verified.
    """
    card = json.loads(files.as_json(card))  # as it will be read
    return files.as_json(card | ({"card_sha256": _checksum(card)} if "sha256" in card else {}))


def _checksum(card: dict) -> str:
    return records.checksum({k: v for k, v in card.items() if k not in CHECKSUMS})
