"""A GPU that is not there: tensors on "cuda" that have shapes but no numbers, and who waits.

torch's `FakeTensorMode` computes devices, types and shapes alone, so it needs no GPU, and refuses
whatever must know a number of one: `.item()`, `if tensor:`, a mask as index.  What lies on the CPU
shall stay real, since levels are read there by design.  So a second mode stands before it: an
operation goes on to the fake one only if it touches a fake tensor or the word "cuda".  It also
refuses what the fake one lets pass: tensors of two devices in one operation (a CPU tensor without
axes is a number, which a GPU takes), and, where `hot` says so, copies between CPU and GPU that wait
until all queued work is done.  A copy to the GPU does not wait if it is `non_blocking`.

autocast alone asks whether there is a GPU; it is told yes.  Where there is one, it is not used.
A module that is there already is not moved again, since torch cannot swap fake weights.
"""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten, moved = torch.ops.aten, torch.nn.Module.to


class NoNumbers(FakeTensorMode):
    """torch's fake mode, told that there is no GPU to make a first tensor on."""

    avoid_device_init = True


class Watched(TorchDispatchMode):
    """What lies on the CPU is computed, all else only checked; `hot`: nothing may wait."""

    hot = False

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = tree_leaves((args, kwargs or {}))
        devices = {x.type for x in given if isinstance(x, torch.device)}
        tensors = [x for x in given if isinstance(x, Tensor)]
        if "cuda" not in devices and not any(isinstance(x, FakeTensor) for x in tensors):
            with unset_fake_temporarily():
                return operation(*args, **kwargs or {})
        if operation in (aten._to_copy.default, aten.copy_.default):
            self.check_copy(operation, *args, **kwargs or {})
        elif operation is aten._linalg_check_errors.default and self.hot:
            raise AssertionError(f"{operation} waits for the GPU")
        elif len({x.device.type for x in tensors if x.ndim}) > 1:
            raise AssertionError(f"{operation} mixes devices")
        return operation(*args, **kwargs or {})

    def check_copy(self, operation, a, b=None, non_blocking=False, device=None, **_) -> None:
        """AssertionError for a copy that waits, where nothing may."""
        source, target = (a, device or a.device) if b is None else (b, a.device)
        behind = target.type == "cuda" and non_blocking
        if self.hot and source.device.type != target.type and not behind:
            raise AssertionError(f"{operation} from {source.device} to {target} waits for the GPU")


def moved_once(module: torch.nn.Module, *args, **kwargs) -> torch.nn.Module:
    """`Module.to`, but of a module with fake weights."""
    there = any(isinstance(weight, FakeTensor) for weight in module.parameters())
    return module if there else moved(module, *args, **kwargs)


@contextmanager
def pretended_gpu():
    """Within, "cuda" can be computed on; yields a `Watched`."""
    with ExitStack() as stack:
        for where, name, instead in (
            (torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
            (torch.cuda, "is_bf16_supported", lambda *_: True),
            (torch.nn.Module, "to", moved_once),
        ):
            stack.enter_context(patch.object(where, name, instead))
        stack.enter_context(NoNumbers(allow_non_fake_inputs=True))
        yield stack.enter_context(Watched())
