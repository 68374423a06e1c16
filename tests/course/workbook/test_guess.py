"""`predict` and `reconcile` never block."""

import numpy as np

import diffutils as du


def test_a_guess_stands_beside_the_measurement(capsys):
    assert du.predict("factor", 0.5) == 0.5
    du.reconcile("factor", np.float64(0.2))
    out = capsys.readouterr().out
    assert out == (
        "factor: your guess is 0.5.\nfactor: you guessed 0.5, measured 0.2; off by 0.3.\n"
    )


def test_words_are_compared_as_words(capsys):
    du.predict("band", "Grey")
    du.reconcile("band", "bright")
    du.reconcile("band", "grey")
    assert "a surprise." in (out := capsys.readouterr().out) and "as you said." in out


def test_no_guess_stops_nothing(capsys):
    assert du.predict("nothing") is None
    du.reconcile("nothing", 3)
    du.reconcile("never asked", "grey")
    assert capsys.readouterr().out == (
        "nothing: no guess.\nnothing: no guess, measured 3.\n"
        "never asked: no guess, measured grey.\n"
    )


def test_any_question_and_any_number(capsys):
    du.predict(["a", "b"], 10**400)
    du.reconcile(["a", "b"], 1.5)
    assert "measured 1.5; a surprise" in capsys.readouterr().out
