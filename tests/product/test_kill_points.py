"""Commands killed, or out of disk space, at each call that changes a file: the next start mends it.

The calls are counted and stopped in C, below Python, by tests/helpers/stop_at.c.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def preloaded(root, tmp_path_factory):
    """The library that stops a process at a call."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler, e.g. `apt install gcc`")
    library = tmp_path_factory.mktemp("library") / "stop_at.so"
    source = root / "tests" / "helpers" / "stop_at.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def stopped(root, preloaded, folder, command, how, every) -> dict:
    """What tests/helpers/kill_points.py finds."""
    helpers = root / "tests" / "helpers"
    paths = os.pathsep.join(map(str, (root, helpers)))
    around = {"LD_PRELOAD": str(preloaded), "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, helpers / "kill_points.py", command, how, folder, str(every)],
        env=os.environ | around,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.fault("kill at every call that writes")
def test_a_training_goes_on_after_a_kill_at_any_call(root, preloaded, tmp_path):
    """Some calls; the slow tests try them all."""
    found = stopped(root, preloaded, tmp_path, "train", "kill", 23)
    assert found["faults"] == {} and found["points"] > 5


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("how", ["kill", "full"])
@pytest.mark.parametrize("command", ["train", "sample", "export", "run"])
@pytest.mark.fault("kill, stop or full disk at every call that writes")
def test_every_command_goes_on_after_a_stop_at_every_call(root, preloaded, tmp_path, command, how):
    """What is left is byte for byte what an undisturbed run leaves; an error names its file."""
    found = stopped(root, preloaded, tmp_path, command, how, 1)
    assert found["faults"] == {} and found["points"] == found["calls"] > 10
