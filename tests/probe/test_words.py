"""Words counted, numbered and drawn."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.formulas import formulas
from oracles.walk import TooManyWordsError, walk

import recform
from recform.formula import parse
from recform.probe import cancelled_words, drawn_words, surviving_words
from recform.tape import Tape, unroll

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def spelled(tape: Tape, words) -> list[str]:
    return [
        "".join(f"{tape.operations[v].block}{tape.operations[v].index}" for v in word)
        for word in words
    ]


def test_resnet_s_has_one_word_of_each_length():
    tape = unroll(parse(EQ_20), 3)
    assert spelled(tape, surviving_words(tape)) == ["", "F2", "F2F1", "F2F1F0"]


def test_resnet_s_cancels_every_other_word():
    tape = unroll(parse(EQ_20), 3)
    assert sorted(spelled(tape, cancelled_words(tape))) == ["F0", "F1", "F1F0", "F2F0"]


def test_what_is_drawn_survives_or_cancels():
    tape = unroll(recform.resolve("resnet_s_code"), 6)
    apart = set(surviving_words(tape)), set(cancelled_words(tape))
    assert not apart[0] & apart[1]
    assert set(drawn_words(tape)) == apart[0] | apart[1]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(formulas(), st.integers(0, 5))
def test_surviving_words_are_those_found_by_walking(text: str, depth: int):
    formula = parse(text)
    try:
        walked = walk(formula, depth, most=1_500)
    except TooManyWordsError:
        return
    tape = unroll(formula, depth)
    oracle = Counter(
        "".join(f"{call.operation[1]}{call.operation[2]}" for call in word) for word in walked.words
    )
    assert Counter(spelled(tape, surviving_words(tape))) == oracle


@pytest.mark.parametrize("name", recform.example_names())
def test_counts_are_the_distinct_paths_of_the_analysis(name: str):
    assert surviving_words(unroll(recform.resolve(name), 12)).counts == (
        recform.analyze(name, depth=12).distinct
    )


def test_every_number_is_another_word_of_its_length():
    words = surviving_words(unroll(recform.resolve("revnet"), 3))
    for length, count in enumerate(words.counts):
        found = {words.word(length, rank) for rank in range(count)}
        assert len(found) == count
        assert {len(word) for word in found} <= {length}


def test_few_paths_are_all_taken():
    words = surviving_words(unroll(recform.resolve("resnet"), 5))
    assert len(set(words.sample(2, 10, Random(0)))) == 10
    assert words.sample(2, 30, Random(0)) == words.sample(2, 10, Random(1))


def test_a_sample_is_uniform():
    # 20 of C(8,4) = 70 words, 700 times: each is expected 200 times. The number of times that one
    # is drawn is binomial(700, 2/7), of deviation 12; five deviations are never passed by chance.
    words = surviving_words(unroll(recform.resolve("resnet"), 8))
    random = Random(0)
    times = Counter(word for _ in range(700) for word in words.sample(4, 20, random))
    assert len(times) == 70
    assert all(abs(count - 200) < 60 for count in times.values())


def test_paths_beyond_number_are_drawn_exactly():
    words = surviving_words(unroll(recform.resolve("resnet"), 300))
    assert words.count(150) > 10**88
    drawn = words.sample(150, 5, Random(0))
    assert len(set(drawn)) == 5
    assert {len(set(word)) for word in drawn} == {150}


def test_an_output_that_does_not_follow_from_the_input_has_no_words():
    tape = unroll(parse("x[l+1] = F(x[l-1])"), 3)
    assert surviving_words(tape).counts == ()
    assert list(drawn_words(tape)) == []
