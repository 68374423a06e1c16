"""The kernel that runs a lesson headlessly: what it is given, and how its progress comes back."""

import os
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import papermill
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.iorw import load_notebook_node, papermill_io
from papermill.translators import PythonTranslator

from diffutils.course.machine import threads
from diffutils.course.runs import fingerprint
from diffutils.weights.files import write_whole

MOST = 600  # characters of an error; the notebook has all
DOOR = "whole:"  # before a path that papermill writes


class Kernel(AsyncKernelManager):
    """A kernel of this interpreter, whatever a user has installed by the name of python3."""

    def _kernel_spec_manager_default(self):
        return KernelSpecManager(kernel_dirs=[])  # finds none, and so takes ipykernel's own

    async def _async_interrupt_kernel(self):
        """Do nothing: it comes before the end, when a cell that it hits would print a traceback."""


class Whole:
    """Papermill's way to a file, through the one door for writes."""

    def write(self, text: str, path: str) -> None:
        write_whole(Path(path.removeprefix(DOOR)), text.encode())

    def pretty_path(self, path: str) -> str:
        return path.removeprefix(DOOR)


papermill_io.register(DOOR, Whole())


def escaped(path: Path | str) -> str:
    """A path as papermill takes it, which would fill in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def declared(path: Path) -> dict:
    """The parameters of a notebook, by name. Raises: ValueError, naming the file, if it is none."""
    try:
        fingerprint.notebook(path.read_bytes())
        cells = load_notebook_node(escaped(path)).cells
        cells = [cell for cell in cells if "parameters" in cell.metadata.get("tags", ())]
        found = [parameter for cell in cells for parameter in PythonTranslator.inspect(cell)]
        return {parameter.name: parameter._asdict() for parameter in found}
    except Exception as error:  # nbformat raises many kinds
        raise ValueError(f"{path} is no whole notebook ({error}); fetch it again") from None


def execute(path: Path, target: Path, parameters: dict) -> str | None:
    """Run a notebook and store it, executed as far as it came; None, or what stopped it."""
    try:
        papermill.execute_notebook(
            escaped(path),
            escaped(f"{DOOR}{target}"),
            parameters,
            kernel_name="python3",  # whatever the notebook says
            language="python",
            kernel_manager_class=Kernel,
            progress_bar=False,
            start_timeout=180,  # seconds: a disk that first reads torch takes more than a minute
            iopub_timeout=60,
            # A kernel warns that loopback is not encrypted; nobody else is on it here.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
    except papermill.PapermillExecutionError as failure:
        cell = failure.exec_count or failure.cell_index
        return f"in cell [{cell}]: {failure.ename}: {failure.evalue}"[:MOST]
    except DeadKernelError:
        return "since the kernel died, most often for lack of memory; try a smaller profile"
    return None


@contextmanager
def environment(out: Path, say, label: str):
    """Variables for the kernel, which inherits this process's environment.

    What the lesson, or a process it starts, appends to $DIFFUTILS_PROGRESS is repeated here.
    """
    # Tell the kernel where it runs; what a user lets every notebook do first stays outside.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "progress.txt"
        path.touch()
        changes = {
            "DIFFUTILS_RUN_DIR": str(out),
            "DIFFUTILS_PROGRESS": str(path),
            "DIFFUTILS_HEADLESS": "1",
            "IPYTHONDIR": folder,
            "JUPYTER_RUNTIME_DIR": folder,
            "PYTHONSTARTUP": "",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(threads()),
        }
        # Repeat its progress while it runs, and what came last.
        done = threading.Event()

        def follow():
            # Where nobody reads any more what is said, the lesson runs on.
            with suppress(OSError), open(path, encoding="utf-8", errors="replace") as lines:
                last = False
                while not last:
                    last = done.wait(0.2)
                    for line in iter(lines.readline, ""):
                        say(f"  {label} {line.rstrip()}")

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            with patch.dict(os.environ, changes):
                yield
        finally:
            done.set()
            thread.join()
