"""`check` names what is off in an answer, and hands on a function that works."""

import functools
import sys

import numpy as np
import pytest
import torch
from doubling import BROKEN, TASK, double, use

import diffutils as du
from diffutils.course.exercises.model import Case, Exercise
from diffutils.course.exercises.verdict import OPEN, WRONG, Fallback, judge
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
        (own_error, ("yours:    Rude (line",)),
        (deep, ("RecursionError",)),
        (returns_itself, ("RecursionError",)),
        (lambda: 1, ("TypeError", "positional argument")),
        (lambda x: torch.tensor(2 * x), ("PyTorch tensor", "NumPy array of shape (2,)")),
        (lambda x: 2.0, ("a single number", "NumPy array of shape (2,)")),
        (lambda x: "four", ("a str",)),
        (generator, ("a generator",)),
        (lambda x: (x, x), ("a tuple of 2 values",)),
        (lambda x: 2 * x[:, None], ("yours:    shape (2, 1)", "array of shape (2,)")),
        (lambda x: (2 * x).astype(np.float32), ("float32 values", "float64, as in the input")),
        (lambda x: (2 * x).astype(int), ("int64 values", "float64, as in the input")),
        (lambda x: (2 * x).astype(object), ("NumPy array of object values",)),
        (lambda x: x * np.nan, ("NaN in 2 of 2 values",)),
        (lambda x: x / 0.0, ("infinity in 2 of 2 values",)),
        (lambda x: 3 * x, ("1.5 times the right result", "expected: -6", "The sign stays.")),
        (lambda x: x**2, ("You squared it.",)),
        (lambda x: abs(2 * x), ("You lost the sign.",)),
        (edits, ("changes its input `x` in place", "x = x * a")),
        (edits_and_errs, ("yours:    14", "changes its input `x` in place")),
        (lambda x: x + np.random.rand(2), ("random numbers of its own", "called twice")),
        (lambda x: x + torch.rand(2).numpy(), ("random numbers of its own", "called twice")),
        (functools.partial(pow, 2, 3), ("TypeError",)),
        (int, ("TypeError",)),
        (np.ones(2), ("a result (ndarray), not the function itself",)),
        (3.5, ("a result (float), not the function itself",)),
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
        lambda seed: [Case((len, large, 7, (small, 0.25)), 5.0, "Always five.")],
        (),
    )
    verdict = judge(task, lambda *arguments: 4.0)
    assert verdict.call == (
        "net = a function, x = values of shape (3, 4), t = 7, pair = ([[0.5 , 0.3333]], 0.25)"
    )
    assert verdict.words == "yours:    4\nexpected: 5\ntry:      Always five."
    assert judge(task, lambda *arguments: 1 / 0).call == verdict.call


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
        (in_place_without_return, "is `return` missing?"),
        (not_for_negatives, "None; is `return` missing?"),
        (gap_for_negatives, "A `...` is not replaced yet"),
    ],
)
def test_an_answer_with_a_slip_is_wrong_and_no_stub(function, said):
    verdict = judge(TASK, function)
    assert verdict.status == WRONG
    assert said in verdict.words


def test_a_function_that_edits_is_not_handed_on(monkeypatch):
    use(monkeypatch)
    kept = du.check("9.9", edits)
    assert isinstance(kept, Fallback) and kept(4) == 8 and kept.yours is edits


def test_check_returns_what_the_lesson_can_go_on_with(monkeypatch, capsys):
    use(monkeypatch)

    def squared(x):
        return x**2

    right = lambda x: x + x  # noqa: E731
    assert du.check("9.9", right) is right
    assert capsys.readouterr().out == "✓ Exercise 9.9, double: right.\n"
    kept = du.check("9.9", squared)
    assert kept(3) == 6 and kept.yours is squared
    assert capsys.readouterr().out == (
        "✗ Exercise 9.9, double: wrong for x = [-3.].\n"
        "  yours:    9 at index (0,)\n  expected: -6\n  try:      You squared it.\n"
        "The lesson goes on with the course's function. Yours is kept as squared.yours. Try again "
        "whenever you like.\n"
    )
    assert du.check("9.9", ...)(3) == 6
    assert capsys.readouterr().out.startswith("○ Exercise 9.9, double: not attempted.\nThe lesson")


@pytest.mark.parametrize("answer", [lambda x: x**2, ..., None, 3.5])
def test_the_course_s_function_is_no_answer(answer, monkeypatch, capsys):
    use(monkeypatch)
    kept = du.check("9.9", answer)
    capsys.readouterr()
    assert du.check("9.9", kept) is kept
    said = capsys.readouterr().out
    assert "✓" not in said and "the course's function, no answer" in said
    assert ("kept as .yours" in said) == callable(answer)


@pytest.mark.parametrize(
    "function",
    [
        exercises()["1.1"].reference,
        functools.partial(exercises()["1.1"].reference),
        du.samplers.slerp,
        Fallback(TASK),
    ],
)
def test_no_function_of_the_package_gets_a_tick(function, monkeypatch, capsys):
    use(monkeypatch)
    kept = du.check("9.9", function)
    assert kept(2) == 4 and isinstance(kept, Fallback)
    assert "✓" not in capsys.readouterr().out


def test_an_answer_that_calls_the_course_s_own_is_told_so(monkeypatch, capsys):
    use(monkeypatch)
    kept = du.check("9.9", lambda x: double(x))
    assert isinstance(kept, Fallback)
    assert "calls the course's own answer" in capsys.readouterr().out


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
    assert verdict.mistake == "underflow"
    assert "NaN" in verdict.words and "subtract the largest" in verdict.words


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


@pytest.mark.parametrize("answer", [lambda *a: ..., lambda *a: None])
def test_a_stub_whose_gradient_is_asked_for_is_no_pair(answer):
    verdict = judge(exercises()["2.2"], answer)
    assert verdict.status == OPEN and "One of the returned values" not in verdict.words
