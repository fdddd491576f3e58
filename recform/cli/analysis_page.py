"""One page about a formula: what `recform analyze` prints for a person.

Formula, expansion, counts, closed form, what reaches which block, warnings. Sections that have
nothing to say are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from recform.cli.output import shorten, table, width
from recform.formula.ast import Map, walk
from recform.paths import Analysis, ClosedForm, ClosedForms, warnings_of
from recform.pictures import text_histogram
from recform.pictures.counts import count_to_text

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
    output, main = _names(analysis)
    for depth, expansion in analysis.expansions.items():
        left = f"d {output}[{depth}] / d {main}[{analysis.start}]  =  "
        yield left + shorten(expansion, width() - len(left))


def _paths(analysis: Analysis) -> Iterator[str]:
    output, main = _names(analysis)
    title = f"Paths of d {output}[{analysis.depth}] / d {main}[{analysis.start}]"
    if analysis.net is None or analysis.gross is None:
        yield f"{title} {analysis.counts_reason}"
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
    for name, mean in analysis.mean_length.items():
        deviation = analysis.std_length[name]
        if mean is not None and deviation is not None:
            spread = _with_value(deviation, analysis.std_value[name])
            yield f"Length of a path, {name}: mean {_with_value(_exact(mean), float(mean))}, " + (
                f"standard deviation {spread}"
            )


def _exact(value: Fraction) -> str:
    """The number, or nothing if it is too long to be read anyway."""
    return str(value) if value.denominator.bit_length() < 100 else ""


def _with_value(exact: str, value: float, longest: int = 24) -> str:
    """An exact number with its rounded value, or the value alone if the number is long."""
    rounded = f"{value:.4g}"
    if exact == rounded:
        return exact
    if not exact:
        return f"~{rounded}"
    return f"{exact} ~ {rounded}" if len(exact) <= longest else f"~{rounded}"


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
    for name, form in _forms(closed):
        yield from _form(name, form)
    yield from _conjectured(analysis)
    if analysis.bounded_gains is not None:
        gains = " or ".join(analysis.bounded_gains) or "no g"
        what = "Signal and gradient stay" if _is_all_derived(analysis) else "The gradient stays"
        yield f"{what} bounded, every block multiplying by g, for {_cut(gains)}"
    law = closed.length_law
    if isinstance(law, str):
        yield f"Lengths of gross paths have no normal law: {law}"
    else:
        mean = _with_value(law.mean, law.mean_value)
        variance = _with_value(law.variance, law.variance_value)
        yield f"Lengths of gross paths are normal for large n: mean {mean} a block, " + (
            f"variance {variance} a block"
        )


def _is_all_derived(analysis: Analysis) -> bool:
    """Whether the derivative tells of the signal: what stands in `stopgrad` is in one only."""
    inside = (inner for top in analysis.formula.expressions for inner in walk(top))
    return not any(isinstance(e, Map) and e.function == "stopgrad" for e in inside)


def _conjectured(analysis: Analysis) -> Iterator[str]:
    found = analysis.distinct_conjecture
    if found is not None:
        yield f"distinct, conjectured: no row to depth {found.checked_depth} contradicts it"
        yield f"  D[n] = {_steps('D', found.coefficients)}  for n >= {len(found.first)}"


def _forms(closed: ClosedForms) -> list[tuple[str, ClosedForm]]:
    if closed.net.function == closed.gross.function:
        return [("net and gross", closed.net)]
    return [("net", closed.net), ("gross", closed.gross)]


def _form(name: str, form: ClosedForm) -> Iterator[str]:
    yield name
    yield f"  G(z, t) = {_cut(form.function.to_text())}"
    if form.recurrence:
        yield f"  P[n] = {_cut(_steps('P', form.recurrence))}  for n >= {form.function.holds_from}"
    if form.entry is not None:
        yield f"  paths through k of n blocks: {form.entry}"
    if form.triangle is not None:
        number = f" (OEIS {form.triangle.oeis})" if form.triangle.oeis else ""
        yield f"  known as: {form.triangle.name}{number}"
    yield f"  in total: {growth_to_text(form)}"


def growth_to_text(form: ClosedForm, rounded: bool = False) -> str:
    """How the totals grow, `of order n * 2^n`; irrational numbers exact, or rounded."""
    growth = form.growth
    if growth is None:
        return "0 from some depth on"
    exact = growth.exact is not None and len(growth.exact) < (6 if rounded else 40)
    base = str(growth.exact) if exact else f"~{growth.value:.6g}"
    power = growth.multiplicity - 1
    factors = ["n" if power == 1 else f"n^{power}"] if power else []
    factors += [f"({base})^n" if " " in base else f"{base}^n"] if base != "1" else []
    if not factors:
        return "bounded"
    near = f" ~ {growth.value:.4g}^n" if exact and not base.isalnum() else ""
    return f"of order {' * '.join(factors)}{near}"


def _steps(name: str, coefficients: Sequence[str]) -> str:
    """(1 + t)*P[n-1] - t*P[n-2]."""
    pieces = []
    for delay, coefficient in enumerate(coefficients, start=1):
        if coefficient == "0":
            continue
        negative = coefficient.startswith("-") and " " not in coefficient
        size = coefficient.removeprefix("-") if negative else coefficient
        factor = "" if size == "1" else f"({size})*" if " " in size else f"{size}*"
        sign = ("-" if negative else "") if not pieces else (" - " if negative else " + ")
        pieces.append(f"{sign}{factor}{name}[n-{delay}]")
    return "".join(pieces) or "0"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_FORM else f"{text[:LONGEST_FORM]} ... ({len(text)} letters)"


def _blocks(analysis: Analysis, full: bool) -> Iterator[str]:
    """For each block the paths through it, and the paths from it to the output."""
    if not (analysis.is_shallow or full) or analysis.gross is None or not analysis.through_block:
        return
    total = sum(analysis.gross)
    rows = []
    for block, through in analysis.through_block.items():
        gradient = analysis.parameter_gradients[block]
        share = f"{100 * float(Fraction(sum(through)) / Fraction(total)):.1f} %" if total else ""
        rows.append([block, count_to_text(sum(through), room=14), share,
                     count_to_text(sum(gradient), room=14), _lengths(gradient)])  # fmt: skip
    if not full and len(rows) > MAX_BLOCK_ROWS:
        rows = [*rows[:NUM_ENDS], ["...", *[""] * 4], *rows[-NUM_ENDS:]]
    yield ("What goes through each block, as drawn (passing twice counts twice), and what trains "
           "it, d output / d F[j], net:")  # fmt: skip
    yield ""
    yield table(["block", "through", "share", "to the output", "blocks behind"], rows)


def _lengths(gradient: Sequence[int | Fraction]) -> str:
    """The lengths that occur, from the shortest to the longest."""
    lengths = [length for length, count in enumerate(gradient) if count]
    if not lengths:
        return "none"
    return str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"


def _widths(analysis: Analysis) -> Iterator[str]:
    if analysis.widths is None:
        return
    yield "Width of the blocks on the distinct paths, by length:"
    yield ""
    rows = [
        [str(length), "" if mean is None else _with_value(str(mean), float(mean), 12),
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


def _names(analysis: Analysis) -> tuple[str, str]:
    """What is differentiated, and by what."""
    main = analysis.formula.main
    return ("output" if analysis.formula.output is not None else main), main
