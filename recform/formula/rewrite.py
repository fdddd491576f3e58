"""Where a formula without `act` meets a backbone that has one: `act` put in by rewriting.

The activation belongs either around x[l] + F(x[l]), as in ResNet v1 and in the listing of Liao et
al. (2021), or around the whole right side. Nothing is put in unless it is asked for.
"""

from __future__ import annotations

from dataclasses import replace

from recform.errors import UserError
from recform.formula.ast import (
    Apply,
    Case,
    Equation,
    Expression,
    Map,
    Name,
    Read,
    Sum,
    walk,
)
from recform.formula.formula import Formula

ACT_PLACES = ("sum", "end")


def with_act(formula: Formula, place: str) -> Formula:
    """The formula with `act` around x[l] + F(x[l]) ("sum") or around right sides ("end").

    Raises UserError `act-rewrite` if the formula has an `act`, or no such sum, `bad-argument` for
    another place.

    >>> from recform.formula import parse
    >>> print(with_act(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), "sum"))
    x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])
    """
    if place not in ACT_PLACES:
        raise UserError(
            "bad-argument",
            f"`act` cannot be put at `{place}`",
            "choose sum (around x[l] + F(x[l])) or end (around the right side)",
        )
    if uses_act(formula):
        raise UserError("act-rewrite", "the formula says itself where `act` stands",
                        "leave the option out")  # fmt: skip
    around = _around_sum if place == "sum" else _around_all
    equations = tuple(replace(e, right=around(e.right, e)) for e in formula.equations)
    if equations == formula.equations:
        raise UserError("act-rewrite", "no equation has a sum x[l] + F(x[l])"
                        if place == "sum" else "no step calls a block",
                        "write act(...) into the formula where it belongs")  # fmt: skip
    return replace(formula, equations=equations)


def uses_act(formula: Formula) -> bool:
    """Whether `act` stands anywhere in the formula's equations or output."""
    expressions = [equation.right for equation in formula.equations]
    expressions += [formula.output] if formula.output is not None else []
    return any(
        isinstance(inner, Map) and inner.function == "act"
        for expression in expressions
        for inner in walk(expression)
    )


def _around_all(expression: Expression, equation: Equation) -> Expression:
    calls = any(isinstance(inner, Apply) for inner in walk(expression))
    return Map("act", expression) if equation.step and calls else expression


def _around_sum(expression: Expression, equation: Equation) -> Expression:
    if isinstance(expression, Case):
        return replace(
            expression,
            value=_around_sum(expression.value, equation),
            otherwise=_around_sum(expression.otherwise, equation),
        )
    if not isinstance(expression, Sum):
        return expression
    for place, (sign, term) in enumerate(expression.terms):
        partner = _partner(term, expression) if sign > 0 and _is_current(term) else None
        if partner is not None:
            return _wrap(expression, place, partner)
    return expression


def _is_current(term: Expression) -> bool:
    return isinstance(term, Read) and term.index == Name("l")


def _partner(read: Expression, total: Sum) -> int | None:
    """The place of the block applied to the same state, F(x[l])."""
    for place, (sign, term) in enumerate(total.terms):
        if sign < 0 or not isinstance(term, Apply) or term.argument != read:
            continue
        if term.index in (None, Name("l")):
            return place
    return None


def _wrap(total: Sum, read: int, block: int) -> Expression:
    first, second = sorted((read, block))
    wrapped = Map("act", Sum((total.terms[first], total.terms[second])))
    rest = [term for place, term in enumerate(total.terms) if place not in (read, block)]
    if not rest:
        return wrapped
    return Sum((*rest[:first], (1, wrapped), *rest[first:]))
