"""Every path walked one by one: an oracle for net, gross and distinct.

The equations are evaluated literally, depth by depth, and the output is multiplied out into words:
sequences of letters, output first, with their coefficients. A letter is one block call; two calls
are one letter if block, index and argument agree, whatever the order of the terms added. Slow
(exponential in depth) and obvious. It reads a formula as data (`recform.formula.ast`) and shares
no code with what it checks.

>>> from recform.formula import parse
>>> walk(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), depth=2, start=0).gross
[Fraction(1, 1), Fraction(3, 1), Fraction(1, 1)]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
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

    An operation is ("input",), ("zero",), ("call", block, index, value), ("map", name, index, value),
    ("scale", constant, value) or ("add", value, value).
    """

    operation: tuple


@dataclass(frozen=True)
class Walk:
    """What was found: coefficients by number of blocks, and every word that does not cancel.

    `letters` are the blocks that the output needs, with their indices, on a path or not.
    `unclear` says that one call was made of the same terms in two orders, of which only one
    follows from the start: then what follows depends on which was computed first.
    """

    depth: int
    has_output: bool
    letters: frozenset[tuple[str, int]]
    net: list[Fraction]
    gross: list[Fraction]
    distinct: list[Fraction]
    words: Mapping[tuple[Value, ...], Fraction]
    unclear: bool


class TooManyWordsError(Exception):
    """The expansion has grown beyond what this oracle multiplies out."""


def walk(formula: Formula, depth: int, start: int = 0, most: int = 20_000) -> Walk:
    """All paths of dx[L]/dx[start] at L = `depth`. Raises TooManyWordsError beyond `most` words."""
    network = Network(formula, depth)
    output = network.output()
    variable = network.make("input") if start == 0 else network.state(formula.main, start)
    signed = Expansion(network, variable, lambda constant: constant, most)
    unsigned = Expansion(network, variable, abs, most)
    words = signed.words(output)
    return Walk(
        depth=depth,
        has_output=output is not None,
        letters=frozenset(_calls_within(output)),
        net=_by_length(words),
        gross=_by_length(unsigned.words(output)),
        distinct=_by_length(dict.fromkeys(words, Fraction(1))),
        words=words,
        unclear=any(signed.is_unclear(call) for call in network.arguments),
    )


# --- the equations, evaluated ---------------------------------------------------------------------


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
        names = {"l": Fraction(layer), "L": Fraction(self.depth)}
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
            case Map():
                return self.mapped(expression, scope)
            case Reduce():
                return self.reduced(expression, scope)
            case Sum(terms=terms):
                return self.added([self.multiple(Fraction(s), e, scope) for s, e in terms])
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
            case Binary(operator="*", left=left, right=right) if mentions_values(right):
                return self.multiple(constant * self.number(left, scope), right, scope)
            case Binary(operator="*", left=left, right=right):
                return self.multiple(constant * self.number(right, scope), left, scope)
            case Binary(operator="/", left=left, right=right):
                return self.multiple(constant / self.number(right, scope), left, scope)
        return self.scaled(constant, self.evaluate(expression, scope))

    def scaled(self, constant: Fraction, value: Value | Fraction | None) -> Value | Fraction | None:
        if value is None:
            return None
        if isinstance(value, Fraction):
            return constant * value
        if constant == 1 or self.is_zero(value):
            return value
        return self.make("scale", constant, value)

    def added(self, terms: list[Value | Fraction | None]) -> Value | Fraction | None:
        """From left to right; absent terms are dropped, and nothing at all is absent."""
        present = [term for term in terms if term is not None]
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
        index = None
        if expression.function in ("act", "norm"):
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
    return any(isinstance(part, Read | Apply | Map) for part in inside(expression))


def bag(value: Value) -> Hashable:
    """The terms of a sum without their order, at every level down to the calls inside.

    Constants that follow each other are one: 2*(1/2*x[l]) is x[l].
    """
    match value.operation:
        case ("add", _, _):
            return frozenset(Counter(bag(term) for term in _terms(value)).items())
        case ("map", name, index, operand):
            return ("map", name, index, bag(operand))
        case ("scale", constant, operand):
            while operand.operation[0] == "scale":
                constant, operand = constant * operand.operation[1], operand.operation[2]
            return bag(operand) if constant == 1 else ("scale", constant, bag(operand))
    return value


def _terms(value: Value) -> list[Value]:
    match value.operation:
        case ("add", left, right):
            return _terms(left) + _terms(right)
    return [value]


# --- words ----------------------------------------------------------------------------------------


@dataclass
class Expansion:
    """Values multiplied out into words; what does not follow from `variable` is constant."""

    network: Network
    variable: Value | None
    constant: Callable[[Fraction], Fraction]
    most: int
    known: dict[Value, dict[tuple[Value, ...], Fraction]] = field(default_factory=dict)

    def words(self, value: Value | None) -> dict[tuple[Value, ...], Fraction]:
        if value is None:
            return {}
        if value not in self.known:
            words = self.expand(value)
            if len(words) > self.most:
                raise TooManyWordsError(len(words))
            self.known[value] = {word: c for word, c in words.items() if c != 0}
        return self.known[value]

    def expand(self, value: Value) -> dict[tuple[Value, ...], Fraction]:
        if value is self.variable:
            return {(): Fraction(1)}
        match value.operation:
            case ("input",) | ("zero",):
                return {}
            case ("add", left, right):
                total = dict(self.words(left))
                for word, coefficient in self.words(right).items():
                    total[word] = total.get(word, Fraction(0)) + coefficient
                return total
            case ("scale", constant, operand):
                factor = self.constant(constant)
                return {word: factor * c for word, c in self.words(operand).items()}
            case ("map", _, _, operand):
                return self.words(operand)
            case ("call", _, _, argument):
                return {(value, *word): c for word, c in self.words(argument).items()}
        raise AssertionError(value.operation)

    def is_unclear(self, call: Value) -> bool:
        arguments = self.network.arguments[call]
        return len(arguments) > 1 and any(
            self.words(argument) != self.words(arguments[0]) for argument in arguments
        )


def _calls_within(output: Value | None) -> Iterator[tuple[str, int]]:
    """Block and index of every call that the output is made of."""
    waiting, seen = [output], {None}
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        if value.operation[0] == "call":
            yield value.operation[1:3]
        waiting += [part for part in value.operation if isinstance(part, Value)]


def _by_length(words: Mapping[tuple[Value, ...], Fraction]) -> list[Fraction]:
    """The coefficients added up by number of blocks, without zeros at the end."""
    totals = [Fraction(0)] * (1 + max(map(len, words), default=0))
    for word, coefficient in words.items():
        totals[len(word)] += coefficient
    while len(totals) > 1 and totals[-1] == 0:
        totals.pop()
    return totals
