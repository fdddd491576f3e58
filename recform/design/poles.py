"""The denominator of a specification's generating function, known before any row is counted.

Summed over the integer points of a polygonal region, a polynomial times exponentials is a fraction
whose denominator is a product over the directions of the region's sides (Barvinok, Brion): with
`1 if 2*k >= n else 0` the sides k = n and n = 2k give (1 - tz) and (1 - tz^2). `k % m` does the
same on the points of each residue. A binomial(a, b) is a lattice section of 1/(1 - X - XY); its
denominator is the product over the characters of the lattice. So numerator = denominator * rows is
a polynomial of known degree, and the first rows give G exactly.

>>> from recform.design.notation import read
>>> from recform.design.series import PathSeries
>>> PathSeries.of(*exact_fraction(read("binomial(n + k, 2*k)"))).to_text()
'(1 - z)/(1 - 2*z - t*z + z**2)'
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb, gcd, lcm
from typing import Any

from flint import fmpq_poly

from recform.design.counting import value
from recform.design.lines import Line, OutsideError, Quasi, quasi, quasi_linear
from recform.design.notation import Node
from recform.design.series import from_rows, polynomial_of, rational
from recform.paths.generating import RING

# The largest degree in z of a denominator before cancelling.
MAX_BOUND = 160
MAX_CHARACTERS = 24

# 0 <= k <= n
DOMAIN = (Quasi(Line(0, 1, 0)), Quasi(Line(1, -1, 0)))


# Where (n, k) goes when a binomial's arguments take one step, or the other.
Steps = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]


@dataclass(frozen=True)
class Shape:
    """How a term grows: a polynomial of a degree, times bases[0]^n bases[1]^k, times functions."""

    degree: int = 0
    bases: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    binomials: tuple[tuple[Line, Line], ...] = ()
    fibonaccis: tuple[Line, ...] = ()

    def times(self, other: Shape) -> Shape:
        return Shape(
            self.degree + other.degree,
            (self.bases[0] * other.bases[0], self.bases[1] * other.bases[1]),
            self.binomials + other.binomials,
            self.fibonaccis + other.fibonaccis,
        )


def exact_fraction(node: Node) -> tuple[Any, Any]:
    """Numerator and denominator of the sum of counts(n, k) z^n t^k over 0 <= k <= n.

    Raises OutsideError where the expression is not one whose poles are known.
    """
    survey = Survey()
    shapes = set(survey.shapes(node))
    denominator = RING.constant(1)
    for shape in shapes:
        factor = survey.denominator(shape)
        denominator = denominator * factor / denominator.gcd(factor)
    degree = denominator.degrees()[0]
    bound = degree + survey.corner() + 2
    if bound > MAX_BOUND:
        raise OutsideError("the conditions reach too far, or repeat only after many depths")
    rows = rows_of(node, 2 * bound)
    product = from_rows(rows) * denominator
    kept = {powers: c for powers, c in product.to_dict().items() if powers[0] < 2 * bound}
    numerator = RING.from_dict(kept)
    if not numerator.is_zero() and numerator.degrees()[0] > bound:
        raise OutsideError("the poles are not only those of the directions")
    return numerator, denominator


def rows_of(node: Node, number: int) -> list[Any]:
    """The wanted rows, each a polynomial in t."""
    return [
        fmpq_poly([rational(value(node, {"n": n, "k": k})) for k in range(n + 1)])
        for n in range(number)
    ]


@dataclass
class Survey:
    """What stands in an expression: sides of regions, residues, and how its terms grow."""

    sides: list[Quasi] = field(default_factory=lambda: [*DOMAIN])
    modulus: int = 1

    # --- reading ---

    def shapes(self, node: Node) -> list[Shape]:
        """How the terms of an expression grow. Raises OutsideError for others."""
        match node.operator, node.parts:
            case "number", _:
                return [Shape()]
            case "name", (("n" | "k"),):
                return [Shape(degree=1)]
            case "+" | "-", (left, right):
                return self._distinct([*self.shapes(left), *self.shapes(right)])
            case "*", (left, right):
                return self._products(self.shapes(left), self.shapes(right))
            case "/", (left, Node("number", _)):
                return self.shapes(left)
            case "^", (base, exponent):
                return self._power(base, exponent)
            case (("%" | "floor"), _):
                found = quasi_linear(node)
                self.modulus = lcm(self.modulus, found.modulus)
                return [Shape(degree=0 if found.line.is_constant else 1)]
            case "binomial", (above, below):
                return [self._binomial(self._line(above), self._line(below))]
            case "fibonacci", (argument,):
                return [Shape(fibonaccis=(self._line(argument),))]
            case "if", (then, condition, otherwise):
                self._condition(condition)
                return self._distinct([*self.shapes(then), *self.shapes(otherwise)])
        raise OutsideError(f"`{node.operator}` is not part of what can be summed exactly")

    def _distinct(self, shapes: list[Shape]) -> list[Shape]:
        found = list(dict.fromkeys(shapes))
        if len(found) > 50:
            raise OutsideError("the expression has too many terms")
        return found

    def _products(self, left: list[Shape], right: list[Shape]) -> list[Shape]:
        return self._distinct([a.times(b) for a in left for b in right])

    def _power(self, base: Node, exponent: Node) -> list[Shape]:
        power = quasi(exponent)
        if power is None:
            raise OutsideError("an exponent is not linear in n and k")
        if power.line.is_constant and power.modulus == 1:
            if power.line.c.denominator != 1 or not 0 <= power.line.c <= 30:
                raise OutsideError("a power is not a small whole number")
            found = [Shape()]
            for _ in range(int(power.line.c)):
                found = self._products(found, self.shapes(base))
            return found
        number = quasi(base)
        if number is None or not number.line.is_constant or number.modulus > 1:
            raise OutsideError("base and exponent both change")
        line = power.line
        if number.line.c == 0 or line.a.denominator != 1 or line.b.denominator != 1:
            raise OutsideError("a power of zero, or a broken power")
        self.modulus = lcm(self.modulus, power.modulus)
        return [Shape(bases=(number.line.c ** int(line.a), number.line.c ** int(line.b)))]

    def _line(self, node: Node) -> Line:
        found = quasi(node)
        if found is None or found.modulus > 1 or found.line.scale != 1:
            raise OutsideError("an argument is not linear in n and k with whole coefficients")
        return found.line

    def _binomial(self, above: Line, below: Line) -> Shape:
        self.sides += [Quasi(line) for line in (above, below, above.minus(below))]
        for line in (below, above.minus(below)):
            if line.is_constant:
                # a polynomial where it is not zero
                return Shape(degree=max(0, int(line.c)))
        if above.is_constant:
            self.sides[-3:] = [Quasi(below, slack=abs(above.c))]
            return Shape()
        return Shape(binomials=((above, below),))

    def _condition(self, node: Node) -> None:
        match node.operator:
            case "and" | "or" | "not":
                for part in node.parts:
                    self._condition(part)
            case "compare":
                _, *operands = node.parts
                for left, right in pairwise(operands):
                    self._side(Node("-", (left, right), node.span))
            case _:
                raise OutsideError("this is no condition")

    def _side(self, difference: Node) -> None:
        found = quasi_linear(difference)
        self.modulus = lcm(self.modulus, found.modulus)
        self.sides.append(found)

    # --- what follows ---

    def corner(self) -> int:
        """A depth beyond every corner of the regions, moved by residues and equality."""
        largest = Fraction(0)
        lines = [
            replace(side.line, c=side.line.c + sign * (side.slack + 1))
            for side in self.sides
            for sign in (-1, 1)
        ]
        for one, other in combinations(lines, 2):
            crossing = one.crossing(other)
            if crossing is not None:
                largest = max(largest, abs(crossing[0]))
        return int(largest) + 2 * self.modulus

    def denominator(self, shape: Shape) -> Any:
        """What the terms of a shape have in the denominator, in whatever region they stand.

        Raises OutsideError where a binomial is cut in two, or two are multiplied.
        """
        if not shape.binomials:
            return self._of_directions(shape, self._directions(), shape.degree + 1)
        if len(shape.binomials) > 1 or shape.fibonaccis:
            raise OutsideError("a product of two binomials")
        above, below = next(iter(shape.binomials))
        steps = _steps(above, below)
        if steps is None:
            raise OutsideError("a binomial grows along one direction only")
        inside = [step for step in steps if step[0] > 0 and 0 <= step[1] <= step[0]]
        if len(inside) < 2:
            raise OutsideError("a binomial is cut off by 0 <= k <= n")
        self._check_not_cut(steps)
        power = shape.degree + 1
        found = _of_characters(above, below, shape.bases, self.modulus) ** power
        width = int(abs(above.c) + abs(below.c) + max((s.slack + abs(s.line.c) for s in self.sides),
                                                      default=0))  # fmt: skip
        edges = [_primitive(step) for step in steps]
        if len(self.sides) > 5 or above.c or below.c:
            factor = self._of_directions(shape, edges, power + width)
            found = found * factor / found.gcd(factor)
        return found

    def _directions(self) -> list[tuple[int, int]]:
        found = {side.line.direction for side in self.sides}
        return sorted(d for d in found if d is not None and d[0] > 0 and 0 <= d[1] <= d[0])

    def _check_not_cut(self, steps: Steps) -> None:
        """No side may run inside the cone on which a binomial is not zero."""
        slopes = sorted(step[1] / step[0] for step in steps)
        for u, v in self._directions():
            if slopes[0] < Fraction(v, u) < slopes[1]:
                raise OutsideError("a condition cuts a binomial in two")

    def _of_directions(self, shape: Shape, directions: list[tuple[int, int]], power: int) -> Any:
        """The product over the directions of 1 - (what a term is multiplied by on the way)."""
        found = RING.constant(1)
        for u, v in directions:
            n, k = u * self.modulus, v * self.modulus
            factor = shape.bases[0] ** n * shape.bases[1] ** k
            if sum(n for n, _ in directions) * self.modulus * power > MAX_BOUND:
                raise OutsideError("the conditions repeat only after many depths")
            found *= _of_step(factor, (n, k), shape.fibonaccis) ** power
        return found


def _of_step(factor: Fraction, step: tuple[int, int], fibonaccis: tuple[Line, ...]) -> Any:
    n, k = step
    if not fibonaccis:
        return polynomial_of({(0, 0): 1, (n, k): -factor})
    if len(fibonaccis) > 1:
        raise OutsideError("a product of Fibonacci numbers")
    # phi^e and its conjugate: 1 - L_e x + (-1)^e x^2, with Lucas numbers L.
    line = next(iter(fibonaccis))
    e = int(line.a * n + line.b * k)
    lucas, after = 2, 1
    for _ in range(abs(e)):
        lucas, after = after, lucas + after
    lucas *= (-1) ** e if e < 0 else 1
    terms = {(0, 0): Fraction(1)}
    for powers, c in (((n, k), -lucas * factor), ((2 * n, 2 * k), (-1) ** e * factor**2)):
        terms[powers] = terms.get(powers, Fraction(0)) + c
    return polynomial_of(terms)


def _steps(above: Line, below: Line) -> Steps | None:
    """Where (n, k) goes if binomial(a, b) takes a step to (a+1, b), or to (a+1, b+1)."""
    determinant = above.a * below.b - above.b * below.a
    if determinant == 0:
        return None
    return (
        (below.b / determinant, -below.a / determinant),
        ((below.b - above.b) / determinant, (above.a - below.a) / determinant),
    )


def _primitive(step: tuple[Fraction, Fraction]) -> tuple[int, int]:
    scale = lcm(step[0].denominator, step[1].denominator)
    n, k = int(step[0] * scale), int(step[1] * scale)
    common = gcd(n, k)
    return n // common, k // common


def _of_characters(above: Line, below: Line, bases: tuple[Fraction, Fraction], modulus: int) -> Any:
    """The product of 1 - X - XY over all ways to choose the roots in X and XY.

    exp(log): the logarithms add up to those powers of X and XY that are steps of the lattice.
    """
    steps = _steps(above, below)
    assert steps is not None, "checked before"
    order = int(abs(above.a * below.b - above.b * below.a)) * modulus**2
    if order > MAX_CHARACTERS:
        raise OutsideError("a binomial and a remainder repeat together only after many depths")
    log: dict[tuple[int, int], Fraction] = {}
    for size in range(1, order + 1):
        for q in range(size + 1):
            p = size - q
            place = _whole_place(steps, p, q, modulus)
            if place is not None:
                weight = bases[0] ** place[0] * bases[1] ** place[1]
                log[p, q] = -order * Fraction(comb(size, q), size) * weight
    found = {}
    for (p, q), c in _exponential(log, order).items():
        place = _whole_place(steps, p, q, modulus)
        assert place is not None or c == 0, "the product is one over the whole lattice"
        if place is not None:
            found[place] = found.get(place, Fraction(0)) + c
    return polynomial_of(found)


def _whole_place(steps: Steps, p: int, q: int, modulus: int) -> tuple[int, int] | None:
    n = p * steps[0][0] + q * steps[1][0]
    k = p * steps[0][1] + q * steps[1][1]
    if (n / modulus).denominator != 1 or (k / modulus).denominator != 1:
        return None
    return int(n), int(k)


def _exponential(
    log: dict[tuple[int, int], Fraction], order: int
) -> dict[tuple[int, int], Fraction]:
    """exp of a series in two variables without constant term, to a total degree."""
    found = {(0, 0): Fraction(1)}
    for size in range(1, order + 1):
        for q in range(size + 1):
            p = size - q
            # (exp f)' = f' exp f, along the total degree
            total = sum(
                ((i + j) * c * found[p - i, q - j] for (i, j), c in log.items()
                 if i <= p and j <= q),
                Fraction(0),
            )  # fmt: skip
            found[p, q] = total / size
    return found
