"""Shared by all tests: shape checks switched on, no windows, small fixtures."""

import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["DIFFUTILS_HEADLESS"] = "1"
for name in ("DIFFUTILS_PROFILE", "DIFFUTILS_RUN_DIR", "DIFFUTILS_PROGRESS", "DIFFUTILS_WORK"):
    os.environ.pop(name, None)

# The annotations of these modules, shapes included, are checked on every call in the tests.
TYPED = ("denoisers", "methods", "metrics", "resample", "rng", "samplers", "schedules")
TYPED += ("training", "unet")
try:
    import beartype  # noqa: F401
    from jaxtyping import install_import_hook
except ImportError:  # a machine without the test extra runs the tests unchecked
    pass
else:
    install_import_hook([f"diffutils.{name}" for name in TYPED], "beartype.beartype")

ROOT = Path(__file__).resolve().parents[1]


def pytest_runtest_setup(item):
    """Note the faults that a test lets happen: they come back with its report."""
    for mark in item.iter_markers("fault"):
        what, times = (*mark.args, 1)[:2]
        item.user_properties.append(("fault", (what, times)))


def pytest_terminal_summary(terminalreporter):
    """Print a table: each kind of fault, how often it was tried, and how often survived."""
    tried, survived = Counter(), Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in report.user_properties if report.when == "call" else ():
                if name == "fault":
                    tried[value[0]] += value[1]
                    survived[value[0]] += value[1] * (outcome == "passed")
    if tried:
        terminalreporter.section("faults tried and survived")
        width = max(map(len, tried))
        for what in sorted(tried):
            terminalreporter.write_line(f"{what:{width}}  {survived[what]} of {tried[what]}")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets named by $DIFFUTILS_DATA; the test is skipped without one."""
    folder = os.environ.get("DIFFUTILS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set DIFFUTILS_DATA to a folder with real data sets")
    return Path(folder)


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A place without any data set or downloaded weights."""
    from diffutils.data import downloads

    monkeypatch.setenv("DIFFUTILS_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "home", lambda: tmp_path / "data")
    return tmp_path


@pytest.fixture(scope="module")
def model():
    """An untrained network of three classes whose images depend on everything it is handed."""
    import torch

    from diffutils import Denoiser, UNet, denoisers, schedules
    from diffutils.weights.models import Model

    torch.manual_seed(0)
    net = UNet(channels=(16, 16), blocks=1, attention=(False, False), classes=3)
    for p in net.parameters():  # a network that starts at zero would ignore everything
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(50))
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return Model(denoiser, schedule, schedule, {"size": 8})


@pytest.fixture
def write_notebook():
    """A function (path, *cells): write a notebook, its first cell tagged `parameters`."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    def write(path: Path, *sources: str) -> Path:
        cells = [new_code_cell(source) for source in sources]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return path

    return write


@pytest.fixture
def lessons(tmp_path, monkeypatch, write_notebook):
    """A folder of lessons with one, 01_good, made for the purpose."""
    from command_line import GOOD, PARAMETERS

    from diffutils.course.runs import headless

    folder = tmp_path / "notebooks"
    monkeypatch.setattr(headless, "NOTEBOOKS", folder)
    write_notebook(folder / "01_good.ipynb", PARAMETERS, GOOD)
    return folder


class Web:
    """A web server on the loopback interface, and the ways in which it can fail.

    files: content by name; ranges: whether it can send a part; lengths: whether it says how long an
    answer is, or sends it in one chunk; cuts: after how many bytes it hangs up, one number for each
    of the next requests; status: an error for every request; headers: what it says otherwise;
    delay: seconds before it answers; pause: seconds after every 16 kB; asked: name and Range of
    every request so far.
    """

    def __init__(self):
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        self.files, self.asked, self.cuts = {}, [], []
        self.ranges, self.lengths, self.status = True, True, None
        self.headers, self.delay, self.pause = {}, 0, 0
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                web.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def answer(self, request) -> None:
        """Send a file, from where the request asks for it, or what `status` and `cuts` say."""
        name, asked = request.path[1:], request.headers.get("Range")
        self.asked.append((name, asked))
        time.sleep(self.delay)
        if self.status or name not in self.files:
            return request.send_error(self.status or 404)
        content = self.files[name]
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if first and first >= len(content):
            return request.send_error(416)
        request.send_response(206 if first else 200)
        sent = content[first:]
        if self.lengths:
            request.send_header("Content-Length", self.headers.get("Content-Length", len(sent)))
        else:
            request.send_header("Transfer-Encoding", "chunked")
            sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent)
        for key, value in self.headers.items():
            if key != "Content-Length":
                request.send_header(key, value)
        request.end_headers()
        sent = sent[: self.cuts.pop(0) if self.cuts else len(sent)]
        step = 2**14 if self.pause else max(1, len(sent))
        with suppress(ConnectionError):  # who is served may hang up
            for i in range(0, len(sent), step):
                request.wfile.write(sent[i : i + step])
                time.sleep(self.pause)


@pytest.fixture
def web(monkeypatch):
    """A `Web` that runs; a proxy in the environment is passed by."""
    import threading

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    web = Web()
    threading.Thread(target=web.server.serve_forever, args=(0.01,), daemon=True).start()
    yield web
    web.server.shutdown()
    web.server.server_close()
