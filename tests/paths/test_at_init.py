"""Counts before training: learned coefficients at their start values."""

from __future__ import annotations

from fractions import Fraction

import pytest

from recform import analyze
from recform.errors import UserError


def test_rezero_starts_as_the_identity() -> None:
    text = "param a[l] = 0\nx[l+1] = x[l] + a[l]*F(x[l])"
    assert analyze(text, 4).net == (1, 4, 6, 4, 1)
    assert analyze(text, 4, at="init").net == analyze(text, 4, at="init").distinct == (1,)


def test_a_start_value_is_taken_at_its_own_depth() -> None:
    text = "param a[l] = 1/(l+1)\nx[l+1] = x[l] + a[l]*F(x[l])"
    written = "x[l+1] = x[l] + 1/(l+1)*F(x[l])"
    assert analyze(text, 5, at="init").net == analyze(written, 5).net


def test_a_pair_of_depths_starts_as_its_case_says() -> None:
    text = "param a[l, i] = 1 if i == l else 0\nx[l+1] = sum(a[l, i]*F(x[i]) for i in 0..l)"
    assert analyze(text, 4, at="init").net == (0, 0, 0, 0, 1)


def test_a_closed_form_is_that_of_the_start_values() -> None:
    text = "param k[l] = -1/20\nx[l+1] = (1 - k[l])*x[l] + k[l]*x[l-1] + F(x[l])"
    closed = analyze(text, 4, at="init").closed
    assert closed is not None
    assert closed.net.row(2)[0] == Fraction(21, 20) ** 2 - Fraction(1, 20)


def test_tables_over_streams_are_refused() -> None:
    text = (
        "stream h[2] = input\nparam A[l, 2, 2] = identity\nh[l+1] = A[l] @ h[l]\noutput sum(h[L])"
    )
    with pytest.raises(UserError, match="`A` is a table over streams"):
        analyze(text, 2, at="init")


def test_shares_of_a_softmax_are_refused() -> None:
    text = "param a[l, i] = 1 in softmax(i)\nx[l+1] = sum(a[l, i]*F(x[i]) for i in 0..l)"
    with pytest.raises(UserError, match="`a` is a softmax over several"):
        analyze(text, 2, at="init")


def test_only_init_can_be_asked_for() -> None:
    with pytest.raises(UserError, match="choose init"):
        analyze("resnet", 2, at="end")
