"""The characteristic polynomial of what the output sees of a recurrence.

With output[n] = u v[n] and v[n+1] = M(g) v[n], the sequence u, uM, uM^2, ... becomes linearly
dependent: the first dependence is the minimal polynomial of u under M. Its roots, with their
multiplicities, are what the derivatives of the output with respect to all kept values are made of;
what the output does not see has no part in it. Over Q(g) it is one polynomial chi(x, g), which
divides det(x - M(g)); so its coefficients are polynomials in g, found by interpolation. At a single
g the dependence may come earlier: there `drop` is zero.

>>> from recform.formula import parse
>>> from recform.paths.first_order import first_order
>>> from recform.paths.settle import settle
>>> form = first_order(settle(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])")))
>>> found = characteristic(form)
>>> found.coefficients[-2:], found.drop.degree()
([(-1)*x + (-1), 1], 0)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import count
from random import Random

from flint import fmpq, fmpq_mat, fmpq_poly

from recform.paths.first_order import FirstOrder, Row
from recform.paths.number_field import Element, Field

SEEDS = (0, 1)

_GAIN = fmpq_poly([0, 1])


@dataclass(frozen=True)
class Characteristic:
    """chi(x, g) by rising powers of x, polynomials in g, the last one 1; and where it drops.

    At a g with drop(g) != 0 the minimal polynomial is chi(x, g); elsewhere it may be a divisor.
    """

    coefficients: list[fmpq_poly]
    drop: fmpq_poly


@dataclass(frozen=True)
class _Sample:
    """At a rational g: the minimal polynomial, and minors of u, ..., uM^(r-1) in two bases."""

    polynomial: list[fmpq]
    minors: list[fmpq]


def characteristic(form: FirstOrder) -> Characteristic:
    """chi(x, g), and the g at which the minimal polynomial may be another one.

    The degrees in g are bounded by those of the entries, and the samples are more than the bounds:
    if they all have the same degree r in x, all minors of r + 1 rows vanish at more points than
    their degrees allow, and r is the degree over Q(g).
    """
    samples: dict[int, dict[int, _Sample]] = {}
    for at in _integers():
        sample = _sample(form, at)
        order = len(sample.polynomial) - 1
        samples.setdefault(order, {})[at] = sample
        order = max(samples)
        found = samples[order]
        enough = 1 + _degree_of_coefficients(form)
        if len(found) > max(enough, _degree_of_minors(form, order)):
            break
    points, values = list(found), list(found.values())
    coefficients = [
        interpolate(points[:enough], [sample.polynomial[power] for sample in values[:enough]])
        for power in range(order + 1)
    ]
    drop = fmpq_poly([])
    for minors in zip(*(sample.minors for sample in values), strict=True):
        drop = drop.gcd(interpolate(points, minors))
    assert drop != 0, "a minor of rows that are independent at most g vanishes at few"
    return Characteristic(coefficients, drop)


def minimal_polynomial(form: FirstOrder, field: Field) -> list[Element]:
    """The minimal polynomial of the output for g = a, the root of the field; monic."""
    orbit = _orbit(form.map(field.reduce), field)
    # a^i u M^j for all i below the degree of a: a dependence over Q(a) is one over Q of these.
    table = []
    for vector in orbit:
        scaled = vector
        for _ in range(field.degree):
            table.append([c for entry in scaled for c in field.coordinates(entry)])
            scaled = [field.reduce(entry * _GAIN) for entry in scaled]
    coefficients = _first_dependence(table)
    assert len(coefficients) % field.degree == 0, "the powers of a are a basis"
    found = [
        fmpq_poly(coefficients[place : place + field.degree])
        for place in range(0, len(coefficients), field.degree)
    ]
    return [*found, fmpq_poly([1])]


def interpolate(points: Sequence[int], values: Sequence[fmpq]) -> fmpq_poly:
    """The polynomial of least degree with these values, by Newton's divided differences.

    >>> interpolate([0, 1, 2], [fmpq(0), fmpq(1), fmpq(4)])
    x^2
    """
    differences = list(values)
    for order in range(1, len(points)):
        for place in range(len(points) - 1, order - 1, -1):
            rise = differences[place] - differences[place - 1]
            differences[place] = rise / (points[place] - points[place - order])
    total = fmpq_poly([])
    for point, difference in zip(reversed(points), reversed(differences), strict=True):
        total = total * fmpq_poly([-point, 1]) + difference
    return total


def _integers() -> Iterator[int]:
    """1, -1, 2, -2, ..."""
    for size in count(1):
        yield size
        yield -size


def _sample(form: FirstOrder, at: int) -> _Sample:
    field = Field.rational(Fraction(at))
    orbit = [[entry[0] for entry in row] for row in _orbit(form.map(field.reduce), field)]
    coefficients = _first_dependence(orbit)
    order = len(coefficients)
    if order == 0:
        return _Sample([fmpq(1)], [fmpq(1)])
    rows = fmpq_mat(orbit[:order])
    minors = [(rows * _mixture(rows.ncols(), order, seed)).det() for seed in SEEDS]
    return _Sample([*coefficients, fmpq(1)], minors)


@lru_cache
def _mixture(num_columns: int, num_mixed: int, seed: int) -> fmpq_mat:
    """A random matrix, which takes rows to as many combinations of their columns as wanted."""
    random = Random(seed)
    return fmpq_mat(
        [[random.randrange(-9, 10) for _ in range(num_mixed)] for _ in range(num_columns)]
    )


def _degree_of_coefficients(form: FirstOrder) -> int:
    """A bound for the degree in g of what divides det(x - M(g)): minors are sums over rows."""
    return sum(_degree(row) for step in form.steps for row in step)


def _degree_of_minors(form: FirstOrder, order: int) -> int:
    """A bound for the degree in g of the minors of u, uM, ..., uM^order."""
    per_period = sum(max(map(_degree, step), default=0) for step in form.steps)
    first = max(map(_degree, form.readings()), default=0)
    return (order + 1) * first + per_period * order * (order + 1) // 2


def _degree(row: Row) -> int:
    return max((entry.degree() for entry in row.values()), default=0)


def _orbit(form: FirstOrder, field: Field) -> list[list[Element]]:
    """u, uM, ..., uM^n, the outputs of one period side by side in each."""
    rows = form.readings()
    size = len(form.kept)
    orbit = []
    for _ in range(size + 1):
        rows = [{place: field.reduce(entry) for place, entry in row.items()} for row in rows]
        orbit.append([row.get(place, fmpq_poly([])) for row in rows for place in range(size)])
        rows = [form.period_back(row) for row in rows]
    return orbit


def _first_dependence(vectors: Sequence[Sequence[fmpq]]) -> list[fmpq]:
    """c with c[0] v[0] + ... + c[r-1] v[r-1] + v[r] = 0, for the first r for which there is one."""
    if not vectors[0]:
        return []
    reduced, rank = fmpq_mat([list(vector) for vector in vectors]).transpose().rref()
    for place in range(rank):
        if reduced[place, place] != 1:
            return [-reduced[row, place] for row in range(place)]
    return [-reduced[row, rank] for row in range(rank)]
