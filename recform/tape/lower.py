"""Expressions, written out at one depth.

All sugar of the right sides ends here, one method an operator: absent terms are dropped, cases are
decided, history sums are added up, and a block without an index gets one.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple, Protocol

from recform.errors import Diagnostic, FormulaError, Span
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Expression,
    Item,
    Learned,
    Map,
    Negate,
    Read,
    Reduce,
    Sum,
    walk,
)
from recform.formula.formula import Formula
from recform.formula.kinds import kind
from recform.formula.library import COMBINING, INDEXED, JOINING
from recform.formula.streams import shape_of
from recform.tape.builder import TapeBuilder
from recform.tape.radicals import Exact, Irrational
from recform.tape.running_sums import Accumulated, RunningSums
from recform.tape.scalar import (
    Budget,
    Scope,
    condition,
    division_by_zero,
    each_index,
    inverse,
    number,
    whole,
)
from recform.tape.start_values import start_value

# An open range that has not fallen before the start after this many indices a block never will.
MAX_OPEN_RANGE_PER_BLOCK = 10
# Functions whose first argument is not one among others.
NEED_FIRST = ("gate", "gate_dynamic", "gate_static", "gru")


class History(Protocol):
    """What expressions read: the values of states, and of what lies before the start."""

    def state(
        self, state: str, depth: int, span: Span, component: tuple[int, ...]
    ) -> int | None: ...
    def has_start(self, block: str | None, state: str, depth: int) -> bool: ...
    def start(
        self, block: str | None, state: str, depth: int, component: tuple[int, ...]
    ) -> int | None: ...


# A tuple: one is made for each term, and a frozen dataclass takes twice as long to make.
class Term(NamedTuple):
    """What an expression came to: its value (None: absent), the largest depth that it reads, and
    whether it reads anything before the start of history."""

    value: int | None
    deepest: int | None = None
    before_start: bool = False


class Lowering:
    """Puts expressions on a tape."""

    def __init__(
        self, formula: Formula, depth: int, tape: TapeBuilder, budget: Budget, history: History
    ) -> None:
        self._source = formula.source
        self._formula = formula
        self._depth = depth
        self._tape = tape
        self._budget = budget
        self._history = history
        inside = [inner for top in formula.expressions for inner in walk(top)]
        self._is_number = {id(e): kind(e) == "number" for e in inside}
        self._sums = RunningSums(formula)

    def value(self, expression: Expression, scope: Scope) -> Term:
        """The expression's value in a scope."""
        self._budget.spend()
        if self._is_number[id(expression)]:
            return self._constant(expression, scope)
        match expression:
            case Read():
                return self._read(expression, scope)
            case Learned():
                return self._learned(expression, scope)
            case Apply():
                return self._apply(expression, scope)
            case Map():
                return self._map(expression, scope)
            case Sum(terms=terms):
                return self._add_all(self._multiple(sign, term, scope) for sign, term in terms)
            case Binary() if self._is_product(expression):
                return self._product(expression, scope)
            case Negate() | Binary():
                return self._multiple(1, expression, scope)
            case Case(value=value, condition=test, otherwise=otherwise):
                holds = condition(test, scope.names, self._budget)
                return self.value(value if holds else otherwise, scope)
            case Reduce(function=function) if function in COMBINING:
                return self._combine(expression, scope)
            case Reduce():
                return self._reduce(expression, scope)
        raise AssertionError(f"check lets no {type(expression).__name__} pass as a value")

    def _read(self, read: Read, scope: Scope) -> Term:
        depth = whole(read.index, scope.names, self._budget)
        if "l" in scope.names and depth > scope.names["l"] + 1:
            raise self._error("future-read", f"{read.state}[{depth}] is read before it exists, at "
                              f"l = {scope.names['l']}", read.span,
                              f"read {read.state}[l] or earlier")  # fmt: skip
        component = scope.component if read.state in self._formula.counts else ()
        if self._is_forgotten(depth, scope):
            return Term(None, depth, True)
        before_start = depth < 0 and not self._history.has_start(None, read.state, depth)
        value = self._history.state(read.state, depth, read.span, component)
        return Term(value, depth, before_start)

    def _is_forgotten(self, depth: int, scope: Scope) -> bool:
        """Whether a depth lies before the stage, where history begins anew in each."""
        first = scope.names.get("s", 0)
        return self._formula.history is not None and first > 0 and depth < first

    def _constant(self, expression: Expression, scope: Scope) -> Term:
        """A number beside values: `1 - T(x[l])`, or the 0 of a start value."""
        factor = number(expression, scope.names, self._budget)
        if factor == 0:
            return Term(self._tape.zero())
        return Term(self._tape.scale(factor, self._tape.one()))

    def _learned(self, learned: Learned, scope: Scope) -> Term:
        """A coefficient; at a depth before the start it is absent, as a block is."""
        param = self._formula.learned[learned.name]
        place = tuple(whole(index, scope.names, self._budget) for index in learned.indices)
        if any(depth < 0 for depth in place):
            return Term(None)
        entry = scope.component[: len(param.entries)]
        start = start_value(param, place, entry, self._depth, self._budget)
        return Term(self._tape.parameter(param, place, entry, start))

    def _is_product(self, product: Binary) -> bool:
        """Whether both sides are values or learned coefficients."""
        return not self._is_number[id(product.left)] and not self._is_number[id(product.right)]

    def _product(self, product: Binary, scope: Scope) -> Term:
        """Element by element, or for `@` the sum over the streams that both sides have."""
        if product.operator != "@":
            sides = (self.value(side, scope) for side in (product.left, product.right))
            return self._multiply(*sides)
        rows = len(shape_of(product.left, self._formula)) - 1
        before, after = scope.component[:rows], scope.component[rows:]
        return self._add_all(
            self._multiply(
                self.value(product.left, scope.at(*before, k)),
                self.value(product.right, scope.at(k, *after)),
            )
            for k in range(shape_of(product.right, self._formula)[0])
        )

    def _multiply(self, left: Term, right: Term) -> Term:
        """A product with an absent factor is absent."""
        value = None
        if left.value is not None and right.value is not None:
            value = self._tape.multiply(left.value, right.value)
        return Term(value, *_read_by((left, right)))

    def _combine(self, combined: Reduce, scope: Scope) -> Term:
        """A function of the values that are there; one that chooses among one is that one."""
        terms = [term for item in combined.items for term in self._terms(item, scope)]
        there = tuple(term.value for term in terms if term.value is not None)
        deepest, before_start = _read_by(terms)
        function = combined.function
        first_is_absent = not terms or terms[0].value is None
        if not there or (function in NEED_FIRST and first_is_absent):
            return Term(None, deepest, before_start)
        if len(there) == 1 and function not in NEED_FIRST:
            return Term(there[0], deepest, before_start)
        if function == "gru" and len(there) < 2:
            return Term(None, deepest, before_start)
        index = None if function in JOINING else self._own_index(deepest, scope)
        return Term(self._tape.combine(function, index, there), deepest, before_start)

    def _terms(self, item: Item, scope: Scope) -> list[Term]:
        """The values of an item, one for each of its indices and streams."""
        if item.each is None:
            return self._streams(item.value, scope)
        if item.each.last is None:
            return list(self._open_item(item, scope))
        indices = each_index(item, scope.names, self._budget)
        return [term for index in indices for term in self._item_at(item, index, scope)]

    def _streams(self, expression: Expression, scope: Scope) -> list[Term]:
        """A value, or each of its streams, as the arguments of a function."""
        shape = shape_of(expression, self._formula) if self._formula.streams else ()
        inner = [scope.at(k) for k in range(shape[0])] if shape else [scope.at()]
        return [self.value(expression, at) for at in inner]

    def _apply(self, apply: Apply, scope: Scope) -> Term:
        given = self._given_start(apply, scope)
        if given is not None:
            return given
        argument = self.value(apply.argument, scope.at())
        value = None
        if argument.value is not None:
            index = self._block_index(apply, argument, scope)
            if index >= self._depth:
                raise self._error("block-ahead", f"{apply.block}[{index}] does not exist: the last "
                                  f"block is {apply.block}[{self._depth - 1}]", apply.span,
                                  "read quantities that call a block at depths below L, such as "
                                  "z[L-1]")  # fmt: skip
            value = None if index < 0 else self._tape.call(apply.block, index, argument.value)
            if self._is_forgotten(index, scope):
                value = None
        return Term(value, argument.deepest, argument.before_start)

    def _given_start(self, apply: Apply, scope: Scope) -> Term | None:
        """The value of F(x[-1]), where an `init F(x[-1])` gives it."""
        if apply.index is not None or not isinstance(apply.argument, Read):
            return None
        read = apply.argument
        depth = whole(read.index, scope.names, self._budget)
        if not self._history.has_start(apply.block, read.state, depth):
            return None
        component = scope.component if read.state in self._formula.counts else ()
        return Term(self._history.start(apply.block, read.state, depth, component), depth)

    def _block_index(self, apply: Apply, argument: Term, scope: Scope) -> int:
        """A block without an index takes the largest depth that its argument reads."""
        if apply.index is None:
            if argument.deepest is None:
                raise self._error("no-depth", f"{apply.block} reads no state here", apply.span,
                                  f"write its index: {apply.block}[l](...)")  # fmt: skip
            return min(argument.deepest, scope.cap)
        index = whole(apply.index, scope.names, self._budget)
        if index > scope.cap:
            last = "l" if "l" in scope.names else scope.cap
            raise self._error("block-ahead", f"{apply.block}[{index}] is used where {apply.block}"
                              f"[{scope.cap}] is the last block", apply.span,
                              f"write {apply.block}[{last}](...) or an earlier one")  # fmt: skip
        return index

    def _map(self, expression: Map, scope: Scope) -> Term:
        argument = self.value(expression.argument, scope)
        if argument.value is None:
            return argument
        function, index = expression.function, None
        if function in INDEXED:
            index = self._own_index(argument.deepest, scope)
        rate = None if expression.number is None else self._rate(expression.number, scope)
        value = self._tape.map(function, index, argument.value, rate)
        return Term(value, argument.deepest, argument.before_start)

    def _own_index(self, deepest: int | None, scope: Scope) -> int:
        """What belongs to a block does so by the same rule as a block without an index."""
        deepest = scope.cap if deepest is None else deepest
        return max(0, min(deepest, scope.cap))

    def _rate(self, expression: Expression, scope: Scope) -> Fraction:
        """The rate of `drop`, a number from 0 up to 1 but not 1."""
        rate = number(expression, scope.names, self._budget)
        if not 0 <= rate < 1 or isinstance(rate, Irrational):
            shown = f", at l = {scope.names['l']}" if "l" in scope.names else ""
            raise self._error("drop-rate", f"the rate {rate} is no probability below 1{shown}",
                              expression.span, "write drop(F(x[l]), 1/10)")  # fmt: skip
        return Fraction(rate)

    def _multiple(self, factor: Exact, expression: Expression, scope: Scope) -> Term:
        """A constant times an expression; constants written around one value are multiplied.

        A state's value is not taken apart: paths may lead back to it.
        """
        while not self._is_number[id(expression)]:
            match expression:
                case Negate(operand=operand):
                    factor, expression = -factor, operand
                case Binary() if not self._is_product(expression):
                    coefficient, expression = self._coefficient(expression, scope)
                    factor *= coefficient
                case _:
                    break
        return self._scaled(factor, self.value(expression, scope))

    def _coefficient(self, product: Binary, scope: Scope) -> tuple[Exact, Expression]:
        """What a value is multiplied by, and that value."""
        left, right = product.left, product.right
        if self._is_number[id(left)]:
            factor, value = left, right
        else:
            factor, value = right, left
        coefficient = number(factor, scope.names, self._budget)
        if product.operator == "/":
            if coefficient == 0:
                raise division_by_zero(factor, scope.names, self._budget)
            coefficient = inverse(coefficient, factor, scope.names, self._budget)
        return coefficient, value

    def _reduce(self, expression: Reduce, scope: Scope) -> Term:
        so_far = Accumulated()
        for item in expression.items:
            so_far = self._add_item(item, so_far, scope)
        total = Term(so_far.total, so_far.deepest, so_far.before_start)
        if expression.function == "mean" and so_far.present:
            return self._scaled(Fraction(1, so_far.present), total)
        return total

    def _add_item(self, item: Item, so_far: Accumulated, scope: Scope) -> Accumulated:
        if item.each is None or item.each.last is None or self._formula.streams:
            return self._accumulate(self._terms(item, scope), so_far)
        indices = each_index(item, scope.names, self._budget)
        done, so_far = self._sums.resume(item, indices, so_far)
        for index in indices[done:]:
            before = so_far
            so_far = self._accumulate(self._item_at(item, index, scope), so_far)
            if so_far.deepest is None or so_far.deepest <= scope.cap:
                self._sums.keep(item, indices.start, index, before, so_far)
        return so_far

    def _accumulate(self, terms: Iterable[Term], so_far: Accumulated) -> Accumulated:
        for term in terms:
            total = so_far.total
            if term.value is not None:
                total = term.value if total is None else self._tape.add(total, term.value)
            so_far = so_far.plus(total, term.value is not None, term.deepest, term.before_start)
        return so_far

    def _item_at(self, item: Item, index: int, scope: Scope) -> Iterable[Term]:
        """The item at one index of its range, or nothing if the filter drops it."""
        assert item.each is not None
        self._budget.spend()
        inner = scope.with_index(item.each.variable, index)
        test = item.each.condition
        if test is None or condition(test, inner.names, self._budget):
            yield from self._streams(item.value, inner)

    def _open_item(self, item: Item, scope: Scope) -> Iterable[Term]:
        """An open range ends at the first index that falls before the start of history."""
        assert item.each is not None
        first = whole(item.each.first, scope.names, self._budget)
        for index in range(first, first + 100 + MAX_OPEN_RANGE_PER_BLOCK * self._depth):
            for term in self._item_at(item, index, scope):
                if term.before_start:
                    return
                yield term
        raise self._error("endless-range", "this range never falls before the start",
                          item.each.span, "let the depth fall with the index, as in x[l-k], or "
                          "give the range its end")  # fmt: skip

    def _add_all(self, terms: Iterable[Term]) -> Term:
        """The sum of what is there, from left to right."""
        so_far = self._accumulate(terms, Accumulated())
        return Term(so_far.total, so_far.deepest, so_far.before_start)

    def _scaled(self, factor: Exact, term: Term) -> Term:
        if term.value is None or factor == 1:
            return term
        constant = Fraction(factor) if isinstance(factor, int) else factor
        value = self._tape.scale(constant, term.value)
        return Term(value, term.deepest, term.before_start)

    def _error(self, code: str, message: str, span: Span, hint: str) -> FormulaError:
        return FormulaError([Diagnostic(code, message, span, hint)], self._source)


def _read_by(terms: Iterable[Term]) -> tuple[int | None, bool]:
    """The largest depth that terms read, and whether one reads what lies before the start."""
    terms = list(terms)
    depths = [term.deepest for term in terms if term.deepest is not None]
    return max(depths, default=None), any(term.before_start for term in terms)
