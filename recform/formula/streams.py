"""Streams: states of several copies, and the vectors and matrices that mix them.

    stream h[4] = input
    h[l+1] = A[l] @ h[l] + w[l] * F(r[l] @ h[l])

A shape is () for one value, (4,) for four streams or a vector over them, (4, 4) for a matrix. `@`
is the product of matrices; the other operators go stream by stream, and repeat one value for all.
A function of several values takes a stream as that many arguments: `sum(h[L])`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from recform.errors import Diagnostic
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Expression,
    Learned,
    Map,
    Negate,
    Read,
    Reduce,
    Sum,
    walk,
)

if TYPE_CHECKING:
    from recform.formula.formula import Formula

Shape: TypeAlias = tuple[int, ...]


def shape_of(expression: Expression, formula: Formula) -> Shape:
    """The shape of a value or coefficient; where shapes do not fit, that of the first part."""
    match expression:
        case Read(state=state):
            return (formula.counts[state],) if state in formula.counts else ()
        case Learned(name=name):
            param = formula.learned.get(name)
            return () if param is None else param.entries
        case Map(argument=argument) | Negate(operand=argument):
            return shape_of(argument, formula)
        case Sum(terms=terms):
            return _widest([shape_of(term, formula) for _, term in terms])
        case Binary(operator="@", left=left, right=right):
            return (*shape_of(left, formula)[:-1], *shape_of(right, formula)[1:])
        case Binary(left=left, right=right):
            return _widest([shape_of(left, formula), shape_of(right, formula)])
        case Case(value=value, otherwise=otherwise):
            return _widest([shape_of(value, formula), shape_of(otherwise, formula)])
    # A block takes one value, and a function makes one of several.
    return ()


def _widest(shapes: list[Shape]) -> Shape:
    return max(shapes, key=len)


def check_streams(formula: Formula) -> Iterator[Diagnostic]:
    """Where shapes do not fit; nothing for a formula without streams."""
    inside = [inner for top in formula.expressions for inner in walk(top)]
    mistakes = [mistake for inner in inside for mistake in _check_shapes(inner, formula)]
    yield from mistakes
    if mistakes:
        return
    if not formula.streams and not any(param.entries for param in formula.params):
        return
    for equation in formula.equations:
        count = formula.counts.get(equation.state)
        shape = shape_of(equation.right, formula)
        if shape not in ((), (count,)):
            yield Diagnostic("stream-shape", f"the right side has {_told(shape)}, and "
                             f"`{equation.state}` {'one' if count is None else count}",
                             equation.right.span, "make one value of streams by sum(h[l]), or "
                             "r[l] @ h[l]")  # fmt: skip
    if formula.steps:
        yield from _check_what_is_returned(formula)


def _check_what_is_returned(formula: Formula) -> Iterator[Diagnostic]:
    if formula.output is None and formula.main in formula.counts:
        count = formula.counts[formula.main]
        told = f"which {'is' if count == 1 else 'are'} {_told((count,))}"
        yield Diagnostic("stream-shape", f"the network returns {formula.main}[L], {told}",
                         formula.steps[0].span,
                         f"add a line: output sum({formula.main}[L])")  # fmt: skip
    elif formula.output is not None and shape_of(formula.output, formula) != ():
        told = _told(shape_of(formula.output, formula))
        yield Diagnostic("stream-shape", f"the output has {told}", formula.output.span,
                         "make one value of them: output sum(h[L])")  # fmt: skip


def _check_shapes(expression: Expression, formula: Formula) -> Iterator[Diagnostic]:
    match expression:
        case Binary(operator="@", left=left, right=right):
            first, second = shape_of(left, formula), shape_of(right, formula)
            if not first or not second or first[-1] != second[0]:
                yield Diagnostic("stream-shape", f"`@` cannot multiply {_told(first)} with "
                                 f"{_told(second)}", expression.span, "it takes a matrix or vector "
                                 "over streams, and as many streams: A[l] @ h[l]")  # fmt: skip
        case Apply(argument=argument) if shape_of(argument, formula):
            yield Diagnostic("stream-shape", f"{expression.block} is applied to "
                             f"{_told(shape_of(argument, formula))}", argument.span,
                             "make one value of them: r[l] @ h[l], or sum(h[l])")  # fmt: skip
        case Sum() | Case() | Binary():
            shapes = {shape_of(part, formula) for part in _parts(expression)} - {()}
            if len(shapes) > 1:
                told = " and ".join(_told(shape) for shape in sorted(shapes))
                yield Diagnostic("stream-shape", f"{told} do not go together", expression.span,
                                 "give both as many streams")  # fmt: skip
        case Reduce(items=items):
            for item in items:
                if len(shape_of(item.value, formula)) > 1:
                    yield Diagnostic("stream-shape", "a matrix is no argument", item.value.span,
                                     "multiply it with streams: A[l] @ h[l]")  # fmt: skip


def _parts(expression: Sum | Case | Binary) -> tuple[Expression, ...]:
    match expression:
        case Sum(terms=terms):
            return tuple(term for _, term in terms)
        case Case(value=value, otherwise=otherwise):
            return (value, otherwise)
        case Binary(left=left, right=right):
            return (left, right)


def _told(shape: Shape) -> str:
    if not shape:
        return "one value"
    if len(shape) == 1:
        return "one stream" if shape[0] == 1 else f"{shape[0]} streams"
    return f"a matrix of {shape[0]} by {shape[1]}"
