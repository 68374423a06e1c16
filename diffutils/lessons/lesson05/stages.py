"""The stages of lesson 05's trainings: pretraining, on triples."""

from collections.abc import Callable

from diffutils.course.experiments.described import card, one_of
from diffutils.course.experiments.training import train_card
from diffutils.data import ImageSet
from diffutils.lessons.lesson05.configs import CONFIGS
from diffutils.lessons.lesson05.triples import Part, recipe, stored
from diffutils.weights.models import Model

CHANNELS = 4  # of the condition: a sketch, and a reference in colours


def pretrain(
    config: str, data: ImageSet, parts: dict[str, Part], budget, seed: int, train: Callable
) -> Model:
    """Train one of `CONFIGS` to denoise images beside their sketches and references.

    parts: `triples` of the data with budget.kinds, whose last one stands beside the held-out
    images.  train: as in `experiments.training.train_card`.
    Raises: ValueError for another config.
    """
    arm = one_of(CONFIGS, config, "config")
    about = card(data, budget, seed, f"{config}-seed-{seed}", **arm.card)
    about["unet"]["cond_channels"] = CHANNELS
    about["triples"] = {k: getattr(budget, k) for k in ("kinds", "strength", "dropout", "turned")}
    given = {
        "cond": parts["train"].cond(*stored(budget.kinds)),
        "heldout_cond": parts["heldout"].cond(budget.kinds[-1]),
        "augment": recipe(budget.kinds, seed, budget.strength, budget.dropout, budget.turned),
    }
    return train_card(about, data, train, f"pretrain/{about['name']}", **given)
