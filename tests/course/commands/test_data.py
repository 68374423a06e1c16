"""The list of data sets; what `data get` fetches: tests/data/test_downloads.py."""

from command_line import call


def test_data_lists_every_built_in_set():
    done = call("data")
    assert done.exit_code == 0, done.output
    for name in ("sprites", "faces", "digits", "photos", "mnist", "cifar10"):
        assert name in done.output
