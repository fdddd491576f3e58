"""Wilcoxon's test against all signs written out, and against scipy."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from recform.compare.signs import signed_rank


def of(*gaps):
    return signed_rank([Fraction(gap) for gap in gaps])


def test_five_rows_on_one_side_have_p_1_in_16_however_many_others_tie():
    assert of(1, 2, 3, 4, 5, *[0] * 10).p == 2 / 2**5
    assert of(1, 2, 3, 4, 5).is_exact


def test_rows_that_all_tie_say_nothing():
    found = of(0, 0, 0)
    assert (found.p, found.lean) == (1, 0)


def test_equal_sizes_share_their_ranks():
    # Ranks 1.5, 1.5 and 3: of 8 ways +++ and ---, and those that give 1.5 or less: 4 more.
    assert of(1, -1, 2).p == 6 / 8


def by_writing_out_all_signs(gaps):
    moved = [gap for gap in gaps if gap]
    ranks = stats.rankdata([abs(gap) for gap in moved])
    middle = sum(ranks) / 2
    found = abs(sum(rank for rank, gap in zip(ranks, moved, strict=True) if gap > 0) - middle)
    sums = [sum(rank for rank, up in zip(ranks, ups, strict=True) if up)
            for ups in product((False, True), repeat=len(ranks))]  # fmt: skip
    return sum(abs(total - middle) >= found for total in sums) / len(sums)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_with_zeros_and_ties_it_counts_all_signs(gaps):
    assert of(*gaps).p == by_writing_out_all_signs(gaps)


@given(st.lists(st.sampled_from(range(1, 60)), min_size=1, max_size=50, unique=True), st.data())
def test_without_ties_it_is_scipys_exact_test(sizes, data):
    signs = data.draw(st.lists(st.sampled_from((-1, 1)), min_size=len(sizes), max_size=len(sizes)))
    gaps = [float(size * sign) for size, sign in zip(sizes, signs, strict=True)]
    expected = stats.wilcoxon(gaps, method="exact").pvalue
    assert of(*gaps).p == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(st.lists(st.integers(-3, 3).filter(bool), min_size=2, max_size=8))
def test_with_ties_it_is_scipys_permutation_test(gaps):
    method = stats.PermutationMethod(n_resamples=2**8)
    expected = stats.wilcoxon([float(gap) for gap in gaps], method=method).pvalue
    assert of(*gaps).p == pytest.approx(expected, rel=1e-9)


def test_many_rows_are_told_to_be_approximate():
    gaps = [(-1) ** (row % 3 == 0) * row for row in range(1, 61)]
    found = of(*gaps)
    assert not found.is_exact
    exact = stats.wilcoxon([float(gap) for gap in gaps], method="exact").pvalue
    assert found.p == pytest.approx(exact, abs=1e-3)
