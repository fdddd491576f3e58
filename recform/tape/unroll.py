"""A formula written out to a depth.

All sugar is lowered here: history sums, cases, absent terms, block indices that are not written.
What is left is a flat list of operations, the tape.

    x[l+1] = x[l] + F(x[l]) - F(x[l-1]),  depth 2
    v0 = input           # x[0]
    v1 = F[0](v0)
    v2 = v0 + v1         # x[1]: F(x[-1]) is absent, so its term is dropped
    v3 = F[1](v2)
    v4 = v2 + v3
    v5 = -1*v1           # F(x[0]) is the value computed one step earlier
    v6 = v4 + v5         # x[2]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from recform.errors import Diagnostic, FormulaError, Span
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Equation,
    Expression,
    Item,
    Map,
    Negate,
    Read,
    Reduce,
    Sum,
    walk,
)
from recform.formula.build import ACTIVATIONS
from recform.formula.formula import Formula
from recform.formula.kinds import kind
from recform.tape.builder import BorderConflict, TapeBuilder, TooManyValues
from recform.tape.operations import Stages, Tape
from recform.tape.running import Accumulated, RunningSums
from recform.tape.scalar import (
    Budget,
    Scope,
    TooManySteps,
    condition,
    division_by_zero,
    each_index,
    number,
    whole,
)

MAX_DEPTH = 10_000
MAX_STEPS = 5_000_000
# An open range that has not fallen before the start after this many indices a block never will.
MAX_OPEN_RANGE_PER_BLOCK = 10


def unroll(formula: Formula, depth: int, stages: Stages | None = None) -> Tape:
    """The tape of a formula at `depth` blocks.

    With `stages`, a border block whose equation cannot be followed there (it nests calls, or reads
    a value of depth l+1) runs the backbone's own formula, act(x[l] + F(x[l])) for each state.

    Raises FormulaError for what goes wrong only at some depth (`future-read`, `circular`,
    `division-by-zero`, ...) and `too-deep` past the limits.
    """
    if not 0 <= depth <= MAX_DEPTH:
        raise _without_place("too-deep", f"the depth {depth} is not between 0 and {MAX_DEPTH:,}",
                             "choose a smaller depth")  # fmt: skip
    if stages is not None and sum(stages.lengths) != depth:
        raise _without_place("bad-argument", f"the stages have {sum(stages.lengths)} blocks, the "
                             f"depth is {depth}", "give as many blocks as depth")  # fmt: skip
    try:
        return _Unroller(formula, depth, stages.borders if stages else ()).run()
    except (TooManyValues, TooManySteps) as excess:
        raise _without_place("too-deep", f"at depth {depth:,} {excess}",
                             "choose a smaller depth, or shorter ranges") from None  # fmt: skip
    except RecursionError:
        raise _without_place(
            "too-large",
            "the equations are nested too deep",
            "use fewer auxiliary quantities that read each other",
        ) from None


@dataclass(frozen=True)
class _Term:
    """What an expression came to: its value (None: absent), the largest depth that it reads, and
    whether it reads anything before the start of history."""

    value: int | None
    deepest: int | None = None
    before_start: bool = False


class _Unroller:
    """The values of all states so far, and the tape that they are on."""

    def __init__(self, formula: Formula, depth: int, borders: tuple[int, ...]) -> None:
        self._formula = formula
        self._depth = depth
        self._borders = borders
        self._tape = TapeBuilder(borders)
        self._equations = {equation.state: equation for equation in formula.equations}
        self._inits = {(i.block, i.state, i.depth): i for i in formula.inits}
        self._values: dict[tuple[str, int], int | None] = {}
        self._in_progress: list[tuple[str, int]] = []
        self._plain_borders: list[int] = []
        inside = [inner for top in formula.expressions for inner in walk(top)]
        self._is_number = {id(e): kind(e) == "number" for e in inside}
        steps = 100_000 + depth * (5_000 + 4 * len(self._is_number))
        self._budget = Budget(formula.source, min(MAX_STEPS, steps))
        self._sums = RunningSums(formula)

    def run(self) -> Tape:
        for layer in range(self._depth):
            try:
                for equation in self._formula.equations:
                    self._state(equation.state, layer + equation.step, equation.span)
            except BorderConflict as conflict:
                self._run_plain(layer, conflict)
        output = self._output()
        values = {key: value for key, value in self._values.items() if value is not None}
        template = Tape((), None, self._depth, self._formula.main, self._borders,
                        tuple(self._plain_borders))  # fmt: skip
        return self._tape.finish(template, output, values)

    def _output(self) -> int | None:
        scope = Scope({"L": Fraction(self._depth)}, self._depth - 1)
        if self._formula.output is None:
            return self._state(self._formula.main, self._depth, Span(1, 1, 2))
        return self._value(self._formula.output, scope).value

    # --- states ---

    def _state(self, state: str, depth: int, span: Span) -> int | None:
        key = (state, depth)
        if key not in self._values:
            if key in self._in_progress:
                raise self._circular(state, depth, span)
            self._in_progress.append(key)
            try:
                self._values[key] = self._compute(state, depth, span)
            finally:
                self._in_progress.pop()
        return self._values[key]

    def _compute(self, state: str, depth: int, span: Span) -> int | None:
        equation = self._equations[state]
        if (None, state, depth) in self._inits:
            return self._start((None, state, depth), f"{state}[{depth}]")
        if equation.step and depth == 0 and state in self._formula.starts:
            return self._tape.input()
        if depth < 0 or (equation.step and depth == 0):
            return None
        layer = depth - equation.step
        if depth > self._depth:
            raise self._error("future-read", f"{state}[{depth}] lies behind the last depth, "
                              f"{self._depth}", span, f"read {state}[L] or before")  # fmt: skip
        scope = Scope({"l": Fraction(layer), "L": Fraction(self._depth)}, layer)
        return self._value(equation.right, scope).value

    def _circular(self, state: str, depth: int, span: Span) -> FormulaError:
        if self._in_progress[-1] == (state, depth) and self._equations[state].step and depth > 0:
            return self._error("future-read", f"{state}[{depth}] is read before it exists, at "
                               f"l = {depth - 1}", span, f"read {state}[l] or earlier")  # fmt: skip
        return self._error("circular", f"{state}[{depth}] depends on itself", span, "break the "
                           "circle: let one of the equations read an earlier depth")  # fmt: skip

    def _start(self, key: tuple[str | None, str, int], label: str) -> int | None:
        init = self._inits[key]
        if init.value is None:
            return None
        scope = Scope({"L": Fraction(self._depth)}, min(0, self._depth - 1))
        value = self._value(init.value, scope).value
        return None if value is None else self._tape.start(label, value)

    def _run_plain(self, layer: int, conflict: BorderConflict) -> None:
        """The backbone's own formula for every state, at a border that the formula cannot pass."""
        if conflict.border != layer:
            raise self._error("no-projection", f"a block of an earlier stage reads a value of "
                              f"stage border {conflict.border}", self._equations[
                                  self._formula.main].span, "share blocks within a stage, "
                              "but not its first, which changes the shape")  # fmt: skip
        self._plain_borders.append(layer)
        self._sums = RunningSums(self._formula)
        for key in [key for key in self._values if key[1] >= layer + self._equations[key[0]].step]:
            del self._values[key]
        for equation in self._formula.steps:
            self._values[equation.state, layer + 1] = self._plain_step(equation, layer)
        for equation in self._formula.equations:
            if not equation.step:
                self._auxiliary_if_possible(equation, layer)

    def _plain_step(self, equation: Equation, layer: int) -> int | None:
        value = self._state(equation.state, layer, equation.span)
        blocks = [e.block for e in walk(equation.right) if isinstance(e, Apply)]
        if value is None or not blocks:
            return value
        branch = self._tape.call(blocks[0], layer, value)
        return self._tape.map("act", layer, self._tape.add(value, branch))

    def _auxiliary_if_possible(self, equation: Equation, layer: int) -> None:
        try:
            self._state(equation.state, layer, equation.span)
        except BorderConflict:
            self._values[equation.state, layer] = None

    # --- expressions ---

    def _value(self, expression: Expression, scope: Scope) -> _Term:
        self._budget.spend()
        if self._is_number[id(expression)]:
            # check lets only zeros pass here; a case may also choose one
            return _Term(self._tape.zero())
        match expression:
            case Read():
                return self._read(expression, scope)
            case Apply():
                return self._apply(expression, scope)
            case Map():
                return self._map(expression, scope)
            case Sum(terms=terms):
                return self._add_all(
                    self._multiple(Fraction(sign), term, scope) for sign, term in terms
                )
            case Negate() | Binary():
                return self._multiple(Fraction(1), expression, scope)
            case Case(value=value, condition=test, otherwise=otherwise):
                holds = condition(test, scope.names, self._budget)
                return self._value(value if holds else otherwise, scope)
            case Reduce():
                return self._reduce(expression, scope)
        raise AssertionError(f"check lets no {type(expression).__name__} pass as a value")

    def _read(self, read: Read, scope: Scope) -> _Term:
        depth = whole(read.index, scope.names, self._budget)
        if "l" in scope.names and depth > scope.names["l"] + 1:
            raise self._error("future-read", f"{read.state}[{depth}] is read before it exists, at "
                              f"l = {scope.names['l']}", read.span,
                              f"read {read.state}[l] or earlier")  # fmt: skip
        before_start = depth < 0 and (None, read.state, depth) not in self._inits
        return _Term(self._state(read.state, depth, read.span), depth, before_start)

    def _apply(self, apply: Apply, scope: Scope) -> _Term:
        given = self._given_start(apply, scope)
        if given is not None:
            return given
        argument = self._value(apply.argument, scope)
        value = None
        if argument.value is not None:
            index = self._block_index(apply, argument, scope)
            value = None if index < 0 else self._tape.call(apply.block, index, argument.value)
        return _Term(value, argument.deepest, argument.before_start)

    def _given_start(self, apply: Apply, scope: Scope) -> _Term | None:
        """The value of F(x[-1]), where an `init F(x[-1])` gives it."""
        if apply.index is not None or not isinstance(apply.argument, Read):
            return None
        read = apply.argument
        depth = whole(read.index, scope.names, self._budget)
        key = (apply.block, read.state, depth)
        if key not in self._inits:
            return None
        return _Term(self._start(key, f"{apply.block}({read.state}[{depth}])"), depth)

    def _block_index(self, apply: Apply, argument: _Term, scope: Scope) -> int:
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

    def _map(self, expression: Map, scope: Scope) -> _Term:
        argument = self._value(expression.argument, scope)
        if argument.value is None:
            return argument
        index = None
        if expression.function not in ACTIVATIONS:
            # `act` and `norm` belong to a block, by the same rule as a block without an index
            deepest = scope.cap if argument.deepest is None else argument.deepest
            index = max(0, min(deepest, scope.cap))
        value = self._tape.map(expression.function, index, argument.value)
        return _Term(value, argument.deepest, argument.before_start)

    def _multiple(self, factor: Fraction, expression: Expression, scope: Scope) -> _Term:
        """A constant times an expression; constants written around one value are multiplied.

        A state's value is not taken apart: paths may lead back to it.
        """
        while not self._is_number[id(expression)]:
            match expression:
                case Negate(operand=operand):
                    factor, expression = -factor, operand
                case Binary():
                    coefficient, expression = self._coefficient(expression, scope)
                    factor *= coefficient
                case _:
                    break
        return self._scaled(factor, self._value(expression, scope))

    def _coefficient(self, product: Binary, scope: Scope) -> tuple[Fraction, Expression]:
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
            coefficient = 1 / coefficient
        return coefficient, value

    def _reduce(self, expression: Reduce, scope: Scope) -> _Term:
        so_far = Accumulated()
        for item in expression.items:
            so_far = self._add_item(item, so_far, scope)
        total = _Term(so_far.total, so_far.deepest, so_far.before_start)
        if expression.function == "mean" and so_far.present:
            return self._scaled(Fraction(1, so_far.present), total)
        return total

    def _add_item(self, item: Item, so_far: Accumulated, scope: Scope) -> Accumulated:
        if item.each is None or item.each.last is None:
            terms = [self._value(item.value, scope)] if item.each is None else list(
                self._open_item(item, scope))  # fmt: skip
            return self._accumulate(terms, so_far)
        indices = each_index(item, scope.names, self._budget)
        done, so_far = self._sums.resume(item, indices, so_far)
        for index in indices[done:]:
            before = so_far
            so_far = self._accumulate(self._item_at(item, index, scope), so_far)
            if so_far.deepest is None or so_far.deepest <= scope.cap:
                self._sums.keep(item, indices.start, index, before, so_far)
        return so_far

    def _accumulate(self, terms: Iterable[_Term], so_far: Accumulated) -> Accumulated:
        for term in terms:
            total = so_far.total
            if term.value is not None:
                total = term.value if total is None else self._tape.add(total, term.value)
            so_far = so_far.plus(total, term.value is not None, term.deepest, term.before_start)
        return so_far

    def _item_at(self, item: Item, index: int, scope: Scope) -> Iterable[_Term]:
        """The item at one index of its range, or nothing if the filter drops it."""
        assert item.each is not None
        self._budget.spend()
        inner = scope.with_index(item.each.variable, index)
        test = item.each.condition
        if test is None or condition(test, inner.names, self._budget):
            yield self._value(item.value, inner)

    def _open_item(self, item: Item, scope: Scope) -> Iterable[_Term]:
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

    def _add_all(self, terms: Iterable[_Term]) -> _Term:
        """The sum of what is there, from left to right."""
        so_far = self._accumulate(terms, Accumulated())
        return _Term(so_far.total, so_far.deepest, so_far.before_start)

    def _scaled(self, factor: Fraction, term: _Term) -> _Term:
        if term.value is None:
            return term
        value = self._tape.scale(factor, term.value)
        return _Term(value, term.deepest, term.before_start)

    def _error(self, code: str, message: str, span: Span, hint: str) -> FormulaError:
        return FormulaError([Diagnostic(code, message, span, hint)], self._formula.source)


def _without_place(code: str, message: str, hint: str) -> FormulaError:
    return FormulaError([Diagnostic(code, message, None, hint)])
