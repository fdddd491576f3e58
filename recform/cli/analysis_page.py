"""One page about a formula: what `recform analyze` prints for a person.

Formula, expansion, counts, closed form, what reaches which block, warnings. Sections that have
nothing to say are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from recform.cli.output import table, width
from recform.paths import Analysis, ClosedForm, warnings_of
from recform.pictures import text_histogram
from recform.pictures.counts import count_to_text
from recform.pictures.facts import (
    block_rows,
    forms_of,
    gains_to_text,
    growth_to_text,
    law_to_text,
    mean_to_text,
    recurrence_to_text,
    shorten,
    with_value,
)

# Blocks shown at each end of a long network.
NUM_ENDS = 4
MAX_BLOCK_ROWS = 16
# Characters of a closed form that stand on one line.
LONGEST_FORM = 400


def print_page(analysis: Analysis, full: bool) -> None:
    """Print the page. `full` writes the tables by block at any depth, and every row of them."""
    print(analysis.formula)
    sections = [
        _expansion(analysis),
        _paths(analysis),
        _by_name(analysis),
        _closed(analysis),
        _blocks(analysis, full),
        _widths(analysis),
        _reversible(analysis),
        _warnings(analysis),
    ]
    for section in sections:
        lines = list(section)
        if lines:
            print()
            print("\n".join(lines))


def _expansion(analysis: Analysis) -> Iterator[str]:
    if not analysis.is_shallow:
        return
    for depth, expansion in analysis.expansions.items():
        left = f"{analysis.derivative(depth)}  =  "
        yield left + shorten(expansion, width() - len(left))


def _paths(analysis: Analysis) -> Iterator[str]:
    title = f"Paths of {analysis.derivative()}"
    if analysis.net is None or analysis.gross is None:
        yield f"{title}: {analysis.counts_reason}"
        return
    kept = ", activations kept" if analysis.keeps_activations else ""
    yield f"{title}, by the number of blocks on them{kept}:"
    yield ""
    yield from text_histogram(analysis, width=width())
    yield ""
    counts = {"net": analysis.net, "gross": analysis.gross, "distinct": analysis.distinct}
    yield "In total: " + ", ".join(
        f"{name} {count_to_text(sum(row), room=30)}" for name, row in counts.items() if row
    )
    for name in analysis.mean_length:
        lengths = mean_to_text(analysis, name)
        if lengths is not None:
            yield f"Length of a path, {name}: {lengths}"


def _by_name(analysis: Analysis) -> Iterator[str]:
    """Net counts with one variable a block name, at a depth where they fit on a line."""
    if not analysis.is_shallow or analysis.by_block_name is None:
        return
    text = str(analysis.by_block_name["net"])
    if len(text) <= LONGEST_FORM:
        yield f"By name of block, net: {text}"


def _closed(analysis: Analysis) -> Iterator[str]:
    """Net and gross at every depth n, or why there is no closed form."""
    closed = analysis.closed
    if closed is None:
        yield f"No closed form: {analysis.closed_reason}"
        yield from _conjectured(analysis)
        return
    yield "At every depth n, with t for a block and z for a depth:"
    yield ""
    for name, form in forms_of(closed):
        yield from _form(name, form)
    yield from _conjectured(analysis)
    if analysis.bounded_gains is not None:
        yield _cut(gains_to_text(analysis, analysis.bounded_gains))
    yield law_to_text(closed)


def _conjectured(analysis: Analysis) -> Iterator[str]:
    found = analysis.distinct_conjecture
    if found is not None:
        yield f"distinct, conjectured: no row to depth {found.checked_depth} contradicts it"
        yield f"  D[n] = {recurrence_to_text('D', found.coefficients)}  for n >= {len(found.first)}"


def _form(name: str, form: ClosedForm) -> Iterator[str]:
    yield name
    yield f"  G(z, t) = {_cut(form.function.to_text())}"
    if form.recurrence:
        right = _cut(recurrence_to_text("P", form.recurrence))
        yield f"  P[n] = {right}  for n >= {form.function.holds_from}"
    if form.entry is not None:
        yield f"  paths through k of n blocks: {form.entry}"
    if form.triangle is not None:
        number = f" (OEIS {form.triangle.oeis})" if form.triangle.oeis else ""
        yield f"  known as: {form.triangle.name}{number}"
    yield f"  in total: {growth_to_text(form)}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_FORM else f"{text[:LONGEST_FORM]} ... ({len(text)} letters)"


def _blocks(analysis: Analysis, full: bool) -> Iterator[str]:
    """For each block the paths through it, and the paths from it to the output."""
    if not (analysis.is_shallow or full) or analysis.gross is None or not analysis.through_block:
        return
    rows = block_rows(analysis)
    if not full and len(rows) > MAX_BLOCK_ROWS:
        rows = [*rows[:NUM_ENDS], ["...", *[""] * 4], *rows[-NUM_ENDS:]]
    yield ("What goes through each block, as drawn (passing twice counts twice), and what trains "
           "it, d output / d F[j], net:")  # fmt: skip
    yield ""
    yield table(["block", "through", "share", "to the output", "blocks behind"], rows)


def _widths(analysis: Analysis) -> Iterator[str]:
    if analysis.widths is None:
        return
    yield "Width of the blocks on the distinct paths, by length:"
    yield ""
    rows = [
        [str(length), "" if mean is None else with_value(str(mean), float(mean), 12),
         "" if least is None else str(least)]
        for length, (mean, least) in enumerate(
            zip(analysis.widths.mean, analysis.widths.least, strict=True))
    ]  # fmt: skip
    yield table(["length", "mean", "least"], rows)


def _reversible(analysis: Analysis) -> Iterator[str]:
    """How the older states come back, where the formula is reversible; its refusal is in JSON."""
    found = analysis.reversibility
    if found is not None and found.is_reversible:
        yield "Reversible, so that training need not keep its states (recform train --reversible):"
        yield ""
        yield from (f"  {equation}" for equation in found.inverse)


def _warnings(analysis: Analysis) -> Iterator[str]:
    for warning in warnings_of(analysis):
        yield f"warning[{warning.code}]: {warning.text}"
