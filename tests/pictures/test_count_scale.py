"""Counts as heights and as text: exact up to the last moment, and of any size."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recform.pictures.counts import LinearScale, LogScale, count_to_text, log10_of, scale_for

counts = st.one_of(
    st.integers(-(10**6), 10**6),
    st.fractions(min_value=-1000, max_value=1000),
    st.integers(0, 2000).map(lambda power: 10**power),
)


def test_a_power_of_ten_stands_one_step_above_the_one_before():
    assert [LogScale().position(10**power) for power in range(4)] == [1, 2, 3, 4]


def test_zero_stands_at_zero_and_negative_counts_below_it():
    assert [LogScale().position(count) for count in (0, -1, -100)] == [0, -1, -3]


def test_counts_past_the_largest_float_have_heights():
    # log10 of a 1,001-digit integer is exact to 16 digits: to 1e-12 at a height of 1,001.
    assert LogScale().position(10**1000) == pytest.approx(1001, abs=1e-11)
    assert log10_of(Fraction(3**5000, 2**5000)) == pytest.approx(5000 * math.log10(1.5), abs=1e-9)


@given(st.lists(counts, min_size=2))
def test_larger_counts_never_stand_lower(some):
    scale = scale_for(some)
    heights = [scale.position(count) for count in sorted(some)]
    # Neighbours at a height of 1,000 may be rounded by an ulp of it, 1e-13.
    assert all(low <= high + 1e-12 for low, high in pairwise(heights))


@given(counts)
def test_a_count_and_its_negative_stand_equally_far_from_zero(count):
    scale = LogScale(exponent=-2, foot=1.5)
    assert scale.position(-count) == -scale.position(count)


@pytest.mark.parametrize(
    ("some", "scale"),
    [
        ([1, 6, 4, 0], LinearScale()),
        ([], LinearScale()),
        ([0, 0], LinearScale()),
        ([1, 100], LinearScale()),
        ([1, 101], LogScale()),
        pytest.param([10**400, 10**400], LogScale(foot=32.0), id="large"),
        ([Fraction(1, 20), 10], LogScale(exponent=-2)),
        ([Fraction(1, 10**9), 10], LogScale(exponent=-3)),
    ],
)
def test_the_scale_follows_from_how_far_apart_counts_are(some, scale):
    assert scale_for(some) == scale


def test_a_logarithmic_scale_says_so():
    assert LogScale(exponent=-3).label == "log scale, linear below 0.001"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (-542, "-542"),
        (1234567, "1234567"),
        (12345678, "~1.2e7"),
        (-12345678, "~-1.2e7"),
        (99_999_999, "~1.0e8"),
        pytest.param(7**9000, "~7.6e7605", id="too long to print"),
        (Fraction(9, 10), "9/10"),
        (Fraction(86677181699666569, 10**16), "~8.67"),
        (Fraction(17951234567, 10**9), "~18.0"),
        (Fraction(999700001, 10**6), "~1000"),
        (Fraction(1, 10**16), "~1.0e-16"),
    ],
)
def test_a_number_is_exact_where_it_fits_and_marked_where_it_is_rounded(count, text):
    assert count_to_text(count, room=7) == text
