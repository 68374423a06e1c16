"""A class graded: every notebook run and judged, each row kept on disk once it is finished."""

import os
import queue
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType

from diffutils.course.exercises.model import Case, Exercise
from diffutils.course.grading.answers import CRASH, OPEN, RIGHT, Graded, last_counts
from diffutils.course.grading.process import Slot, Told
from diffutils.course.grading.submissions import Submission
from diffutils.course.runs import rundir
from diffutils.course.runs.fingerprint import digest
from diffutils.weights import records
from diffutils.weights.files import PACKAGE, write_json

SETTINGS, ROWS = "grading.json", "rows"
JUDGES = ("course/exercises", "course/grading", "lessons")  # what decides a verdict


@dataclass
class Row:
    """One notebook, graded.

    exercises: by id, all of its lessons.  problem: why it could not be graded, else "".
    """

    file: str
    name: str
    key: str
    problem: str = ""
    exercises: dict[str, Graded] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def lessons(self) -> list[str]:
        """The numbers of its lessons: "01", ..."""
        return sorted({lesson_of(id) for id in self.exercises})


@dataclass(frozen=True)
class Limits:
    """seconds: of one call.  memory: bytes that a submission may take.  workers: at a time."""

    seconds: float
    memory: int
    workers: int


def lesson_of(id: str) -> str:
    """The number of the lesson that an exercise belongs to: "01" for "1.3"."""
    return f"{int(id.split('.')[0]):02}"


def wanted(submissions: Sequence[Submission], exercises: dict[str, Exercise]) -> list[str]:
    """The exercises of all lessons that the notebooks check something of."""
    lessons = {lesson_of(id) for s in submissions for id in s.ids if id in exercises}
    return [id for id in exercises if lesson_of(id) in lessons]


@contextmanager
def held(out: Path, seed: int | None, place: Path) -> Iterator[int]:
    """Hold the folder of results; the seed, where none is given, is that of an earlier grading.

    Raises: FileExistsError for a folder that holds something else; BlockingIOError while another
    process grades there.
    """
    earlier = None
    if not rundir.is_fresh(out):
        if not (out / SETTINGS).is_file():
            raise FileExistsError(f"{out} holds other files; choose a new folder with --out")
        earlier = records.read(out / SETTINGS, {"seed": int}, "choose a new folder with --out")
    rundir.hold(out)
    try:
        if seed is None:
            seed = earlier["seed"] if earlier else int.from_bytes(os.urandom(4), "big") >> 1
        write_json(out / SETTINGS, {"seed": seed, "folder": str(place)})
        yield seed
    finally:
        rundir.release(out)


def grade(
    contents: ModuleType,
    submissions: Sequence[Submission],
    names: dict[str, str],
    out: Path,
    seed: int,
    limits: Limits,
    say: Callable[[str], None],
) -> list[Row]:
    """Grade all notebooks, in parallel; rows that an earlier grading kept in `out` are taken over.

    names: of students, file -> name.  Raises: OSError where no processes start, or for a full disk.
    """
    exercises = contents.exercises()
    ids = wanted(submissions, exercises)
    cases = {id: exercises[id].cases(seed) for id in ids}
    rows, left, begun = {}, defaultdict(list), time.monotonic()
    # Sort out what needs no process; what was handed in twice is run once.
    for submission in submissions:
        row = Row(submission.file, names[submission.file], submission.key, submission.problem)
        rows[submission.file], path = row, out / ROWS / f"{key(submission, seed, limits)}.json"
        if not row.problem and not any(id in exercises for id in submission.ids):
            row.problem = "it checks no exercise of the course"
        if not row.problem and not take_over(row, path, exercises):
            left[path].append(submission)
    done = len(submissions) - sum(map(len, left.values()))
    if done:
        say(f"{done} of {len(submissions)} need no process: graded before, or unreadable")
    # Run the rest; the verdicts are made here, one at a time.
    paths = {twins[0].file: path for path, twins in left.items()}
    first = [twins[0] for twins in left.values()]
    for submission, told, seconds in finished(contents, first, ids, seed, limits):
        row, path = rows[submission.file], paths[submission.file]
        judge(row, submission, told, exercises, cases)
        row.seconds = round(seconds, 2)
        write_json(path, asdict(row))
        for twin in left[path][1:]:
            take_over(rows[twin.file], path, exercises)
        done += len(left[path])
        right = sum(graded.status == RIGHT for graded in row.exercises.values())
        passed = time.strftime("%M:%S", time.gmtime(time.monotonic() - begun))
        who = row.name or row.file
        say(f"{done} of {len(submissions)}, {passed}: {who}, {right} of {len(row.exercises)} right")
    compare(rows.values())
    return [rows[submission.file] for submission in submissions]


def finished(
    contents: ModuleType, left: Sequence[Submission], ids: list[str], seed: int, limits: Limits
) -> Iterator[tuple[Submission, Told, float]]:
    """Each submission as it is finished, what it said, and how long it took."""
    slots: queue.Queue = queue.Queue()
    workers = max(1, min(limits.workers, len(left)))
    every = [Slot(contents, seed, ids, limits.seconds, limits.memory) for _ in range(workers)]
    for slot in every:
        slots.put(slot)

    def run(submission: Submission) -> tuple[Told, float]:
        slot, begun = slots.get(), time.monotonic()
        try:
            return slot.run(submission), time.monotonic() - begun
        finally:
            slots.put(slot)

    pool = ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(run, submission): submission for submission in left}
        for future in as_completed(futures):
            yield futures[future], *future.result()
    finally:  # also on Ctrl-C
        for slot in every:
            slot.close()
        pool.shutdown(cancel_futures=True)


def judge(
    row: Row,
    submission: Submission,
    told: Told,
    exercises: dict[str, Exercise],
    cases: dict[str, Sequence[Case]],
) -> None:
    """Write the verdict on every exercise of the notebook's lessons into its row."""
    lessons = {lesson_of(id) for id in submission.ids}
    row.remarks = [*told.remarks]
    for id in cases:
        if lesson_of(id) not in lessons:
            continue
        check = last_counts([check for check in told.checks.values() if check.id == id])
        missed = told.missed.get(id) or (id in submission.ids and told.given_up)
        if check:
            row.exercises[id] = check.judged(exercises[id], cases[id])
        elif missed:
            row.exercises[id] = Graded(CRASH, f"Its check was not reached: {missed}.")
        else:
            here = id in submission.ids
            words = "Its check was never called." if here else "The notebook does not check it."
            row.exercises[id] = Graded(OPEN, words)


def compare(rows) -> None:
    """Remark on notebooks that are the same file, and on students with two of a lesson."""
    same, again = defaultdict(list), defaultdict(list)
    for row in rows:
        if any(graded.status != OPEN for graded in row.exercises.values()):
            same[row.key].append(row)
        for lesson in row.lessons if row.name else ():
            again[row.name.casefold(), lesson].append(row)
    for groups, words in ((same, "the same file as"), (again, "the same name as")):
        for group in groups.values():
            for row in group:
                others = [other.file for other in group if other is not row]
                if others:
                    row.remarks.append(f"{words} {', '.join(others[:3])}")


def key(submission: Submission, seed: int, limits: Limits) -> str:
    """What decides a row, in short: the notebook, the seed, the limits and the judging code."""
    parts = submission.key, seed, limits.seconds, limits.memory, judging_code()
    return digest(repr(parts).encode())


def judging_code() -> str:
    """The package's part that decides verdicts, in short."""
    files = sorted(path for room in JUDGES for path in (PACKAGE / room).rglob("*.py"))
    return digest(b"".join(path.read_bytes() for path in files))


def take_over(row: Row, path: Path, exercises: dict[str, Exercise]) -> bool:
    """Fill a row from what an earlier grading kept; False where there is nothing whole."""
    if not path.exists():
        return False
    try:
        kept = records.read(path, {"exercises": dict, "remarks": list, "seconds": float}, "")
        row.exercises = {id: Graded(**kept["exercises"][id]) for id in kept["exercises"]}
    except (OSError, ValueError, TypeError):
        row.exercises = {}
        return False
    row.remarks, row.seconds = kept["remarks"], kept["seconds"]
    return all(id in exercises for id in row.exercises)


def points(row: Row, exercises: dict[str, Exercise]) -> tuple[int, int]:
    """What a row has, and could have: the difficulties of the exercises that are right, of all."""
    right = [id for id, graded in row.exercises.items() if graded.status == RIGHT]
    return tuple(sum(exercises[id].difficulty for id in each) for each in (right, row.exercises))
