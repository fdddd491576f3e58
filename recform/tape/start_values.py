"""What a learned coefficient starts as: an exact number for each depth and stream."""

from __future__ import annotations

from fractions import Fraction

from recform.errors import Diagnostic, FormulaError
from recform.formula.ast import Map, Name, Param
from recform.formula.library import IDENTITY, ONE_HOT
from recform.tape.radicals import Exact
from recform.tape.scalar import Budget, number, whole

# What the zeros of `one_hot` and `identity` are where only numbers between 0 and 1 can be reached.
LEAST = Fraction(1, 1000)


def start_value(
    param: Param, place: tuple[int, ...], entry: tuple[int, ...], depth: int, budget: Budget
) -> Exact:
    """The number that an entry of a coefficient starts as. Raises FormulaError `bad-param`."""
    names = {"L": depth, **dict(zip(param.depths, place, strict=True))}
    match param.start:
        case Name(name=name) if name == IDENTITY:
            return _chosen(entry[0] == entry[1], param)
        case Map(function=function, argument=argument) if function == ONE_HOT:
            one = whole(argument, names, budget)
            if not 0 <= one < param.entries[0]:
                raise _error(param, f"one_hot({one}) has its one outside of {param.entries[0]} "
                             "streams", "write one_hot(l % 4)", budget)  # fmt: skip
            return _chosen(entry[0] == one, param)
    start = number(param.start, names, budget)
    _check(start, param, budget)
    return start


def _chosen(is_one: bool, param: Param) -> Exact:
    """1 or 0; under `sigmoid`, which reaches neither, a thousandth away from it."""
    if param.constraint == "sigmoid":
        return 1 - LEAST if is_one else LEAST
    return int(is_one)


def _check(start: Exact, param: Param, budget: Budget) -> None:
    """A start value must be one that the constraint allows."""
    if param.constraint == "sigmoid" and not 0 < start < 1:
        raise _error(param, f"{start} is not between 0 and 1, where `sigmoid` keeps it",
                     f"write param {param.name} = 1/2 in sigmoid", budget)  # fmt: skip
    if param.constraint in ("softmax", "doubly_stochastic") and start < 0:
        raise _error(param, f"{start} is negative, and `{param.constraint}` keeps it above 0",
                     "start with a positive number", budget)  # fmt: skip


def _error(param: Param, message: str, hint: str, budget: Budget) -> FormulaError:
    return FormulaError([Diagnostic("bad-param", message, param.span, hint)], budget.source)
