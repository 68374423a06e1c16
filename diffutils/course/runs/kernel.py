"""What a kernel that runs a lesson headlessly is given, and how its progress comes back."""

import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from diffutils.course.machine import threads


@contextmanager
def environment(changes: dict[str, str]):
    """Variables for the kernel, which inherits this process's environment."""
    changes = changes | {
        "DIFFUTILS_HEADLESS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(threads()),
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def progress(say, label: str):
    """Repeat here what the kernel appends to the file named in $DIFFUTILS_PROGRESS."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.txt"
        path.touch()
        done = threading.Event()

        def follow():
            with open(path, encoding="utf-8") as lines:
                last = False
                while not last:
                    last = done.wait(0.2)
                    for line in iter(lines.readline, ""):
                        say(f"  {label} {line.rstrip()}")
                        sys.stdout.flush()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield {"DIFFUTILS_PROGRESS": str(path)}
        finally:
            done.set()
            thread.join()
