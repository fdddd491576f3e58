"""Paths by length as text: exact numbers and a bar, for the terminal.

>>> from recform.paths import analyze
>>> print(*text_histogram(analyze("resnet", depth=3), width=60, glyphs=ASCII), sep="\\n")
length  net  gross  distinct  net
     0    1      1         1  ##########
     1    3      3         3  ##############################
     2    3      3         3  ##############################
     3    1      1         1  ##########
"""

from __future__ import annotations

from collections.abc import Sequence

from recform.errors import UserError
from recform.paths import Analysis
from recform.pictures.counts import (
    READINGS,
    Count,
    count_to_text,
    counts_of,
    num_lengths,
    refuse_left_out,
    scale_for,
)

# From an empty cell to a full one; a bar's last cell is filled by as many steps as there are.
UNICODE = " ▏▎▍▌▋▊▉█"
ASCII = " #"

MAX_ROWS = 40
SMALLEST_BAR = 12
# Characters: what a number may take before it is rounded, in a wide table and in a narrow one.
LONGEST_NUMBER = 13
SHORTEST_NUMBER = 8


def text_histogram(
    analysis: Analysis, *, width: int = 80, bar_of: str = "net", glyphs: str = UNICODE
) -> list[str]:
    """Lines of `width` columns: length, net, gross, distinct, and a bar for `bar_of`.

    Lines are at most `width` columns wide if that is 60 or more; the table needs some room.
    More than 40 lengths are put together in ranges, and each number is then the sum over its range.
    A number too long for its column is rounded and has `~` before it.
    """
    _check(analysis, bar_of)
    ranges = _ranges(num_lengths(analysis))
    sums = {reading: _sums(counts_of(analysis, reading), ranges) for reading in READINGS}
    heights = sums[bar_of]
    assert heights is not None, "_check refuses a bar of what was not counted"
    scale = scale_for(heights)
    lengths = [f"{part.start}-{part[-1]}" if len(part) > 1 else f"{part.start}" for part in ranges]
    table = _fit_table(lengths, sums, width - SMALLEST_BAR - 2)
    room = max(SMALLEST_BAR, width - len(table[0]) - 2)
    bars = _bars([scale.position(height) for height in heights], room, glyphs)
    lines = [f"{row}  {bar}".rstrip() for row, bar in zip(table, [bar_of, *bars], strict=True)]
    if scale.label:
        lines.append(f"bars of {bar_of}: {scale.label}")
    return lines + _notes(analysis, ranges)


def _check(analysis: Analysis, bar_of: str) -> None:
    if bar_of not in READINGS:
        raise UserError("bad-argument", f"there is no reading `{bar_of}` to draw bars of",
                        f"the readings are {', '.join(READINGS)}")  # fmt: skip
    refuse_left_out(analysis)
    if counts_of(analysis, bar_of) is None:
        raise UserError("bad-argument", f"`{bar_of}` was not counted: {analysis.distinct_reason}",
                        "draw the bars of net or gross, or take a smaller depth")  # fmt: skip


def _ranges(num_lengths: int) -> list[range]:
    size = -(-num_lengths // MAX_ROWS)
    # Ranges of 25 or 50 lengths are easier to read off than of 26.
    step = next(step for step in (*range(1, 6), *range(10, num_lengths + 6, 5)) if step >= size)
    return [range(low, min(low + step, num_lengths)) for low in range(0, num_lengths, step)]


def _sums(counts: Sequence[Count] | None, ranges: Sequence[range]) -> list[Count] | None:
    if counts is None:
        return None
    return [sum(counts[part.start : part.stop]) for part in ranges]


def _fit_table(
    lengths: Sequence[str], sums: dict[str, list[Count] | None], width: int
) -> list[str]:
    """The numbers as right-aligned columns, rounded no more than the width demands."""
    for room in range(LONGEST_NUMBER, SHORTEST_NUMBER - 1, -1):
        columns = [["length", *lengths]]
        columns += [[reading, *_texts(sums[reading], room, len(lengths))] for reading in READINGS]
        widths = [max(map(len, column)) for column in columns]
        if sum(widths) + 2 * (len(widths) - 1) <= width:
            break
    padded = [
        [cell.rjust(width) for cell in column]
        for column, width in zip(columns, widths, strict=True)
    ]
    return ["  ".join(row) for row in zip(*padded, strict=True)]


def _texts(counts: Sequence[Count] | None, room: int, num_rows: int) -> list[str]:
    if counts is None:
        return ["?"] * num_rows
    return [count_to_text(count, room) for count in counts]


def _bars(positions: Sequence[float], room: int, glyphs: str) -> list[str]:
    """One bar each, from a common foot; negative ones go left of it."""
    lowest, highest = min(0.0, *positions), max(0.0, *positions)
    if lowest == 0:
        unit = room / (highest or 1)
        return [_bar(position * unit, glyphs) for position in positions]
    left = max(1, round((room - 1) * -lowest / (highest - lowest)))
    unit = min(left / -lowest, (room - 1 - left) / (highest or 1))
    foot = "|" if glyphs == ASCII else "│"
    return [
        (glyphs[-1] * max(1, round(-position * unit))).rjust(left) + foot
        if position < 0
        else " " * left + foot + _bar(position * unit, glyphs)
        for position in positions
    ]


def _bar(num_cells: float, glyphs: str) -> str:
    """What is not zero shows at least the thinnest piece."""
    steps = len(glyphs) - 1
    filled = max(round(num_cells * steps), int(num_cells > 0))
    return glyphs[-1] * (filled // steps) + glyphs[filled % steps].strip()


def _notes(analysis: Analysis, ranges: Sequence[range]) -> list[str]:
    notes = []
    if len(ranges[0]) > 1:
        notes.append(f"each row sums {len(ranges[0])} lengths")
    if analysis.distinct is None:
        notes.append(f"distinct is not known: {analysis.distinct_reason}")
    return notes
