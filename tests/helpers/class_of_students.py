"""A class that handed in lesson 01: right, half done, wrong, crashing, cheating and hostile.

`python tests/helpers/class_of_students.py FOLDER [N] [SEED]` writes one.
"""

import copy
import random
import sys
from pathlib import Path

import nbformat

from diffutils.course.workbook import folds

LESSON = Path(__file__).resolve().parents[2] / "notebooks" / "01_forward_diffusion.ipynb"
IDS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6")
WRONG = {
    "1.1": [
        "def forward(x0, abar, noise):\n    return abar * x0 + (1 - abar) * noise",
        "def forward(x0, abar, noise):\n    return (1 - abar) ** 0.5 * x0 + abar**0.5 * noise",
        "def forward(x0, abar, noise):\n    return x0 + (1 - abar) ** 0.5 * noise",
        "def forward(x0, abar, noise):\n    return abar**0.5 * x0 + 3 * noise",
    ],
    "1.3": [
        "def tweedie(x, clean, abar):\n    return (np.sqrt(abar) * clean - x) / np.sqrt(1 - abar)",
        "def tweedie(x, clean, abar):\n    return (x - np.sqrt(abar) * clean) / (1 - abar)",
    ],
    "1.5": [
        "def in_sigma(x_t, abar):\n    return x_t / abar, np.sqrt((1 - abar) / abar)",
        "def in_sigma(x_t, abar):\n    return x_t / np.sqrt(abar)",
    ],
}
CRASH = {
    "no such name": "def tweedie(x, clean, abar):\n    return (alpha * clean - x) / (1 - abar)",
    "no such function": "def twedie(x, clean, abar):\n    return x",
    "no Python": "def tweedie(x, clean, abar)\n    return x",
    "a division": "def tweedie(x, clean, abar):\n    return 1 / 0",
}
COURSES = {
    "imported": "from diffutils.lessons.lesson01.exercises import tweedie",
    "the reference": "from diffutils import lessons as L\ntweedie = L.exercises()['1.3'].reference",
    "wrapped": "from diffutils.lessons.lesson01 import exercises as e\n"
    "def tweedie(x, clean, abar):\n    return e.tweedie(x, clean, abar)",
    "from check": "tweedie = du.check('1.3', ...)",
    "wrapped from check": "good = du.check('1.3', ...)\n"
    "def tweedie(x, clean, abar):\n    return good(x, clean, abar)",
    "with bound arguments": "from diffutils.lessons.lesson01.exercises import tweedie as t\n"
    "tweedie = functools.partial(t)",
}
FORGED = {
    "check replaced": "import diffutils, diffutils.lessons as L\n"
    "L.check = diffutils.check = lambda *a, **k: print('right')\n"
    "def tweedie(*a):\n    return 1.0",
    "judge replaced": "from diffutils.course.exercises import verdict, compare, sandbox\n"
    "verdict.judge = verdict.verdict_on = lambda *a, **k: verdict.Verdict('right')\n"
    "compare.difference = verdict.difference = lambda *a, **k: None\n"
    "sandbox.captured = lambda *a, **k: sandbox.Outcome()\n"
    "def tweedie(*a):\n    return 1.0",
    "equal to everything": "class E(float):\n    __eq__ = lambda s, o: True\n"
    "    __sub__ = __rsub__ = lambda s, o: 0.0\n    __array__ = lambda s, *a, **k: np.zeros(3)\n"
    "def tweedie(*a):\n    return E(1)",
    "evil pickle": "class P:\n    def __reduce__(self):\n        return print, ('gotcha',)\n"
    "def tweedie(*a):\n    return P()",
    "forged lines": "def tweedie(x, clean, abar):\n    import os\n    for fd in range(3, 64):\n"
    '        try:\n            os.write(fd, b\'\\n{"done": "1.3"}\\n{"end": true}\\n\')\n'
    "        except OSError:\n            pass\n    return x",
}
BODIES = {
    "loop": "while True: pass",
    "sleep": "import time; time.sleep(1e6)",
    "fork bomb": "import os\n    while True: os.fork()",
    "daemons": "import os, time\n    for _ in range(5):\n        if os.fork() == 0:\n"
    "            os.setsid()\n            if os.fork() == 0: time.sleep(1e5)\n"
    "            os._exit(0)",
    "memory": "keep = [bytearray(2**30) for _ in range(64)]",
    "exit": "import os; os._exit(0)",
    "kill the parent": "import os; os.kill(os.getppid(), 9)",
    "kill itself": "import os; os.kill(os.getpid(), 9)",
    "close files": "import os; os.closerange(0, 4096)",
    "print": "while True: print('x' * 10**6)",
    "crash in C": "import ctypes; ctypes.string_at(0)",
    "recursion": "f = lambda: f(); f()",
    "modules": "import sys; sys.modules.clear(); del __builtins__['print']",
    "delete files": "import os, shutil\n    shutil.rmtree(os.path.expanduser('~'))\n"
    "    os.rmdir('.')",
    "stdin": "return input('well? ')",
    "interrupt": "raise KeyboardInterrupt",
    "system exit": "raise SystemExit(0)",
    "threads": "import threading, time\n    while True:\n"
    "        threading.Thread(target=time.sleep, args=(1e5,)).start()",
    "huge result": "return np.zeros(10**8)",
    "endless result": "r = []; r.append(r)\n    return r",
    "other files": "open(np.__file__, 'a').close(); open(du.__file__, 'a').close()",
}
NAMES = dict(zip(IDS, "forward best_guess tweedie step_back in_sigma bend".split(), strict=True))


def hostile(kind: str, id: str = "1.3") -> str:
    """An answer to an exercise that does what its kind says, when called or as its cell runs."""
    function = f"def {NAMES[id]}(x, *others):\n"
    if kind.startswith("cell: "):
        return f"{BODIES[kind.removeprefix('cell: ')]}\n{function}    return x"
    return f"{function}    {BODIES[kind]}\n    return x"


IN_CELLS = ("cell: loop", "cell: exit", "cell: recursion")
HOSTILE = {kind: hostile(kind) for kind in (*BODIES, *IN_CELLS)}
KINDS = {"crash": CRASH, "courses": COURSES, "forged": FORGED, "hostile": HOSTILE}
SHARES = {
    "right": 30,
    "half": 30,
    "wrong": 30,
    "crash": 8,
    "courses": 8,
    "forged": 4,
    "hostile": 10,
}


def lesson():
    """The lesson as students get it."""
    return folds.without_outputs(nbformat.read(LESSON, as_version=4))


def filled(notebook, answers: dict[str, str]):
    """A copy with these answers in the cells of the exercises; the other stubs stay."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        id = folds.exercise_id(cell)
        if id in answers:
            cell.source = (
                f"{answers[id]}\n\n{cell.source[folds.CHECK.search(cell.source).start() :]}"
            )
    return result


def one(notebook, kind: str, name: str):
    """A notebook in which 1.3 is of a kind, and everything else is right."""
    return filled(notebook, folds.solutions(notebook) | {"1.3": KINDS[kind][name]})


def drawn(notebook, kind: str, draw: random.Random):
    """A notebook of a kind, and what it must come to, id -> status.

    "": anything but right; None: anything, since a submission may spoil what comes after it.
    """
    right, expected = folds.solutions(notebook), dict.fromkeys(IDS, "right")
    if kind == "half":
        done = draw.randint(0, 5)
        answers = {id: right[id] for id in IDS[:done]}
        return filled(notebook, answers), {
            id: "right" if id in answers else "not attempted" for id in IDS
        }
    if kind == "wrong":
        chosen = {id: draw.choice(each) for id, each in WRONG.items() if draw.random() < 0.6}
        chosen = chosen or {"1.1": WRONG["1.1"][0]}
        return filled(notebook, right | chosen), expected | dict.fromkeys(chosen, "wrong")
    if kind == "right":
        return filled(notebook, right), expected
    name = draw.choice([*KINDS[kind]])
    expected["1.3"] = "course's own" if kind == "courses" else ""
    if kind == "forged":
        expected |= dict.fromkeys(("1.4", "1.5", "1.6"))
    return one(notebook, kind, name), expected


def write(folder: Path, size: int = 120, seed: int = 0) -> dict[str, dict[str, str]]:
    """Write a class; return what each file must come to, as `drawn` says it."""
    draw, notebook, expected = random.Random(seed), lesson(), {}
    kinds = draw.choices([*SHARES], [*SHARES.values()], k=size)
    for number, kind in enumerate(kinds):
        made, file = drawn(notebook, kind, draw), f"student-{number:03}-{kind}.ipynb"
        folder.mkdir(parents=True, exist_ok=True)
        made[0].cells.append(nbformat.v4.new_code_cell(f"student = {number}"))  # no two are alike
        nbformat.write(made[0], folder / file)
        expected[file] = made[1]
    return expected


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
