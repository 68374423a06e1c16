"""Speed is measured, in training and in sampling."""

import pytest
from command_line import call


@pytest.mark.slow
def test_bench_measures_training_and_sampling():
    done = call("bench")
    assert done.exit_code == 0, done.output
    assert done.output.count("images/s in training") >= 2
    assert done.output.count("s for 16 samples") == 2
