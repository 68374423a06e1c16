"""Predict, run, reconcile: commit to a guess first, see it beside the measurement later."""

import contextlib
from numbers import Real

guesses: dict[str, object] = {}


def predict(question: str, guess=None):
    """Note a guess for a question and return it; None means "no guess" and stops nothing."""
    guesses[str(question)] = guess
    said = "no guess" if guess is None else f"your guess is {shown(guess)}"
    print(f"{question}: {said}.")
    return guess


def reconcile(question: str, measured) -> None:
    """Print the guess for a question beside what was measured."""
    guess = guesses.get(str(question))
    if guess is None:
        print(f"{question}: no guess, measured {shown(measured)}.")
        return
    numbers = number(guess), number(measured)
    if None not in numbers:
        agree = f"off by {shown(abs(numbers[0] - numbers[1]))}"
    else:
        one, other = (str(answer).strip().lower() for answer in (guess, measured))
        agree = "as you said" if one == other else "a surprise"
    print(f"{question}: you guessed {shown(guess)}, measured {shown(measured)}; {agree}.")


def number(value) -> float | None:
    """A real number that a float can hold; None for anything else."""
    with contextlib.suppress(OverflowError):
        return float(value) if isinstance(value, Real) else None


def shown(value) -> str:
    """A number with three digits, anything else as text of at most 60 characters."""
    return f"{held:.3g}" if (held := number(value)) is not None else str(value)[:60]
