"""One file from the network: mirrors in turn, resumed after a cut, whole and checked or not here.

What has arrived so far lies in FILE.part. FILE itself appears only when its checksum fits, or, for
one without a checksum, its content. One process fetches into a folder at a time.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from filelock import FileLock, Timeout

from diffutils.weights.files import naming, sync

TRIES = 4  # requests to one mirror; each goes on where the last one was cut
PAUSE = 1.0  # seconds before the next of them
TIMEOUT = 30  # seconds without a byte, or with fewer than SLOWEST a second: a cut
SLOWEST = 1000  # bytes a second
LIMIT = 3600  # seconds for one file; the next call goes on from there
LARGEST = 2**28  # bytes of a file that names no bound of its own
BLOCK = 2**16  # bytes that are read at most at a time
MB = 1e6
LOCK = ".lock"
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # what some network file systems answer


@dataclass(frozen=True)
class Remote:
    """A file to fetch: mirrors in order of trial, checksum `md5:...`, `sha256:...`, `git:...`.

    largest: bytes it may have at most.  unpacked: the checksum of what a .gz holds.
    check: raises ValueError for the path of a wrong file, where no checksum is known.
    """

    file: str
    urls: tuple[str, ...]
    checksum: str
    largest: int = LARGEST
    unpacked: str = ""
    check: Callable[[Path], object] | None = None


class Cut(Exception):
    """A mirror sent less than the file; the next try may bring the rest."""


class Refused(Exception):
    """A mirror has no such file, or another one."""


def digest(content: bytes, kind: str) -> str:
    """Checksum of a content in hexadecimal; kind: "md5", "sha256", "git" (blob id), "" (none)."""
    if kind == "git":  # git hashes a small header before the content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return hashlib.new(kind, content).hexdigest() if kind else ""


def checked(path: Path, checksum: str, largest: int = LARGEST) -> bytes:
    """The bytes of a file; ValueError if their checksum, as in `Remote`, differs."""
    kind, _, expected = checksum.partition(":")
    cure = "delete it and fetch it again, or, if it is of another set, read that as npz:PATH"
    if (size := path.stat().st_size) > largest:
        sizes = f"it has {size / MB:,.1f} MB, the right one at most {largest / MB:,.1f} MB"
        raise ValueError(f"{path} is another file: {sizes}; {cure}")
    content = path.read_bytes()
    if (actual := digest(content, kind)) != expected:
        sums = f"its {kind} checksum is {actual}, expected {expected}"
        raise ValueError(f"{path} is damaged or another file: {sums}; {cure}")
    return content


def fetch(remote: Remote, folder: Path, report: Callable[[str], None] = print) -> Path:
    """Fetch a file into folder and return its path; what an earlier cut left is not fetched again.

    Raises: ConnectionError (no mirror gave the whole file; the message says what each one did);
        OSError (the folder cannot be written, or the disk is full; what has arrived is kept).
    """
    path, part = folder / remote.file, folder / f"{remote.file}.part"
    problems, deadline = [], time.monotonic() + LIMIT
    # Try the mirrors in turn.
    try:
        with _alone(folder, path, report):
            if path.is_file() and not wrong(path, remote):  # another process was faster
                part.unlink(missing_ok=True)
                return path
            if not remote.checksum:  # nothing would tell two glued halves from a whole file
                part.unlink(missing_ok=True)
            for url in remote.urls:
                try:
                    _from_mirror(url, remote, path, part, deadline, report)
                except (Cut, Refused) as error:
                    problems.append(f"{url} {error}")
                    if part.is_file() and part.stat().st_size > remote.largest:
                        part.unlink()
                    continue
                with naming(path):
                    part.replace(path)
                    sync(folder)
                return path
    except OSError as error:  # of the disk: the network's are Cut
        if part.is_file() and not part.stat().st_size:
            part.unlink()
        cure = f"or put the file from {remote.urls[0]} into a folder that $DIFFUTILS_DATA names"
        raise OSError(f"{error}; {cure}") from None
    raise ConnectionError(
        f"{remote.file} could not be fetched: {'; '.join(problems)}; run the same command again "
        f"when the network is better, or fetch the file by hand and put it into {folder}"
    )


@contextmanager
def _alone(folder: Path, path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Make the folder and hold it, waiting for another process that fetches into it."""
    lock = FileLock(folder / LOCK, thread_local=False, fallback_to_soft=False)
    with naming(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                report(f"  {path.name}: another process fetches into {folder}; waiting for it")
                lock.acquire(timeout=LIMIT)
        except Timeout:
            raise OSError(f"another process has held {folder} for {LIMIT} s; stop it") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            report(f"  this file system has no locks ({error}); start no second download")
    try:
        yield
    finally:
        if lock.is_locked:
            (folder / LOCK).unlink(missing_ok=True)  # while it is held: who waits sees it gone
            lock.release()


def wrong(path: Path, remote: Remote) -> str:
    """What is wrong with a file that has arrived, in words; empty if nothing is."""
    kind, _, expected = remote.checksum.partition(":")
    content = path.read_bytes()
    if content[:100].lstrip().startswith((b"<!", b"<html", b"<HTML")):
        return "a web page, such as one to log in"
    if not content:
        return "it is empty"
    if (actual := digest(content, kind)) != expected:
        return f"its {kind} checksum is {actual}, not {expected}"
    try:
        if remote.check:
            remote.check(path)
    except ValueError as error:
        return str(error)
    return ""


def _from_mirror(url: str, remote: Remote, path: Path, part: Path, deadline, report) -> None:
    """Fill part from one mirror and check it. Raises: Cut; Refused; OSError (of the disk)."""
    failed = 0
    while True:
        resumed, cut = False, None
        try:
            resumed = _request(url, remote, path, part, deadline, report)
        except Cut as error:
            cut = error
        # A server may say that it is longer than it is: what fits its checksum is whole.
        arrived = part.is_file() and bool(remote.checksum or not cut)
        problem = wrong(part, remote) if arrived else "no file"
        if not problem:
            return
        if cut:
            if (failed := failed + 1) == TRIES:
                raise cut
            report(f"  {path.name}: the server {cut}; trying again")
            time.sleep(PAUSE)
            continue
        part.unlink(missing_ok=True)
        if not resumed:
            raise Refused(f"sent another file ({problem})")
        # The first half may be of another version of the file.
        report(f"  {path.name}: the resumed file is damaged, so once more from the start")


def _request(url: str, remote: Remote, path: Path, part: Path, deadline, report) -> bool:
    """One request for what part lacks; whether the server went on from there.

    Raises: Cut (busy, out of reach, cut before the end); Refused; OSError (of the disk).
    """
    # Ask.
    have = part.stat().st_size if part.is_file() else 0
    with _answer(url, have) as answer:
        if answer.status_code == 416 and have:  # nothing beyond our end: only the check is missing
            return True
        if not 200 <= answer.status_code < 300:
            kind = Cut if answer.status_code >= 500 else Refused
            raise kind(f"answered {answer.status_code} {answer.reason}")
        if (packed := answer.headers.get("Content-Encoding", "identity")) != "identity":
            raise Refused(f"sent the file packed as {packed[:20]!r}, which was not asked for")
        # See from where it goes on; a server that knows no ranges sends all.
        first = have if answer.status_code == 206 else 0
        given = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if answer.status_code == 206 and given and int(given[1]) != first:
            part.unlink(missing_ok=True)
            raise Cut("sent another part than it was asked for")
        length = answer.headers.get("Content-Length", "")
        total = first + int(length) if length.isdecimal() and len(length) < 20 else 0
        _fits(total, remote)
        # Append to what is here; report every 5 %, but not every MB.
        done = said = first
        line = max(total / 20, 1 * MB) if total else 5 * MB
        with naming(path), open(part, "r+b" if first else "wb") as file:
            file.seek(first)
            try:
                for chunk in _chunks(answer, deadline):
                    file.write(chunk)
                    done += len(chunk)
                    _fits(done, remote)
                    if done - said >= line or done == total:
                        report(f"  {path.name}: {_amount(done, total)}")
                        said = done
            except Cut as error:  # what has arrived is kept
                shown = _amount(done, total if done < total else 0)
                raise Cut(f"{error} at {shown}") from None
            file.flush()
            os.fsync(file.fileno())
    if done < total:
        raise Cut(f"broke off at {_amount(done, total)}")
    return first > 0


def _answer(url: str, have: int):
    """The answer to a request, begun within twice `TIMEOUT`; Cut if there is none."""
    import requests  # not needed unless something is fetched

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    answers = []

    def ask():
        try:
            answers.append(requests.get(url, headers=headers, stream=True, timeout=TIMEOUT))
        except Exception as error:  # what a server sends can upset more than requests foresees
            answers.append(error)

    # A server can send its first lines so slowly that no single byte is late.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * TIMEOUT)
    if not answers:
        raise Cut(f"did not answer within {2 * TIMEOUT} s")
    if isinstance(answers[0], Exception):
        raise Cut(f"could not be reached ({type(answers[0]).__name__})")
    return answers[0]


def _chunks(answer, deadline: float) -> Iterator[bytes]:
    """What a server sends, as it comes. Raises: Cut (broken off, or too slow); Refused (late)."""
    import urllib3

    start, got = time.monotonic(), 0
    while True:
        try:
            chunk = answer.raw.read1(BLOCK)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            raise Cut("broke off") from None
        now, got = time.monotonic(), got + len(chunk)
        if not chunk:
            return
        yield chunk
        if now > deadline:
            raise Refused(f"took more than {LIMIT / 60:.0f} minutes; what has arrived is kept")
        if now - start > TIMEOUT:
            if got < SLOWEST * (now - start):
                raise Cut(f"sends less than {SLOWEST:,} bytes a second, and was cut")
            start, got = now, 0


def _fits(size: int, remote: Remote) -> None:
    """Raise Refused for more bytes than the file may have."""
    if size > remote.largest:
        most = f"{remote.largest / MB:,.1f} MB"
        raise Refused(f"sends another file: more than the {most} that {remote.file} has at most")


def _amount(done: int, total: int) -> str:
    if done > total:  # a server need not say how long its answer is
        return f"{done / MB:.1f} MB"
    return f"{done / MB:.1f} of {total / MB:.1f} MB ({100 * done // max(total, 1)} %)"
