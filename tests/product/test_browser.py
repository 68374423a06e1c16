"""A student in JupyterLab: open lesson 01, run it, move a slider, answer an exercise."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TOKEN = "only-for-this-test"
STUB = "def forward(x0, abar, noise):"
WRONG = "def forward(x0, abar, noise):\n    return abar * x0 + (1 - abar) * noise\n"
RIGHT = "def forward(x0, abar, noise):\n    return abar**0.5 * x0 + (1 - abar)**0.5 * noise\n"
CHECK = "\nforward = du.check('1.1', forward)"


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the lessons were not tried in a browser")
    pytest.importorskip("playwright", reason="playwright drives the browser; pip install it")
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the course, so that nobody's work/ is touched."""
    copy = tmp_path_factory.mktemp("course")
    for name in ("diffutils", "notebooks", "figures", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def lab(checkout, chromium, tmp_path_factory):
    """Address of a JupyterLab that `python -m diffutils lab` serves."""
    settings = tmp_path_factory.mktemp("settings")
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')  # every cell is in the page, seen or not
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DIFFUTILS_", "MPLBACKEND"))}
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "diffutils",
            "lab",
            "--no-browser",
            "--allow-root",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            f"--LabApp.user_settings_dir={settings}",
        ],
        cwd=checkout,
        env=kept | {"PYTHONPATH": str(checkout), "DIFFUTILS_PROFILE": "smoke"},
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
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="module")
def page(lab, chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{lab}/lab/tree/01_forward_diffusion.ipynb?token={TOKEN}")
        page.locator(".jp-Notebook .jp-CodeCell").last.wait_for(state="attached")
        wait_for_kernel(lab)
        yield page
        browser.close()


def wait_for_kernel(lab: str) -> None:
    """Until the page talks to a kernel: what is run before that asks which kernel to take."""
    for _ in range(240):
        with urllib.request.urlopen(f"{lab}/api/sessions?token={TOKEN}", timeout=5) as answer:
            kernels = [session["kernel"] for session in json.load(answer)]
        if any(k["connections"] and k["execution_state"] == "idle" for k in kernels):
            return
        time.sleep(0.5)
    raise AssertionError("the lesson got no kernel")


def cell(page, text: str):
    return page.locator(".jp-Notebook .jp-CodeCell", has=page.get_by_text(text)).first


def answer(page, text: str) -> str:
    """Replace the exercise's cell by `text`, run it, return what it says."""
    exercise = page.locator("[data-exercise='1.1']")
    exercise.scroll_into_view_if_needed()
    exercise.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text + CHECK)
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """() => /\\[\\d+\\]/.test(document.querySelector(
            "[data-exercise='1.1'] .jp-InputPrompt").textContent)"""
    )
    return exercise.locator(".jp-OutputArea").inner_text()


def test_lesson_01_runs_from_top_to_bottom(page, checkout):
    assert (checkout / "work" / "01_forward_diffusion.ipynb").is_file()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = page.locator(".jp-Notebook .jp-CodeCell").last
    last.locator(".jp-OutputArea").get_by_text("run.json").wait_for(timeout=400_000)
    assert (
        page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.error']").count() == 0
    )


def test_a_slider_changes_the_picture(page):
    explore = page.locator(
        ".jp-CodeCell", has=page.locator(".widget-slider, .widget-hslider")
    ).first
    explore.scroll_into_view_if_needed()
    picture = explore.locator(".jupyter-widgets img, .widget-output img").last
    picture.wait_for()
    before = picture.get_attribute("src")
    handle = explore.locator(".noUi-handle").first
    handle.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([image, old]) => image.isConnected === false || image.src !== old",
        arg=[picture.element_handle(), before],
    )
    after = explore.locator(".jupyter-widgets img, .widget-output img").last
    after.wait_for()
    assert after.get_attribute("src") != before


def test_a_wrong_answer_gets_its_hint_and_a_right_one_is_accepted(page, checkout):
    from diffutils.lessons import exercises

    exercise = exercises()["1.1"]
    cell(page, STUB).evaluate("e => e.setAttribute('data-exercise', '1.1')")
    hints = [mistake.hint for mistake in exercise.mistakes]
    said = answer(page, WRONG)
    assert any(" ".join(hint.split()) in " ".join(said.split()) for hint in hints), said
    said = answer(page, RIGHT)
    assert "right" in said.lower() and not any(hint in said for hint in hints), said
    kept = json.loads((checkout / "work" / "progress.json").read_text())["exercises"]
    assert (kept["1.1"]["status"], kept["1.1"]["tries"]) == ("solved", 2)


def test_a_cell_that_stops_before_its_check_stops_no_lesson(page):
    said = answer(page, "torh.zeros(3)\n")
    assert "this cell stopped before the check" in said and "Traceback" not in said
