"""What a printed table says, cell by cell; names of arguments."""

import re


def cells(table: str) -> list[list[str]]:
    """The rows of a text table, its header aside, each cell's lines joined again.

    Columns begin where the words of the header do; a line whose middle columns are empty goes on
    with the row above.
    """
    header, rule, *lines = table.split("\n")
    assert set(rule) == {"-"}, f"no table with a header of one line: {table!r}"
    starts = sorted({0, *(m.start() for m in re.finditer(r"(?:^|(?<=  ))\S", header))})
    rows: list[list[str]] = []
    for line in lines:
        parts = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        if any(parts[1:-1]):
            rows.append(parts)
        else:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], parts, strict=True)]
    return rows


def named(value) -> str:
    """The name of a test's argument, the same in every process: functions without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
