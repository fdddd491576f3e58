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

from recform.paths.beginnings import MAX_DELAY, Outputs, with_start
from recform.paths.fits import NUM_DEPTHS, Term, fits
from recform.paths.jets import INPUT, Jet, LetterTable, Vector, add

MAX_TERMS = 4
MAX_BASIS = 24


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
        for fit in fits(target, basis, number):
            text = with_start(outputs, fit)
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
        for fit in fits(arguments, inner, number):
            argument = str(fit)
            index = _index(outputs, letters)
            if index is not None:
                deepest = "l" if any(term.delay == 0 for term in fit.terms) else None
                written = "" if index == deepest else f"[{index}]"
                start = f"{last.name}(x[-0])" if argument == "x[l]" else None
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
