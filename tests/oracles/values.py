"""A formula's equations evaluated literally, depth by depth: the first half of an oracle.

Each value is made of others by one operation, as the equations say; nothing is simplified but
constants written around one value. It reads a formula as data (`recform.formula.ast`) and shares
no code with what it checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, pairwise
from operator import eq, ge, gt, le, lt, ne

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Equation,
    Expression,
    Item,
    Learned,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Read,
    Reduce,
    Sum,
    children,
)
from recform.formula.ast import (
    walk as inside,
)
from recform.formula.formula import Formula

_COMPARISONS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


@dataclass(frozen=True, eq=False)
class Value:
    """A value of the network, and the operation that makes it; compared by identity.

    An operation is ("input",), ("zero",), ("call", block, index, value), ("map", name, index,
    value), ("scale", constant, value) or ("add", value, value); and of what is not linear ("one",),
    ("param", name, place, start), ("multiply", value, value), ("stop", value), or ("combine",
    function, index, value, value, ...).
    """

    operation: tuple


@dataclass(frozen=True)
class Scope:
    """What the names mean, and the largest index that a block may have here."""

    names: Mapping[str, Fraction]
    last_block: int

    def with_name(self, name: str, number: int) -> Scope:
        return Scope({**self.names, name: Fraction(number)}, self.last_block)


@dataclass
class Network:
    """A formula at one depth, its values made when they are asked for. None is absent."""

    formula: Formula
    depth: int
    values: dict[Hashable, Value] = field(default_factory=dict)
    states: dict[tuple[str, int], Value | None] = field(default_factory=dict)
    arguments: dict[Value, list[Value]] = field(default_factory=dict)

    def make(self, *operation: Hashable) -> Value:
        """Equal operations on equal operands are one value."""
        return self.values.setdefault(operation, Value(operation))

    def output(self) -> Value | None:
        scope = Scope({"L": Fraction(self.depth)}, self.depth - 1)
        if self.formula.output is None:
            return self.state(self.formula.main, self.depth)
        return self.value(self.formula.output, scope)

    def state(self, name: str, depth: int) -> Value | None:
        if (name, depth) not in self.states:
            self.states[name, depth] = self.new_state(name, depth)
        return self.states[name, depth]

    def new_state(self, name: str, depth: int) -> Value | None:
        equation = next(e for e in self.formula.equations if e.state == name)
        if self.has_init(name, depth, None):
            return self.init(name, depth, None)
        if depth < 0 or (depth == 0 and equation.step):
            return self.make("input") if depth == 0 and name in self.formula.starts else None
        return self.right_side(equation, depth - 1 if equation.step else depth)

    def right_side(self, equation: Equation, layer: int) -> Value | None:
        # in one stage, which begins at depth 0
        names = {"l": Fraction(layer), "L": Fraction(self.depth), "s": Fraction(0)}
        return self.value(equation.right, Scope(names, layer))

    def has_init(self, state: str, depth: int, block: str | None) -> bool:
        return any((i.state, i.depth, i.block) == (state, depth, block) for i in self.formula.inits)

    def init(self, state: str, depth: int, block: str | None) -> Value | None:
        found = next(
            i for i in self.formula.inits if (i.state, i.depth, i.block) == (state, depth, block)
        )
        scope = Scope({"L": Fraction(self.depth)}, min(0, self.depth - 1))
        return None if found.value is None else self.value(found.value, scope)

    # --- expressions: what each is worth in its scope ---

    def value(self, expression: Expression, scope: Scope) -> Value | None:
        """The expression where a value is wanted: there 0 is the zero value."""
        found = self.evaluate(expression, scope)
        if isinstance(found, Fraction):
            assert found == 0, f"{found} is no value of the network"
            return self.make("zero")
        return found

    def number(self, expression: Expression, scope: Scope) -> Fraction:
        found = self.evaluate(expression, scope)
        assert isinstance(found, Fraction), f"{found} is no number"
        return found

    def whole(self, expression: Expression, scope: Scope) -> int:
        number = self.number(expression, scope)
        assert number.denominator == 1, f"{number} is no depth"
        return int(number)

    def evaluate(self, expression: Expression, scope: Scope) -> Value | Fraction | None:
        match expression:
            case Number(value=value):
                return value
            case Name(name=name):
                return scope.names[name]
            case Read(state=state, index=index):
                return self.state(state, self.whole(index, scope))
            case Apply():
                return self.applied(expression, scope)
            case Learned():
                return self.learned(expression, scope)
            case Map():
                return self.mapped(expression, scope)
            case Reduce(function=function) if function not in ("sum", "mean"):
                return self.combined(expression, scope)
            case Reduce():
                return self.reduced(expression, scope)
            case Sum(terms=terms):
                return self.added([self.multiple(Fraction(s), e, scope) for s, e in terms])
            case Binary(operator="*", left=left, right=right) if mentions_values(
                left
            ) and mentions_values(right):
                return self.product(left, right, scope)
            case Negate() | Binary(operator="*" | "/"):
                return self.multiple(Fraction(1), expression, scope)
            case Binary(operator="%", left=left, right=right):
                return self.number(left, scope) % self.number(right, scope)
            case Binary(operator="^", left=left, right=right):
                return self.number(left, scope) ** self.number(right, scope)
            case Case(value=value, condition=condition, otherwise=otherwise):
                return self.evaluate(value if holds(self, condition, scope) else otherwise, scope)
        raise AssertionError(f"{expression} is no value and no number")

    def multiple(
        self, constant: Fraction, expression: Expression, scope: Scope
    ) -> Value | Fraction | None:
        """`constant` times the expression; constants written around one value are multiplied."""
        match expression:
            case Negate(operand=operand):
                return self.multiple(-constant, operand, scope)
            case Binary(operator="*", left=left, right=right) if mentions_values(
                left
            ) and mentions_values(right):
                pass
            case Binary(operator="*", left=left, right=right) if mentions_values(right):
                return self.multiple(constant * self.number(left, scope), right, scope)
            case Binary(operator="*", left=left, right=right):
                return self.multiple(constant * self.number(right, scope), left, scope)
            case Binary(operator="/", left=left, right=right):
                return self.multiple(constant / self.number(right, scope), left, scope)
        return self.scaled(constant, self.evaluate(expression, scope))

    def learned(self, learned: Learned, scope: Scope) -> Value | None:
        """A coefficient; at a depth before the start it is absent."""
        place = tuple(self.whole(index, scope) for index in learned.indices)
        param = next(p for p in self.formula.params if p.name == learned.name)
        if any(depth < 0 for depth in place):
            return None
        names = {"L": Fraction(self.depth)}
        names |= {name: Fraction(depth) for name, depth in zip(param.depths, place, strict=True)}
        start = self.number(param.start, Scope(names, 0))
        return self.make("param", learned.name, place, start)

    def product(self, left: Expression, right: Expression, scope: Scope) -> Value | None:
        """Absent if a factor is; zero if one is."""
        factors = [self.valued(left, scope), self.valued(right, scope)]
        if None in factors:
            return None
        zeros = [factor for factor in factors if factor is not None and self.is_zero(factor)]
        return zeros[0] if zeros else self.make("multiply", *factors)

    def valued(self, expression: Expression, scope: Scope) -> Value | None:
        """A factor, in which a number may stand beside values."""
        found = self.evaluate(expression, scope)
        if not isinstance(found, Fraction):
            return found
        return self.make("zero") if found == 0 else self.scaled(found, self.make("one"))  # type: ignore[return-value]

    def combined(self, expression: Reduce, scope: Scope) -> Value | None:
        """A function of the values that are there."""
        items = [
            self.value(item.value, inner)
            for item in expression.items
            for inner in self.scopes(item, scope)
        ]
        there = [item for item in items if item is not None]
        needs_first = expression.function.startswith("ga") or expression.function == "gru"
        if not there or (needs_first and items[0] is None):
            return None
        if expression.function == "gru" and len(there) < 2:
            return None
        if len(there) == 1 and not needs_first:
            return there[0]
        index = None
        if expression.function not in ("cat", "max"):
            depths = [depth for depth, _ in self.reads(expression, scope)]
            index = max(0, min(max(depths, default=scope.last_block), scope.last_block))
        return self.make("combine", expression.function, index, *there)

    def scaled(self, constant: Fraction, value: Value | Fraction | None) -> Value | Fraction | None:
        if value is None:
            return None
        if isinstance(value, Fraction):
            return constant * value
        if constant == 1 or self.is_zero(value):
            return value
        return self.make("scale", constant, value)

    def added(self, terms: list[Value | Fraction | None]) -> Value | Fraction | None:
        """From left to right; absent terms are dropped, and nothing at all is absent.

        A number beside a value is so many ones.
        """
        present = [term for term in terms if term is not None]
        if any(isinstance(term, Value) for term in present):
            present = [
                self.scaled(term, self.make("one")) if isinstance(term, Fraction) and term else term
                for term in present
            ]
        if not present:
            return None
        total = present[0]
        for term in present[1:]:
            total = self.plus(total, term)
        return total

    def plus(self, left: Value | Fraction, right: Value | Fraction) -> Value | Fraction:
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            return left + right
        if self.is_zero(left):
            return right
        if self.is_zero(right):
            return left
        return self.make("add", left, right)

    def is_zero(self, value: Value | Fraction) -> bool:
        return value == 0 if isinstance(value, Fraction) else value.operation == ("zero",)

    def reduced(self, expression: Reduce, scope: Scope) -> Value | Fraction | None:
        items = [
            self.evaluate(item.value, inner)
            for item in expression.items
            for inner in self.scopes(item, scope)
        ]
        present = [item for item in items if item is not None]
        if not present:
            return None if mentions_values(expression) else Fraction(0)
        total = self.added(present)
        if expression.function == "mean":
            return self.scaled(Fraction(1, len(present)), total)
        return total

    def scopes(self, item: Item, scope: Scope) -> Iterator[Scope]:
        """One scope for each value of the item's index."""
        if item.each is None:
            yield scope
            return
        each = item.each
        last = None if each.last is None else self.whole(each.last, scope)
        for index in count(self.whole(each.first, scope)):
            inner = scope.with_name(each.variable, index)
            if last is not None and index > last:
                return
            if each.condition is not None and not holds(self, each.condition, inner):
                continue
            if last is None and self.falls_before_the_start(item.value, inner):
                return
            yield inner

    def falls_before_the_start(self, expression: Expression, scope: Scope) -> bool:
        return any(depth < 0 and not given for depth, given in self.reads(expression, scope))

    def reads(self, expression: Expression, scope: Scope) -> list[tuple[int, bool]]:
        """The depth of every read, absent or not, and whether an `init` gives what is read."""
        match expression:
            case Read(state=state, index=index):
                depth = self.whole(index, scope)
                return [(depth, self.has_init(state, depth, None))]
            case Apply(block=block, index=None, argument=Read(state=state, index=index)):
                depth = self.whole(index, scope)
                given = self.has_init(state, depth, block) or self.has_init(state, depth, None)
                return [(depth, given)]
            case Case(value=value, condition=condition, otherwise=otherwise):
                return self.reads(value if holds(self, condition, scope) else otherwise, scope)
            case Reduce(items=items):
                return [
                    read
                    for item in items
                    for inner in self.scopes(item, scope)
                    for read in self.reads(item.value, inner)
                ]
        return [read for part in children(expression) for read in self.reads(part, scope)]

    # --- maps and blocks ---

    def mapped(self, expression: Map, scope: Scope) -> Value | None:
        """`act` and `norm` belong to a block; where no block is near, to the first."""
        argument = self.value(expression.argument, scope)
        if argument is None:
            return None
        if expression.function == "stopgrad":
            return self.make("stop", argument)
        index = None
        if expression.function in ("act", "norm", "linear", "se", "conv1x1", "drop"):
            depths = [depth for depth, _ in self.reads(expression.argument, scope)]
            index = max(0, min(max(depths, default=scope.last_block), scope.last_block))
        return self.make("map", expression.function, index, argument)

    def applied(self, apply: Apply, scope: Scope) -> Value | None:
        if apply.index is None and isinstance(apply.argument, Read):
            state, depth = apply.argument.state, self.whole(apply.argument.index, scope)
            if self.has_init(state, depth, apply.block):
                return self.init(state, depth, apply.block)
        argument = self.value(apply.argument, scope)
        if argument is None:
            return None
        index = self.block_index(apply, scope)
        assert index <= scope.last_block, f"{apply.block}[{index}] is ahead of its equation"
        return None if index < 0 else self.call(apply.block, index, argument)

    def block_index(self, apply: Apply, scope: Scope) -> int:
        if apply.index is not None:
            return self.whole(apply.index, scope)
        depths = [depth for depth, _ in self.reads(apply.argument, scope)]
        return min(max(depths), scope.last_block)

    def call(self, block: str, index: int, argument: Value) -> Value:
        """Calls of one block on the same terms, in any order, are one value."""
        key = ("call", block, index, bag(argument))
        call = self.values.setdefault(key, Value(("call", block, index, argument)))
        self.arguments.setdefault(call, [])
        if argument not in self.arguments[call]:
            self.arguments[call].append(argument)
        return call


def holds(network: Network, condition: Expression, scope: Scope) -> bool:
    match condition:
        case Logic(operator="and", operands=operands):
            return all(holds(network, operand, scope) for operand in operands)
        case Logic(operator="or", operands=operands):
            return any(holds(network, operand, scope) for operand in operands)
        case Not(operand=operand):
            return not holds(network, operand, scope)
        case Compare(operators=operators, operands=operands):
            numbers = [network.number(operand, scope) for operand in operands]
            return all(
                _COMPARISONS[operator](left, right)
                for operator, (left, right) in zip(operators, pairwise(numbers), strict=True)
            )
    raise AssertionError(f"{condition} is no condition")


def mentions_values(expression: Expression) -> bool:
    return any(isinstance(part, Read | Apply | Map | Learned) for part in inside(expression))


def bag(value: Value) -> Hashable:
    """The terms of a sum without their order, at every level down to the calls inside.

    Constants that follow each other are one: 2*(1/2*x[l]) is x[l].
    """
    match value.operation:
        case ("add", _, _):
            return frozenset(Counter(bag(term) for term in _terms(value)).items())
        case ("map", name, index, operand):
            return ("map", name, index, bag(operand))
        case ("combine", function, index, *operands):
            return ("combine", function, index, *(bag(operand) for operand in operands))
        case ("multiply", _, _):
            constant, factors = _factors(value)
            product = ("multiply", frozenset(Counter(map(bag, factors)).items()))
            return product if constant == 1 else ("scale", constant, product)
        case ("scale", constant, operand):
            while operand.operation[0] == "scale":
                constant, operand = constant * operand.operation[1], operand.operation[2]
            inner = bag(operand)
            if isinstance(inner, tuple) and inner[0] == "scale":
                constant, inner = constant * inner[1], inner[2]
            return inner if constant == 1 else ("scale", constant, inner)
    return value


def _terms(value: Value) -> list[Value]:
    match value.operation:
        case ("add", left, right):
            return _terms(left) + _terms(right)
    return [value]


def _factors(value: Value) -> tuple[Fraction, list[Value]]:
    """A product's constants, multiplied, and its other factors, products taken apart."""
    match value.operation:
        case ("scale", constant, operand):
            outer, factors = _factors(operand)
            return constant * outer, factors
        case ("multiply", left, right):
            (first, ours), (second, theirs) = _factors(left), _factors(right)
            return first * second, ours + theirs
    return Fraction(1), [value]
