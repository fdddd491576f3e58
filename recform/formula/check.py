"""What the grammar cannot see: names, starts, reads of the future.

Everything here is decided from the text alone. What shows only at some depth (a division by
l - 3, a read of x[2*l]) is told when the formula is unrolled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recform.errors import Diagnostic, Span
from recform.formula.ast import (
    Apply,
    Equation,
    Expression,
    Init,
    Name,
    Number,
    Read,
    Sum,
    walk,
)
from recform.formula.known_names import check_block
from recform.formula.operands import check_value
from recform.formula.params import check_param
from recform.formula.reserved import KEYWORDS
from recform.formula.streams import check_streams
from recform.formula.suggest import did_you_mean

if TYPE_CHECKING:
    from recform.formula.formula import Formula

# What a name is decides whether it is a value: where it is not known, no more can be said.
NAMING = (
    "missing-index",
    "wrong-arguments",
    "unknown-name",
    "unknown-block",
    "reserved-name",
)
FOLLOWS_FROM_NAMES = ("bare-number", "value-in-index", "division-by-value", "stream-shape")


def check(formula: Formula) -> list[Diagnostic]:
    """All that is wrong with the formula as it stands; empty if nothing is."""
    structure = [*_check_steps(formula), *_check_names(formula), *_check_starts(formula)]
    mistakes = structure + list(_check_expressions(formula))
    unnamed = [m.span for m in mistakes if m.code in NAMING and m.span]
    return [
        mistake
        for mistake in _once(mistakes)
        if mistake.code not in FOLLOWS_FROM_NAMES
        or not any(mistake.span and _inside(span, mistake.span) for span in unnamed)
    ]


def _once(mistakes: list[Diagnostic]) -> Iterator[Diagnostic]:
    """Each mistake once in a place, and each name that is not known once in the formula."""
    seen: set[tuple] = set()
    for mistake in sorted(mistakes, key=lambda m: (m.span.line, m.span.column) if m.span else (0,)):
        key = (mistake.code, mistake.message if mistake.code in NAMING else mistake.span)
        if key not in seen:
            yield mistake
        seen.add(key)


def _inside(inner: Span, outer: Span) -> bool:
    return inner.line == outer.line and outer.column <= inner.column < outer.end


# --- the formula as a whole ---------------------------------------------------------------------


def _check_steps(formula: Formula) -> Iterator[Diagnostic]:
    if formula.steps:
        return
    span = formula.equations[0].span if formula.equations else Span(1, 1, 2)
    hint = "write one: x[l+1] = x[l] + F(x[l])"
    for equation in formula.equations:
        if any(isinstance(e, Read) and e.state == equation.state for e in walk(equation.right)):
            # x[l] = x[l-1] + F(x[l-1]), as many papers write it
            span = equation.span
            hint = f"raise every depth by one: {equation.state}[l+1] = ..."
            break
    yield Diagnostic("no-step", "no equation says how a state goes from depth l to l+1", span, hint)


def _check_names(formula: Formula) -> Iterator[Diagnostic]:
    for equation in formula.equations:
        if equation.state in KEYWORDS:
            yield Diagnostic("reserved-name", f"`{equation.state}` has a meaning of its own and "
                             "cannot be a state", equation.span, "choose another name")  # fmt: skip


def _check_starts(formula: Formula) -> Iterator[Diagnostic]:
    if not formula.steps:
        return
    kinds = formula.states
    for init in formula.inits:
        yield from _check_init(init, formula, kinds)
    given = {init.state for init in formula.inits if init.block is None and init.depth == 0}
    started = given | set(formula.starts) | {formula.main}
    for equation in formula.steps:
        if equation.state not in started:
            name = equation.state
            yield Diagnostic("no-start", f"{name}[0] has no value", equation.span,
                             f"add a line: init {name}[0] = {formula.main}[0], or "
                             f"init {name}[0] = absent")  # fmt: skip


def _check_init(init: Init, formula: Formula, kinds: dict[str, bool]) -> Iterator[Diagnostic]:
    where = f"{init.state}[{init.depth}]"
    if init.state not in kinds:
        yield Diagnostic("unknown-name", f"there is no state `{init.state}`", init.span,
                         did_you_mean(init.state, kinds) or "the states are "
                         + ", ".join(kinds))  # fmt: skip
    elif init.block is not None:
        if init.depth == 0:
            yield Diagnostic("bad-init", f"{init.block}({where}) is computed, not given", init.span,
                             f"give a value before the start: init {init.block}"
                             f"({init.state}[-1]) = ...")  # fmt: skip
    elif init.depth == 0 and init.state in formula.starts:
        yield Diagnostic("bad-init", f"{where} is what the stem hands over", init.span,
                         f"give {init.state}[-1], or name the states that start from the stem: "
                         "input ...")  # fmt: skip
    elif init.depth == 0 and not kinds[init.state]:
        yield Diagnostic("bad-init", f"{where} is computed by its equation", init.span,
                         f"give a value before the start: init {init.state}[-1] = ...")  # fmt: skip


# --- expressions --------------------------------------------------------------------------------


def _check_expressions(formula: Formula) -> Iterator[Diagnostic]:
    for equation in formula.equations:
        yield from check_value(equation.right, formula, {"l", "L", "s"})
        yield from _check_reads(equation)
    for init in formula.inits:
        if init.block is not None:
            yield from check_block(init.block, init.span, formula)
        if init.value is not None:
            yield from check_value(init.value, formula, {"L"})
    if formula.output is not None:
        yield from check_value(formula.output, formula, {"L"})
    for param in formula.params:
        yield from check_param(param, formula)
    yield from check_streams(formula)


def _check_reads(equation: Equation) -> Iterator[Diagnostic]:
    """Reads of the future that are visible in the text: an index l + c."""
    applied = {e.argument: e.block for e in walk(equation.right) if isinstance(e, Apply)}
    for read in (e for e in walk(equation.right) if isinstance(e, Read)):
        ahead = _constant_offset(read.index)
        if ahead is None or ahead < 1:
            continue
        own = read.state == equation.state
        if ahead == 1 and not own:
            continue
        name = read.state
        meant = f"{applied[read]}({name}[l])" if read in applied else f"{name}[l]"
        if own and not equation.step:
            hint = f"the right side may read {name}[l-1], {name}[l-2], ..."
        else:
            hint = f"the right side may read {name}[l], {name}[l-1], ...; did you mean {meant}?"
        shown = f"{name}[l+{ahead}]"
        yield Diagnostic("future-read", f"{shown} is read before it exists", read.span, hint)


def _constant_offset(index: Expression) -> int | None:
    """c of an index `l + c`, None for any other."""
    if index == Name("l"):
        return 0
    match index:
        case Sum(terms=((1, Name(name="l")), (sign, Number(value=value)))):
            return int(sign * value) if value.denominator == 1 else None
    return None
