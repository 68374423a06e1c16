"""The published configurations A to D, with any filter, as entries of a card; and R for rotations.

A: the largest of four pixels down, bilinear up.  B: both by a low-pass filter.  C: A with filtered
activations, which bend the signal at twice its size.  D: both.  None has a parameter more than
another: filters are fixed.  "version" 0 to 3 of the published code is A to D.

Source: arXiv 2411.09174 and its code.  Wrong there: the filter has 3 x 3 taps, which make no
low-pass; what is doubled in size loses three quarters of its signal (gain 1 instead of 4); and
B leaves out the maximum, too, so that two things change at once.
"""

from collections.abc import Mapping
from typing import NamedTuple

from diffutils.course.experiments.described import one_of
from diffutils.resample import FILTERS, Filter

PUBLISHED = FILTERS["published"]
KINDS: Mapping[str, Filter] = {  # of filters, by the suffix of the published names, and right ones
    "0": PUBLISHED._replace(normalised=False),
    "1": PUBLISHED._replace(beta=1.0, normalised=False),
    "1N": PUBLISHED._replace(beta=1.0),
    "2N": PUBLISHED._replace(beta=2.0),
    "kaiser": FILTERS["kaiser"],
    "critical": FILTERS["kaiser"]._replace(cutoff=0.5),  # StyleGAN3's, in its last layers
    "jinc": FILTERS["jinc"],
    "ideal": FILTERS["ideal"],
}


class Parts(NamedTuple):
    """Which parts of the U-Net a configuration filters."""

    resampling: bool
    activation: bool


CONFIGS = {  # in the order of the published version=0 to 3
    "A": Parts(False, False),
    "B": Parts(True, False),
    "C": Parts(False, True),
    "D": Parts(True, True),
}


def config(name: str, activation: str = "gelu") -> dict:
    """Entries of a card, for `described.card`: "A", "D-ideal", "B-2N" ...; "R", for rotations.

    R is D with the radial filter and 1 x 1 convolutions: a 3 x 3 kernel knows directions, which no
    filter takes away; what R sees of a neighbourhood it sees through the filters.
    Raises: ValueError for another name.
    """
    if name == "R":
        return config("D-jinc", activation) | {"unet": {"kernel": 1}}
    letter, _, kind = name.partition("-")
    resampled, activated = one_of(CONFIGS, letter, "a configuration")
    filter = {}
    if resampled or activated:
        filter = one_of(KINDS, kind, "its filter")._asdict()
    elif kind:
        raise ValueError(f"configuration {letter} has no filter, got {name!r}; call it {letter}")
    filtered = {"name": "filter", "arguments": filter}
    return {
        "parts": {
            "down": filtered if resampled else {"name": "max", "arguments": {}},
            "up": filtered if resampled else {"name": "bilinear", "arguments": {}},
            "act": {"name": activation, "arguments": filter if activated else {}},
        }
    }
