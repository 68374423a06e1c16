"""`python -m diffutils sample`: images into a folder, from which a killed run goes on."""

import glob
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import torch
from torch import Tensor

from diffutils import __version__
from diffutils.course.commands.options import COUNT, FOLDER, drawing, say
from diffutils.course.experiments.sampling import asked, check_cond, check_memory, drawn, share
from diffutils.course.machine import best_device
from diffutils.course.runs import fingerprint, rundir
from diffutils.data import arrays, folders, load, own_path, png
from diffutils.data.images import fit_size, to_tensor
from diffutils.schedules import levels
from diffutils.weights import cards, files, models, provenance, records, surroundings
from diffutils.weights.models import Model

# What of a card decides an image, beside the weights.
DECIDES = ("unet", "coefficients", "sigma_data", "embedding", "grid", "betas", "size")


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
    cond: Sequence[str] = (),
    seed: int = 0,
    bf16: bool = False,
    batch: int | None = None,
    report: Callable[[str], None] = print,
) -> Path:
    """Draw out/00000.png to n - 1; settings go to OUT.json beside; the path of that file.

    source: see `find_weights`.  label: a class by name or number, "none", or None for every class
    in turn.  cond: see `conditions`.  Images that are there from the same settings are kept, so a
    killed run goes on and a larger n adds to them.  Memory grows with n by the conditions alone.
    Processes that were launched together draw a share each: their number changes no image.
    Raises: ValueError for impossible settings, or a folder that holds other files or was drawn
    with other settings; BlockingIOError when another process draws into it.
    """
    # Refuse what is impossible before anything is written.
    path = find_weights(source)
    model = models.load_model(path)
    label = asked_class(model, label)
    if scale != 1 and label == "none":
        cure = "guidance leads towards one: give --label, or leave --scale out"
        raise ValueError(f"scale is {scale}, but no class is asked for; {cure}")
    sampler = asked(steps, eta, heun)
    levels(model.schedule, steps)
    device = best_device()
    check_memory(model, min(n, batch or 1), device)
    beside = conditions(cond, n, model)
    settings = {"model": identity(path, model.card)}
    settings |= dict(steps=steps, eta=eta, scale=scale, label=label, seed=seed, bf16=bf16)
    if heun:
        settings["heun"] = True
    if cond:
        settings["cond"] = [f"{name} {fingerprint.files(name)}".strip() for name in cond]
    out = Path(out).resolve()  # "." has no name of its own
    record = out.with_name(f"{out.name}.json")
    check_same(out, record, settings)
    rundir.hold(out)
    try:
        # Say how the images are drawn, and find those that are missing.
        if surroundings.is_first():
            about = {"settings": settings, "n": n, "weights": path.name, "diffutils": __version__}
            files.write_json(record, about | {"hardware": provenance.hardware()})
            for half in out.parent.glob(f".{glob.escape(record.name)}.*{files.PART}"):
                half.unlink()  # of a run that was killed while it wrote
        index = torch.tensor([i for i in range(n) if not (out / f"{i:05}.png").exists()]).long()
        if len(index) < n:
            report(f"{n - len(index)} of {n} images are there, drawn with the same settings")
        # Draw them, once all processes know which.
        surroundings.wait()
        index = share(index)
        model.denoiser.to(device)
        how = dict(labels=labels_for(model, index, label), scale=scale, seed=seed, batch=batch)
        how["cond"] = None if beside is None else beside[index]
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            write(out, index, drawn(model, index, sampler, **how), report)
        surroundings.wait()
    except KeyboardInterrupt as stop:
        there = sum((out / f"{i:05}.png").exists() for i in range(n))
        stop.args = (f"{there} of {n} images are in {out}; the same command draws the others",)
        raise
    finally:
        rundir.release(out)
    return record


def identity(weights: Path, card: dict) -> str:
    """Of a model, wherever its files lie: the weights, and what of the card decides an image."""
    decides = [card[k] for k in DECIDES if k in card]
    return fingerprint.digest(weights.read_bytes() + json.dumps(decides).encode())


def write(out: Path, index: Tensor, batches: Iterator[Tensor], report: Callable) -> None:
    """Write each image whole or not at all, and say every five seconds how many there are."""
    done, began = 0, time.monotonic()
    said = began
    for images in batches:
        png.write_images(out, images, index[done : done + len(images)].tolist())
        done += len(images)
        now = time.monotonic()
        if done == len(index) or now - said > 5:
            said = now
            report(f"{done}/{len(index)} images · {done / (now - began):.1f} images/s")


def conditions(names: Sequence[str], n: int, model: Model) -> Tensor | None:
    """What the model sees beside images 0 .. n - 1, uint8 (n, K, H, W); None without names.

    names: data sets, see `in_order`, whose channels are stacked; grey images have one channel.
    Raises: ValueError or FileNotFoundError for images that are too few or do not fit the card.
    """
    _, H, W = model.shape
    stacked = []
    for name in names:
        images = in_order(name, n, H if H == W else None)
        if (m := len(images)) < n:
            raise ValueError(f"n is {n}, but {name} has {m} images to draw beside; draw no more")
        grey = bool((images == images[:, :1]).all())
        stacked.append(images[:, :1] if grey else images)
    if len({images.shape[2:] for images in stacked}) > 1:
        raise ValueError(f"the images of {', '.join(names)} differ in size; bring them to one")
    beside = torch.cat(stacked, 1) if stacked else None
    check_cond(beside, n, model)
    return beside


def in_order(name: str, n: int, size: int | None) -> Tensor:
    """The first n images, uint8 (n, C, H, W): of folder:PATH every file, in the order of the names,
    of npz:PATH its images, and of any other data set the training images.

    Raises: ValueError or FileNotFoundError for what cannot be read.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        reader = folders.Reader(size)
        images = reader.read(list(folders.listed(own_path(path)).values())[:n])
        for file, why in reader.broken.items():
            raise ValueError(f"{file} cannot be read ({why}); each file is a condition")
        return torch.stack(images)
    if kind == "npz" and path:
        pixels = arrays.in_order(own_path(path))[:n]
        return to_tensor(pixels if size is None else fit_size(pixels, size))
    return load(name, size=size).train[:n]


def check_same(out: Path, record: Path, settings: dict) -> None:
    """Raise ValueError if `out` is a file, or holds what was not drawn with these settings."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; give a folder for the images")
    if rundir.is_fresh(out):
        return
    other = "choose another folder"
    try:
        before = records.read(record, {"settings": dict}, "")["settings"]
    except (OSError, ValueError):
        why = f"{out} holds files, but {record} does not say how they were drawn"
        raise ValueError(f"{why}; {other}") from None
    if differ := fingerprint.differences(before, settings):
        raise ValueError(f"{out} holds images of other settings: {differ}; {other}, or delete it")


def find_weights(source: str) -> Path:
    """The weights that `source` means: a .safetensors file, a run directory, or a shipped model.

    Raises: ValueError, which lists the choices, for a directory with no model or several, and for
    a name that is neither; FileNotFoundError for a file that is not there.
    """
    path = own_path(source)
    if source and path.is_dir():
        named = [p for p in sorted(path.rglob("*.safetensors")) if p.with_suffix(".json").is_file()]
        named = [p for p in named if not any(part.startswith("earlier-") for part in p.parts)]
        found = [p for p in named if "unet" in cards.read_card(p)]
        if len(found) == 1:
            return found[0]
        choices = ", ".join(str(p) for p in found) or "none"
        raise ValueError(f"{source} holds {len(found)} models; give the file of one: {choices}")
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise FileNotFoundError(f"no weights at {path}; expected a .safetensors file")
        return path
    if source in (known := models.shipped()):
        return cards.PRETRAINED / f"{source}.safetensors"
    why = f"{source!r} is no .safetensors file, run directory or shipped model"
    raise ValueError(f"{why}; shipped are {', '.join(known) or 'none'}")


def asked_class(model: Model, label: str | None) -> int | str:
    """The number of a class given by name or number; "every" for None where there are classes."""
    names = list(model.card.get("classes", []))
    count = getattr(model.denoiser.net, "classes", 0)
    if label is None:
        return "every" if count else "none"
    if label in names:
        return names.index(label)
    if label == "none":
        return label
    if label.isdecimal() and int(label) < count:
        return int(label)
    known = ", ".join(f"{i} {c}" for i, c in enumerate(names)) or f"0 to {count - 1}"
    about = f"knows {known}" if count else "has no classes"
    raise ValueError(f"label is {label!r}, but the model {about}")


def labels_for(model: Model, index: Tensor, label: int | str) -> Tensor | None:
    """The class of each image; None where no class is asked for."""
    if label == "none":
        return None
    return index % model.denoiser.net.classes if label == "every" else torch.full_like(index, label)


@click.command("sample")
@click.argument("source", metavar="WEIGHTS|RUN|NAME")
@click.argument("out", type=FOLDER)
@click.option("-n", type=COUNT, required=True, help="Images.")
@drawing
@click.option("--label", help='Class by name or number, or "none"; default: every class in turn.')
@click.option("--cond", multiple=True, metavar="NAME", help="Data set to draw beside, as in data.")
@click.option("--batch", type=COUNT, help="Images at a time.")
def command(source, out, n, **settings):
    """Draw N images as PNG files into OUT, with their settings in OUT.json.

    From a .safetensors file, a run directory or a shipped model. What is there from the same
    settings is kept: a killed run goes on, a larger N adds images.
    """
    record = sample_folder(source, out, n, report=say, **settings)
    say(f"Images: {out}; settings: {record}")
