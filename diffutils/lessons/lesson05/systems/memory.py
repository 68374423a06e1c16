"""What a gradient through the walk keeps in memory, counted rather than guessed."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from diffutils.methods.refine import mse, refined
from diffutils.metrics.timer import median_time


def kept_bytes(run: Callable[[], Tensor]) -> int:
    """Bytes that autograd keeps for the backward pass of what run returns, each storage once.

    Weights, which are there anyway, count too.
    """
    storages: dict[int, int] = {}

    def note(x: Tensor) -> Tensor:
        storage = x.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        alive.append(x)  # or another tensor could get its place
        return x

    alive: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        run()
    return sum(storages.values())


def costs(
    denoise: Callable, x: Tensor, sigmas: Tensor, x0: Tensor, lasts=(1, 3, None)
) -> Iterator[dict]:
    """For each number of last steps, None for all, plain and checkpointed: MiB and seconds.

    MiB: at most kept at a time; a checkpointed walk keeps its states and, on the way back, what one
    call needs.  seconds: of one loss and its gradient.
    """
    first = sigmas[[0, -1]]
    call = kept_bytes(lambda: mse(refined(denoise, x, first), x0).mean())
    mse(refined(denoise, x, first), x0).mean().backward()  # a first call is slower
    for last in lasts:
        for checkpoint in (False, True):

            def loss(last=last, checkpoint=checkpoint) -> Tensor:
                return mse(refined(denoise, x, sigmas, last, checkpoint), x0).mean()

            mib = (kept_bytes(loss) + checkpoint * call) / 2**20
            seconds = median_time(lambda loss=loss: loss().backward(), repeats=1, warm_up=0)
            steps = len(sigmas) - 1 if last is None else last
            yield {"K": steps, "checkpoint": checkpoint, "MiB": mib, "seconds": seconds}
