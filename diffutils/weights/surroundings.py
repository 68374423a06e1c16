"""Environment variables of a person: left out where they change numbers, or recorded."""

import os

from diffutils.weights.warned import warn

# Settings of accelerate that change what a training computes, and what each is without them.
NEUTRAL = {
    "ACCELERATE_MIXED_PRECISION": "no",
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "1",
    "ACCELERATE_DYNAMO_BACKEND": "no",
}
NEUTRAL |= {
    f"ACCELERATE_{name}": "false"
    for name in ("DOWNCAST_BF16", "USE_DEEPSPEED", "USE_FSDP", "USE_MEGATRON_LM")
}
RECORDED = ("ACCELERATE_", "ATEN_", "CUBLAS_", "CUDA_", "DNNL_", "GOMP_", "KMP_", "MKL_")
RECORDED += ("NVIDIA_TF32", "OMP_", "ONEDNN_", "OPENBLAS_", "PYTORCH_", "TORCH_")


def accelerator():
    """An `accelerate.Accelerator` that computes as the course says, whatever the environment says.

    How many processes there are, and their devices, is left to the environment.
    """
    from accelerate import Accelerator

    for name, neutral in NEUTRAL.items():
        if (found := os.environ.pop(name, neutral)).lower() not in (neutral, "", "0"):
            warn(f"{name}={found} would change what is computed; it is left out")
    return Accelerator()


def settings() -> dict[str, str]:
    """The environment variables that may change numbers or speed, for the record of a run."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(RECORDED)}
