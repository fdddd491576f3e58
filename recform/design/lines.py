"""Linear expressions in n and k, up to what repeats: the sides of the regions of a specification.

`2*k - n + 1` is a line; `floor(n/2)` is the line n/2 less something below 1 that repeats every 2.

>>> from recform.design.notation import read
>>> found = quasi_linear(read("2*k - floor(n/2)"))
>>> found.line.direction, found.modulus
((4, 1), 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from recform.design.notation import Node


class OutsideError(Exception):
    """The expression is outside the grammar that is summed exactly; says what is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """a*n + b*k + c."""

    a: Fraction
    b: Fraction
    c: Fraction

    def __init__(self, a: Fraction | int, b: Fraction | int, c: Fraction | int) -> None:
        for name, number in (("a", a), ("b", b), ("c", c)):
            object.__setattr__(self, name, Fraction(number))

    @property
    def is_constant(self) -> bool:
        return self.a == self.b == 0

    @property
    def scale(self) -> int:
        """The common denominator."""
        return lcm(self.a.denominator, self.b.denominator, self.c.denominator)

    @property
    def direction(self) -> tuple[int, int] | None:
        """The way in which the line runs, to larger n; None for constants and columns n = c."""
        if self.b == 0:
            return None
        slope = -self.a / self.b
        return slope.denominator, slope.numerator

    def plus(self, other: Line, factor: Fraction | int = 1) -> Line:
        return Line(self.a + factor * other.a, self.b + factor * other.b, self.c + factor * other.c)

    def minus(self, other: Line) -> Line:
        return self.plus(other, -1)

    def crossing(self, other: Line) -> tuple[Fraction, Fraction] | None:
        """(n, k) where both are zero."""
        determinant = self.a * other.b - self.b * other.a
        if determinant == 0:
            return None
        return (
            (self.b * other.c - other.b * self.c) / determinant,
            (other.a * self.c - self.a * other.c) / determinant,
        )


@dataclass(frozen=True)
class Quasi:
    """A line, up to something at most `slack` that repeats when n and k grow by `modulus`."""

    line: Line
    slack: Fraction = Fraction(0)
    modulus: int = 1


def quasi_linear(node: Node) -> Quasi:
    """Raises OutsideError if the expression is not linear up to what repeats."""
    found = quasi(node)
    if found is None:
        raise OutsideError("a condition is not linear in n and k")
    return found


def quasi(node: Node) -> Quasi | None:
    """The expression as a line and a bounded rest; None if it is not one."""
    match node.operator, node.parts:
        case "number", (value,):
            return Quasi(Line(0, 0, value))
        case "name", ("n",):
            return Quasi(Line(1, 0, 0))
        case "name", ("k",):
            return Quasi(Line(0, 1, 0))
        case "+" | "-", (left, right):
            return _sum(quasi(left), quasi(right), 1 if node.operator == "+" else -1)
        case "*" | "/", (left, right):
            return _multiple(node.operator, quasi(left), quasi(right))
        case "floor", (argument,):
            inner = quasi(argument)
            if inner is None:
                return None
            modulus = lcm(inner.modulus, inner.line.a.denominator, inner.line.b.denominator)
            return Quasi(inner.line, inner.slack + 1, modulus)
        case "%", (left, right):
            return _remainder(quasi(left), quasi(right))
    return None


def _sum(left: Quasi | None, right: Quasi | None, sign: int) -> Quasi | None:
    if left is None or right is None:
        return None
    return Quasi(left.line.plus(right.line, sign), left.slack + right.slack,
                 lcm(left.modulus, right.modulus))  # fmt: skip


def _multiple(operator: str, left: Quasi | None, right: Quasi | None) -> Quasi | None:
    if left is None or right is None:
        return None
    if not right.line.is_constant or right.modulus > 1:
        if operator == "/":
            return None
        left, right = right, left
    factor = right.line.c
    if not right.line.is_constant or right.modulus > 1 or (operator == "/" and factor == 0):
        return None
    factor = 1 / factor if operator == "/" else factor
    zero = Line(0, 0, 0)
    return Quasi(zero.plus(left.line, factor), abs(factor) * left.slack, left.modulus)


def _remainder(left: Quasi | None, right: Quasi | None) -> Quasi | None:
    if left is None or right is None or not right.line.is_constant or right.modulus > 1:
        return None
    size = right.line.c
    if size == 0:
        return None
    # a step of n by `repeats` moves the argument by a multiple of the size
    repeats = left.modulus
    for slope in (left.line.a, left.line.b):
        ratio = slope / size
        repeats = lcm(repeats, ratio.denominator)
    return Quasi(Line(0, 0, 0), abs(size), repeats // gcd(repeats, 1))
