"""Predict, run, reconcile: commit to a guess first, see it beside the measurement later."""

from numbers import Real

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
    if isinstance(guess, Real) and isinstance(measured, Real):
        agree = f"off by {shown(abs(guess - measured))}"
    else:
        one, other = (str(answer).strip().lower() for answer in (guess, measured))
        agree = "as you said" if one == other else "a surprise"
    print(f"{question}: you guessed {shown(guess)}, measured {shown(measured)}; {agree}.")


def shown(value) -> str:
    """A number with three digits, anything else as text of at most 60 characters."""
    return f"{float(value):.3g}" if isinstance(value, Real) else str(value)[:60]
