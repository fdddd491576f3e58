"""The exact p of Friedman's test against all tables written out, and scipy's permutation test."""

from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recform.compare.orders import exact_p


def test_three_models_in_four_rows_have_the_published_chances():
    # Friedman (1937) tabulates: for k = 3, n = 4 chi2 = 8.0 has p = 0.0046, chi2 = 6.5 has 0.042.
    assert float(exact_p([(1, 2, 3)] * 4) or 0) == pytest.approx(0.0046, abs=5e-5)
    rows = [(1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 3, 2)]
    assert stats.friedmanchisquare(*zip(*rows, strict=True)).statistic == pytest.approx(6.5)
    assert float(exact_p(rows) or 0) == pytest.approx(0.042, abs=5e-4)


def test_rows_of_ties_say_nothing():
    assert exact_p([(2, 2, 2), (2, 2, 2)]) == 1


def test_what_takes_long_is_not_counted():
    assert exact_p([tuple(range(1, 13)), tuple(range(12, 0, -1))]) is None


def by_writing_out_all_tables(rows):
    def statistic(table):
        return sum(sum(column) ** 2 for column in zip(*table, strict=True))

    tables = list(product(*(list(permutations(row)) for row in rows)))
    return Fraction(sum(statistic(table) >= statistic(rows) for table in tables), len(tables))


def ranked(row):
    return tuple(float(rank) for rank in stats.rankdata(row))


@st.composite
def rows_of_ranks(draw):
    """Two to four rows of two or three models, two rows of four, with ties."""
    width = draw(st.integers(2, 4))
    row = st.tuples(*[st.integers(0, 3)] * width).map(ranked)
    return draw(st.lists(row, min_size=2, max_size={2: 4, 3: 4, 4: 2}[width]))


@settings(max_examples=30)
@given(rows_of_ranks())
def test_it_counts_all_tables(rows):
    assert exact_p(rows) == by_writing_out_all_tables(rows)
