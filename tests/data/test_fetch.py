"""One file from the network: mirrors in turn, resumed after a cut, checked."""

import errno
import hashlib
import threading
import time
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
    path.with_name("set.bin.part").write_bytes(b"left over")
    get()
    assert len(web.asked) == 2  # what is here is not fetched again
    assert [p.name for p in path.parent.iterdir()] == ["set.bin"]


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


@pytest.mark.fault("download cut, and resumed")
def test_a_cut_download_goes_on_where_it_was_cut(served, web):
    path = served(CONTENT)
    web.cuts = [2 * BLOCK, BLOCK + 7]
    lines = get()
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in web.asked] == [
        None,
        f"bytes={2 * BLOCK}-",
        f"bytes={3 * BLOCK + 7}-",
    ]
    assert any("broke off at 0.1 of 0.3 MB" in line for line in lines)


@pytest.mark.fault("download cut, and resumed")
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


def test_two_gets_at_once_do_not_mix(served, web):
    path = served(CONTENT)
    web.pause = 0.02
    results = []

    def fetch_it():
        try:
            results.append(download("mnist", report=lambda line: None))
        except OSError as error:
            results.append(error)

    threads = [threading.Thread(target=fetch_it) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert results == [path.parent] * 3 and path.read_bytes() == CONTENT
    assert len(web.asked) == 1 and [p.name for p in path.parent.iterdir()] == ["set.bin"]


def test_who_waits_too_long_is_told(served, web, monkeypatch):
    path = served(CONTENT)
    monkeypatch.setattr(fetch, "LIMIT", 0.2)
    path.parent.mkdir(parents=True)
    lines = []
    with fetch.FileLock(path.parent / fetch.LOCK), pytest.raises(OSError, match="another process"):
        download("mnist", report=lines.append)
    assert any("waiting for it" in line for line in lines) and not web.asked


@pytest.mark.parametrize("lengths", [True, False])
def test_more_than_the_file_may_have_is_not_kept(served, web, monkeypatch, lengths):
    path = served(CONTENT)
    (remote,) = downloads.REMOTES["mnist"]
    small = replace(remote, largest=100_000)
    monkeypatch.setitem(downloads.REMOTES, "mnist", (small,))
    web.lengths = lengths
    with pytest.raises(ConnectionError, match="sends another file: more than the 0.1 MB"):
        download("mnist")
    assert list(path.parent.iterdir()) == []


def test_a_server_that_drips_is_cut_and_one_that_never_ends_is_left(served, web, monkeypatch):
    path = served(CONTENT)
    web.pause = 0.1
    monkeypatch.setattr(fetch, "TRIES", 2)
    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    monkeypatch.setattr(fetch, "SLOWEST", 10**8)
    with pytest.raises(ConnectionError, match="sends less than 100,000,000 bytes a second"):
        download("mnist")
    monkeypatch.setattr(fetch, "LIMIT", 0.1)
    monkeypatch.setattr(fetch, "TIMEOUT", 30)
    path.with_name("set.bin.part").unlink()
    with pytest.raises(ConnectionError, match="took more than 0 minutes"):
        download("mnist")
    assert path.with_name("set.bin.part").stat().st_size > 0


def test_a_server_that_never_answers_is_left(served, web, monkeypatch):
    served(CONTENT)
    web.delay = 1.0
    monkeypatch.setattr(fetch, "TRIES", 1)
    monkeypatch.setattr(fetch, "TIMEOUT", 0.1)
    with pytest.raises(ConnectionError, match="did not answer within|could not be reached"):
        download("mnist")


@pytest.mark.parametrize("checksum", [None, ""])
def test_a_web_page_is_not_taken_for_the_file(served, web, checksum):
    path = served(CONTENT, checksum=checksum)
    web.files["set.bin"] = b"<!DOCTYPE html><html>please log in</html>"
    with pytest.raises(ConnectionError, match="sent another file .a web page, such as one to log"):
        download("mnist")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("length", ["many", "-5", "1000000", "9" * 5000])
def test_a_length_that_is_none_does_not_matter_where_the_checksum_fits(served, web, length):
    path = served(CONTENT)
    web.headers = {"Content-Length": length}
    get()
    assert path.read_bytes() == CONTENT


def test_a_part_that_was_not_asked_for_is_not_glued(served, web):
    path = served(CONTENT)
    path.parent.mkdir(parents=True)
    path.with_name("set.bin.part").write_bytes(CONTENT[:1000])
    web.headers = {"Content-Range": f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}"}
    lines = get()
    assert path.read_bytes() == CONTENT
    assert any("sent another part than it was asked for; trying again" in line for line in lines)


def test_a_packed_answer_is_refused(served, web):
    served(CONTENT)
    web.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(ConnectionError, match="packed as 'gzip', which was not asked for"):
        download("mnist")


def test_a_part_beyond_the_end_is_begun_again(served, web):
    path = served(CONTENT)
    path.parent.mkdir(parents=True)
    path.with_name("set.bin.part").write_bytes(CONTENT + b"tail")
    get()
    assert path.read_bytes() == CONTENT and len(web.asked) == 2
    web.status = 416
    path.unlink()
    with pytest.raises(ConnectionError, match="answered 416"):
        download("mnist")


@pytest.mark.fault("file with a wrong checksum")
def test_a_mirror_with_another_file_is_passed_by(served, web):
    path = served(CONTENT, "old.bin", "set.bin")
    web.files["old.bin"] = CONTENT[::-1]
    get()
    assert path.read_bytes() == CONTENT


@pytest.mark.fault("disk full")
def test_a_full_disk_is_named_and_loses_nothing(served, web, monkeypatch):
    path = served(CONTENT)
    web.cuts = [BLOCK, 0, 0, 0]
    with pytest.raises(ConnectionError):
        download("mnist")
    kept = path.with_name("set.bin.part").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fetch.os, "fsync", full)
        with pytest.raises(OSError, match=r"set.bin cannot be written .No space.*make room.*DATA"):
            download("mnist")
    assert path.with_name("set.bin.part").read_bytes().startswith(kept)
    get()
    assert path.read_bytes() == CONTENT


def test_a_file_without_a_checksum_is_checked_by_content_and_fetched_again(
    served, web, monkeypatch
):
    path = served(CONTENT, checksum="")
    (remote,) = downloads.REMOTES["mnist"]

    def check(path):
        if path.read_bytes() != CONTENT:
            raise ValueError(f"{path} is not what it should be; run it again")

    monkeypatch.setitem(downloads.REMOTES, "mnist", (replace(remote, check=check),))
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:100])
    lines = get()
    assert path.read_bytes() == CONTENT and "is not what it should be: fetched again" in lines[0]
    web.files["set.bin"] = CONTENT[:-1]
    path.write_bytes(b"")
    with pytest.raises(ConnectionError, match="sent another file .*not what it should be"):
        download("mnist")
    assert path.read_bytes() == b""  # replaced only by a better one
