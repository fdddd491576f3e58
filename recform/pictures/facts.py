"""What is told of an analysis in words, on the terminal as on a page: numbers, growth, recurrences.

>>> from recform.paths import analyze
>>> growth_to_text(analyze("resnet").closed.net)
'of order 2^n'
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from recform.formula.ast import Map, walk
from recform.paths import Analysis, ClosedForm, ClosedForms
from recform.pictures.counts import count_to_text


def shorten(text: str, columns: int) -> str:
    """A long sum, cut at a term: `1 + F'[3] + ... (16 terms)`.

    >>> shorten("1 + a + b + c + d", 14)
    '1 + ... (5 terms)'
    """
    if len(text) <= columns:
        return text
    num_terms = text.count(" + ") + text.count(" - ") + 1
    ending = f" + ... ({num_terms} terms)"
    cut = max(text.rfind(sign, 0, max(columns - len(ending), 2)) for sign in (" + ", " - "))
    return (text[:cut] if cut > 0 else text.split(" ")[0]) + ending


def mean_to_text(analysis: Analysis, reading: str) -> str | None:
    """Mean and spread of the lengths of the distinct or gross paths, where they have some."""
    mean, deviation = analysis.mean_length[reading], analysis.std_length[reading]
    if mean is None or deviation is None:
        return None
    spread = with_value(deviation, analysis.std_value[reading])
    return f"mean {with_value(_exact(mean), float(mean))}, standard deviation {spread}"


def _exact(value: Fraction) -> str:
    """The number, or nothing if it is too long to be read anyway."""
    return str(value) if value.denominator.bit_length() < 100 else ""


def with_value(exact: str, value: float, longest: int = 24) -> str:
    """An exact number with its rounded value, or the value alone if the number is long."""
    rounded = f"{value:.4g}"
    if exact == rounded:
        return exact
    if not exact:
        return f"~{rounded}"
    return f"{exact} ~ {rounded}" if len(exact) <= longest else f"~{rounded}"


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


def recurrence_to_text(name: str, coefficients: Sequence[str]) -> str:
    """The right side of a recurrence.

    >>> recurrence_to_text("P", ["1 + t", "-t"])
    '(1 + t)*P[n-1] - t*P[n-2]'
    """
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


def forms_of(closed: ClosedForms) -> list[tuple[str, ClosedForm]]:
    """What holds at every depth, by what it counts; one for both where net and gross agree."""
    if closed.net.function == closed.gross.function:
        return [("net and gross", closed.net)]
    return [("net", closed.net), ("gross", closed.gross)]


def gains_to_text(analysis: Analysis, gains: Sequence[str]) -> str:
    """At which gains of a block nothing explodes."""
    what = "Signal and gradient stay" if _is_all_derived(analysis) else "The gradient stays"
    return f"{what} bounded, every block multiplying by g, for {' or '.join(gains) or 'no g'}"


def _is_all_derived(analysis: Analysis) -> bool:
    """Whether the derivative tells of the signal: what stands in `stopgrad` is in one only."""
    inside = (inner for top in analysis.formula.expressions for inner in walk(top))
    return not any(isinstance(e, Map) and e.function == "stopgrad" for e in inside)


def law_to_text(closed: ClosedForms) -> str:
    """How the lengths of the paths as drawn spread in a deep network."""
    law = closed.length_law
    if isinstance(law, str):
        return f"Lengths of gross paths have no normal law: {law}"
    mean = with_value(law.mean, law.mean_value)
    variance = with_value(law.variance, law.variance_value)
    return f"Lengths of gross paths are normal for large n: mean {mean} a block, " + (
        f"variance {variance} a block"
    )


def block_rows(analysis: Analysis) -> list[list[str]]:
    """For each block: paths through it as drawn, their share, paths to the output, their lengths.

    None where the counts are not known.
    """
    if analysis.gross is None:
        return []
    total, rows = sum(analysis.gross), []
    for block, through in analysis.through_block.items():
        gradient = analysis.parameter_gradients[block]
        share = f"{100 * float(Fraction(sum(through)) / Fraction(total)):.1f} %" if total else ""
        rows.append([block, count_to_text(sum(through), room=14), share,
                     count_to_text(sum(gradient), room=14), lengths_to_text(gradient)])  # fmt: skip
    return rows


def lengths_to_text(gradient: Sequence[int | Fraction]) -> str:
    """The lengths that occur, from the shortest to the longest."""
    lengths = [length for length, count in enumerate(gradient) if count]
    if not lengths:
        return "none"
    return str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
