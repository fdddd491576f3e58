"""Running sums save time and change nothing: the tape is the same without them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recform.formula import parse, resolve
from recform.tape import unroll
from recform.tape.running_sums import RunningSums
from tests.laws.formulas import formulas

HISTORIES = (
    "x[l+1] = sum(F(x[i]) for i in 0..l)",
    "x[l+1] = x[l] + F[l](sum(x[i] for i in 0..l))",
    "x[l+1] = sum(x[0], F(x[i]) for i in 0..l, x[i] for i in 0..l-1)",
    "x[l+1] = mean(F(x[i]) for i in 1..l if i % 2 == 0) + x[l]",
    "x[l+1] = sum(F(x[i]) for i in l-2..l)",
    "x[l+1] = x[l] + sum(F(x[i]) for i in (0 if l < 4 else 2)..l)",
    "x[l+1] = x[l] + sum(sum(x[j] for j in 0..i) for i in 0..l)",
    "x[l+1] = x[l] + sum(sum(F(x[i-j]) for i in 0..l) for j in 0..l)",
    "x[l+1] = x[l] + sum(sum(F(x[i]) for i in 0..l if i > j) for j in 0..l)",
    "x[l+1] = x[l] + sum(sum(sum(x[i-k] for k in 0..j) for i in 0..l) for j in 0..l)",
    "x[l+1] = x[l] + sum(x[i-2] for i in 0..l)",
    "x[l+1] = x[l] + (sum(F(x[i]) for i in 0..l) if l % 3 == 0 else F(x[l]))",
    "z[l] = sum(F(x[i]) for i in 0..l); x[l+1] = x[l] + z[l] - z[l-1]",
)


def without_shortcut(text: str, depth: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunningSums, "resume", lambda self, item, indices, so_far: (0, so_far))
        return unroll(parse(text), depth)


@pytest.mark.parametrize("text", HISTORIES)
def test_a_running_sum_gives_the_same_tape(text: str):
    assert str(unroll(parse(text), 9)) == str(without_shortcut(text, 9))


@given(formulas(), st.integers(0, 7))
def test_running_sums_give_the_same_tape_for_any_formula(text: str, depth: int):
    assert str(unroll(parse(text), depth)) == str(without_shortcut(text, depth))


def test_a_dense_formula_has_a_tape_linear_in_its_depth():
    dense = resolve("dense_sum")
    assert len(unroll(dense, 200).operations) - len(unroll(dense, 100).operations) == 200


def test_a_dense_formula_of_a_thousand_blocks_unrolls_within_a_second():
    dense = resolve("dense_sum")
    started = time.process_time()
    unroll(dense, 1000)
    assert time.process_time() - started < 1
