"""Counts of a formula, given back as a wish, lead to a formula with the same counts.

A random formula has constant coefficients, delays, one or two states, blocks inside blocks, start
values and outputs. What is compared is its generating function, exact at every depth.
"""

from __future__ import annotations

from random import Random
from time import process_time

import pytest
from oracles.walk import TooManyWordsError, walk

from recform.design import by_length
from recform.formula import parse
from recform.paths import closed_forms

CONSTANTS = ("1", "1", "1", "-1", "2", "-1/2", "3")
MAX_ORDER = 6


def random_formula(random: Random, order: int, two_states: bool) -> str:
    """A formula whose oldest read of x is x[l-order+1]."""
    states = "xy" if two_states else "x"
    lines = []
    for state in states:
        terms = [term(random, states, order) for _ in range(random.choice((1, 2, 2, 3)))]
        if state == "x":
            oldest = f"x[l-{order - 1}]" if order > 1 else "x[l]"
            terms.append(random.choice((oldest, f"F({oldest})")))
        lines.append(f"{state}[l+1] = " + " + ".join(terms))
    if two_states:
        lines.append(random.choice(("input x, y", "init y[0] = absent", "init y[0] = 2*x[0]")))
    if random.random() < 0.2:
        lines.append(random.choice(("output x[L] - x[L-1]", "output x[L] + 2*F(x[L-1])",
                                    "output 1/2*x[L]")))  # fmt: skip
    if random.random() < 0.2:
        lines.append("init x[-1] = x[0]")
    return "\n".join(lines)


def term(random: Random, states: str, order: int) -> str:
    delay = random.randrange(order)
    read = f"{random.choice(states)}[l{f'-{delay}' if delay else ''}]"
    value = random.choice((read, f"F({read})", f"F({read})", f"F[l]({read})", f"F(F({read}))"))
    if value.startswith("F(F(") and random.random() < 0.5:
        value = f"F({read})"
    return f"({random.choice(CONSTANTS)})*{value}"


def size_of(function) -> int:
    """The order of the recurrence of the counts."""
    return len(function.denominator) - 1


def formula_of(seed: int):
    """A formula and its generating function, of order 6 at most.

    Odd seeds: of order 2 or more, or with two states.
    """
    random = Random(seed)
    while True:
        demanding = seed % 2 == 1
        order = random.randint(2, MAX_ORDER) if demanding else random.randint(1, 2)
        two_states = demanding and random.random() < 0.5
        text = random_formula(random, order, two_states)
        function = closed_forms(parse(text)).net.function
        parts = (*function.numerator, *function.denominator)
        calls = max((part.degree() for part in parts), default=0)
        is_demanding = two_states or size_of(function) >= 2
        if (function.numerator and size_of(function) <= MAX_ORDER and calls <= 8
                and (is_demanding or not demanding)):  # fmt: skip
            return text, function


def assert_round_trip(text, function):
    # A number without z would be read as a number of paths.
    answer = by_length(f"{function.to_text()} + 0*z", depth=3)
    assert answer.refused is None, f"{text}: {answer.refused}"
    for candidate in answer.candidates:
        assert closed_forms(candidate.formula).net.function == function, f"{text} {candidate}"
    return answer


@pytest.mark.parametrize("seed", range(40))
def test_a_designed_formula_has_the_counts_that_were_asked_for(seed):
    assert_round_trip(*formula_of(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1500))
def test_500_round_trips_take_two_seconds_each_at_most(seed):
    text, function = formula_of(seed)
    began = process_time()
    assert_round_trip(text, function)
    assert process_time() - began < 2


@pytest.mark.parametrize("seed", range(2000, 2020))
def test_what_was_designed_has_these_paths_when_they_are_walked_one_by_one(seed):
    text, function = formula_of(seed)
    formula = assert_round_trip(text, function).candidates[0].formula
    for depth in range(4):
        try:
            walked = walk(formula, depth, most=2_000), walk(parse(text), depth, most=2_000)
        except TooManyWordsError:
            return
        designed, given = (list(one.net) for one in walked)
        while designed and designed[-1] == 0:
            designed.pop()
        while given and given[-1] == 0:
            given.pop()
        assert designed == given
