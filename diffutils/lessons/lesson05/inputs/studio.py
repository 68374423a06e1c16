"""A colourist's desk: sliders, images of one's own, and colours that are chosen by hand."""

import io
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffutils.data import to_float, to_uint8
from diffutils.data.drawn import face_references, faces
from diffutils.data.images import fit_size, read_image, to_tensor
from diffutils.lessons.lesson05.inputs.triples import Part, sketched
from diffutils.viz.display import somebody_is_there

LARGEST = 10_000_000  # bytes of an image that is handed in


def picture(content: bytes, size: int) -> Tensor:
    """An image file as RGB (1, 3, size, size), uint8: its middle, made smaller or larger.

    Raises: ValueError, in words for who chose the file, for one that is too large or no image.
    """
    if len(content) > LARGEST:
        raise ValueError(
            f"this file has {len(content) / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}; choose a "
            "smaller picture"
        )
    try:
        image = read_image(content)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"this file cannot be read as a picture ({error})") from None
    return to_tensor(fit_size(np.array(image.convert("RGB"))[None], size))


def as_sketch(image: Tensor, lines: bool) -> Tensor:
    """A sketch (1, 1, H, W), uint8, of a picture; lines: it is one already, dark on light paper."""
    if not lines:
        return to_uint8(sketched(to_float(image), 0, torch.arange(1)))
    grey = to_float(image).mean(1, keepdim=True)
    return to_uint8(torch.where(grey > grey.mean() - 0.25, 1.0, -1.0))


def repainted(shape: dict, palette: dict, size: int, chosen: dict[str, str]) -> Tensor:
    """A drawn face (1, 3, size, size) with chosen colours, "#rrggbb" by region: uint8.

    shape, palette: numbers of one face, as arrays of length 1.
    Raises: ValueError for a region that no face has, or a colour that is none.
    """
    known = face_references.REGIONS
    changed = dict(palette)
    for region, colour in chosen.items():
        if region not in known:
            raise ValueError(f"a face has no region {region!r}; it has {', '.join(known)}")
        try:
            if len(colour) != 7 or colour[0] != "#":
                raise ValueError
            rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        except ValueError:
            raise ValueError(f"{colour!r} is no colour; write it as '#8040ff'") from None
        changed[known[region]] = np.array([rgb], dtype=palette[known[region]].dtype)
    return faces.draw(shape, changed, size)


def desk(
    part: Part,
    colour: Callable[..., Tensor],
    show: Callable[[dict[str, Tensor]], None],
    face: tuple[dict, dict],
) -> None:
    """Controls for a live notebook; elsewhere nothing is shown.

    part: whose sketches and references of the kind "cross" can be chosen.  colour(sketch,
    reference, seed, w_s, w_r, steps) -> image, all uint8 of one image; show: of pictures by name.
    face: shape and palette of one drawn face, whose colours can be chosen.
    """
    if not somebody_is_there():
        return
    import ipywidgets as w
    from IPython.display import display

    # Make the controls.
    size, output = part.images.shape[2], w.Output()
    last = len(part.images) - 1

    def slider(text, least, most, value, kind=w.IntSlider, **more):
        return kind(
            description=text, min=least, max=most, value=value, continuous_update=False, **more
        )

    sliders = {
        "sketch": slider("sketch", 0, last, 0),
        "reference": slider("reference", 0, last, 1),
        "seed": slider("seed", 0, 20, 0),
        "w_s": slider("sketch scale", 0, 3, 1.0, w.FloatSlider, step=0.25),
        "w_r": slider("ref. scale", 0, 5, 1.0, w.FloatSlider, step=0.25),
        "steps": slider("steps", 1, 40, 10),
    }
    own = {
        "sketch": w.FileUpload(accept="image/*", description="own sketch"),
        "reference": w.FileUpload(accept="image/*", description="own reference"),
    }
    lines = w.Checkbox(value=True, description="own sketch is line art")
    painted = w.Checkbox(value=False, description="reference in these colours:")
    values = face_references.region_palette(face[1])[0]
    pickers = {
        region: w.ColorPicker(description=region, value=_hexadecimal(rgb))
        for region, rgb in zip(face_references.REGIONS, values, strict=True)
    }

    # Colour anew whenever one is moved.
    def redraw(*_) -> None:
        with output:
            output.clear_output(wait=True)
            at = {name: control.value for name, control in sliders.items()}
            sketch = part.sketches[at["sketch"]][None]
            reference = part.references["cross"][at["reference"]][None]
            try:
                if own["sketch"].value:
                    given = picture(_bytes(own["sketch"]), size)
                    sketch = as_sketch(given, lines.value)
                if painted.value:
                    chosen = {name: picker.value for name, picker in pickers.items()}
                    reference = repainted(*face, size, chosen)
                elif own["reference"].value:
                    reference = picture(_bytes(own["reference"]), size)
            except ValueError as error:
                print(error)
                return
            numbers = (at[name] for name in ("seed", "w_s", "w_r", "steps"))
            answer = colour(sketch, reference, *numbers)
            grey = sketch.expand(-1, 3, -1, -1)
            show({"sketch": grey, "reference": reference, "coloured": answer})

    controls = [*sliders.values(), *own.values(), lines, painted, *pickers.values()]
    for control in controls:
        control.observe(redraw, names="value")
    display(w.VBox([w.HBox(controls, layout=w.Layout(flex_flow="row wrap")), output]))
    redraw()


def _bytes(upload) -> bytes:
    return io.BytesIO(upload.value[0]["content"]).getvalue()


def _hexadecimal(rgb: Tensor) -> str:
    return "#" + "".join(f"{round(float(v + 1) * 127.5):02x}" for v in rgb)
