"""Records read from disk: JSON that may be damaged, checked against the fields it must have."""

import json
from pathlib import Path

from diffutils.weights.files import finite

MOST = 2**24  # bytes of one record; the largest that the course writes has a tenth of it


def read(path: Path, fields: dict[str, type | tuple[type, ...]], cure: str) -> dict:
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


def parse(content: bytes | str, fields: dict[str, type | tuple[type, ...]]) -> dict:
    """The JSON object in a text. Raises: ValueError (no such object, or a wrong field)."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("its brackets are nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object is expected, not {type(found).__name__}")
    for name, kind in fields.items():
        value = found.get(name)
        # JSON has one kind of number; True is none of them.
        good = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if name not in found or not good:
            shown = repr(value)[:40] if name in found else "missing"
            raise ValueError(f"its field {name!r} is {shown}")
    if finite(found) != found:
        raise ValueError("it holds numbers that are not finite")
    return found
