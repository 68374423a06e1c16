"""What a kernel that runs a lesson headlessly is given, and how its progress comes back."""

import os
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from diffutils.course.machine import threads


@contextmanager
def environment(out: Path, say, label: str):
    """Variables for the kernel, which inherits this process's environment.

    What the lesson, or a process it starts, appends to $DIFFUTILS_PROGRESS is repeated here.
    """
    # Tell the kernel where it runs.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.txt"
        path.touch()
        changes = {
            "DIFFUTILS_RUN_DIR": str(out),
            "DIFFUTILS_PROGRESS": str(path),
            "DIFFUTILS_HEADLESS": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(threads()),
        }
        # Repeat its progress while it runs, and what came last.
        done = threading.Event()

        def follow():
            with open(path, encoding="utf-8") as lines:
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
