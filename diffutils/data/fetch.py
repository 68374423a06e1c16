"""One file from the network: mirrors in turn, resumed after a cut, whole and checked or not here.

What has arrived so far lies in FILE.part. FILE itself appears only when the checksum fits.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TRIES = 4  # requests to one mirror; each goes on where the last one was cut
PAUSE = 1.0  # seconds before the next of them
TIMEOUT = 30  # seconds without a byte until a connection counts as cut
BLOCK = 2**16  # bytes that are read, and after a cut lost, at most
MB = 1e6


@dataclass(frozen=True)
class Remote:
    """A file to fetch: mirrors in order of trial, checksum `md5:...`, `sha256:...`, `git:...`."""

    file: str
    urls: tuple[str, ...]
    checksum: str


def digest(content: bytes, kind: str) -> str:
    """Checksum of a content in hexadecimal; kind: "md5", "sha256", "git" (blob id), "" (none)."""
    if kind == "git":  # git hashes a small header before the content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return hashlib.new(kind, content).hexdigest() if kind else ""


def checked(path: Path, checksum: str) -> bytes:
    """The bytes of a file; ValueError if their checksum, as in `Remote`, differs."""
    content = path.read_bytes()
    kind, _, expected = checksum.partition(":")
    if (actual := digest(content, kind)) != expected:
        raise ValueError(
            f"{path} is damaged or another file: its {kind} checksum is {actual}, "
            f"expected {expected}; delete it and fetch it again"
        )
    return content


def fetch(remote: Remote, folder: Path, report: Callable[[str], None] = print) -> Path:
    """Fetch a file into folder and return its path; what an earlier cut left is not fetched again.

    Raises: ConnectionError (no mirror gave the whole file; the message says what each one did);
        OSError (the folder cannot be written, or the disk is full).
    """
    path, part = (folder / f"{remote.file}{end}" for end in ("", ".part"))
    problems = []
    # Try the mirrors in turn.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not remote.checksum:  # nothing would tell two glued halves from a whole file
            part.unlink(missing_ok=True)
        for url in remote.urls:
            try:
                _from_mirror(url, part, remote.checksum, report)
            except (ConnectionError, ValueError) as error:
                problems.append(f"{url} {error}")
                continue
            return part.replace(path)
    except OSError as error:  # of the disk: the network's are caught above
        if error.errno == errno.ENOSPC:
            part.unlink(missing_ok=True)
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}); make room or get the right to "
            f"write there, or put the file from {remote.urls[0]} into a folder that "
            "$DIFFUTILS_DATA names"
        ) from None
    raise ConnectionError(
        f"{remote.file} could not be fetched: {'; '.join(problems)}; run the same command again "
        f"when the network is better, or fetch the file by hand and put it into {folder}"
    )


def _from_mirror(url: str, part: Path, checksum: str, report) -> None:
    """Fill part from one mirror and check it.

    Raises: ConnectionError (it did not arrive whole); ValueError (the mirror has no such file, or
        another one).
    """
    kind, _, expected = checksum.partition(":")
    failed = 0
    while True:
        try:
            resumed = _request(url, part, report)
        except ConnectionError as error:
            if (failed := failed + 1) == TRIES:
                raise
            report(f"  {part.stem}: the server {error}; trying again")
            time.sleep(PAUSE)
            continue
        if (actual := digest(part.read_bytes(), kind)) == expected:
            return
        part.unlink()
        if not resumed:
            raise ValueError(f"sent another file (its {kind} checksum is {actual}, not {expected})")
        # The first half may be of another version of the file.
        report(f"  {part.stem}: the resumed file is damaged, so once more from the start")


def _request(url: str, part: Path, report) -> bool:
    """One request for what part lacks; whether the server went on from there.

    Raises: ConnectionError (busy, out of reach, cut before the end); ValueError (refused).
    """
    import requests  # not needed unless something is fetched

    # Ask.
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise ConnectionError(f"could not be reached ({type(error).__name__})") from None
    with answer:
        if answer.status_code == 416:  # nothing beyond our end: only the checksum was missing
            return True
        if not answer.ok:
            kind = ConnectionError if answer.status_code >= 500 else ValueError
            raise kind(f"answered {answer.status_code} {answer.reason}")
        if answer.status_code != 206:  # the server knows no ranges and sends all
            have = 0
        # Append to what is here; report every 5 %, but not every MB.
        done = said = have
        total, cut = have + int(answer.headers.get("Content-Length", 0)), False
        line = max(total / 20, 1 * MB) if total > have else 5 * MB
        with open(part, "r+b" if have else "wb") as file:
            file.seek(have)
            try:
                for chunk in answer.iter_content(BLOCK):
                    file.write(chunk)
                    done += len(chunk)
                    if done - said >= line or done == total:
                        report(f"  {part.stem}: {_amount(done, total)}")
                        said = done
            except requests.RequestException:
                cut = True  # what has arrived is kept
            file.flush()
            os.fsync(file.fileno())
    if cut or done < total:
        raise ConnectionError(f"broke off at {_amount(done, total if done < total else 0)}")
    return have > 0


def _amount(done: int, total: int) -> str:
    if done > total:  # a server need not say how long its answer is
        return f"{done / MB:.1f} MB"
    return f"{done / MB:.1f} of {total / MB:.1f} MB ({100 * done // max(total, 1)} %)"
