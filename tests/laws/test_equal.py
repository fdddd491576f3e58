"""What `equal` decides is what one finds by writing out all paths of both formulas."""

from __future__ import annotations

from random import Random

import pytest
from oracles.same import have_the_same_words
from oracles.walk import TooManyWordsError

from laws.pairs import changed, random_formula, rewritten
from recform.formula import Formula, parse
from recform.paths import equal
from recform.paths.difference import Difference

NUM_PAIRS = 300
PER_TEST = 20
MAX_DEPTH = 6
MAX_WORDS = 1_500


def pair(seed: int) -> tuple[Formula, Formula]:
    """Even seeds: the same formula in other words. Odd ones: a formula with a change."""
    random = Random(seed)
    formula = random_formula(random)
    other = rewritten(formula, random) if seed % 2 == 0 else changed(formula, random)
    return parse(str(formula)), parse(other)


def words_agree(left: Formula, right: Formula, start: int) -> bool:
    """At every depth to MAX_DEPTH at which there are few enough words."""
    for depth in range(start, MAX_DEPTH + 1):
        try:
            if not have_the_same_words(left, right, depth, start, MAX_WORDS):
                return False
        except TooManyWordsError:
            break
    return True


@pytest.mark.parametrize("first", range(0, NUM_PAIRS, PER_TEST))
def test_random_pairs_are_decided_as_their_words_say(first: int) -> None:
    for seed in range(first, first + PER_TEST):
        left, right = pair(seed)
        found = equal(left, right)
        assert found.equal == verdict_of_the_words(left, right), f"seed {seed}:\n{left}\n{right}"
        if seed % 2 == 0:
            assert found.equal in ("always", "from_start"), "equal by construction"
        if found.witness is not None:
            check(found.witness, left, right)


def verdict_of_the_words(left: Formula, right: Formula) -> str:
    if not words_agree(left, right, start=0):
        return "no"
    return "always" if all(words_agree(left, right, k) for k in range(1, 5)) else "from_start"


def check(witness: Difference, left: Formula, right: Formula) -> None:
    """It is where the words differ, for the first time."""
    assert witness.left != witness.right
    assert not have_the_same_words(left, right, witness.depth, witness.start)
    for depth in range(witness.start, witness.depth):
        assert have_the_same_words(left, right, depth, witness.start)
