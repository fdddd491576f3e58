"""What an expression of a specification is worth for given n and k: exact, by going through it.

>>> from recform.design.notation import read
>>> value(read("binomial(n, k) if k % 2 == 0 else 0"), {"n": 4, "k": 2})
Fraction(6, 1)
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial, floor, isqrt

from recform.design.conditions import agrees, comparisons, truth, turned
from recform.design.notation import Node, refusal

# Larger powers, factorials and ranges than any table of counts needs.
MAX_POWER = 2_000
MAX_RANGE = 10_000

Names = Mapping[str, int]


def value(node: Node, names: Names) -> Fraction:
    """The number. `binomial(a, b)` is 0 unless 0 <= b <= a. Raises FormulaError."""
    parts = node.parts
    match node.operator:
        case "number":
            return parts[0]
        case "name":
            if parts[0] not in names:
                raise wrong(node, f"`{parts[0]}` has no meaning here",
                            f"known here: {', '.join(sorted(names))}")  # fmt: skip
            return Fraction(names[parts[0]])
        case "if":
            return value(parts[0] if holds(parts[1], names) else parts[2], names)
        case "sum" | "prod":
            return _reduced(node, names)
        case "sqrt":
            raise wrong(node, "a root stands alone on one side of a comparison",
                        "1 if k <= sqrt(n) else 0")  # fmt: skip
        case "floor" if parts[0].operator == "sqrt":
            return Fraction(isqrt(max(0, floor(value(parts[0].parts[0], names)))))
        case "letter":
            raise wrong(node, "a count has no F' in it", "give it to --derivative")
        case "compare" | "and" | "or" | "not":
            raise wrong(node, "a condition is no number", "write 1 if ... else 0")
    arguments = [value(part, names) for part in parts]
    return _applied(node, arguments)


def holds(node: Node, names: Names) -> bool:
    """Whether a condition is true. Raises FormulaError."""

    def compares(part: Node) -> bool:
        if part.operator != "compare":
            raise wrong(part, "this is no condition", "write k <= 3, or k % 2 == 0")
        return all(_compares(*pair, names) for pair in comparisons(part))

    return truth(node, compares)


def whole(node: Node, names: Names) -> int:
    """The number, where it is a whole one. Raises FormulaError."""
    found = value(node, names)
    if found.denominator != 1:
        raise wrong(node, "this is not a whole number", "floor(n/2) rounds down")
    return int(found)


def wrong(node: Node, message: str, hint: str) -> Exception:
    """The error at the place of a part."""
    return refusal(message, node.span, None, hint)


def _applied(node: Node, arguments: list[Fraction]) -> Fraction:
    match node.operator, arguments:
        case "+", [left, right]:
            return left + right
        case "-", [left, right]:
            return left - right
        case "*", [left, right]:
            return left * right
        case "/" | "%", [left, right]:
            if right == 0:
                raise wrong(node, "something is divided by zero", "1 if k == 0 else 1/k")
            return left / right if node.operator == "/" else left % right
        case "^", [base, exponent]:
            return _power(node, base, exponent)
        case "floor", [number]:
            return Fraction(floor(number))
    return Fraction(_function(node, [_whole(node, argument) for argument in arguments]))


def _function(node: Node, arguments: list[int]) -> int:
    if max(map(abs, arguments)) > MAX_POWER**2:
        raise wrong(node, f"`{node.operator}` of a number this large", "ask for smaller counts")
    match node.operator, arguments:
        case "binomial", [above, below]:
            return comb(above, below) if 0 <= below <= above else 0
        case "factorial", [number]:
            if not 0 <= number <= MAX_POWER:
                raise wrong(node, f"the factorial of {number}", "0 <= n is asked for")
            return factorial(number)
        case "fibonacci", [number]:
            return fibonacci(number)
    raise AssertionError(f"{node.operator} is no function")


@lru_cache(maxsize=4096)
def fibonacci(place: int) -> int:
    """0, 1, 1, 2, 3, 5, ...; F(-n) = (-1)^(n+1) F(n)."""
    if place < 0:
        return fibonacci(-place) * (-1) ** (place + 1)
    before, this = 1, 0
    for _ in range(min(place, MAX_POWER)):
        before, this = this, before + this
    return this


def _power(node: Node, base: Fraction, exponent: Fraction) -> Fraction:
    power = _whole(node, exponent)
    if base == 0 and power < 0:
        raise wrong(node, "something is divided by zero", "check the exponent")
    if abs(power) > MAX_POWER and base not in (-1, 0, 1):
        raise wrong(node, "this power is too large", "ask for smaller counts")
    return base**power


def _whole(node: Node, number: Fraction) -> int:
    if number.denominator != 1:
        raise wrong(node, f"`{node.operator}` takes whole numbers", "floor(n/2) rounds down")
    return int(number)


def _reduced(node: Node, names: Names) -> Fraction:
    total = Fraction(0 if node.operator == "sum" else 1)
    for part in node.parts:
        for body, inner in instances(part, names):
            term = value(body, inner)
            total = total + term if node.operator == "sum" else total * term
    return total


def instances(item: Node, names: Names) -> list[tuple[Node, dict[str, int]]]:
    """The terms of an item of a sum or product, each with what its names mean.

    Raises FormulaError.
    """
    if item.operator != "each":
        return [(item, dict(names))]
    body, variable, first, last, condition = item.parts
    start, end = whole(first, names), whole(last, names)
    if end - start > MAX_RANGE:
        raise wrong(item, f"a range has more than {MAX_RANGE:,} terms", "choose closer ends")
    inner = [{**names, variable: index} for index in range(start, end + 1)]
    return [(body, known) for known in inner if condition is None or holds(condition, known)]


def _compares(sign: str, left: Node, right: Node, names: Names) -> bool:
    if left.operator == "sqrt" and right.operator == "sqrt":
        left, right = left.parts[0], right.parts[0]
    if left.operator == "sqrt":
        return _compares(turned(sign), right, left, names)
    difference = value(left, names)
    if right.operator == "sqrt":
        radicand = value(right.parts[0], names)
        if radicand < 0:
            raise wrong(right, "the root of a negative number", "check the condition")
        difference = _to_root(difference, radicand)
    else:
        difference -= value(right, names)
    return agrees(difference, sign)


def _to_root(number: Fraction, radicand: Fraction) -> Fraction:
    """A number with the sign of number - sqrt(radicand)."""
    if number < 0:
        return Fraction(-1)
    return number * number - radicand
