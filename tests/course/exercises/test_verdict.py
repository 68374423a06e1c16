"""`check` names what is off in an answer, and hands on a function that works."""

import functools
import sys

import numpy as np
import pytest
import torch
from doubling import BROKEN, TASK, double, use

import diffutils as du
from diffutils.course.exercises.model import Case, Exercise
from diffutils.course.exercises.verdict import OPEN, WRONG, judge
from diffutils.lessons import exercises


def raises(x):
    nothing = 0
    return x[0].item() / nothing


def edits(x):
    x *= 2
    return x


def edits_and_errs(x):
    x += 1
    return x * 7


def own_error(x):
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError("no")

    raise Rude


def generator(x):
    yield x


def deep(x):
    return deep(x)


def returns_itself(x):
    result = []
    result.append(result)
    return result


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raises, ("ZeroDivisionError", "line ", "x[0].item() / nothing")),
        (lambda x: sys.exit(3), ("SystemExit: 3",)),
        (own_error, ("it raised Rude",)),
        (deep, ("RecursionError",)),
        (returns_itself, ("RecursionError",)),
        (lambda: 1, ("TypeError", "positional argument")),
        (lambda x: torch.tensor(2 * x), ("PyTorch tensor", "NumPy array of shape (2,)")),
        (lambda x: 2.0, ("a float", "NumPy array of shape (2,)")),
        (lambda x: "four", ("returns a str",)),
        (generator, ("returns a generator",)),
        (lambda x: (x, x), ("returns a tuple",)),
        (lambda x: 2 * x[:, None], ("shape (2, 1); shape (2,) is expected",)),
        (lambda x: (2 * x).astype(np.float32), ("float32 values; float64 is expected",)),
        (lambda x: (2 * x).astype(int), ("int64 values; float64 is expected",)),
        (lambda x: (2 * x).astype(object), ("object values",)),
        (lambda x: x * np.nan, ("2 of 2 values are NaN",)),
        (lambda x: x / 0.0, ("2 of 2 values are infinity",)),
        (lambda x: 3 * x, ("it returns 6 at index (1,), where 4 is expected", "Twice one is two.")),
        (lambda x: x**2, ("You squared it.",)),
        (lambda x: abs(2 * x), ("You lost the sign.",)),
        (edits, ("changes its input `x` in place", "x = x * a")),
        (edits_and_errs, ("it returns 14", "also", "changes its input `x` in place")),
        (lambda x: x + np.random.rand(2), ("draws random numbers of its own",)),
        (lambda x: x + torch.rand(2).numpy(), ("draws random numbers of its own",)),
        (functools.partial(pow, 2, 3), ("TypeError",)),
        (int, ("TypeError",)),
        (np.ones(2), ("needs the function itself, not a result (ndarray)",)),
        (3.5, ("needs the function itself, not a result (float)",)),
    ],
)
def test_wrong_code_gets_a_sentence_that_helps(function, said):
    before = BROKEN.copy()
    verdict = judge(TASK, function, seconds=5)
    assert verdict.status == WRONG
    for words in said:
        assert words.lower() in verdict.words.lower(), verdict
    assert np.array_equal(before, BROKEN)


def test_the_call_that_failed_can_be_repeated():
    def five(net, x, t, pair):
        return 5.0

    large, small = np.zeros((3, 4)), torch.tensor([[0.5, 1 / 3]])
    task = Exercise(
        "9.9",
        "five",
        1,
        5,
        five,
        lambda: [Case((len, large, 7, (small, 0.25)), 5.0, "Always five.")],
        (),
    )
    said = judge(task, lambda *arguments: 4.0).words
    assert (
        "Called with net = a function, x = values of shape (3, 4), t = 7, "
        "pair = ([[0.5 , 0.3333]], 0.25). Always five."
    ) in said
    assert "Called with net = a function" in judge(task, lambda *arguments: 1 / 0).words


def no_return(x):
    2 * x


def half_done(x):
    factor = ...
    return factor * x


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (None, ""),
        (..., ""),
        (lambda x: ..., ""),
        (lambda x: (x, ...), "still `...`"),
        (no_return, "`return` is missing"),
        (half_done, "`...` is not replaced yet"),
    ],
)
def test_a_stub_is_not_attempted(function, said):
    verdict = judge(TASK, function)
    assert verdict.status == OPEN
    assert said in verdict.words


def in_place_without_return(x):
    x *= 2


def not_for_negatives(x):
    if x[0] > 0:
        return 2 * x


def gap_for_negatives(x):
    return 2 * x if x[0] > 0 else 2 * ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: 2 * x[..., ..., None], "IndexError: an index can only have a single ellipsis"),
        (lambda x: 2 * x.tolist()[...], "TypeError: list indices must be integers or slices"),
        (in_place_without_return, "is `return` missing? Also, it changes its input `x` in place"),
        (not_for_negatives, "It returns None; is `return` missing? Called with x = [-3.]."),
        (gap_for_negatives, "A `...` is not replaced yet"),
    ],
)
def test_an_answer_with_a_slip_is_wrong_and_no_stub(function, said):
    verdict = judge(TASK, function)
    assert verdict.status == WRONG
    assert said in verdict.words


def test_a_function_that_edits_is_not_handed_on(monkeypatch):
    use(monkeypatch)
    assert du.check("9.9", edits) is double


def test_check_returns_what_the_lesson_can_go_on_with(monkeypatch, capsys):
    use(monkeypatch)
    right = lambda x: x + x  # noqa: E731
    for given, kept, said in (
        (right, right, "✓ Exercise 9.9, double: right.\n"),
        (lambda x: x**2, double, "✗ Exercise 9.9, double: wrong. You squared it.\nThe lesson goes"),
        (..., double, "○ Exercise 9.9, double: not attempted.\nThe lesson goes on"),
    ):
        assert du.check("9.9", given) is kept
        assert capsys.readouterr().out.startswith(said)


class Rude:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize("id", ["7.7", 1.1, None, ["1.1"], {}, "\udcff\x1b", Rude()])
def test_an_unknown_exercise_is_named(id, capsys):
    assert du.check(id, double) is double
    said = capsys.readouterr().out
    assert said.startswith("There is no exercise ") and "; there are 1.1, 1.2" in said


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_slip_is_named_although_another_one_overflows():
    task = exercises()["1.2"]

    def forgot_the_weights(x, abar, world):  # and works without logarithms: 0/0 far away
        weights, means, stds = world
        v = abar * stds**2 + 1 - abar
        away = x[:, None] - abar**0.5 * means
        r = np.exp(-(away**2) / (2 * v)) / np.sqrt(v)
        answers = means + abar**0.5 * stds**2 / v * away
        return (r * answers).sum(1) / r.sum(1)

    assert judge(task, forgot_the_weights).mistake == "weights forgotten"


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_slip_is_named_although_a_later_case_raises():
    def square_of_positive(x):
        if x.min() < 0:
            raise ValueError("negative")
        return x**2

    assert judge(TASK, square_of_positive).mistake == "square"


def test_only_the_overflow_is_wrong():
    task = exercises()["1.2"]

    def without_logarithms(x, abar, world):
        weights, means, stds = world
        v = abar * stds**2 + 1 - abar
        away = x[:, None] - abar**0.5 * means
        r = weights * np.exp(-(away**2) / (2 * v)) / np.sqrt(v)
        answers = means + abar**0.5 * stds**2 / v * away
        return (r * answers).sum(1) / r.sum(1)

    verdict = judge(task, without_logarithms)
    assert verdict.mistake is None
    assert "NaN" in verdict.words and "log r_k" in verdict.words


def test_the_limit_holds_in_the_kernel_of_a_notebook(tmp_path, write_notebook):
    import nbformat
    from nbclient import NotebookClient

    stub = "import diffutils as du\n\ndef forward(x0, abar, noise):\n    while True:\n        pass"
    call = 'forward = du.check("1.1", forward, seconds=0.5)'
    crash = 'def forward(x0, abar, noise):\n    return x0 / abar["t"]\n\n' + call
    path = write_notebook(tmp_path / "loop.ipynb", stub, call, "forward(0.8, 0.64, 0.5)", crash)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    assert "stopped after 0.5 seconds" in notebook.cells[1].outputs[0].text
    assert notebook.cells[2].outputs[0].data["text/plain"].startswith("0.94")
    assert '(line 2: `return x0 / abar["t"]`)' in notebook.cells[3].outputs[0].text
