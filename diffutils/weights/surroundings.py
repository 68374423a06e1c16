"""Environment variables of a person or a launch: left out, recorded, or who of several one is."""

import os
import sys
import warnings
from collections.abc import MutableMapping

from diffutils.weights.warned import warn

# Settings of accelerate that change what a training computes, and what each is without them.
NEUTRAL = {
    "ACCELERATE_MIXED_PRECISION": "no",
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "1",
    "ACCELERATE_DYNAMO_BACKEND": "no",
}
NEUTRAL |= {
    f"ACCELERATE_{name}": "false"
    for name in (
        "DOWNCAST_BF16",
        "USE_DEEPSPEED",
        "USE_FSDP",
        "USE_MEGATRON_LM",
        "USE_PARALLELISM_CONFIG",
        "USE_SAGEMAKER",
    )
}
RECORDED = ("ACCELERATE_", "ATEN_", "CUBLAS_", "CUDA_", "DNNL_", "GLOO_", "GOMP_")
RECORDED += ("KMP_", "MKL_", "NCCL_", "NVIDIA_TF32", "OMP_", "ONEDNN_", "OPENBLAS_")
RECORDED += ("PYTORCH_", "TORCH_")
# How threads wait for each other: spinning for a moment, then asleep.  What each OpenMP runtime
# calls it: libgomp (turns of a loop; Linux), libomp and libiomp (milliseconds; macOS, Windows).
# By default they spin for long: the quickest on a machine that does nothing else, and several
# times slower beside other work.  `python tests/helpers/waiting.py` measures it.
WAITING = {"GOMP_SPINCOUNT": "20000", "KMP_BLOCKTIME": "1"}


def wait_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let the threads of this process, and of those that it starts, wait so; not where one chose.

    The runtime asks when it is loaded: call this before torch is imported.
    """
    if not any(name in environment for name in ("OMP_WAIT_POLICY", *WAITING)):
        environment |= WAITING


def launched() -> bool:
    """Whether `accelerate launch` or `torchrun` started this process as one of several."""
    return int(os.environ.get("LOCAL_RANK", -1)) != -1


def place() -> tuple[int, int]:
    """Which process this is, counted from 0, and of how many that were launched together."""
    if not launched():
        return 0, 1
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def is_first() -> bool:
    """Whether this process speaks and writes: of several the first one."""
    return place()[0] == 0


def wait() -> None:
    """Wait until all processes that were launched together are here."""
    if launched():
        accelerator().wait_for_everyone()


def hush() -> None:
    """Silence this process unless it is the first one; errors it still reports."""
    if not is_first():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (until the process ends)
        warnings.simplefilter("ignore")


def processes() -> int:
    """How many processes can share what this one begins: one for each GPU that it sees, or one."""
    import torch  # late: the command line sets how its threads wait before it is loaded

    return 1 if launched() else max(1, torch.cuda.device_count())


def accelerator():
    """An `accelerate.Accelerator` that computes as the course says, whatever the environment says.

    How many processes there are, and their devices, is left to the environment.  Without CUDA
    several are CPU processes: left alone, accelerate would not see that they belong together.
    """
    import torch
    from accelerate import Accelerator

    for name, neutral in NEUTRAL.items():
        if (found := os.environ.pop(name, neutral)).lower() not in (neutral, "", "0"):
            warn(f"{name}={found} would change what is computed; it is left out")
    return Accelerator(cpu=launched() and not torch.cuda.is_available())


def settings() -> dict[str, str]:
    """The environment variables that may change numbers or speed, for the record of a run."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(RECORDED)}
