"""One-state formulas for a sequence of outputs, found by linear algebra.

Given the outputs X[n] of a formula, as linear forms over its letters, and its block applications,
what can x[l+1] be in a formula whose only state is that output?

    X[n+1] = sum a_i X[n-i] + sum b_ij u_j[n-i] + c X[0] + sum d_j (u_j[0] + ... + u_j[n])

for large n, where u_j are the applications whose arguments are themselves such combinations. Each
smallest set of terms that does it gives one formula; the start values follow from the first rows.
What comes out fits at some depths: that it is equal at all is for `equal` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from recform.formula.show import number_to_text
from recform.paths.jets import INPUT, Exact, Jet, LetterTable, Vector, add, scale
from recform.paths.relations import Combination, Relations, relations_between, spanned_by

MAX_DELAY = 3
MAX_TERMS = 4
MAX_BASIS = 24
# How many depths a combination is fitted to at once.
NUM_DEPTHS = 3


@dataclass(frozen=True)
class Term:
    """A sequence that x[l+1] may be made of: how it is written, and its value at each depth l.

    `delay` is how far it reads back, `start` what an `init` would give it before depth 0.
    """

    text: str
    values: tuple[Vector, ...]
    delay: int = 0
    start: str | None = None


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


def one_state_formulas(outputs: Outputs) -> Iterator[str]:
    """Texts of formulas that fit, those of fewest terms first."""
    states = _states(outputs)
    applications = _applications(outputs, states)
    histories = [_history(term) for term in applications]
    delayed = [_delayed(term, delay) for term in applications
               for delay in range(outputs.num_delays)]  # fmt: skip
    basis = [*states, *delayed, *histories][:MAX_BASIS]
    target = outputs.rows[1:]
    for number in range(1, MAX_TERMS + 1):
        for terms, factors in _combinations(target, basis, number):
            text = _equation(outputs, terms, factors)
            if text is not None:
                yield "\n".join([*_declared(text), text])


def _declared(text: str) -> list[str]:
    """The lines that declare the blocks of a text; F needs none."""
    blocks = sorted(set(re.findall(r"\b[A-Z]\w*", text)) - {"F"})
    return [f"block {block}" for block in blocks]


def _states(outputs: Outputs) -> list[Term]:
    delayed = [
        Term(_at("x", delay), _moved(outputs.rows, delay), delay, f"x[{-delay}]")
        for delay in range(outputs.num_delays)
    ]
    held = Term("x[0]", (outputs.rows[0],) * len(outputs.rows), 1)
    return [*delayed, held]


def _applications(outputs: Outputs, states: Sequence[Term]) -> list[Term]:
    """The blocks whose arguments can be written, at the depth where they are new."""
    found: list[Term] = []
    for values in outputs.calls:
        term = _application(outputs, values, [*states, *found])
        if term is not None and all(term.text != known.text for known in found):
            found.append(term)
    return found


def _application(
    outputs: Outputs, values: tuple[Vector, ...], inner: Sequence[Term]
) -> Term | None:
    letters = [next(iter(value), INPUT) for value in values]
    if INPUT in letters[-NUM_DEPTHS:]:
        return None
    arguments = [outputs.table.letters[letter].argument for letter in letters]
    last = outputs.table.letters[letters[-1]]
    for number in (1, 2, 3):
        for terms, factors in _combinations(arguments, inner, number):
            argument = _sum(terms, factors)
            index = _index(outputs, letters)
            if index is not None:
                deepest = "l" if any(term.delay == 0 for term in terms) else None
                written = "" if index == deepest else f"[{index}]"
                start = None
                if argument == "x[l]":
                    start = f"{last.name}(x[-0])"
                return Term(f"{last.name}{written}({argument})", values, 0, start)
    return None


def _index(outputs: Outputs, letters: Sequence[int]) -> str | None:
    """The block's index as a depth: `l`, `l-1`, or a constant."""
    depths = range(len(letters) - NUM_DEPTHS, len(letters))
    indices = [outputs.table.letters[letters[n]].index for n in depths]
    offsets = {index - n for n, index in zip(depths, indices, strict=True) if index is not None}
    if len(offsets) == 1:
        offset = offsets.pop()
        return "l" if offset == 0 else f"l-{-offset}" if offset < 0 else None
    return str(indices[0]) if len(set(indices)) == 1 else None


def _history(term: Term) -> Term:
    sums: list[Vector] = []
    for value in term.values:
        sums.append(add(sums[-1], value) if sums else value)
    text = f"sum({term.text.replace('[l', '[i')} for i in 0..l)"
    return Term(text, tuple(sums))


def _delayed(term: Term, delay: int) -> Term:
    if delay == 0:
        return term
    text = term.text
    for back in range(MAX_DELAY, 0, -1):
        text = text.replace(f"[l-{back}]", f"[l-{back + delay}]")
    text = text.replace("[l]", f"[l-{delay}]")
    start = None if term.start is None else term.start.replace("-0", f"-{delay}")
    return Term(text, _moved(term.values, delay), delay, start)


def _moved(values: Sequence[Vector], delay: int) -> tuple[Vector, ...]:
    return (*({},) * delay, *values)[: len(values)]


def _at(state: str, delay: int) -> str:
    return f"{state}[l-{delay}]" if delay else f"{state}[l]"


# --- fitting -----------------------------------------------------------------------------------


def _combinations(
    target: Sequence[Vector], basis: Sequence[Term], number: int
) -> Iterator[tuple[tuple[Term, ...], tuple[Fraction, ...]]]:
    """The sets of terms that add up to the target with factors that are not zero."""
    last = min(len(target), *(len(term.values) for term in basis))
    depths = range(last - NUM_DEPTHS, last)
    vectors = _shortened([_stacked(target, depths)] + [
        _stacked(term.values, depths) for term in basis
    ])  # fmt: skip
    for places in combinations(range(1, len(vectors)), number):
        relations = relations_between([vectors[0], *(vectors[place] for place in places)])
        factors = _factors(relations, number)
        if factors is not None:
            yield tuple(basis[place - 1] for place in places), factors


def _factors(relations: Relations, number: int) -> tuple[Fraction, ...] | None:
    """What the terms are multiplied by, if they add up to the target in one way and none is idle"""
    if relations.dimension != 1:
        return None
    (relation,) = relations.rows.values()
    if len(relation) != number + 1 or 0 not in relation:
        return None
    return tuple(-relation[place] / relation[0] for place in range(1, number + 1))


def _stacked(values: Sequence[Vector], depths: range) -> Combination:
    return {(n, key): factor for n in depths for key, factor in values[n].items()}


def _shortened(vectors: Sequence[Combination]) -> list[Combination]:
    """Vectors of fewer entries with the same relations between them."""
    keys = {key for vector in vectors for key in vector}
    rows = [{place: Fraction(vector[key]) for place, vector in enumerate(vectors) if key in vector}
            for key in keys]  # fmt: skip
    reduced = spanned_by(rows).rows
    return [
        {pivot: row[place] for pivot, row in reduced.items() if place in row}
        for place in range(len(vectors))
    ]


# --- written down ------------------------------------------------------------------------------


def _equation(outputs: Outputs, terms: Sequence[Term], factors: Sequence[Fraction]) -> str | None:
    """The formula with the start that its first rows ask for, if there is one of a simple kind."""
    line = f"x[l+1] = {_sum(terms, factors)}"
    missing = [_missing(outputs, terms, factors, n) for n in range(MAX_DELAY + 1)]
    if not any(missing):
        return line
    inits = _inits(terms, factors, missing)
    if inits is not None:
        return "\n".join([line, *inits])
    if any(missing[1:]):
        return None
    first = _first_step(outputs)
    return None if first is None else f"{line} if l > 0 else {first}"


def _missing(
    outputs: Outputs, terms: Sequence[Term], factors: Sequence[Fraction], n: int
) -> Vector:
    """What x[n+1] has beyond the terms that exist at l = n."""
    total = outputs.rows[n + 1]
    for term, factor in zip(terms, factors, strict=True):
        total = add(total, scale(-factor, term.values[n]))
    return total


def _inits(
    terms: Sequence[Term], factors: Sequence[Fraction], missing: Sequence[Vector]
) -> list[str] | None:
    """Multiples of x[0] for the values before the start, so that nothing is missing."""
    if any(set(vector) - {INPUT} for vector in missing):
        return None
    starts = {f"{prefix}[{-back}]{suffix}": None
              for term in terms if term.start is not None
              for prefix, suffix in [_around(term.start)]
              for back in range(1, term.delay + 1)}  # fmt: skip
    columns = [
        {n: factor for term, factor in zip(terms, factors, strict=True) if term.start is not None
         for n in range(term.delay) if _start_at(term, n) == start}
        for start in starts
    ]  # fmt: skip
    wanted = {n: Fraction(vector[INPUT]) for n, vector in enumerate(missing) if vector}
    relations = relations_between([*columns, wanted])
    # The last vector is the one that depends on those before it, if it does.
    row = relations.rows.get(len(columns))
    if row is None:
        return None
    return [f"init {start} = {_product(-row[k], 'x[0]')}"
            for k, start in enumerate(starts) if k in row]  # fmt: skip


def _start_at(term: Term, n: int) -> str:
    """The value before the start that a term reads at l = n < delay."""
    assert term.start is not None, "it has one"
    prefix, suffix = _around(term.start)
    return f"{prefix}[{n - term.delay}]{suffix}"


def _around(start: str) -> tuple[str, str]:
    """F(x[-2]) as `F(x` and `)`."""
    return start.partition("[")[0], start.partition("]")[2]


def _first_step(outputs: Outputs) -> str | None:
    """x[1], from x[0] and the blocks of x[0]."""
    parts: list[tuple[str, Exact]] = []
    for key, factor in sorted(outputs.rows[1].items()):
        letter = outputs.table.letters[key]
        if key != INPUT and (letter.argument != outputs.rows[0] or letter.index != 0):
            return None
        parts.append(("x[l]" if key == INPUT else f"{letter.name}(x[l])", factor))
    return _join(parts) if parts else None


def _sum(terms: Sequence[Term], factors: Sequence[Fraction]) -> str:
    return _join([(term.text, factor) for term, factor in zip(terms, factors, strict=True)])


def _join(parts: Sequence[tuple[str, Exact]]) -> str:
    text = ""
    for term, factor in parts:
        sign = "-" if factor < 0 else "+"
        product = _product(Fraction(abs(factor)), term)
        text += f" {sign} {product}" if text else ("-" if factor < 0 else "") + product
    return text


def _product(factor: Fraction, term: str) -> str:
    return term if factor == 1 else f"{number_to_text(factor)}*{term}"


def outputs_of(
    table: LetterTable, rows: Sequence[Jet | None], values: Mapping[int, Sequence[Jet]], lag: int
) -> Outputs:
    """From the jets of a formula: its outputs, and the values of its calls."""
    return Outputs(
        table,
        tuple({} if row is None else row.form for row in rows),
        tuple(tuple(jet.form for jet in jets) for jets in values.values()),
        lag,
    )
