"""What a formula telescopes to has the same words, and is simpler."""

from __future__ import annotations

from functools import cache

import pytest

from laws.test_equal import pair, words_agree
from recform.paths.simplicity import simplicity
from recform.paths.telescope import Telescoped, telescope

NUM_FORMULAS = 60
PER_TEST = 10


@cache
def telescoped(seed: int) -> Telescoped | None:
    return telescope(pair(seed)[1])


@pytest.mark.parametrize("first", range(0, 2 * NUM_FORMULAS, 2 * PER_TEST))
def test_simpler_formulas_have_the_same_words(first: int) -> None:
    for seed in range(first, first + 2 * PER_TEST, 2):
        _, formula = pair(seed)
        found = telescoped(seed)
        if found is not None:
            assert words_agree(formula, found.formula, start=0), f"seed {seed}:\n{formula}"
            assert simplicity(found.formula) < simplicity(formula)
            if found.equality.equal == "always":
                assert words_agree(formula, found.formula, start=2)


def test_a_third_of_the_rewritten_formulas_are_simplified() -> None:
    """So that the law above speaks of something."""
    simplified = [seed for seed in range(0, 2 * NUM_FORMULAS, 2) if telescoped(seed)]
    assert len(simplified) >= NUM_FORMULAS // 3
