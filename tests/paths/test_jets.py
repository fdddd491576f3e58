"""Jets: forms over letters, and derivatives over tails."""

from __future__ import annotations

from recform.formula import parse
from recform.paths.histories import row_of
from recform.paths.jets import INPUT, Jets, LetterTable
from recform.tape import unroll


def test_letters_are_the_same_if_their_arguments_are_the_same_form():
    jets = Jets(LetterTable())
    left = row_of(unroll(parse("x[l+1] = F(x[l] + F(x[l]) - F(x[l]))"), 2), jets)
    right = row_of(unroll(parse("x[l+1] = F(x[l])"), 2), jets)
    assert left == right
    assert len(jets.table.letters) == 1 + 2


def test_a_block_of_nothing_but_zeros_is_on_no_path():
    jets = Jets(LetterTable())
    assert row_of(unroll(parse("x[l+1] = x[l] + F(x[l] - x[0])"), 1), jets).form == {INPUT: 1}


def test_the_derivative_follows_the_paths_from_a_later_state():
    jets = Jets(LetterTable())
    row = row_of(unroll(parse("x[l+1] = x[0] + F(x[l])"), 2), jets, start=1)
    (tail,) = row.derivative
    assert jets.table.tails[tail].argument == {INPUT: 1}
    assert jets.table.letters[jets.table.tails[tail].letter].index == 1


def test_a_kept_activation_is_a_letter():
    tape = unroll(parse("x[l+1] = relu(x[l]) - x[l]"), 1)
    assert row_of(tape, Jets(LetterTable())).form == {}
    assert len(row_of(tape, Jets(LetterTable(), {"act"})).form) == 2


def test_tails_of_one_letter_are_added_up():
    """F'(a) + F'(b) - F'(a + b) at one point of F is nothing."""
    table = LetterTable()
    letter = table.letter("F", 1, {INPUT: 1})
    inner = table.tail(table.letter("F", 0, {INPUT: 1}), {INPUT: 1})
    first, second = table.tail(letter, {INPUT: 1}), table.tail(letter, {inner: 1})
    both = table.tail(letter, {INPUT: 1, inner: 1})
    assert not table.has_paths({first: 1, second: 1, both: -1})
    assert table.has_paths({first: 1, second: 1, both: 1})
