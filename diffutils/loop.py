"""The one loop: minimise a loss, and yield the progress.  It knows no diffusion."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from numbers import Integral, Real
from types import SimpleNamespace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from diffutils.weights import state as saves
from diffutils.weights import surroundings
from diffutils.weights.warned import warn

MOST = 2**31  # steps, and images a step: more is a slip


def constant(step: int, steps: int) -> float:
    """Learning-rate factor 1 throughout."""
    return 1.0


def cosine(step: int, steps: int) -> float:
    """Learning-rate factor falling from 1 to 0 along half a cosine (Loshchilov & Hutter 2017)."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def ema_decay(step: int, decay: float) -> float:
    """Decay after `step` updates: min(decay, (1 + step)/(10 + step)), short memory at first."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def ema_update(average: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """average <- decay average + (1 - decay) model; buffers (BatchNorm's, counters) are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


def compiled(net: torch.nn.Module, *functions: Callable | None) -> list[Callable | None]:
    """Compile net; where a function that calls it fails, do so without, and say it once.

    An error of the function's own is raised by its second call.
    """

    def plain(why: Exception) -> None:
        net._compiled_call_impl = None  # what compile() made
        for p in net.parameters():
            p.grad = None  # of half a step
        said = (str(why).strip() or type(why).__name__).splitlines()[0][:200]
        warn(f"compile is on, but this network cannot be ({said}); it goes on without, slower")

    def tried(function: Callable, *given):
        if net._compiled_call_impl is not None:
            try:
                return function(*given)
            except Exception as error:  # compilers fail in many ways
                plain(error)
        return function(*given)

    try:
        net.compile()
    except RuntimeError as error:  # this Python or system has no compiler
        plain(error)
    return [f and partial(tried, f) for f in functions]


def check_whole(**numbers) -> None:
    """Raise ValueError unless these are whole numbers from 1 to `MOST`."""
    whole = (isinstance(n, Integral) and not isinstance(n, bool) for n in numbers.values())
    if not (all(whole) and all(1 <= n <= MOST for n in numbers.values())):
        names, given = (
            " and ".join(", ".join(map(str, words)).rsplit(", ", 1))
            for words in (numbers, numbers.values())
        )
        wanted = f"whole numbers up to {MOST:,}"
        raise ValueError(f"{names} must be at least 1, got {given}; give {wanted}")


def check_real(**numbers: tuple) -> None:
    """Raise ValueError unless of each (value, least, most) the value is a number between them."""
    for name, (value, least, most) in numbers.items():
        if not (isinstance(value, Real) and math.isfinite(value) and least <= value <= most):
            wanted = f"from {least} to {most}" if most < math.inf else f"of at least {least}"
            raise ValueError(f"{name} is {value}, expected a finite number {wanted}")


def check_flag(**flags) -> None:
    """Raise ValueError for a switch that is neither True nor False: "no" would be on."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, expected True or False")


def check_callable(*optional: str, **functions) -> None:
    """Raise ValueError for what is no function; the optional ones may be None."""
    for name, function in functions.items():
        if not callable(function) and not (function is None and name in optional):
            raise ValueError(f"{name} is {str(function)[:40]!r}, expected a function")


def optimise(
    net: torch.nn.Module,
    loss: Callable[[torch.nn.Module, int, Int[Tensor, "b"]], Float[Tensor, "b"]],
    *,
    steps: int,
    batch: int,
    heldout: Callable[[torch.nn.Module], float] | None = None,
    optimizer: Callable = torch.optim.AdamW,
    lr: float = 2e-4,
    warmup: int = 100,
    decay: Callable[[int, int], float] = cosine,
    clip: float = 1.0,
    ema: float = 0.999,
    compile: bool = False,
    log_every: int = 50,
    state: dict | None = None,
) -> Iterator[SimpleNamespace]:
    """Minimise a mean of losses in place; yield a record every `log_every` steps and at the last.

    loss(net, k, slots): losses (b,) of these samples (0 .. batch-1, on the CPU) of step k.  What it
    draws must follow from k and the slot alone, by `rng`: then a resumed run is the same run.
    Several processes share the batch, evenly or not: the gradient is that of the mean over all of
    it, so that beyond rounding their number changes nothing (but for what looks at a whole batch,
    such as BatchNorm, which sees the share of its process).
    heldout(net): a number for the record; decay(step, steps): learning-rate factor after the
    warm-up; clip: gradient norm; state: what a record's state() gave: go on from there as if the
    run had never stopped.

    Record: step, loss (mean since the last record), heldout (of the raw weights, not of ema; or
    None), lr, grad_norm, seconds, images_per_second, ema (the net with averaged weights), and
    state(), a copy of all that a resumed run needs, to be taken before the next record.
    compile: where it cannot be, a warning says so.  Where the memory does not hold a step's samples
    it takes them in two, four, ... parts, with the same mean, and a warning says so.

    Raises: ValueError for settings that make no training, frozen weights, losses of another shape,
    or a state of another training; FloatingPointError, naming the step, when the loss is not
    finite.
    """
    # Say what is wrong before anything starts.
    check_whole(steps=steps, batch=batch, log_every=log_every)
    check_flag(compile=compile)
    check_real(lr=(lr, 0, math.inf), warmup=(warmup, 0, math.inf), ema=(ema, 0, 1))
    if not (isinstance(clip, Real) and clip >= 0):
        raise ValueError(f"clip is {clip}, expected a number of at least 0; math.inf clips nothing")
    check_callable("heldout", net=net, loss=loss, optimizer=optimizer, decay=decay, heldout=heldout)
    if not any(p.requires_grad for p in net.parameters()):
        why = "every weight of this network is frozen, as those of loaded models are"
        raise ValueError(f"{why}; call denoiser.requires_grad_(True) first")
    # Take this process's share of the batch.
    accelerator = surroundings.accelerator()
    device, processes = accelerator.device, accelerator.num_processes
    slots = torch.arange(batch).tensor_split(processes)[accelerator.process_index]
    # The processes' gradients are averaged, whatever their shares; 1 where these are equal.
    weight = len(slots) * processes / batch
    if len(slots) == 0:  # fewer samples than processes: sample 0 once more, which counts nothing
        slots = torch.zeros(1, dtype=torch.int64)
    # Make the average and the optimiser.
    net.to(device).train()
    if device.type == "cpu":  # measured: GroupNorm undoes channels_last in eager CUDA
        net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval().requires_grad_(False)  # before accelerate marks net
    opt = optimizer(net.parameters(), lr=lr, fused=device.type in ("cpu", "cuda"))
    shared, opt = accelerator.prepare(net, opt)  # all begin with the weights of the first process
    average.load_state_dict(net.state_dict())
    # Go on where a run stopped.
    done, began = 0, time.perf_counter()
    if state is not None:
        saves.restore(state, net, average, opt)
        done, began = state["step"], began - state["seconds"]
        if done > steps:
            raise ValueError(f"the state is of step {done}, but steps is {steps}; ask for more")

    def descend_by(k: int, some: Tensor) -> Tensor:
        """Add the gradient of some samples to that of the others; their part of the mean loss."""
        losses = loss(shared, k, some)
        if getattr(losses, "shape", None) != some.shape:
            found = f"shape {tuple(losses.shape)}" if hasattr(losses, "shape") else repr(losses)
            raise ValueError(
                f"loss must return one number for each of the {len(some)} samples, got {found}; "
                "take the mean over the pixels of each"
            )
        mean = losses.mean() * (weight * len(some) / len(slots))
        accelerator.backward(mean)
        return mean.detach()

    parts = 1  # in which a step takes its samples: more, where the memory does not hold them

    def descend(k: int) -> Tensor:
        nonlocal parts
        while True:
            try:
                return sum(descend_by(k, some) for some in slots.tensor_split(parts))
            except torch.OutOfMemoryError:
                if parts >= len(slots) or processes > 1:  # the others wait for a whole step
                    raise
            parts = min(2 * parts, len(slots))
            opt.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
            warn(
                f"the memory does not hold {len(slots)} samples at a time; from step {k} on they "
                f"are taken in {parts} parts, which is slower and gives the same mean"
            )

    if compile:
        descend, heldout = compiled(net, descend, heldout)

    total = torch.zeros((), device=device)
    first_bad = torch.full((), steps, device=device)
    since, last = 0, time.perf_counter()
    for k in range(steps)[done:]:
        # Set the learning rate.
        factor = min(1.0, (k + 1) / max(1, warmup)) * decay(k, steps)
        for group in opt.param_groups:
            group["lr"] = lr * factor
        # Step down the gradient, and average.
        mean = descend(k)
        grad_norm = accelerator.clip_grad_norm_(shared.parameters(), clip)
        opt.step()
        opt.zero_grad(set_to_none=True)
        ema_update(average, net, ema_decay(k, ema))
        # Note the loss, and the first step where it is not finite.
        total += mean
        finite = mean.isfinite() & grad_norm.isfinite()
        first_bad = torch.where(finite, first_bad, first_bad.clamp(max=k))
        since += 1
        if (k + 1) % log_every and k + 1 < steps:
            continue  # nothing above waits for the device
        # Report.
        bad = int(accelerator.gather(first_bad[None]).min())
        if bad < steps:
            raise FloatingPointError(
                f"the loss or its gradient is not finite since step {bad}; lower lr (now {lr:g}), "
                f"raise warmup (now {warmup}) or switch bf16 off"
            )
        now = time.perf_counter()
        seconds = now - began
        yield SimpleNamespace(
            step=k + 1,
            loss=float(accelerator.reduce(total, "mean")) / since,
            heldout=None if heldout is None else heldout(shared),
            lr=lr * factor,
            grad_norm=float(grad_norm),
            seconds=seconds,
            images_per_second=since * batch / (now - last),
            ema=average,
            state=partial(saves.snapshot, k + 1, seconds, net, average, opt),
        )
        net.train()  # whatever the held-out loss or the reader did
        total.zero_()
        since, last = 0, time.perf_counter()
    net.eval()
