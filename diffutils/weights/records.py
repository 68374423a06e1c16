"""Records read from disk: JSON that may be damaged, checked against the fields it must have."""

import hashlib
import itertools
import json
from pathlib import Path

from diffutils.weights.files import finite

MOST = 2**24  # bytes of one record; the largest that the course writes has a tenth of it
DEEPEST = 100  # brackets within brackets; a record of the course has ten
Fields = dict[str, type | tuple[type, ...]]


def read(path: Path, fields: Fields, cure: str) -> dict:
    """The JSON object in a file, which must have these fields of these types.

    cure: what to do about a damaged file, e.g. "fetch it again".
    Raises: FileNotFoundError; ValueError, naming the file, what is wrong with it, and the cure.
    """
    try:
        if (size := Path(path).stat().st_size) > MOST:
            raise ValueError(f"{size:,} bytes, more than {MOST:,}")
        return parse(Path(path).read_bytes(), fields)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); {cure}") from None


def parse(content: bytes | str, fields: Fields) -> dict:
    """The JSON object in a text. Raises: ValueError (no such object, or a wrong field)."""
    try:
        found = json.loads(content, object_pairs_hook=_once, parse_int=_whole)
        level = depth(found)
    except RecursionError:  # how deep Python follows is a setting of the process
        level = DEEPEST + 1
    if level > DEEPEST:
        raise ValueError("its brackets are nested too deep")
    whole = finite(found) == found
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object is expected, not {type(found).__name__}")
    need(found, fields)
    if not whole:
        raise ValueError("it holds numbers that are not finite")
    return found


def depth(value) -> int:
    """How deep brackets are nested in what was read from JSON."""
    level, layer = 0, [value]
    while layer := [part for part in layer if isinstance(part, dict | list)]:
        parts = [part.values() if isinstance(part, dict) else part for part in layer]
        level, layer = level + 1, [*itertools.chain.from_iterable(parts)]
    return level


def _once(pairs: list[tuple]) -> dict:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError(f"one of its fields stands there twice: {[*found]}"[:200])
    return found


def _whole(digits: str) -> int:
    if len(digits) > 20:  # of 64 bits with their sign
        raise ValueError(f"the number {digits[:20]}... is too large")
    return int(digits)


def need(record: dict, fields: Fields) -> None:
    """Raise ValueError unless a record has these fields, of these types."""
    if lost := fields.keys() - record.keys():
        raise ValueError(f"its field {min(lost)!r} is missing")
    check(record, fields)


def check(record: dict, fields: Fields) -> None:
    """Raise ValueError unless those of the fields that a record has are of these types."""
    for name in fields.keys() & record.keys():
        value, kind = record[name], fields[name]
        # JSON has one kind of number; True is none of them.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"its field {name!r} is {repr(value)[:40]}")


def checksum(record: dict) -> str:
    """SHA-256 of what a record says, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
