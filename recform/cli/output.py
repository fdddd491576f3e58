"""Printing: results on stdout, talk on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any


def talk(text: str) -> None:
    """A line for the person who watches; never part of the result."""
    print(text, file=sys.stderr)


def tell(text: str) -> None:
    """The same, of torchrun's processes by the first alone."""
    from recform.training import is_leader

    if is_leader():
        talk(text)


def print_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    # The bytes of a file's name that are no text: `\udcff`, as JSON writes such signs too.
    print(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things in words.

    >>> counted(1, "shard"), counted(1200, "shard"), counted(2, "class", "classes")
    ('1 shard', '1,200 shards', '2 classes')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def width() -> int:
    """Columns of the terminal, 80 to 120; a pipe counts as 100."""
    return min(120, max(80, shutil.get_terminal_size((100, 24)).columns))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their names: the first to the left, the others to the right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in (header, *rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
