"""Distinct paths: how many words keep a coefficient that is not zero, without expanding any.

A *letter* is one application of a block; a *word* is a sequence of letters from the output to
x[l0]: one path. Every value is a linear form over letters and the input; the coefficients of the
form are its *links*. A letter fixes its argument, so a word's coefficient is the product of its
links, and a product of numbers is zero only if a factor is. Hence

    distinct(value) = [link to the input is not 0] + t * sum of distinct(argument of a letter)
                                                       over the letters with a link that is not 0

and the sum is kept up to date by the difference from an earlier support: usually a letter or two.

The tape is read once for the supports. The counts follow from them by additions, in two rounds:
at t = 1, which tells how many bits a coefficient can have, and then at t = 2^bits, where the
coefficients stand side by side in one large integer (Kronecker substitution).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from weakref import WeakKeyDictionary

from flint import fmpz, fmpz_poly

from recform.paths.forms import EMPTY_FORM, Form, add, letter, members, scale
from recform.paths.letters import kind_of_map

INPUT_FORM = letter(0, longest=0)

# Additions of path polynomials, weighed by their length, past which counting would take minutes.
MAX_COST = 300_000_000
# Bytes of large integers that are added up, past which it would take minutes too.
MAX_BYTES = 10_000_000_000


NUM_RECENT = 8


class TooManyLinksError(Exception):
    """The supports change so much from value to value that counting would take too long."""


@dataclass(frozen=True)
class Step:
    """How one count follows from others, each named by its place among the steps.

    count = count of `near` + t * (counts of `added` - counts of `removed`) + `words_of_input`

    and the same without t for the letters of length 0, the arguments of functions.
    """

    near: int | None
    added: tuple[int, ...]
    removed: tuple[int, ...]
    words_of_input: int
    added_slots: tuple[int, ...] = ()
    removed_slots: tuple[int, ...] = ()

    def reads(self) -> Iterator[int]:
        if self.near is not None:
            yield self.near
        yield from self.added
        yield from self.removed
        yield from self.added_slots
        yield from self.removed_slots


@dataclass
class LinearForms:
    """The algebra of linear forms, which notes on the way how each letter's argument is counted.

    One instance reads one tape: it numbers the letters as they come.
    """

    _steps: list[Step] = field(default_factory=list)
    # For each letter the step that counts its argument; the input has none.
    _arguments: list[int] = field(default_factory=lambda: [-1])
    _counted: WeakKeyDictionary[Form, int] = field(default_factory=WeakKeyDictionary)
    # The last few supports with their steps. States take turns (RevNet), and supports can be
    # periodic (the code of Liao et al. has period 6), so the nearest is not always the last.
    _recent: deque[tuple[int, int | None]] = field(default_factory=lambda: deque(maxlen=NUM_RECENT))
    _cost: int = 0
    # The letters of length 0, as a set of bits.
    _slots: int = 0

    def input(self) -> Form:
        return EMPTY_FORM

    def zero(self) -> Form:
        return EMPTY_FORM

    def call(self, block: str, index: int, argument: Form) -> Form:
        if not argument.support:
            return EMPTY_FORM
        self._arguments.append(self._step_of(argument))
        return letter(len(self._arguments) - 1, argument.longest + 1)

    def map(self, function: str, index: int | None, argument: Form) -> Form:
        if kind_of_map(function) != "slot" or not argument.support:
            return argument
        self._slots |= 1 << len(self._arguments)
        self._arguments.append(self._step_of(argument))
        return letter(len(self._arguments) - 1, argument.longest)

    def scale(self, factor: Fraction, argument: Form) -> Form:
        return scale(factor, argument)

    def add(self, left: Form, right: Form) -> Form:
        return add(left, right)

    def start(self, label: str, argument: Form) -> Form:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Form) -> Form:
        return argument

    def count(self, form: Form) -> fmpz_poly:
        """The words of a value, by length. Raises TooManyLinksError past MAX_COST."""
        if not form.support:
            return fmpz_poly([])
        step = self._step_of(form)
        num_bytes = 1 + int(self._evaluate(step, 0)).bit_length() // 8
        if self._cost * num_bytes > MAX_BYTES:
            raise TooManyLinksError
        words = int(self._evaluate(step, 8 * num_bytes))
        digits = words.to_bytes((form.longest + 1) * num_bytes, "little")
        starts = range(0, len(digits), num_bytes)
        return fmpz_poly([int.from_bytes(digits[k : k + num_bytes], "little") for k in starts])

    def _step_of(self, form: Form) -> int:
        if form not in self._counted:
            self._counted[form] = self._new_step(form.support, form.longest)
        return self._counted[form]

    def _new_step(self, support: int, longest: int) -> int:
        near_support, near = min(
            [*self._recent, (0, None)], key=lambda known: (known[0] ^ support).bit_count()
        )
        changes = near_support ^ support
        self._cost += changes.bit_count() * (longest + 1)
        if self._cost > MAX_COST:
            raise TooManyLinksError
        added, removed = (changes & support, changes & near_support)
        slots = self._slots
        self._steps.append(
            Step(
                near,
                self._arguments_of(added & ~slots),
                self._arguments_of(removed & ~slots),
                (added & 1) - (removed & 1),
                self._arguments_of(added & slots) if slots else (),
                self._arguments_of(removed & slots) if slots else (),
            )
        )
        self._recent.append((support, len(self._steps) - 1))
        return len(self._steps) - 1

    def _arguments_of(self, letters: int) -> tuple[int, ...]:
        return tuple(self._arguments[number] for number in members(letters) if number)

    def _evaluate(self, last: int, num_bits: int) -> fmpz:
        """The count of step `last` at t = 2^num_bits. Each count is dropped after its last use."""
        last_uses = self._last_uses(last)
        counts: dict[int, fmpz] = {}
        for number in sorted(last_uses):
            step = self._steps[number]
            # Numbers are long: nothing is added where there is nothing to add.
            change = _sum(counts, step.added)
            if step.removed:
                change -= _sum(counts, step.removed)
            count = change << num_bits
            if step.words_of_input:
                count += step.words_of_input
            if step.added_slots or step.removed_slots:
                count += _sum(counts, step.added_slots) - _sum(counts, step.removed_slots)
            if step.near is not None:
                count += counts[step.near]
            counts[number] = count
            for read in set(step.reads()):
                if last_uses[read] == number:
                    del counts[read]
        return counts[last]

    def _last_uses(self, last: int) -> dict[int, int]:
        """For each step that `last` needs the latest one that reads it."""
        uses = {last: last}
        for number in range(last, -1, -1):
            if number in uses:
                for read in self._steps[number].reads():
                    uses.setdefault(read, number)
        return uses


def _sum(counts: Mapping[int, fmpz], steps: Sequence[int]) -> fmpz:
    if len(steps) == 1:
        return counts[steps[0]]
    return sum((counts[step] for step in steps), fmpz(0))
