"""The state of a training: taken, written whole or not at all, verified, put back.

A state is a dictionary: "step", "seconds", and three groups of tensors, "raw" (the network),
"ema" (its average) and "optimizer" (moments and step counters, named PARAMETER/MOMENT).  There is
nothing else to remember, since every random number follows from (seed, step, sample index).
"""

import hashlib
import os
import shutil
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from diffutils.weights import files, records
from diffutils.weights.cards import not_finite
from diffutils.weights.warned import warn

GROUPS = ("raw", "ema", "optimizer")
MANIFEST = "manifest.json"


def snapshot(step: int, seconds: float, net: nn.Module, average: nn.Module, opt) -> dict:
    """Copy the state to the CPU.  Raises: FloatingPointError for one that is not finite."""
    moments = {
        f"{name}/{key}": value
        for name, p in net.named_parameters()
        for key, value in opt.state[p].items()
    }
    tensors = {"raw": net.state_dict(), "ema": average.state_dict(), "optimizer": moments}
    state = {"step": step, "seconds": seconds}
    for group in GROUPS:
        state[group] = {k: v.detach().to("cpu", copy=True) for k, v in tensors[group].items()}
        if lost := not_finite(state[group]):
            raise FloatingPointError(
                f"after step {step} {lost[0]} ({group}) is not finite; lower lr or raise warmup"
            )
    return state


def restore(state: dict, net: nn.Module, average: nn.Module, opt) -> None:
    """Put a state back in place.  Raises: ValueError for the state of another network."""
    parameters = dict(net.named_parameters())
    if not isinstance(state, dict) or {"step", "seconds", *GROUPS} - state.keys():
        raise ValueError("state is no state of a training; hand over what a record's state() gave")
    shapes = [{k: v.shape for k, v in s.items()} for s in (net.state_dict(), state["raw"])]
    if shapes[0] != shapes[1] or {k.rpartition("/")[0] for k in state["optimizer"]} - {*parameters}:
        raise ValueError(
            "the state is of another network: its weights have other names or shapes; build the "
            "network as it was, or start without state="
        )
    net.load_state_dict(state["raw"])
    average.load_state_dict(state["ema"])
    for name, value in state["optimizer"].items():
        name, _, key = name.rpartition("/")
        p = parameters[name]
        if value.shape == p.shape:
            # Files hold plain row-major tensors.  Fused Adam on a CPU walks through memory without
            # looking at strides: beside a channels_last weight it would pair the wrong numbers.
            value = torch.empty_like(p, dtype=value.dtype).copy_(value)
        opt.state[p][key] = value.to(p.device)


def save(folder: Path, state: dict, about: dict) -> Path:
    """Write folder/step-00001234 and keep the newest two; a kill at any moment leaves no half.

    about: what else the manifest says (JSON).  Returns the new folder.
    Raises: OSError, e.g. for a full disk.
    """
    target = folder / f"step-{state['step']:08}"
    building = folder / f".{target.name}{files.PART}"
    files.sweep(folder)  # of a run that was killed while it wrote
    try:
        with files.naming(target):
            # Write the parts, the manifest last: with it the checkpoint is whole.
            checksums = {}
            for group in GROUPS:
                content = {k: v.contiguous() for k, v in state[group].items()}
                content = safetensors.torch.save(content)
                checksums[f"{group}.safetensors"] = hashlib.sha256(content).hexdigest()
                files.write_whole(building / f"{group}.safetensors", content)
            own = {"step": state["step"], "seconds": state["seconds"], "files": checksums}
            body = files.finite(about | own)
            manifest = {"body": body, "sha256": records.checksum(body)}
            files.write_json(building / MANIFEST, manifest)
            files.sync(building)
            # Give it its name; keep the one before, in case this one is damaged, and no other.
            shutil.rmtree(target, ignore_errors=True)  # a damaged one of the same step
            os.replace(building, target)
            files.sync(folder)
            before = [p for p in steps(folder) if p.name < target.name][:1]
            for path in {*steps(folder)} - {target, *before}:
                shutil.rmtree(path)
    finally:  # after a full disk or an interrupt no half stays; after success there is none
        shutil.rmtree(building, ignore_errors=True)
    return target


def steps(folder: Path) -> list[Path]:
    """The checkpoints in folder, newest first, whole or damaged."""
    return sorted(folder.glob("step-" + "[0-9]" * 8), reverse=True)


def newest(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; a damaged one is skipped with a warning naming it."""
    for path in steps(folder):
        try:
            read(path)
            return path
        except (OSError, ValueError) as error:
            warn(f"checkpoint {path} is damaged and skipped: {error}; an older one is tried")
    return None


def read(path: Path) -> tuple[dict, dict]:
    """State and manifest of one checkpoint.  Raises: FileNotFoundError; ValueError for damage."""
    stored = records.read(path / MANIFEST, {"body": dict, "sha256": str}, "it is not used")
    body = stored["body"]
    if stored["sha256"] != records.checksum(body) or body.get("step") != int(path.name[5:]):
        raise ValueError(f"{MANIFEST} does not have its checksum")
    records.need(body, {"seconds": (int, float), "files": dict})
    state = {"step": body["step"], "seconds": body["seconds"]}
    for group in GROUPS:
        content = (path / f"{group}.safetensors").read_bytes()
        if hashlib.sha256(content).hexdigest() != body["files"][f"{group}.safetensors"]:
            raise ValueError(f"{group}.safetensors does not have its checksum")
        state[group] = safetensors.torch.load(content)
    return state, body
