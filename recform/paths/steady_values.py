"""What the expressions of a formula are for all large n at once, as forms over unknowns.

Depths and coefficients are affine in n (`affine`). Calls are put where their latest part stands, so
that F(x[l]) and F(x[l-1]) are one unknown, read with other delays; sums over ranges that grow are
unknowns that grow by a term at each depth (`growing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
    Expression,
    Item,
    Learned,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
)
from recform.formula.kinds import kind
from recform.formula.library import STOP
from recform.paths.affine import (
    Affine,
    Names,
    NotSteadyError,
    Steady,
    constant,
    larger,
    moved,
    offset_of,
    smaller,
)
from recform.paths.growing import Growing, by_distance, by_index
from recform.paths.recurrence import Form, Unknown, Weight
from recform.paths.substitute import number_of, substitute
from recform.paths.unknowns import Unknowns

MAX_RANGE = 64

ONE = Weight(Fraction(1), Fraction(1))
_LAYER = Name("l")


@dataclass(frozen=True)
class Value:
    """An expression for all large n: its form, and the largest depth that it reads."""

    form: Form
    deepest: Affine | None = None


@dataclass
class Walk:
    """Values at all large n of one residue. `cap` is the largest block index at n, if known."""

    found: Unknowns
    steady: Steady
    cap: Affine | None
    last_start: int
    # How far block indices reach beyond n, in the terms of a running sum.
    reach: list[int] = field(default_factory=list)

    def value(self, expression: Expression, names: Names) -> Value:
        """An expression for all large n of the residue; NotSteadyError where it never settles."""
        if kind(expression) == "number":
            return Value({})
        match expression:
            case Read():
                return self._read(expression, names)
            case Apply():
                return self._apply(expression, names)
            case Learned():
                return self._learned(expression, names)
            case Map(function=function, argument=argument) if function == STOP:
                return replace(self.value(argument, names), form={})
            case Map(argument=argument):
                return self.value(argument, names)
            case Sum(terms=terms):
                return _add([_scale(Fraction(sign), self.value(e, names)) for sign, e in terms])
            case Negate(operand=operand):
                return _scale(Fraction(-1), self.value(operand, names))
            case Binary(operator="@"):
                raise NotSteadyError("streams are mixed by matrices")
            case Binary(left=left, right=right) if not {kind(left), kind(right)} & {"number"}:
                # Each factor in turn, beside the other one, which is frozen at 1.
                return _add([self.value(left, names), self.value(right, names)])
            case Binary():
                return self._multiple(expression, names)
            case Case(value=value, condition=test, otherwise=otherwise):
                holds = self.steady.condition(test, names)
                return self.value(value if holds else otherwise, names)
            case Reduce(function="mean", items=items):
                return self._mean(items, names)
            case Reduce(items=items):
                return _add([term for item in items for term in self._terms(item, names)])
        raise AssertionError(f"check lets no {type(expression).__name__} pass as a value")

    def _read(self, read: Read, names: Names) -> Value:
        depth = self.steady.number(read.index, names)
        if depth.is_constant:
            return self._held(read, int(depth.offset), depth)
        offset = offset_of(depth)
        delay = -offset - self.found.ahead.get(read.state, 0)
        if delay < 0:
            raise NotSteadyError("a value is read before it exists")
        # From here on neither absent values are read nor start values of blocks.
        self._from(self.last_start - offset + 1)
        return Value({(self.found.places[read.state], delay): ONE}, depth)

    def _learned(self, learned: Learned, names: Names) -> Value:
        """A coefficient does not depend on the input; at depths before the start it is absent."""
        for index in learned.indices:
            depth = self.steady.number(index, names)
            self._from(0 if depth.is_constant else 1 - offset_of(depth))
        return Value({})

    def _held(self, expression: Expression, depth: int, deepest: Affine | None) -> Value:
        """A value at a fixed depth, the same for all n behind it."""
        self._from(max(depth, 0) + 2)
        fixed = substitute(expression, {})
        held = Case(
            fixed,
            Compare((">=",), (_LAYER, number_of(depth))),
            Read(self.found.formula.main, _BEFORE),
        )
        unknown = self.found.unknown(("held", fixed), Unknown("held"))
        for residue in range(self.found.period):
            self.found.define(unknown, residue, held, {(unknown, 1): ONE})
        return Value({(unknown, 0): ONE}, deepest)

    def _apply(self, apply: Apply, names: Names) -> Value:
        argument = self.value(apply.argument, names)
        index = self._index(apply, argument, names)
        links = [unknown for unknown, _ in argument.form]
        if index.is_constant and all(self._is_held(unknown) for unknown in links):
            fixed = substitute(apply, names)
            return self._held(fixed, int(index.offset), argument.deepest)
        offsets = [-delay for unknown, delay in argument.form if not self._is_held(unknown)]
        offsets += [] if index.is_constant else [offset_of(index)]
        place = max(offsets)
        if place > 0:
            raise NotSteadyError("a block is read before it exists")
        form = {(unknown, delay if self._is_held(unknown) else delay + place): weight
                for (unknown, delay), weight in argument.form.items()}  # fmt: skip
        moved = index if index.is_constant else index - place
        written = replace(substitute(apply, _shifted(names, place)), index=number_of(moved))
        key = ("call", apply.block, moved, frozenset(form.items()))
        unknown = self.found.unknown(key, Unknown("call", apply.block))
        residue = (self.steady.residue + place) % self.found.period
        self.found.define(unknown, residue, written, form)
        return Value({(unknown, -place): ONE}, argument.deepest)

    def _index(self, apply: Apply, argument: Value, names: Names) -> Affine:
        """The block's index: written, or the largest depth read, as far as the equation has it."""
        if apply.index is not None:
            index = self.steady.number(apply.index, names)
        else:
            if argument.deepest is None:
                raise NotSteadyError("a block reads no state")
            index = argument.deepest
            if self.cap is not None:
                index = smaller(index, self.cap)
        if not index.is_constant:
            self.reach.append(offset_of(index))
            self._from(-offset_of(index))
        return index

    def _is_held(self, unknown: int) -> bool:
        return self.found.unknowns[unknown].kind == "held"

    def _multiple(self, product: Binary, names: Names) -> Value:
        left, right = product.left, product.right
        factor, value = (left, right) if kind(left) == "number" else (right, left)
        coefficient = self.steady.number(factor, names)
        if not coefficient.is_constant:
            raise NotSteadyError("a coefficient changes with the depth")
        if product.operator == "/":
            if coefficient.offset == 0:
                raise NotSteadyError("a coefficient divides by zero")
            coefficient = constant(1 / coefficient.offset)
        return _scale(coefficient.offset, self.value(value, names))

    def _mean(self, items: Iterable[Item], names: Names) -> Value:
        terms = []
        for item in items:
            if item.each is not None and self._grows(item.each, names):
                raise NotSteadyError("a mean over a range that grows with the depth")
            terms += self._terms(item, names)
        if not terms or not all(term.form for term in terms):
            raise NotSteadyError("a mean of nothing")
        self.found.averaged.update(unknown for term in terms for unknown, _ in term.form)
        return _scale(Fraction(1, len(terms)), _add(terms))

    def _terms(self, item: Item, names: Names) -> Iterator[Value]:
        if item.each is None:
            yield self.value(item.value, names)
            return
        if self._grows(item.each, names):
            yield self._running_sum(item, item.each, names)
            return
        assert item.each.last is not None, "an open range grows"
        first = self.steady.number(item.each.first, names)
        last = self.steady.number(item.each.last, names)
        length = last - first
        if not length.is_constant:
            # From a depth that grows to one that does not: soon nothing is between them.
            self._from(int(max(last.offset - first.offset, 0)) + 1)
            return
        if length.offset >= MAX_RANGE:
            raise NotSteadyError(f"a range has more than {MAX_RANGE} terms")
        for step in range(int(length.offset) + 1):
            inner = {**names, item.each.variable: first + step}
            if item.each.condition is None or self.steady.condition(item.each.condition, inner):
                yield self.value(item.value, inner)

    def _grows(self, each: Each, names: Names) -> bool:
        """Whether a range has more and more terms: from a fixed depth to one that grows."""
        first = self.steady.number(each.first, names)
        if each.last is None:
            if not first.is_constant:
                raise NotSteadyError("an open range starts at a depth that changes")
            return True
        last = self.steady.number(each.last, names)
        if {abs(first.slope), abs(last.slope), Fraction(1)} - {Fraction(0), Fraction(1)}:
            raise NotSteadyError("the ends of a range grow slower or faster than the depth")
        if first.slope < 0 or last.slope < 0 or first.free_slope or last.free_slope:
            raise NotSteadyError("the ends of a range do not grow with the depth")
        return first.is_constant and not last.is_constant

    def _running_sum(self, item: Item, each: Each, names: Names) -> Value:
        """A sum over the terms that are new at each depth, and the sum so far."""
        variants = (by_index, by_distance)
        reasons = []
        for variant in variants:
            for free_residue in (None, self.steady.residue):
                try:
                    terms = variant(item, each, names, self.steady, free_residue)
                    return self._accumulate(terms)
                except NotSteadyError as error:
                    reasons.append(error.reason)
        raise NotSteadyError(reasons[0])

    def _accumulate(self, terms: Growing) -> Value:
        """The running sum, an unknown that grows by one term at each depth."""
        period = self.found.period
        added: dict[int, Value] = {}
        reach: list[int] = []
        deepest: Affine | None = None
        # From the newest term back, one of each residue.
        for place in range(terms.newest, terms.newest - period, -1):
            residue = (self.steady.residue + place) % period
            value = self._grown(terms, residue, reach)
            if value is not None:
                added[residue] = value
                deepest = deepest or moved(value.deepest, place)
        self._check_reach([terms.newest + offset for offset in reach])
        self._from(terms.first + 1 - terms.newest)
        expression = Reduce("sum", (terms.item,))
        unknown = self.found.unknown(("sum", expression), Unknown("sum"))
        before = Value({(unknown, 1): ONE})
        for residue in range(period):
            new = [added[residue]] if residue in added else []
            self.found.define(unknown, residue, expression, _add([before, *new]).form)
        return Value({(unknown, -terms.newest): ONE}, deepest)

    def _grown(self, terms: Growing, residue: int, reach: list[int]) -> Value | None:
        """The term of a running sum that is new at depths of a residue."""
        steady = Steady(self.found.period, residue, free_residue=terms.free_residue)
        walk = Walk(self.found, steady, None, self.last_start, reach)
        value = None
        if terms.condition is None or steady.condition(terms.condition, terms.names):
            value = walk.value(terms.value, terms.names)
        self._from(steady.settled - min(terms.newest, 0))
        return value

    def _check_reach(self, reach: list[int]) -> None:
        self.reach.extend(reach)
        if self.cap is not None and reach and max(reach) > offset_of(self.cap):
            raise NotSteadyError("the newest term of a sum applies another block than the older")

    def _from(self, depth: int) -> None:
        self.steady.settled = max(self.steady.settled, depth)


_BEFORE = Number(Fraction(-1))


def _shifted(names: Names, place: int) -> Names:
    """The names where n is `place` earlier."""
    return {name: at if at.is_constant else at + int(-place * at.slope)
            for name, at in names.items()}  # fmt: skip


def _scale(factor: Fraction, value: Value) -> Value:
    form = {link: weight.times(factor) for link, weight in value.form.items()}
    return replace(value, form=form)


def _add(values: Iterable[Value]) -> Value:
    total: dict[tuple[int, int], Weight] = {}
    deepest: Affine | None = None
    for value in values:
        for link, weight in value.form.items():
            total[link] = total[link] + weight if link in total else weight
        deepest = larger(deepest, value.deepest)
    return Value(total, deepest)
