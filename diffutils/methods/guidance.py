"""Two conditions, a sketch and a reference, hidden apart in training."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from diffutils import rng


def dropped(
    sketch: Float[Tensor, "B 1 H W"],
    reference: Float[Tensor, "B 3 H W"],
    seed: int,
    step: int,
    index: Int[Tensor, "B"],
    p_sketch: float,
    p_reference: float,
) -> Float[Tensor, "B 4 H W"]:
    """Both side by side, each hidden (0 throughout, mid-grey) from a share of the images."""
    u = rng.uniform(seed, step, index, 2, rng.LABEL)
    keep = (u >= u.new_tensor([p_sketch, p_reference])).to(sketch)[..., None, None]
    return torch.cat([sketch * keep[:, :1], reference * keep[:, 1:]], 1)
