"""A training on a disk that is truly full, and goes on once there is room again."""

import subprocess

import pytest
from small_training import result, train

SIZE = 3_000_000  # bytes of the disk; a training of `small_training` leaves 1.2 million


@pytest.fixture
def disk(tmp_path):
    """A small disk in memory, where one may mount it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may mount nothing")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.fault("disk full")
@pytest.mark.parametrize("left", [4_096, 60_000, 200_000, 400_000, 600_000])
def test_a_training_goes_on_once_there_is_room(disk, tmp_path, left):
    """However far it came, it says what could not be written, and ends as one that had room."""
    list(train(tmp_path / "whole"))
    filler = disk / "filler"
    filler.write_bytes(bytes(SIZE - left))
    with pytest.raises(OSError, match="No space left on device|cannot be written"):
        list(train(disk / "model"))
    assert not list(disk.rglob("*.part"))  # no half of anything
    filler.unlink()
    list(train(disk / "model"))
    assert result(disk / "model") == result(tmp_path / "whole")
