"""The table of contents: a lesson is found by its number, in its room `lessonNN`.

A room holds `budget.py` (BUDGETS: profile -> budget), `exercises*.py` (EXERCISES) and, where the
lesson has commands of its own, `commands.py` (COMMANDS; TRAINING: what `train NN` calls).
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from IPython import get_ipython

from diffutils.course import budgets, parameters
from diffutils.course.exercises import sandbox, verdict
from diffutils.course.experiments import described
from diffutils.course.lesson import Lesson
from diffutils.course.runs import rundir
from diffutils.course.workbook import cells
from diffutils.course.workbook import progress as solved


def numbers() -> list[str]:
    """The lessons that have a room: "01", "02", ..."""
    rooms = (module.name for module in iter_modules(__path__) if module.ispkg)
    return sorted(name.removeprefix("lesson") for name in rooms)


def find(number: str) -> ModuleType:
    """The room of a lesson; ValueError, with the list, where there is none."""
    if number not in (known := numbers()):
        raise ValueError(f"There is no lesson {number!r}; choose one of {', '.join(known)}.")
    return import_module(f"{__name__}.lesson{number}")


def modules(number: str, pattern: str) -> list[ModuleType]:
    """The modules of a lesson's room whose file is named so, e.g. "exercises*"."""
    room = find(number)
    files = sorted(Path(room.__file__).parent.glob(f"{pattern}.py"))
    return [import_module(f"{room.__name__}.{file.stem}") for file in files]


def budget(number: str, profile: str | None = None, overrides: dict | None = None):
    """The frozen budget of a lesson; profile: None means $DIFFUTILS_PROFILE or "student".

    overrides: fields by name, see `budgets.changed`.  Raises: ValueError for an unknown lesson,
    profile or field, or a wrong value.
    """
    room = import_module(f"{find(number).__name__}.budget")
    base = room.BUDGETS[budgets.profile_name(profile)]
    return budgets.changed(base, overrides, f"lesson {number}")


def exercises() -> dict:
    """Every lesson's exercises, id -> `course.exercises.model.Exercise`, in their order."""
    rooms = [module for number in numbers() for module in modules(number, "exercises*")]
    found = [exercise for module in rooms for exercise in module.EXERCISES]
    found.sort(key=lambda exercise: [int(part) for part in exercise.id.split(".")])
    return {exercise.id: exercise for exercise in found}


def commands() -> list:
    """The click commands of every lesson that has some."""
    rooms = [module for number in numbers() for module in modules(number, "commands")]
    return [command for module in rooms for command in getattr(module, "COMMANDS", ())]


def trainings() -> dict:
    """The click command that trains a lesson's networks, by number, of lessons that have one."""
    rooms = {number: modules(number, "commands") for number in numbers()}
    found = {number: room[0] for number, room in rooms.items() if room}
    return {k: room.TRAINING for k, room in found.items() if hasattr(room, "TRAINING")}


def lesson(
    number: str,
    profile: str | None = None,
    dataset: str = "sprites",
    seed: int = 0,
    run_dir: str | None = None,
    overrides: dict | None = None,
    resume: str = "auto",
) -> Lesson:
    """Validate a lesson's parameters, reserve its run directory, print budget and device.

    In a notebook exercise cells then never stop the lesson: `course.workbook.cells`.

    number: "01", "02", ...; profile: None means $DIFFUTILS_PROFILE or "student"; run_dir: None
    means NUMBER in $DIFFUTILS_RUN_DIR or in runs/PROFILE; overrides: budget fields by name;
    resume: "auto" goes on from what an earlier run left there, "never" starts anew.
    Raises: ValueError, with the valid choices, for a parameter that is unknown or wrongly typed,
    and for files of one's own that the lesson could not use to its end; BlockingIOError when
    another process works in the run directory.
    """
    parameters.check_injected()
    profile = budgets.profile_name(profile)
    chosen = budget(number, profile, overrides)
    asked = [e for id, e in exercises().items() if id.split(".")[0].zfill(2) == number]
    opened = Lesson(number, profile, chosen, dataset, seed, run_dir, resume, asked)
    if ":" in opened.dataset and isinstance(chosen, budgets.TrainingBudget):
        try:
            described.make_ready(opened.dataset, chosen, opened.seed)
        except BaseException:
            rundir.release(opened.dir)
            raise
    if shell := get_ipython():
        cells.install(shell, exercises)
    return opened


def check(id: str, function: Callable, seconds: float = sandbox.SECONDS) -> Callable:
    """`verdict.check` among the exercises of all lessons: what a lesson can go on with."""
    return verdict.check(exercises(), id, function, seconds, note=solved.note)


def progress() -> None:
    """Print which exercises are solved, lesson by lesson, and the last mistake in the others."""
    print(solved.table([*exercises().values()]))
