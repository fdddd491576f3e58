"""Linear relations over the rationals."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from recform.paths.relations import combine, relations_between, spanned_by

ONE = Fraction(1)


def test_a_multiple_is_a_relation():
    relations = relations_between([{"a": ONE}, {"b": ONE}, {"a": Fraction(3)}])
    assert relations.dimension == 1
    assert relations.reduce({2: ONE, 0: -Fraction(3)}) == {}
    assert relations.reduce({1: ONE}) == {1: ONE}


def test_no_vectors_have_no_relations():
    assert relations_between([]).dimension == 0
    assert relations_between([{}]).dimension == 1


vectors = st.lists(
    st.dictionaries(st.integers(0, 3), st.integers(-2, 2).filter(bool).map(Fraction), max_size=3),
    max_size=6,
)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(vectors)
def test_every_relation_holds_and_there_are_as_many_as_the_rank_leaves(rows):
    relations = relations_between(rows)
    assert all(combine(row, rows) == {} for row in relations.rows.values())
    assert relations.dimension == len(rows) - spanned_by(rows).dimension


@settings(max_examples=100, derandomize=True, deadline=None)
@given(vectors, st.lists(st.integers(-2, 2).map(Fraction), min_size=6, max_size=6))
def test_what_is_reduced_keeps_its_value(rows, factors):
    combination = {place: factor for place, factor in enumerate(factors[: len(rows)]) if factor}
    reduced = relations_between(rows).reduce(combination)
    assert combine(reduced, rows) == combine(combination, rows)
