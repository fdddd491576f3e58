"""What holds at every depth: the closed form of a formula's net and gross counts.

Only formulas that settle to a recurrence with constant coefficients have one; the others get the
reason. Every statement is proved: a triangle or a coefficient formula is read off the generating
function, never guessed from rows.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from functools import cached_property
from math import log10, pi

from flint import acb, acb_poly

from recform.formula import Formula
from recform.paths.entries import entry
from recform.paths.generating import (
    GROSS_READING,
    NET_READING,
    GeneratingFunction,
    generating_function,
)
from recform.paths.growth import Growth, LengthLaw, growth, length_law
from recform.paths.polynomials import Coefficients, coefficients, polynomial_to_sympy
from recform.paths.recurrence import Recurrence
from recform.paths.rows import row
from recform.paths.settle import settle
from recform.paths.triangles import Triangle, recognised

# Points on the unit circle at which the size of a row's coefficients is estimated.
NUM_SAMPLES = 24


@dataclass(frozen=True)
class ClosedForm:
    """One reading, net or gross, of a formula's paths at every depth."""

    function: GeneratingFunction

    @cached_property
    def growth(self) -> Growth | None:
        return growth(self.function)

    @cached_property
    def triangle(self) -> Triangle | None:
        return recognised(self.function)

    @cached_property
    def entry(self) -> str | None:
        """The count at depth n and length k, in sympy's syntax."""
        return entry(self.function)

    @cached_property
    def recurrence(self) -> tuple[str, ...]:
        """The coefficients of P[n-1], P[n-2], ... in P[n], as sympy reads them."""
        return tuple(polynomial_to_sympy(c) for c in self.function.recurrence)

    @cached_property
    def first_rows(self) -> tuple[Coefficients, ...]:
        """The path polynomials of the depths before the recurrence holds."""
        return tuple(self.row(depth) for depth in range(self.function.holds_from))

    def row(self, depth: int) -> Coefficients:
        """The counts at one depth, by length."""
        return coefficients(row(self.function, depth))

    def size(self, depth: int) -> tuple[int, float]:
        """How many counts a row has, and how many digits they have together: about, as a float.

        A coefficient of P_n is at most the largest |P_n| on the unit circle, about |root|^n.
        """
        parts = self.function.denominator
        slope = max((part.degree() / k for k, part in enumerate(parts) if k and part), default=0.0)
        offset = max((part.degree() for part in self.function.numerator), default=0)
        num_lengths = int(slope * depth) + max(0, offset) + 1
        # Halfway between roots of unity, where factors have no double roots by accident.
        angles = (2 * pi * (k + 0.5) / NUM_SAMPLES for k in range(NUM_SAMPLES))
        largest = max(_largest_root(self.function, cmath.exp(1j * angle)) for angle in angles)
        digits = 1 + max(0.0, depth * log10(largest)) if largest else 1.0
        return num_lengths, num_lengths * digits


@dataclass(frozen=True)
class ClosedForms:
    """Net and gross, and the recurrence of the formula that they come from."""

    recurrence: Recurrence
    net: ClosedForm
    gross: ClosedForm

    @cached_property
    def length_law(self) -> LengthLaw | str:
        """The normal law of the lengths of the paths as drawn, or why there is none."""
        return length_law(self.gross.function)


def closed_forms(formula: Formula, start: int = 0) -> ClosedForms:
    """The closed forms of d output / d x[start]. Raises NotSteadyError where there are none."""
    recurrence = settle(formula)
    net = generating_function(recurrence, NET_READING, start)
    gross = net
    if _has_minus(recurrence):
        gross = generating_function(recurrence, GROSS_READING, start)
    return ClosedForms(recurrence, ClosedForm(net), ClosedForm(gross))


def _has_minus(recurrence: Recurrence) -> bool:
    """Whether net and gross can differ: start values may have other signs than the forms."""
    forms = (*recurrence.forms.values(), *recurrence.output)
    signs_differ = any(w.net != w.gross for form in forms for w in form.values())
    return signs_differ or bool(recurrence.formula.inits) or recurrence.settled > 1


def _largest_root(function: GeneratingFunction, at: complex) -> float:
    """The largest modulus of a root of x^d D(1/x, t) for a complex t, as a float."""
    largest = 0.0
    for factor, _ in function.factors():
        values = [0j] * (1 + max(power for power, _ in factor))
        for (power, degree), constant in factor.items():
            values[power] += float(constant) * at**degree
        roots = acb_poly([acb(value) for value in values[::-1]]).roots(tol=1e-6)
        largest = max([largest, *(float(abs(root).mid()) for root in roots)])
    return largest
