"""That two recurrences which agree so far agree for ever: an invariant, found and checked.

Keep the last values of all unknowns of both formulas: s[n]. A step is linear,

    s[n+1] = M s[n] + (new letters),

where a block's new output is a letter of its own, or one that another block application has too.
Let K be a space of linear relations that s[n] satisfies (values of the one formula that are values
of the other, and so on). Modulo K the arguments of block applications are compared: those that are
equal are one letter. If every relation of K then holds for s[n+1] as well, each new letter dropping
out by itself, K holds for all later depths by induction; if it makes the outputs equal, they are
equal for ever. The largest such K within the relations that hold at the depth reached is found by
throwing out relations until none goes. With a period there is a K for each residue of n.

Nothing is assumed about which blocks match, so a yes is a proof. A no may come too early: relations
need some depths to appear. With letters matched in a fixed way both formulas are one linear system
with letters for inputs, and by Cayley and Hamilton a response that is zero for as many steps as the
system has dimensions stays zero; so after order(A) + order(B) depths a no is a no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Union

from recform.formula.ast import Apply
from recform.paths.affine import DEPTH, NotSteadyError, Steady
from recform.paths.histories import History
from recform.paths.recurrence import Form, Recurrence
from recform.paths.relations import Combination, Relations, combine, relations_between

MAX_KEPT = 500

# One of the values kept, by its number, or a new letter: ("new", number).
Key = Union[int, tuple[str, int]]  # noqa: UP007 - needed at run time on 3.10
Value = Mapping[Key, Fraction]
# Side (0 or 1), unknown, delay.
Place = tuple[int, int, int]


@dataclass(frozen=True)
class Joint:
    """Two recurrences side by side."""

    sides: tuple[Recurrence, Recurrence]

    @property
    def period(self) -> int:
        return lcm(*(side.period for side in self.sides))

    @property
    def settled(self) -> int:
        return max(side.settled for side in self.sides)

    @property
    def lag(self) -> int:
        return max(side.lag for side in self.sides)

    @property
    def order(self) -> int:
        return sum(side.order for side in self.sides)

    @cached_property
    def kept(self) -> dict[Place, int]:
        """The number of each value kept: as many depths of an unknown as are read, and one more.

        Raises NotSteadyError where these are too many to compare.
        """
        places = [
            (which, unknown, delay)
            for which, side in enumerate(self.sides)
            for unknown, longest in enumerate(_longest(side))
            for delay in range(1, longest + 2)
        ]
        if len(places) * self.period > MAX_KEPT:
            raise NotSteadyError("the recurrences have too many values to compare for ever")
        return {place: number for number, place in enumerate(places)}

    def holds_forever(self, left: History, right: History) -> bool:
        """Whether outputs equal so far are equal, and have equal derivatives, at every depth."""
        last = len(left.rows) - 1
        spaces: dict[int, Relations] = {}
        for n in range(last - self.period + 1, last + 1):
            spaces[(n + 1) % self.period] = relations_between(self._window(n, (left, right)))
        while True:
            smaller = {
                (residue + 1) % self.period: self._followed(residue, spaces)
                for residue in range(self.period)
            }
            if all(smaller[r].dimension == spaces[r].dimension for r in spaces):
                break
            spaces = smaller
        return all(
            not _Step(self, residue, spaces[residue]).difference_of_outputs()
            for residue in range(self.period)
        )

    def _window(self, n: int, histories: tuple[History, History]) -> list[Combination]:
        """The values kept after depth n: forms and derivatives, side by side."""
        vectors: list[Combination] = []
        for which, unknown, delay in self.kept:
            values = histories[which].values[unknown]
            jet = values[n + 1 - delay] if n + 1 >= delay else None
            form = {} if jet is None else {("form", k): c for k, c in jet.form.items()}
            tails = {} if jet is None else {("tail", k): c for k, c in jet.derivative.items()}
            vectors.append({**form, **tails})
        return vectors

    def _followed(self, residue: int, spaces: Mapping[int, Relations]) -> Relations:
        """The relations after a step at depths of a residue that follow from those before it."""
        step = _Step(self, residue, spaces[residue])
        after = spaces[(residue + 1) % self.period]
        new = step.values_after()
        images = [step.before.reduce(combine(row, new)) for row in after.rows.values()]
        return after.kept_where(images)


@dataclass
class _Step:
    """All new values at depths of a residue, modulo the relations that hold before."""

    joint: Joint
    residue: int
    before: Relations
    _values: dict[tuple[int, int], Value] = field(default_factory=dict)
    # Letters by block, index and argument: those of the depths before, and the new ones.
    _letters: dict[object, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, number in self.joint.kept.items():
            for key in self._old_letter(place):
                self._letters.setdefault(key, {number: Fraction(1)})

    def values_after(self) -> list[Combination]:
        """The values kept after the step, in terms of those before it and of new letters."""
        return [
            self.value(which, unknown)
            if delay == 1
            else {self.joint.kept[which, unknown, delay - 1]: Fraction(1)}
            for which, unknown, delay in self.joint.kept
        ]

    def difference_of_outputs(self) -> Value:
        outputs = [
            self._linked(which, side.output[self.residue % side.period])
            for which, side in enumerate(self.joint.sides)
        ]
        difference = combine({0: Fraction(1), 1: Fraction(-1)}, outputs)
        return self.before.reduce(difference)

    def value(self, which: int, unknown: int) -> Value:
        """An unknown at this depth."""
        if (which, unknown) not in self._values:
            self._values[which, unknown] = self._new_value(which, unknown)
        return self._values[which, unknown]

    def _new_value(self, which: int, unknown: int) -> Value:
        side = self.joint.sides[which]
        form = side.forms.get((unknown, self.residue % side.period))
        if form is None:
            return {}
        value = self._linked(which, form)
        if side.unknowns[unknown].kind != "call" or not value:
            return value
        key = self._key(side, unknown, 0, value)
        return self._letters.setdefault(key, {("new", len(self._letters)): Fraction(1)})

    def _linked(self, which: int, form: Form) -> Value:
        links = list(form.items())
        parts: list[Value] = [
            {self.joint.kept[which, unknown, delay]: Fraction(1)}
            if delay
            else self.value(which, unknown)
            for (unknown, delay), _ in links
        ]
        factors = {k: weight.net for k, (_, weight) in enumerate(links)}
        return self.before.reduce(combine(factors, parts))

    def _key(self, side: Recurrence, unknown: int, back: int, argument: Value) -> object:
        """What makes a letter, `back` depths ago: block, index less n, argument."""
        expression = side.expressions[unknown, (self.residue - back) % side.period]
        assert isinstance(expression, Apply), "what is called is a block"
        assert expression.index is not None, "settling writes the index"
        steady = Steady(side.period, (self.residue - back) % side.period)
        index = steady.number(expression.index, {"l": DEPTH})
        offset = index.offset - index.slope * back
        return expression.block, index.slope, offset, frozenset(argument.items())

    def _old_letter(self, place: Place) -> Iterator[object]:
        """The letter that a kept value is, if it is one and its argument is kept too."""
        which, unknown, back = place
        side = self.joint.sides[which]
        form = side.forms.get((unknown, (self.residue - back) % side.period))
        if side.unknowns[unknown].kind != "call" or form is None:
            return
        needed = {(which, inner, delay + back): weight.net
                  for (inner, delay), weight in form.items()}  # fmt: skip
        if all(inner in self.joint.kept for inner in needed):
            argument: Value = {self.joint.kept[inner]: factor for inner, factor in needed.items()}
            reduced = self.before.reduce(argument)
            if reduced:
                yield self._key(side, unknown, back, reduced)


def _longest(side: Recurrence) -> Sequence[int]:
    """How far back each unknown is read."""
    longest = [0] * len(side.unknowns)
    for form in (*side.forms.values(), *side.output):
        for unknown, delay in form:
            longest[unknown] = max(longest[unknown], delay)
    return longest
