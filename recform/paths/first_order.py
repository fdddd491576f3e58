"""A recurrence in first-order form, every block multiplying by g: v[n+1] = A(g) v[n].

The state v[n] holds what later values are computed from: of each unknown (state, call, running sum,
held value) the newest values, as many as the longest delay it is read with. Only unknowns that the
output depends on are kept. Entries are polynomials in g, since blocks may be nested.

    x[n] = x[n-1] + u[n-1] - u[n-2],  u[n] = g x[n]          (ResNet-s)

    v = (x[n], u[n], u[n-1])         A = 1  1 -1
                                         g  g -g
                                         0  1  0

With a period there is one matrix for each residue of n; `state_matrix` multiplies a whole period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpq_poly

from recform.paths.affine import NotSteadyError
from recform.paths.recurrence import Form, Recurrence

MAX_KEPT = 100

# Place in the state -> factor, a polynomial in g. Zeros are left out.
Row = Mapping[int, fmpq_poly]

_GAIN = fmpq_poly([0, 1])
_ONE = fmpq_poly([1])


@dataclass(frozen=True)
class FirstOrder:
    """v[n] = steps[n % period] v[n-1] and output[n] = outputs[n % period] v[n-1].

    `kept` says what stands in v[n]: an unknown and its age, (u, a) for u[n-a].
    """

    kept: tuple[tuple[int, int], ...]
    steps: tuple[tuple[Row, ...], ...]
    outputs: tuple[Row, ...]

    @property
    def period(self) -> int:
        return len(self.steps)

    def map(self, change: Callable[[fmpq_poly], fmpq_poly]) -> FirstOrder:
        """The form with every entry changed; entries that become zero are left out."""

        def changed(row: Row) -> Row:
            return {place: new for place, entry in row.items() if (new := change(entry))}

        steps = tuple(tuple(changed(row) for row in step) for step in self.steps)
        return FirstOrder(self.kept, steps, tuple(changed(row) for row in self.outputs))

    def back(self, row: Row, residue: int) -> Row:
        """A combination of v[n] as one of v[n-1], for n of a residue."""
        step = self.steps[residue]
        return _combination((step[place], factor) for place, factor in row.items())

    def readings(self) -> list[Row]:
        """The outputs of one period, as combinations of the v[n] before it, n = 0 mod period."""
        found = []
        for depth in range(1, self.period + 1):
            row = self.outputs[depth % self.period]
            for residue in range(depth - 1, 0, -1):
                row = self.back(row, residue)
            found.append(row)
        return found

    def period_back(self, row: Row) -> Row:
        """A combination of v[n + period] as one of v[n], for n = 0 mod period."""
        for residue in range(self.period, 0, -1):
            row = self.back(row, residue % self.period)
        return row


def state_matrix(recurrence: Recurrence, gain: Fraction) -> fmpq_mat:
    """The matrix M with v[n + period] = M v[n], n = 0 mod period, every block multiplying by gain.

    >>> from recform.formula import parse
    >>> from recform.paths.settle import settle
    >>> resnet_s = settle(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
    >>> state_matrix(resnet_s, Fraction(1, 2)).charpoly()
    x^3 + (-3/2)*x^2 + 1/2*x
    """
    form = first_order(recurrence)
    at = fmpq(gain.numerator, gain.denominator)
    size = len(form.kept)
    matrix = fmpq_mat(size, size)
    for place in range(size):
        for other, factor in form.period_back({place: _ONE}).items():
            matrix[place, other] = factor(at)
    return matrix


def first_order(recurrence: Recurrence) -> FirstOrder:
    """The first-order form. Raises NotSteadyError for more than MAX_KEPT values."""
    ages = _longest_delays(recurrence)
    kept = tuple((unknown, age) for unknown, delay in ages.items() for age in range(delay))
    if len(kept) > MAX_KEPT:
        raise NotSteadyError(f"the recurrence keeps more than {MAX_KEPT} values")
    places = {value: place for place, value in enumerate(kept)}
    steps, outputs = [], []
    for residue in range(recurrence.period):
        newest = _Newest(recurrence, places, residue)
        steps.append(
            tuple(newest.row(unknown) if age == 0 else {places[unknown, age - 1]: _ONE}
                  for unknown, age in kept)
        )  # fmt: skip
        outputs.append(newest.combination(recurrence.output[residue]))
    return FirstOrder(kept, tuple(steps), tuple(outputs))


def _longest_delays(recurrence: Recurrence) -> dict[int, int]:
    """The unknowns that the output depends on, each with the longest delay it is read with."""
    longest: dict[int, int] = {}
    waiting = list(recurrence.output)
    while waiting:
        for (unknown, delay), weight in waiting.pop().items():
            if weight.net == 0:
                continue
            if unknown not in longest:
                waiting += [
                    recurrence.forms.get((unknown, residue), {})
                    for residue in range(recurrence.period)
                ]
            longest[unknown] = max(longest.get(unknown, 0), delay)
    return longest


@dataclass
class _Newest:
    """The newest values, at depths n of a residue, as combinations of v[n-1]."""

    recurrence: Recurrence
    places: Mapping[tuple[int, int], int]
    residue: int
    rows: dict[int, Row] = field(default_factory=dict)

    def row(self, unknown: int) -> Row:
        if unknown not in self.rows:
            row = self.combination(self.recurrence.forms.get((unknown, self.residue), {}))
            if self.recurrence.unknowns[unknown].kind == "call":
                row = {place: factor * _GAIN for place, factor in row.items()}
            self.rows[unknown] = row
        return self.rows[unknown]

    def combination(self, form: Form) -> Row:
        """A form: what it reads of depth n is replaced by what that is made of."""
        return _combination(
            (self.row(unknown) if delay == 0 else {self.places[unknown, delay - 1]: _ONE},
             fmpq_poly([fmpq(weight.net.numerator, weight.net.denominator)]))
            for (unknown, delay), weight in form.items() if weight.net
        )  # fmt: skip


def _combination(terms: Iterable[tuple[Row, fmpq_poly]]) -> Row:
    total: dict[int, fmpq_poly] = {}
    for row, factor in terms:
        for place, entry in row.items():
            total[place] = total[place] + entry * factor if place in total else entry * factor
    return {place: entry for place, entry in total.items() if entry}
