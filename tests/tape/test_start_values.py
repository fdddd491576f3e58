"""What learned coefficients start as."""

from __future__ import annotations

from fractions import Fraction

import pytest

from recform.formula import parse
from recform.tape import Exact, Parameter, unroll

STREAMS = "stream h[2] = input\nparam {param}\nh[l+1] = h[l] + F({read} @ h[l])\noutput sum(h[L])"


def starts(param: str, read: str) -> list[Exact]:
    """The start values in block 0, entry by entry."""
    tape = unroll(parse(STREAMS.format(param=param, read=read)), 1)
    found = {op.entry: op.start for op in tape.operations if isinstance(op, Parameter)}
    return [found[entry] for entry in sorted(found)]


def test_one_hot_has_one_one():
    assert starts("r[l, 2] = one_hot(1)", "r[l]") == [0, 1]


def test_sigmoid_reaches_neither_zero_nor_one_so_that_one_hot_stays_a_thousandth_away():
    least = Fraction(1, 1000)
    assert starts("r[l, 2] = one_hot(1) in sigmoid", "r[l]") == [least, 1 - least]


@pytest.mark.parametrize("start", ["identity", "1/2"])
def test_a_matrix_starts_as_it_says(start: str):
    tape = unroll(parse(f"stream h[2] = input\nparam A[l, 2, 2] = {start} in sigmoid\n"
                        "h[l+1] = A[l] @ h[l]\noutput sum(h[L])"), 1)  # fmt: skip
    found = [op.start for op in tape.operations if isinstance(op, Parameter)]
    off, on = (Fraction(1, 1000), Fraction(999, 1000)) if start == "identity" else (0.5, 0.5)
    assert found == [on, off, off, on]
