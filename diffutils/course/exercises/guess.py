"""Predict, run, reconcile: commit to a guess first, see it beside the measurement later."""

import numbers

guesses: dict[str, object] = {}


def predict(question: str, guess=None):
    """Note a guess for a question and return it; None means "no guess" and stops nothing."""
    guesses[question] = guess
    said = "no guess" if guess is None else f"your guess is {shown(guess)}"
    print(f"{question}: {said}.")
    return guess


def reconcile(question: str, measured) -> None:
    """Print the guess for a question beside what was measured."""
    guess = guesses.get(question)
    if guess is None:
        print(f"{question}: no guess, measured {shown(measured)}.")
        return
    line = f"{question}: you guessed {shown(guess)}, measured {shown(measured)}"
    if is_number(guess) and is_number(measured):
        print(f"{line}; off by {shown(abs(guess - measured))}.")
    else:
        print(f"{line}; {'as you said' if same_words(guess, measured) else 'a surprise'}.")


def is_number(value) -> bool:
    """Whether the value is a real number, NumPy's included."""
    return isinstance(value, numbers.Real)


def same_words(guess, measured) -> bool:
    """Whether two answers agree, whatever their capitals."""
    return str(guess).strip().lower() == str(measured).strip().lower()


def shown(value) -> str:
    """A number with three digits, anything else as text of at most 60 characters."""
    return f"{float(value):.3g}" if is_number(value) else str(value)[:60]
