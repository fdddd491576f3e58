"""Distinct counts at depths where no word can be written down."""

from __future__ import annotations

from math import comb

import pytest

from recform.formula import resolve
from recform.paths.distinct import INPUT_FORM, LinearForms, TooManyLinksError
from recform.tape import fold, unroll


def distinct(text: str, depth: int) -> tuple[int, ...]:
    tape = unroll(resolve(text), depth)
    algebra = LinearForms()
    form = fold(tape, algebra, given={0: INPUT_FORM})
    return tuple(int(count) for count in algebra.count(form).coeffs())


def test_resnet_has_all_binomials_at_depth_300() -> None:
    assert distinct("resnet", 300) == tuple(comb(300, length) for length in range(301))


def test_what_cancels_is_not_counted() -> None:
    assert distinct("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", 200) == (1,) * 201


def test_paths_of_one_length_only_leave_the_others_at_nothing() -> None:
    assert distinct("plain", 100) == (0,) * 100 + (1,)


def test_a_value_may_follow_from_many_applications_of_a_block_to_one_value() -> None:
    """x[1] has one path, and each later value as many as all before it: 1, 2, 4, ..."""
    assert sum(distinct("x[l+1] = sum(F[l](x[i]) for i in 0..l)", 30)) == 2**29


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_hundred_terms_with_blocks_of_their_own_are_counted(sign: str) -> None:
    """Each new value has one more path by a block than all the last hundred have together."""
    terms = " + ".join(f"F[l](x[l-{lag}])" for lag in range(100))
    counts = distinct(f"x[l+1] = {sign}x[l] + {terms}", 120)
    totals = [1]
    for layer in range(120):
        totals.append(totals[layer] + sum(totals[max(0, layer - 99) : layer + 1]))
    assert sum(counts) == totals[120]


def test_counting_that_would_take_minutes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recform.paths.distinct.MAX_COST", 10)
    with pytest.raises(TooManyLinksError):
        distinct("resnet", 20)


def test_a_value_can_be_counted_more_than_once() -> None:
    tape = unroll(resolve("x[l+1] = x[l] + F(x[l])"), 3)
    algebra = LinearForms()
    form = fold(tape, algebra, given={0: INPUT_FORM})
    assert algebra.count(form) == algebra.count(form)
