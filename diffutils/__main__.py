"""The commands: `python -m diffutils run | test | lab | export | notebooks | data | ...`."""

import click

from diffutils.weights import surroundings

surroundings.wait_briefly()  # first: what follows loads torch

from diffutils import lessons  # noqa: E402
from diffutils.course.commands import (  # noqa: E402
    bench,
    check_trial,
    data,
    grade,
    lab,
    measure,
    run,
    sample,
    score,
    test,
)
from diffutils.course.commands.group import Course  # noqa: E402
from diffutils.lessons import shipped, train  # noqa: E402

SHARED = ("train", "sample", "measure")  # commands whose work several processes can share


@click.group(cls=Course, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context):
    """Diffusion by Experiment: run, test and read the lessons.

    Exit codes: 0 done, 1 failed, 2 refused before it began, 130 stopped by Ctrl-C.
    """
    surroundings.hush()
    if surroundings.launched() and context.invoked_subcommand not in SHARED:
        raise ValueError(
            f"{context.invoked_subcommand} is for one process: call it without accelerate launch; "
            f"several can share {', '.join(SHARED)}"
        )
    context.obj = lessons  # the table of contents, for commands that ask for a budget


COMMANDS = (
    run.run,
    run.notebooks,
    run.notation,
    test.test,
    lab.lab,
    lab.export,
    grade.grade,
    data.data,
    measure.measure,
    sample.command,
    score.command,
    bench.bench,
    check_trial.check_trial,
    shipped.weights,
)
for command in (*COMMANDS, train.group(lessons.trainings()), *lessons.commands()):
    cli.add_command(command)


if __name__ == "__main__":
    cli(prog_name="python -m diffutils")
