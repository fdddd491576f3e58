"""What is declared of a learned coefficient: by what it is read, how it starts, what keeps it.

param a[l] = 0                        one a block
param g[l, channel] = 1e-6            a vector over the channels, one a block
param w[l, i] = 1 if i == l else 0    one for each pair of depths
param A[l, 4, 4] = identity           a matrix over four streams
param a = 1/2 in sigmoid              between 0 and 1, for the whole network
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recform.errors import Diagnostic
from recform.formula.ast import Expression, Map, Name, Param
from recform.formula.library import IDENTITY, ONE_HOT
from recform.formula.operands import check_number
from recform.formula.reserved import KEYWORDS

if TYPE_CHECKING:
    from recform.formula.formula import Formula


def check_param(param: Param, formula: Formula) -> Iterator[Diagnostic]:
    """What is wrong with a declaration as it stands."""
    yield from _check_indices(param)
    yield from _check_start(param.start, param, formula)
    yield from _check_constraint(param)


def _check_indices(param: Param) -> Iterator[Diagnostic]:
    for index in param.depths:
        if index != "l" and index in KEYWORDS:
            yield _wrong(param, f"`{index}` is no index", "name a depth, such as l or i, or write "
                         "channel, or a number of streams")  # fmt: skip
    if len(set(param.depths)) < len(param.depths):
        yield _wrong(param, "an index is named twice", f"write {param.name}[l, i]")
    if len(param.depths) > 2:
        yield _wrong(param, f"`{param.name}` has more than two depths",
                     f"write {param.name}[l, i]")  # fmt: skip
    if len(param.entries) > 2 or (param.entries and "channel" in param.indices):
        yield _wrong(param, f"`{param.name}` has too many indices", "a coefficient has at most two "
                     "depths, and is one number, a vector over channels, or a vector or matrix "
                     "over streams")  # fmt: skip
    if param.indices.count("channel") > 1:
        yield _wrong(param, "`channel` stands twice", f"write {param.name}[l, channel]")


def _check_start(start: Expression, param: Param, formula: Formula) -> Iterator[Diagnostic]:
    names = {*param.depths, "L"}
    match start:
        case Name(name=name) if name == IDENTITY:
            if len(param.entries) != 2:
                yield _wrong(param, "`identity` starts a matrix", f"write param {param.name}"
                             "[l, 4, 4] = identity")  # fmt: skip
        case Map(function=function, argument=argument) if function == ONE_HOT:
            if len(param.entries) != 1:
                yield _wrong(param, "`one_hot` starts a vector over streams",
                             f"write param {param.name}[l, 4] = one_hot(l % 4)")  # fmt: skip
            yield from check_number(argument, formula, names, "the place of the one")
        case _:
            yield from check_number(start, formula, names, "the start value of a coefficient")


def _check_constraint(param: Param) -> Iterator[Diagnostic]:
    if param.constraint == "doubly_stochastic":
        if len(param.entries) != 2 or param.entries[0] != param.entries[1]:
            yield _wrong(param, "only a square matrix is doubly stochastic",
                         f"write param {param.name}[l, 4, 4] = identity in doubly_stochastic"
                         )  # fmt: skip
    elif param.constraint == "softmax":
        over = param.over
        if over is None and len(param.entries) != 1:
            yield _wrong(param, "the index that `softmax` runs over is not clear",
                         f"write param {param.name}[l, i] = 1 in softmax(i)")  # fmt: skip
        if over is not None and over not in param.depths:
            yield _wrong(param, f"`{over}` is no index of `{param.name}`",
                         f"write param {param.name}[l, {over}] = 1 in softmax({over})")  # fmt: skip
    elif param.over is not None:
        yield _wrong(param, f"`{param.constraint}` takes no index", f"write in {param.constraint}")


def _wrong(param: Param, message: str, hint: str) -> Diagnostic:
    return Diagnostic("bad-param", message, param.span, hint)
