"""What `equal` decides is what one finds by writing out all paths of both formulas."""

from __future__ import annotations

from random import Random

import pytest
from oracles.same import have_the_same_words
from oracles.walk import TooManyWordsError

from laws.pairs import changed, random_formula, rewritten
from recform.formula import Formula, example_names, gallery_names, parse
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


def test_roots_are_compared_exactly() -> None:
    plain, halved = "x[l+1] = x[l] + F(x[l])/sqrt(2)", "x[l+1] = x[l] + sqrt(2)/2*F(x[l])"
    assert equal(plain, halved).equal == "undecided", "no difference, and no recurrence to prove it"
    witness = equal(plain, "resnet").witness
    assert witness is not None
    assert (witness.depth, witness.word, witness.right) == (1, "F'[0]", 1)
    assert str(witness.left) == "sqrt(2)/2"


def test_roots_that_cancel_leave_a_rational_number() -> None:
    left = "x[l+1] = sqrt(2)*x[l] + F(x[l]) - sqrt(2)*x[l]"
    assert equal(left, "x[l+1] = F(x[l])").witness is None
    assert equal(left, "resnet").equal == "no"


@pytest.mark.parametrize("name", [*example_names(), *gallery_names()])
def test_every_example_can_be_compared_with_roots_and_with_itself(name: str) -> None:
    # DeepNorm scales by fourth roots of the depth.
    found = equal(name, "deepnorm")
    assert found.equal in (("always",) if name == "deepnorm" else ("no", "undecided"))
    assert found.equal != "undecided" or "may yet come to the same paths" in str(found.reason)
    assert equal(name, name).equal in ("always", "undecided")
