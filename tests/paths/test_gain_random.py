"""Boundedness at random gains of random recurrences, against running them.

The oracle reads no formula: it has the coefficients that the text was written from, starts from
every kept value in turn, and runs the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from recform.formula import parse
from recform.paths.gain import bounded_gains, growth_rate, is_bounded

NUM_STEPS = 2_400
FACTORS = (-2, -1, -1, -0.5, 0.5, 1, 1, 2)
GAINS = [Fraction(k, 2) for k in range(-5, 6)]


@dataclass(frozen=True)
class Lags:
    """x[n] = sum of state[s, d] * s[n-d] + g * sum of block[s, d] * s[n-d] for states x and y."""

    state: dict[tuple[str, str, int], float]
    block: dict[tuple[str, str, int], float]
    names: str

    def to_text(self) -> str:
        lines = [f"{name}[l+1] = {self._right(name)}" for name in self.names]
        return "\n".join([*lines, *(f"init {name}[0] = x[0]" for name in self.names[1:])])

    def _right(self, name: str) -> str:
        terms = [f"{f:+}*{s}[l-{d - 1}]" for (to, s, d), f in self.state.items() if to == name]
        terms += [f"{f:+}*F({s}[l-{d - 1}])" for (to, s, d), f in self.block.items() if to == name]
        return " ".join(terms).lstrip("+").replace("+", " + ").replace("-0]", "]")

    def ratios(self, gain: float) -> list[float]:
        """How much larger the output is late than early, from each kept value in turn."""
        return [self._ratio(gain, *first) for first in product(self.names, (1, 2, 3), "sb")]

    def _ratio(self, gain: float, name: str, age: int, kind: str) -> float:
        """For one value, or one block's output, that is 1 when all others are 0."""
        states = {s: [float((s, 4 - n, "s") == (name, age, kind)) for n in (1, 2, 3)]
                  for s in self.names}  # fmt: skip
        added = {s: [float((s, 4 - n, "b") == (name, age, kind)) for n in (1, 2, 3)]
                 for s in self.names}  # fmt: skip
        for _ in range(NUM_STEPS):
            newest = {}
            for to in self.names:
                total = sum(f * states[s][-d] for (t, s, d), f in self.state.items() if t == to)
                total += sum(f * added[s][-d] for (t, s, d), f in self.block.items() if t == to)
                newest[to] = total
            for s, value in newest.items():
                states[s].append(value)
                added[s].append(gain * value)
            if abs(newest["x"]) > 1e9:
                return 1e9
        x = states["x"]
        early = max(map(abs, x[NUM_STEPS // 8 : NUM_STEPS // 4]))
        late = max(map(abs, x[-NUM_STEPS // 8 :]))
        # What is as small as rounding is no growth.
        return late / max(early, 1e-6)


def lags(seed: int) -> Lags:
    random = Random(seed)
    names = "x" if seed % 3 else "xy"

    def some(number: int) -> dict[tuple[str, str, int], float]:
        keys = {(random.choice(names), random.choice(names), random.choice((1, 1, 2, 3)))
                for _ in range(number)}  # fmt: skip
        return {key: random.choice(FACTORS) for key in sorted(keys)}

    state, block = some(random.choice((1, 2, 3))), some(random.choice((1, 2)))
    for name in names:
        if not any(to == name for to, _, _ in (*state, *block)):
            state[name, name, 1] = 1
    return Lags(state, block, names)


@pytest.mark.parametrize("seed", range(24))
def test_boundedness_agrees_with_running_the_recurrence(seed: int) -> None:
    drawn = lags(seed)
    formula = parse(drawn.to_text())
    for gain in Random(seed).sample(GAINS, 3):
        # A Jordan block grows by 9.6 and more from the middle of one stretch to that of the other.
        grows = max(drawn.ratios(float(gain))) > 3
        assert is_bounded(formula, gain) == (not grows), (drawn.to_text(), gain)


@pytest.mark.parametrize("seed", range(40))
def test_intervals_agree_with_single_gains_and_with_the_growth_rate(seed: int) -> None:
    formula = parse(lags(seed).to_text())
    intervals = bounded_gains(formula)
    for gain in GAINS:
        inside = any(
            (i.low is None or i.low.to_float() < gain or (i.has_low and i.low.to_float() == gain))
            and (i.high is None or gain < i.high.to_float()
                 or (i.has_high and i.high.to_float() == gain))
            for i in intervals
        )  # fmt: skip
        assert is_bounded(formula, gain) == inside
        # A root on the circle comes out of the enclosures with an error of 2^-60 at most.
        assert not inside or growth_rate(formula, gain) <= 1 + 1e-12
