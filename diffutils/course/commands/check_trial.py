"""Try the checks of the exercises with a file of answers."""

import click

from diffutils.course.commands.options import JSON, Finite, Place, result, say
from diffutils.course.workbook import trial


@click.command("check-trial")
@click.argument("file", type=Place(dir_okay=False))
@click.option("--seconds", type=Finite(0.01, 3600), default=2.0, show_default=True)
@click.option("--names", is_flag=True, help="Also list the name that every wrong answer got.")
@JSON
@click.pass_obj
def check_trial(contents, file, seconds, names, out):
    """For maintainers: what the checks say of the answers in FILE, as a table.

    FILE holds cells, each below a header such as `# %% 1.1 wrong: minus for plus` or
    `# %% 2.3 right: as one line`; behind => may stand the name that is expected.
    """
    rows = trial.run(trial.read(file), contents.exercises(), seconds, say)
    text = trial.table(rows)
    if names:
        listed = [row for row in rows if not row["right"]]
        text = "\n".join(
            [f"{row['exercise']} {row['about']}: {row['name'] or '-'}" for row in listed] + [text]
        )
    result(out, {"answers": rows}, text)
