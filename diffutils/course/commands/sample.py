"""`python -m diffutils sample`: images into a folder, from which a killed run goes on."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from diffutils import __version__
from diffutils.course.experiments.sampling import asked, drawn
from diffutils.course.machine import best_device
from diffutils.course.runs import fingerprint, rundir
from diffutils.schedules import steps as levels
from diffutils.weights import cards, files, models, provenance


def sample_folder(
    source: str,
    out: Path,
    n: int,
    *,
    steps: int = 50,
    eta: float = 0.0,
    heun: bool = False,
    scale: float = 1.0,
    label: str | None = None,
    seed: int = 0,
    bf16: bool = False,
    batch: int | None = None,
    report: Callable[[str], None] = print,
) -> Path:
    """Draw out/00000.png to n - 1; settings go to OUT.json beside; the path of that file.

    source: see `find_weights`.  label: a class by name or number, "none", or None for every class
    in turn.  Images that are there from the same settings are kept, so a killed run goes on and a
    larger n adds to them.  Memory does not grow with n.
    Raises: ValueError for impossible settings, or a folder that holds other files or was drawn
    with other settings; BlockingIOError when another process draws into it.
    """
    path = find_weights(source)
    model = models.load_model(path)
    label = asked_class(model, label)
    if scale != 1 and label == "none":
        raise ValueError(
            f"scale is {scale}, but no class is asked for; guidance leads towards one: give "
            "--label, or leave --scale out"
        )
    sampler = asked(steps, eta, heun)
    levels(model.schedule, steps)  # refuses impossible steps before anything is written
    settings = {
        "model": identity(path, model.card),
        "steps": steps,
        "eta": eta,
        "scale": scale,
        "label": label,
        "seed": seed,
        "bf16": bf16,
    } | ({"heun": True} if heun else {})
    record = out.with_name(f"{out.name}.json")
    check_same(out, record, settings)
    rundir.hold(out)
    try:
        about = {
            "settings": settings,
            "n": n,
            "weights": path.name,
            "diffutils": __version__,
            "hardware": provenance.hardware(),
        }
        files.write_whole(record, (json.dumps(about, indent=1) + "\n").encode())
        for half in out.glob(".*.png.*"):  # of a run that was killed while it wrote
            half.unlink()
        missing = [i for i in range(n) if not image_file(out, i).exists()]
        index = torch.tensor(missing, dtype=torch.long)
        if len(index) < n:
            report(f"{n - len(index)} of {n} images are there, drawn with the same settings")
        device = best_device()
        model.denoiser.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            write(
                out,
                index,
                drawn(
                    model,
                    index,
                    sampler,
                    labels=labels_for(model, index, label),
                    scale=scale,
                    seed=seed,
                    batch=batch,
                ),
                report,
            )
    finally:
        rundir.release(out)
    return record


def identity(weights: Path, card: dict) -> str:
    """Of a model, wherever its files lie: the weights, and what of the card decides an image."""
    path = ("sigma_data", "embedding", "grid") if card["coefficients"] == "edm" else ("betas",)
    decides = [card[k] for k in ("unet", "coefficients", *path, "size")]
    return fingerprint.digest(weights.read_bytes() + json.dumps(decides).encode())


def image_file(out: Path, i: int) -> Path:
    """Where image i goes."""
    return out / f"{i:05}.png"


def write(out: Path, index: Tensor, batches: Iterator[Tensor], report: Callable) -> None:
    """Write each image whole or not at all, and say every five seconds how many there are."""
    from PIL import Image

    done, began, said = 0, time.monotonic(), time.monotonic()
    for images in batches:
        for i, image in zip(index[done : done + len(images)].tolist(), images, strict=True):
            content, pixels = io.BytesIO(), image.permute(1, 2, 0).numpy()
            Image.fromarray(pixels.squeeze(2) if len(image) == 1 else pixels).save(content, "png")
            files.write_whole(image_file(out, i), content.getvalue())
        done += len(images)
        now = time.monotonic()
        if done == len(index) or now - said > 5:
            said = now
            report(f"{done}/{len(index)} images · {done / (now - began):.1f} images/s")


def check_same(out: Path, record: Path, settings: dict) -> None:
    """Raise ValueError if `out` is a file, or holds what was not drawn with these settings."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; give a folder for the images")
    if not out.exists() or all(p.name in rundir.FILES for p in out.iterdir()):
        return
    try:
        before = json.loads(record.read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"{out} holds files, but {record} does not say how they were drawn; choose another "
            "folder"
        ) from None
    differ = [k for k in settings | before if settings.get(k) != before.get(k)]
    if differ:
        raise ValueError(
            f"{out} holds images of other settings: "
            + ", ".join(f"{k} was {before.get(k)}, is {settings.get(k)}" for k in differ)
            + "; choose another folder, or delete that one"
        )


def find_weights(source: str) -> Path:
    """The weights that `source` means: a .safetensors file, a run directory, or a shipped model.

    Raises: ValueError, which lists the choices, for a directory with no model or several, and for
    a name that is neither; FileNotFoundError for a file that is not there.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*.safetensors")) if _has_card(p)]
        if len(found) == 1:
            return found[0]
        choices = ", ".join(str(p) for p in found) or "none"
        raise ValueError(f"{source} holds {len(found)} models; give the file of one: {choices}")
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise FileNotFoundError(f"no weights at {path}; expected a .safetensors file")
        return path
    if source in models.shipped():
        return cards.PRETRAINED / f"{source}.safetensors"
    raise ValueError(
        f"{source!r} is no .safetensors file, run directory or shipped model; shipped are "
        f"{', '.join(models.shipped()) or 'none'}"
    )


def asked_class(model: SimpleNamespace, label: str | None) -> int | str:
    """The number of a class given by name or number; "every" for None where there are classes."""
    names = list(model.card.get("classes", []))
    count = getattr(model.denoiser.net, "classes", 0)
    if label is None:
        return "every" if count else "none"
    if label == "none" or label in names:
        return names.index(label) if label in names else "none"
    if label.isdecimal() and int(label) < count:
        return int(label)
    known = ", ".join(f"{i} {c}" for i, c in enumerate(names)) or f"0 to {count - 1}"
    raise ValueError(
        f"label is {label!r}, but the model " + (f"knows {known}" if count else "has no classes")
    )


def labels_for(model: SimpleNamespace, index: Tensor, label: int | str) -> Tensor | None:
    """The class of each image; None where no class is asked for."""
    if label == "none":
        return None
    return index % model.denoiser.net.classes if label == "every" else torch.full_like(index, label)


def _has_card(weights: Path) -> bool:
    """Is this a model of its own, and not a part of a checkpoint or what a new start set aside?"""
    aside = any(part.startswith("earlier-") for part in weights.parts)
    if aside or not weights.with_suffix(".json").is_file():
        return False
    return "unet" in cards.read_card(weights)
