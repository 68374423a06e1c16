"""One file from the network: mirrors in turn, resumed after a cut, checked."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from diffutils.__main__ import cli
from diffutils.data import download, downloads, fetch

BLOCK = 2**16  # what arrives is written in blocks of so many bytes
CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8))


def test_git_blob_id_is_git_s(tmp_path):
    (tmp_path / "a").write_bytes(b"hello\n")
    assert downloads.checked(tmp_path / "a", "git:ce013625030ba8dba906f756967f9e9ca394464a")


@pytest.fixture
def served(empty, web, monkeypatch):
    """A function that makes "mnist" one file on the test's server, at the given mirrors."""
    monkeypatch.setattr(fetch, "PAUSE", 0)

    def serve(content, *mirrors, checksum=None):
        web.files["set.bin"] = content
        checksum = f"md5:{hashlib.md5(content).hexdigest()}" if checksum is None else checksum
        urls = tuple(web.address + mirror for mirror in mirrors or ("set.bin",))
        remote = fetch.Remote("set.bin", urls, checksum)
        monkeypatch.setitem(downloads.REMOTES, "mnist", (remote,))
        return empty / "data" / "mnist" / "set.bin"

    return serve


def get():
    """`python -m diffutils data get mnist`: the lines it prints."""
    done = CliRunner().invoke(cli, ["data", "get", "mnist"])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_mirrors_are_tried_in_turn_and_what_is_here_is_kept(served, web):
    path = served(CONTENT, "gone.bin", "set.bin")
    get()
    assert path.read_bytes() == CONTENT and [p.name for p in path.parent.iterdir()] == ["set.bin"]
    assert [name for name, _ in web.asked] == ["gone.bin", "set.bin"]
    get()
    assert len(web.asked) == 2  # what is here is not fetched again


@pytest.mark.parametrize("name", ["inception", "alexnet"])
def test_weights_of_networks_are_fetched_and_checked_by_sha256(empty, web, monkeypatch, name):
    (remote,) = downloads.REMOTES[name]
    kind, _, digest = remote.checksum.partition(":")
    assert kind == "sha256" and len(digest) == 64 and f"-{digest[:8]}.pth" in remote.file
    web.files[remote.file] = CONTENT
    known = downloads.Remote(remote.file, (web.address + remote.file,), remote.checksum)
    monkeypatch.setitem(downloads.REMOTES, name, (known,))
    with pytest.raises(ConnectionError, match=f"sent another file .its sha256 .*, not {digest}"):
        download(name)
    right = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    monkeypatch.setitem(downloads.REMOTES, name, (replace(known, checksum=right),))
    done = CliRunner().invoke(cli, ["data", "get", name])
    assert done.exit_code == 0, done.output
    assert (empty / "data" / name / remote.file).read_bytes() == CONTENT


def test_progress_comes_in_lines(served):
    served(bytes(10_000_000))
    lines = get()
    assert 8 <= sum("of 10.0 MB" in line for line in lines) <= 11
    assert "set.bin: 10.0 of 10.0 MB (100 %)" in lines[-2]


def test_a_cut_download_goes_on_where_it_was_cut(served, web):
    path = served(CONTENT)
    web.cuts = [2 * BLOCK, BLOCK + 7]
    lines = get()
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in web.asked] == [None, f"bytes={2 * BLOCK}-", f"bytes={3 * BLOCK}-"]
    assert any("broke off at 0.1 of 0.3 MB" in line for line in lines)


def test_a_second_call_goes_on_where_the_first_gave_up(served, web):
    path = served(CONTENT)
    web.cuts = [BLOCK, 0, 0, 0]  # as many as there are tries
    with pytest.raises(ConnectionError, match="broke off at 0.1 of 0.3 MB.*run the same command"):
        download("mnist")
    assert [p.name for p in path.parent.iterdir()] == ["set.bin.part"]
    get()
    assert path.read_bytes() == CONTENT and web.asked[-1] == ("set.bin", f"bytes={BLOCK}-")


def test_a_server_that_knows_no_ranges_sends_all_again(served, web):
    path = served(CONTENT)
    web.cuts, web.ranges = [100_000], False
    get()
    assert path.read_bytes() == CONTENT and len(web.asked) == 2


def test_an_answer_without_a_length_counts_as_cut_until_it_ends(served, web):
    """No checksum tells: what arrived before the cut is half a file, not the whole."""
    path = served(CONTENT, checksum="")
    web.lengths, web.cuts = False, [100_000, 0, 0, 0]
    with pytest.raises(ConnectionError, match="broke off at 0.1 MB"):
        download("mnist")
    assert [p.name for p in path.parent.iterdir()] == ["set.bin.part"]
    web.cuts = [100_000]
    get()
    assert path.read_bytes() == CONTENT


def test_an_old_part_of_another_file_costs_one_more_request(served, web):
    path = served(CONTENT)
    path.parent.mkdir(parents=True)
    part = path.with_name("set.bin.part")
    part.write_bytes(bytes(100_000))  # the first third of an older version
    get()
    assert path.read_bytes() == CONTENT and not part.exists()
    assert [asked for _, asked in web.asked] == ["bytes=100000-", None]


def test_a_part_that_was_whole_is_only_checked(served, web):
    path = served(CONTENT)
    path.parent.mkdir(parents=True)
    path.with_name("set.bin.part").write_bytes(CONTENT)
    get()
    assert path.read_bytes() == CONTENT and len(web.asked) == 1


def test_without_a_checksum_nothing_older_is_gone_on_from(served, web):
    path = served(CONTENT, checksum="")
    path.parent.mkdir(parents=True)
    path.with_name("set.bin.part").write_bytes(bytes(100_000))
    get()
    assert path.read_bytes() == CONTENT and web.asked == [("set.bin", None)]
