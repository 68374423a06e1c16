"""A command of the package called, and a lesson of one step, for the tests of commands."""

from click.testing import CliRunner

from diffutils.__main__ import cli

PARAMETERS = "profile = None  # how much\nseed = 0  # randomness\n"
GOOD = """
import diffutils as du
lesson = du.lesson("01", profile, seed=seed, overrides={"images": 1})
lesson.progress("step 0 of 1")
lesson.progress("step 1 of 1")
lesson.headline("answer", 42)
lesson.finish()
"""


def call(*arguments):
    return CliRunner().invoke(cli, arguments)
