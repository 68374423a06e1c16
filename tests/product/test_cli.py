"""The whole command line: what is wrong in the arguments of any command."""

import pytest
from command_line import call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--profile", "fast"], "choose one of smoke, student, overnight, full, published"),
        (["run", "--lessons", "01 77"], "There is no lesson '77'; choose from 01"),
        (["run", "--seed", "-1"], "--seed"),
        (["run", "--dataset", "mnist"], "None of the chosen lessons has the parameter 'dataset'"),
        (["run", "--set", "images=3"], "None of the chosen lessons has the parameter 'overrides'"),
        (["run", "--set", "images"], "--set takes KEY=VALUE"),
        (["train", "--samples=-5"], "--samples"),
        (["train", "--name", "a/b"], "the name of a model is 'a/b'"),
        (["measure", "no.safetensors", "--scale", "nan"], "nan is not a finite number"),
        (["sing"], "No such command"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(lessons, tmp_path, arguments, said):
    out = ["--out", str(tmp_path / "out")] if arguments[0] in ("run", "train") else []
    done = call(*arguments, *out)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()
