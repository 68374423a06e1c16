"""How threads wait: set before torch is loaded, for children too, and never over a choice."""

import subprocess
import sys

import pytest

from diffutils.course import waiting


def test_who_chose_keeps_his_choice():
    environment = {}
    waiting.briefly(environment)
    assert environment == waiting.SETTINGS
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "0"}):
        environment = dict(chosen)
        waiting.briefly(environment)
        assert environment == chosen


def test_the_command_line_sets_it_before_torch_is_loaded():
    program = """
import sys
from diffutils.course import waiting
def first(environment=None):
    print("torch" in sys.modules)
waiting.briefly = first
import diffutils.__main__
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is Linux's")
def test_children_inherit_it(monkeypatch, tmp_path):
    for name in waiting.OWN:
        monkeypatch.delenv(name, raising=False)
    program = """
import os, sys
sys.argv = ["diffutils", "data"]
import diffutils.__main__
print(os.popen("echo $GOMP_SPINCOUNT").read())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == waiting.SETTINGS["GOMP_SPINCOUNT"], done.stderr
