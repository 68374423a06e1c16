"""Run a notebook alone in a folder, at smoke, in a kernel that reaches nothing beyond it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def offline_environment(folder: Path) -> dict[str, str]:
    """The variables of a kernel that knows nothing of this machine and reaches nothing beyond."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DIFFUTILS_")}
    kept.pop("MPLBACKEND", None)  # the kernel's own shows figures in the notebook
    helpers = ROOT / "tests" / "helpers"
    paths = [str(helpers / "offline"), str(helpers), str(ROOT)]
    return kept | {
        "DIFFUTILS_PROFILE": "smoke",
        "DIFFUTILS_HEADLESS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TORCH_HOME": str(folder / "torch"),
    }


def nbval(notebook: Path, folder: Path, check: bool = True) -> subprocess.CompletedProcess:
    """Run pytest with nbval on a copy of the notebook that lies alone in `folder`."""
    shutil.copy(notebook, folder)
    command = [
        *(sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"),
        *("--nbval-cell-timeout=300", "-p", "no:cacheprovider", "-q", notebook.name),
    ]
    done = subprocess.run(
        command, cwd=folder, env=offline_environment(folder), capture_output=True, text=True
    )
    if check and done.returncode:
        said = "\n".join(sentences(notebook.name, done.stdout)) or f"{notebook.name} did not run."
        pytest.fail(f"{said}\n\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}", pytrace=False)
    return done


def sentences(name: str, output: str) -> list[str]:
    """Of nbval's report, which counts code cells from 0, a line for each cell that failed."""
    failed = re.findall(r"^FAILED \S+::(?:\S*::)?Cell (\d+)", output, re.MULTILINE)
    cure = "open it with `make lab`, run all above it and then it, and mend what it says"
    return [f"{name}, cell [{int(count) + 1}] fails at smoke: {cure}." for count in failed]
