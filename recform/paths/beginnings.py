"""How a one-state formula has to start, for its first rows to be those of another formula.

What a term reads before depth 0 is absent, unless an `init` says otherwise. What the first rows
have beyond the terms that exist is made up for by start values that are multiples of x[0], or, if
it is only x[1] that is other than the rest, by a first step of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recform.paths.fits import Fit, Term, join, product, rational
from recform.paths.jets import INPUT, LetterTable, Vector, add, scale
from recform.paths.relations import relations_between
from recform.tape import Exact

MAX_DELAY = 3


@dataclass(frozen=True)
class Outputs:
    """The outputs of a formula by depth, and the letters that each application is, by depth."""

    table: LetterTable
    rows: tuple[Vector, ...]
    calls: tuple[tuple[Vector, ...], ...]
    lag: int

    @property
    def num_delays(self) -> int:
        return min(self.lag, MAX_DELAY) + 1


def with_start(outputs: Outputs, fit: Fit) -> str | None:
    """The formula with the start that its first rows ask for, if there is one of a simple kind."""
    line = f"x[l+1] = {fit}"
    missing = [_missing(outputs, fit, n) for n in range(MAX_DELAY + 1)]
    if not any(missing):
        return line
    inits = _inits(fit, missing)
    if inits is not None:
        return "\n".join([line, *inits])
    if any(missing[1:]):
        return None
    first = _first_step(outputs)
    return None if first is None else f"{line} if l > 0 else {first}"


def _missing(outputs: Outputs, fit: Fit, n: int) -> Vector:
    """What x[n+1] has beyond the terms that exist at l = n."""
    total = outputs.rows[n + 1]
    for term, factor in zip(fit.terms, fit.factors, strict=True):
        total = add(total, scale(-factor, term.values[n]))
    return total


def _inits(fit: Fit, missing: Sequence[Vector]) -> list[str] | None:
    """Multiples of x[0] for the values before the start, so that nothing is missing."""
    if any(set(vector) - {INPUT} for vector in missing):
        return None
    started = [pair for pair in zip(fit.terms, fit.factors, strict=True) if pair[0].start]
    starts = list(dict.fromkeys(_start_at(term, n) for term, _ in started
                                for n in range(term.delay)))  # fmt: skip
    columns = [
        {n: factor for term, factor in started
         for n in range(term.delay) if _start_at(term, n) == start}
        for start in starts
    ]  # fmt: skip
    wanted = {n: rational(vector[INPUT]) for n, vector in enumerate(missing) if vector}
    relations = relations_between([*columns, wanted])
    # The last vector is the one that depends on those before it, if it does.
    row = relations.rows.get(len(columns))
    if row is None:
        return None
    return [f"init {start} = {product(-row[k], 'x[0]')}"
            for k, start in enumerate(starts) if k in row]  # fmt: skip


def _start_at(term: Term, n: int) -> str:
    """The value before the start that a term reads at l = n < delay: F(x[-1]) for F(x[l-2])."""
    assert term.start is not None, "it has one"
    before, _, behind = term.start.partition("[")
    return f"{before}[{n - term.delay}]{behind.partition(']')[2]}"


def _first_step(outputs: Outputs) -> str | None:
    """x[1], from x[0] and the blocks of x[0]."""
    parts: list[tuple[str, Exact]] = []
    for key, factor in sorted(outputs.rows[1].items()):
        letter = outputs.table.letters[key]
        if key != INPUT and (letter.argument != outputs.rows[0] or letter.index != 0):
            return None
        parts.append(("x[l]" if key == INPUT else f"{letter.name}(x[l])", factor))
    return join(parts) if parts else None
