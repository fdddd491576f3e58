"""The neighbours of a formula: one sign, one delay, one term changed.

>>> [(n.change, str(n.formula)) for n in neighbours("x[l+1] = F(x[l])", adding=False)]
[('sign of F(x[l])', 'x[l+1] = -F(x[l])'), ('F(x[l]) one step earlier', 'x[l+1] = F(x[l-1])')]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from recform.design.cost import Cost, cost_of
from recform.errors import UserError
from recform.formula import Formula, expression_to_text, parse, resolve
from recform.formula.ast import (
    Apply,
    Binary,
    Equation,
    Expression,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
    walk,
)
from recform.paths import Analysis, analyze
from recform.paths.affine import NotSteadyError
from recform.paths.report import to_json as analysis_to_json

MAX_NEIGHBOURS = 200


@dataclass(frozen=True)
class Neighbour:
    """A formula, what was changed to get there, and its analysis at a depth."""

    change: str
    formula: Formula
    depth: int

    @cached_property
    def analysis(self) -> Analysis:
        return analyze(self.formula, self.depth)

    @property
    def cost(self) -> Cost | None:
        """None if the formula has no recurrence."""
        try:
            return cost_of(self.formula)
        except NotSteadyError:
            return None

    def to_json(self) -> dict[str, Any]:
        """The analysis, with the change and the cost beside it."""
        cost = self.cost
        own = {"change": self.change, "cost": None if cost is None else cost.to_json()}
        return {**own, **analysis_to_json(self.analysis)}


def neighbours(
    formula: Formula | str, depth: int = 8, *, adding: bool = True
) -> tuple[Neighbour, ...]:
    """Every formula that is one change away: a sign, a delay, a term less or, if `adding`, more.

    Those that do not exist at this depth are left out. Raises FormulaError, UserError.
    """
    found = resolve(formula)
    analyze(found, depth)
    seen = {str(found)}
    kept = []
    for change, changed in _changes(found, adding):
        if str(changed) not in seen and _exists(changed, depth):
            seen.add(str(changed))
            kept.append(Neighbour(change, parse(str(changed)), depth))
        if len(kept) == MAX_NEIGHBOURS:
            break
    return tuple(kept)


def _exists(formula: Formula, depth: int) -> bool:
    try:
        analyze(parse(str(formula)), depth)
    except UserError:
        return False
    return True


def _changes(formula: Formula, adding: bool) -> Iterator[tuple[str, Formula]]:
    for place, equation in enumerate(formula.equations):
        for change, right in _of_terms(equation):
            yield change, _with(formula, place, replace(equation, right=right))
        for change, right in _of_delays(equation.right):
            yield change, _with(formula, place, replace(equation, right=right))
        if adding:
            for change, right in _additions(equation):
                yield change, _with(formula, place, replace(equation, right=right))


def _with(formula: Formula, place: int, equation: Equation) -> Formula:
    equations = list(formula.equations)
    equations[place] = equation
    return replace(formula, equations=tuple(equations), title="")


def _terms(expression: Expression) -> list[tuple[int, Expression]]:
    match expression:
        case Sum(terms=terms):
            return list(terms)
        case Negate(operand=operand):
            return [(-1, operand)]
    return [(1, expression)]


def _sum(terms: list[tuple[int, Expression]]) -> Expression:
    if len(terms) == 1:
        sign, value = terms[0]
        return value if sign > 0 else Negate(value)
    # A sum is written from its first term, whose sign stands in the term.
    (sign, first), *rest = terms
    return Sum(((1, first if sign > 0 else Negate(first)), *rest))


def _of_terms(equation: Equation) -> Iterator[tuple[str, Expression]]:
    """The sign of each term turned, and each left out."""
    terms = _terms(equation.right)
    for place, (sign, value) in enumerate(terms):
        name = expression_to_text(value)
        yield f"sign of {name}", _sum([*terms[:place], (-sign, value), *terms[place + 1 :]])
    for place, (_, value) in enumerate(terms):
        if len(terms) > 1:
            name = expression_to_text(value)
            yield f"without {name}", _sum([*terms[:place], *terms[place + 1 :]])


def _additions(equation: Equation) -> Iterator[tuple[str, Expression]]:
    """A state or a block's output of the last steps more."""
    if not equation.step:
        return
    terms = _terms(equation.right)
    there = {expression_to_text(value) for _, value in terms}
    for delay in (0, 1, 2):
        read = Read(equation.state, _depth(delay))
        for value in (read, Apply("F", None, read)):
            name = expression_to_text(value)
            if name not in there:
                yield f"with + {name}", _sum([*terms, (1, value)])
                yield f"with - {name}", _sum([*terms, (-1, value)])


def _of_delays(right: Expression) -> Iterator[tuple[str, Expression]]:
    """What a term reads at l - d, one step earlier and one later."""
    terms = _terms(right)
    for place, (sign, value) in enumerate(terms):
        for read in dict.fromkeys(e for e in walk(value) if isinstance(e, Read)):
            for delay, which in _next_to(read):
                moved = _replaced(value, read, Read(read.state, _depth(delay)))
                changed = _sum([*terms[:place], (sign, moved), *terms[place + 1 :]])
                yield f"{expression_to_text(value)} one step {which}", changed


def _next_to(read: Read) -> Iterator[tuple[int, str]]:
    delay = _delay(read.index)
    if delay is not None:
        yield delay + 1, "earlier"
        if delay > 0:
            yield delay - 1, "later"


def _depth(delay: int) -> Expression:
    return Sum(((1, Name("l")), (-1, Number(Fraction(delay))))) if delay else Name("l")


def _delay(index: Expression) -> int | None:
    match index:
        case Name(name="l"):
            return 0
        case Sum(terms=((1, Name(name="l")), (-1, Number(value=value)))) if value.denominator == 1:
            return int(value)
    return None


def _replaced(expression: Expression, old: Read, new: Read) -> Expression:
    """The expression with every read of one value replaced."""

    def inside(part: Expression) -> Expression:
        return _replaced(part, old, new)

    match expression:
        case Read() if expression == old:
            return new
        case Apply(argument=argument) | Map(argument=argument):
            return replace(expression, argument=inside(argument))
        case Sum(terms=terms):
            return replace(expression, terms=tuple((sign, inside(e)) for sign, e in terms))
        case Negate(operand=operand):
            return replace(expression, operand=inside(operand))
        case Binary(left=left, right=right):
            return replace(expression, left=inside(left), right=inside(right))
        case Reduce(items=items):
            changed = tuple(replace(item, value=inside(item.value)) for item in items)
            return replace(expression, items=changed)
    return expression
