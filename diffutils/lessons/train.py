"""Train a lesson's networks: `train 05 --config ssimbad`, and `train ...` for lesson 02's."""

import click

FIRST = "02"  # whose training is meant where no lesson is named


class ByLesson(click.Group):
    """Commands by lesson number; what follows without one belongs to lesson `FIRST`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """As click's; lesson `FIRST` is put in where the first word is an option."""
        if args and args[0].startswith("-") and args[0] not in context.help_option_names:
            args = [FIRST, *args]
        return super().parse_args(context, args or [FIRST])

    def resolve_command(self, context: click.Context, args: list[str]):
        """As click's; a number may lack its nought."""
        return super().resolve_command(context, [args[0].zfill(2), *args[1:]])


def group(commands: dict[str, click.Command]) -> click.Group:
    """The command `train` of these trainings, by lesson number."""

    @click.group(cls=ByLesson)
    def train():
        """Train a lesson's networks; without a lesson's number those of lesson 02."""

    for number, command in commands.items():
        train.add_command(command, number)
    return train
