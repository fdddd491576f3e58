"""A formula that settles to a recurrence, with the jets of all its values up to a depth.

The formula is unrolled once with a name for each unknown of its recurrence, and once more for each
small depth at which its output is not yet what the recurrence says. These tapes are then read from
every start that is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from recform.errors import UserError
from recform.formula import Formula
from recform.paths.affine import NotSteadyError
from recform.paths.derivative import is_linear
from recform.paths.jets import ABSENT, Jet, Jets, Vector, add, scale
from recform.paths.recurrence import Form, Recurrence
from recform.paths.start import sources_of
from recform.paths.transient import with_names
from recform.tape import Tape, fold, unroll

# How deep formulas are unrolled; the work grows with the square.
MAX_DEPTH = 600


@dataclass(frozen=True)
class History:
    """`values[u][n]` of every unknown u and `rows[n]`, the output at depth n, for n <= `depth`.

    A row is None where the formula does not exist.
    """

    values: tuple[tuple[Jet, ...], ...]
    rows: tuple[Jet | None, ...]


@dataclass(frozen=True)
class Unrolled:
    """A recurrence with its first values on tapes, to `depth`."""

    recurrence: Recurrence
    depth: int
    jets: Jets

    def history(self, start: int = 0) -> History:
        """All jets, the derivative being by x[start].

        Raises NotSteadyError if the recurrence does not hold at the last depths. With `-1*x[0]` in
        every equation, say, x[1] may be just that; then x[1] occurs again at every depth.
        """
        sources = sources_of(self._tape, start) if start > 0 else ()
        meanings = derived(self._tape, self.jets, sources, self._plain)
        values = tuple(
            tuple(meanings.get(self._tape.states.get((name, n), -1), ABSENT)
                  for n in range(self.depth + 1))
            for name in self._names
        )  # fmt: skip
        rows = tuple(self._row(n, start, values) for n in range(self.depth + 1))
        for n in self._last_period:
            if not self._holds(n, values, rows):
                raise NotSteadyError(f"x[{start}] occurs again at later depths, by another way")
        return History(values, rows)

    def _row(self, n: int, start: int, values: tuple[tuple[Jet, ...], ...]) -> Jet | None:
        """The output at depth n, from a tape of its own if it is more than a state."""
        formula = self.recurrence.formula
        if formula.output is None and n >= self.recurrence.settled:
            return linked(self.recurrence.output[n % self.recurrence.period], n, values)
        if n not in self._tapes:
            self._tapes[n] = tape_at(formula, n)
        tape = self._tapes[n]
        return None if tape is None else row_of(tape, self.jets, start)

    def _holds(
        self, n: int, values: tuple[tuple[Jet, ...], ...], rows: tuple[Jet | None, ...]
    ) -> bool:
        """Whether the forms give the jets at depth n."""
        recurrence = self.recurrence
        for (unknown, residue), form in recurrence.forms.items():
            if residue == n % recurrence.period:
                found = values[unknown][n]
                if recurrence.unknowns[unknown].kind == "call":
                    found = self.jets.table.argument_of(found)
                if found != linked(form, n, values):
                    return False
        return rows[n] == linked(recurrence.output[n % recurrence.period], n, values)

    @property
    def _last_period(self) -> range:
        return range(max(self.recurrence.settled, self.depth + 1 - self.recurrence.period),
                     self.depth + 1)  # fmt: skip

    @cached_property
    def _names(self) -> list[str]:
        return [f"_{place}" for place in range(len(self.recurrence.unknowns))]

    @cached_property
    def _tape(self) -> Tape:
        if self.depth > MAX_DEPTH:
            raise NotSteadyError(f"it would have to be followed to depth {self.depth:,}")
        tape = tape_at(with_names(self.recurrence, self._names), self.depth + 1)
        if tape is None:
            raise NotSteadyError(f"the formula cannot be unrolled to depth {self.depth + 1}")
        self._check_means(tape)
        return tape

    def _check_means(self, tape: Tape) -> None:
        """A mean divides by the number of terms that are there: always all of them, from now on."""
        recurrence = self.recurrence
        for unknown in recurrence.averaged:
            for n in self._window:
                has_form = (unknown, n % recurrence.period) in recurrence.forms
                if has_form and (self._names[unknown], n) not in tape.states:
                    raise NotSteadyError("a mean has terms that are absent at some depths")

    @property
    def _window(self) -> range:
        """The depths that later values are computed from."""
        return range(max(0, self.depth - self.recurrence.lag - self.recurrence.period),
                     self.depth + 1)  # fmt: skip

    @cached_property
    def _tapes(self) -> dict[int, Tape | None]:
        """The formula at small depths, as they are asked for."""
        return {}

    @cached_property
    def _plain(self) -> Mapping[int, Jet]:
        """All values, without derivatives."""
        return plain(self._tape, self.jets)


def tape_at(formula: Formula, depth: int) -> Tape | None:
    """The formula at a depth, or None if it does not exist there."""
    try:
        return unroll(formula, depth)
    except UserError:
        return None


def row_of(tape: Tape, jets: Jets, start: int = 0) -> Jet:
    """The output, its derivative being by x[start]."""
    if tape.output is None or start > tape.depth:
        return ABSENT
    sources = sources_of(tape, start) if start > 0 else ()
    return derived(tape, jets, sources, plain(tape, jets))[tape.output]


def plain(tape: Tape, jets: Jets) -> Mapping[int, Jet]:
    """The jets of a tape's values, without derivatives.

    Raises NotSteadyError where values are multiplied, or made of several by a function.
    """
    if not is_linear(tape):
        raise NotSteadyError("values are multiplied by values, or made of several")
    meanings: dict[int, Jet] = {}
    if tape.output is not None:
        fold(tape, jets, visit=meanings.__setitem__)
    return meanings


def derived(
    tape: Tape, jets: Jets, sources: Collection[int], known: Mapping[int, Jet]
) -> Mapping[int, Jet]:
    """The jets of a tape's values, their derivatives being by `sources`, which are one value.

    `known` are the jets without derivatives.
    """
    if not sources:
        return known
    meanings: dict[int, Jet] = {}
    # What comes before is constant.
    given = {value: known[value] for value in known if value < min(sources)}
    given |= {source: jets.source(known[source].form) for source in sources}
    fold(tape, jets, given, meanings.__setitem__)
    return meanings


def linked(form: Form, n: int, values: tuple[tuple[Jet, ...], ...]) -> Jet:
    """A form over unknowns at depth n, given their values."""
    vector: Vector = {}
    derivative: Vector = {}
    for (unknown, delay), weight in form.items():
        if n >= delay:
            jet = values[unknown][n - delay]
            factor = weight.net.numerator if weight.net.denominator == 1 else weight.net
            vector = add(vector, scale(factor, jet.form))
            derivative = add(derivative, scale(factor, jet.derivative))
    return Jet(vector, derivative)
