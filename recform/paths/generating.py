"""Generating functions: all path polynomials of a formula, at every depth, in one fraction.

    G(z, t) = P_0(t) + P_1(t) z + P_2(t) z^2 + ...

where P_n is the path polynomial at depth n. A formula that settles to a recurrence has a rational
G: the recurrence is one linear equation over Q(z, t) for each unknown, the delay d of a link a
factor z^d, and a block a factor t. What the first values differ from the recurrence by stands on
the right side. For ResNet G = 1/(1 - z(1 + t)), for ResNet-s 1/((1 - z)(1 - zt)).

>>> from recform.formula import parse
>>> from recform.paths.settle import settle
>>> resnet_s = settle(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
>>> net = generating_function(resnet_s, NET_READING)
>>> net.to_text()
'1/((1 - z)*(1 - t*z))'
>>> [str(coefficient) for coefficient in net.recurrence]
['x + 1', '(-1)*x']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx, fmpq_poly

from recform.paths.affine import NotSteadyError
from recform.paths.eliminate import Equations, solve
from recform.paths.fractions_text import factors_of, fraction_to_text
from recform.paths.polynomials import ABSENT, BLOCK, GROSS, NET, ONE, PathPolynomial
from recform.paths.recurrence import Form, Recurrence, Weight
from recform.paths.transient import Transient, transient

MAX_EQUATIONS = 300

RING: Any = fmpq_mpoly_ctx.get(("z", "t"), Ordering.lex)
Z, T = RING.gens()


@dataclass(frozen=True)
class Reading:
    """Net or gross: what a constant counts for, on a tape and on a link."""

    algebra: PathPolynomial
    of_weight: Callable[[Weight], Fraction]


NET_READING = Reading(NET, lambda weight: weight.net)
GROSS_READING = Reading(GROSS, lambda weight: weight.gross)


@dataclass(frozen=True)
class GeneratingFunction:
    """numerator / denominator in lowest terms, both by powers of z, with denominator[0] = 1.

    The coefficients are polynomials in t (FLINT's `fmpq_poly`).
    """

    numerator: tuple[fmpq_poly, ...]
    denominator: tuple[fmpq_poly, ...]

    @property
    def recurrence(self) -> tuple[fmpq_poly, ...]:
        """The coefficients of P[n-1], P[n-2], ... in P[n], for every n >= `holds_from`."""
        return tuple(-coefficient for coefficient in self.denominator[1:])

    @property
    def holds_from(self) -> int:
        return max(len(self.numerator), len(self.denominator) - 1)

    def factors(self) -> list[tuple[dict[tuple[int, ...], Fraction], int]]:
        """The denominator's factors with their powers; a factor by the powers of z and t."""
        return factors_of(_in_ring(self.denominator))

    def to_text(self) -> str:
        """In sympy's syntax, the denominator factored over the rationals."""
        return fraction_to_text(_in_ring(self.numerator), _in_ring(self.denominator))


def generating_function(
    recurrence: Recurrence, reading: Reading, start: int = 0
) -> GeneratingFunction:
    """The generating function, by depth n = L, of d output / d x[start]; P_n = 0 for n < start.

    Raises NotSteadyError if the recurrence is too large, or does not hold after all.
    """
    if len(recurrence.forms) > MAX_EQUATIONS:
        raise NotSteadyError(f"the recurrence has more than {MAX_EQUATIONS} equations")
    numerator, denominator = solve(_equations(recurrence, reading, start))
    constant = denominator.subs({"z": 0})
    # Its rows are polynomials, so a reduced denominator is a unit at z = 0 (Fatou's lemma).
    assert constant.is_constant(), "the rows of a generating function are polynomials"
    unit = 1 / constant.leading_coefficient()
    return GeneratingFunction(_by_power(numerator * unit), _by_power(denominator * unit))


def _equations(recurrence: Recurrence, reading: Reading, start: int) -> Equations:
    """One equation for each unknown and residue, and what the output is made of."""
    first = transient(recurrence, start, reading.algebra, ONE, ABSENT)
    period, rows, right = recurrence.period, {}, {}
    for (unknown, residue), form in recurrence.forms.items():
        is_call = recurrence.unknowns[unknown].block is not None
        row = _row(form, reading, residue, period)
        rows[unknown, residue] = {k: factor * T for k, factor in row.items()} if is_call else row
        depths = range(residue, first.depth, period)
        defects = _defects(first.values[unknown], depths, form, reading, first,
                           BLOCK if is_call else ONE)  # fmt: skip
        right[unknown, residue] = _in_ring(defects)
    output: dict[tuple[int, int], Any] = {}
    constant = RING.constant(0)
    for residue, form in enumerate(recurrence.output):
        for place, factor in _row(form, reading, residue, period).items():
            output[place] = output.get(place, 0) + factor
        depths = range(residue, first.depth, period)
        constant += _in_ring(_defects(first.rows, depths, form, reading, first, ONE))
    return Equations(RING, rows, right, output, constant)


def _row(form: Form, reading: Reading, residue: int, period: int) -> dict[tuple[int, int], Any]:
    """The links of a form at depths of a residue, delays as powers of z."""
    row: dict[tuple[int, int], Any] = {}
    for (unknown, delay), weight in form.items():
        place = (unknown, (residue - delay) % period)
        row[place] = row.get(place, 0) + Z**delay * _fmpq(reading.of_weight(weight))
    return row


def _defects(
    values: Sequence[fmpq_poly], depths: Iterable[int], form: Form, reading: Reading,
    first: Transient, letter: fmpq_poly,
) -> list[fmpq_poly]:  # fmt: skip
    """By how much the first values differ from their form, by powers of z."""
    links = [(unknown, delay, _fmpq(reading.of_weight(weight)))
             for (unknown, delay), weight in form.items()]  # fmt: skip
    defects = [ABSENT] * first.depth
    for n in depths:
        linked = [first.values[unknown][n - delay] * weight
                  for unknown, delay, weight in links if n >= delay]  # fmt: skip
        defects[n] = values[n] - letter * sum(linked, ABSENT)
    return defects


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _in_ring(by_power: Iterable[fmpq_poly]) -> Any:
    terms = {
        (power, degree): coefficient
        for power, polynomial in enumerate(by_power)
        for degree, coefficient in enumerate(polynomial.coeffs())
        if coefficient != 0
    }
    return RING.from_dict(terms)


def _by_power(polynomial: Any) -> tuple[fmpq_poly, ...]:
    """A polynomial in z and t as polynomials in t, by powers of z."""
    rows: dict[int, dict[int, fmpq]] = {}
    for (power, degree), coefficient in polynomial.to_dict().items():
        rows.setdefault(int(power), {})[int(degree)] = coefficient
    return tuple(
        fmpq_poly([rows[power].get(k, 0) for k in range(max(rows[power]) + 1)])
        if power in rows
        else ABSENT
        for power in range(max(rows, default=-1) + 1)
    )
