"""Gates that a formula writes out are found on its tape, and named."""

import pytest

from recform.formula import parse, resolve
from recform.tape import Call, Map, factors, unroll, written_gates

WRITTEN = [
    ("block T = sigmoid_conv1x1\nx[l+1] = T(x[l])*F(x[l]) + x[l]", ["T.0", "T.1"]),
    ("block T\nx[l+1] = sigmoid(T(x[l]))*F(x[l]) + x[l]", ["sigmoid(T).0", "sigmoid(T).1"]),
    # by its use alone: what it is made of is not known
    ("block T\nx[l+1] = T(x[l])*F(x[l]) + (1 - T(x[l]))*x[l]", ["T.0", "T.1"]),
    ("block T\nx[l+1] = T(x[l])*F(x[l]) + x[l]", []),
    ("x[l+1] = sigmoid(x[l] + F(x[l]))*x[l]", ["sigmoid.0", "sigmoid.1"]),
    ("block T = sigmoid_conv1x1\nx[l+1] = 2*T(x[l])*F(x[l]) + x[l]", ["T.0", "T.1"]),
    # no factor
    ("block T = sigmoid_conv1x1\nx[l+1] = T(x[l]) + F(x[l])", []),
    # a number is a coefficient
    ("param a = 1/2\nx[l+1] = sigmoid(a)*F(x[l]) + (1 - a)*x[l]", []),
    ("x[l+1] = gate(F(x[l]), x[l])", []),
    ("block T = sigmoid_conv1x1\nx[l+1] = T(x[l])*F(x[l]) + T[l](x[l-1])*x[l]",
     ["T.0", "T.1", "T.1_1"]),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "names"), WRITTEN, ids=[text for text, _ in WRITTEN])
def test_a_gate_is_a_factor_between_0_and_1(formula, names):
    formula = parse(formula)
    assert list(written_gates(unroll(formula, 2), formula)) == names


def test_a_name_leads_to_what_it_says():
    formula = parse("block T, U\nx[l+1] = sigmoid(T(x[l]))*F(x[l]) + (1 - U(x[l]))*x[l]")
    tape = unroll(formula, 3)
    found = written_gates(tape, formula)
    for block in range(3):
        plain = tape.operations[found[f"U.{block}"]]
        assert isinstance(plain, Call)
        assert (plain.block, plain.index) == ("U", block)
        squashed = tape.operations[found[f"sigmoid(T).{block}"]]
        assert isinstance(squashed, Map)
        inner = tape.operations[squashed.argument]
        assert isinstance(inner, Call)
        assert (squashed.function, inner.block, inner.index) == ("sigmoid", "T", block)


def test_whoever_knows_a_name_finds_its_value_without_the_formula():
    for name in ("highway", "skipnet", "deep_delta"):
        formula = resolve(name)
        tape = unroll(formula, 4)
        assert written_gates(tape, formula).items() <= factors(tape).items()
