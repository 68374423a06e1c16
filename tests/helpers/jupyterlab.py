"""JupyterLab for tests: served from a folder, for a Chromium that playwright drives."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TOKEN = "only-for-this-test"


def chromium() -> str:
    """Path of the Chromium of this machine; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the lessons were not tried in a browser")
    pytest.importorskip("playwright", reason="playwright drives the browser; pip install it")
    return found


@contextmanager
def served(command: list[str], folder: Path, own: Path, environment: dict) -> Iterator[str]:
    """Address of the JupyterLab that `python -m COMMAND` serves in `folder`.

    own: an empty folder for its settings.  Every cell of a notebook is in the page, seen or not.
    """
    settings = own / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        *("--no-browser", "--allow-root", f"--ServerApp.port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--LabApp.user_settings_dir={own / 'settings'}", f"--LabApp.workspaces_dir={own}"),
    ]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DIFFUTILS_", "MPLBACKEND"))}
    server = subprocess.Popen(
        [sys.executable, "-m", *command, *options],
        cwd=folder,
        env=kept | environment,
        start_new_session=True,  # so that the end reaches JupyterLab, a child of the command
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, "JupyterLab did not start"
                time.sleep(0.5)
        else:
            pytest.fail("JupyterLab did not answer in two minutes; is this machine busy?")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@contextmanager
def browser() -> Iterator:
    """A headless Chromium, as playwright hands it out."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()
