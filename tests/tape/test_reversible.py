"""Which formulas give their older states back, and by which equations."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from recform.formula import parse, resolve
from recform.tape import operands, unroll
from recform.tape.reversible import reversed_layers, reversibility

EXAMPLES = sorted(Path("examples").rglob("*.rf"))
REVERSIBLE = {
    "irevnet", "leapfrog", "leapfrog_net", "liao_older", "midpoint", "momentum", "momentum_resnet",
    "revnet", "revnet_split", "second_order", "verlet",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "inverse"),
    [
        ("x[l+1] = x[l-1] + 2*F(x[l])", ("x[l-1] = x[l+1] - 2*F(x[l])",)),
        ("x[l+1] = 2*x[l] - x[l-1] + F(x[l])", ("x[l-1] = 2*x[l] - x[l+1] + F(x[l])",)),
        (
            "init v[0] = 0\nv[l+1] = 9/10*v[l] + 1/10*F(x[l])\nx[l+1] = x[l] + v[l+1]",
            ("x[l] = x[l+1] - v[l+1]", "v[l] = 10/9*v[l+1] - 1/9*F(x[l])"),
        ),
        (
            "block G\ninput x, y\nx[l+1] = x[l] + F(y[l])\ny[l+1] = y[l] + G(x[l+1])",
            ("y[l] = y[l+1] - G(x[l+1])", "x[l] = x[l+1] - F(y[l])"),
        ),
        # The block l-1 ran in an older layer; what it was made of lives.
        (
            "x[l+1] = x[l-2] + F(x[l]) + F(x[l-1])",
            ("x[l-2] = x[l+1] - F(x[l-1]) - F(x[l])",),
        ),
        (
            "x[l+1] = x[l-3] + 8/3*F(x[l]) - 4/3*F(x[l-1]) + 8/3*F(x[l-2])",
            ("x[l-3] = x[l+1] + 4/3*F(x[l-1]) - 8/3*F(x[l-2]) - 8/3*F(x[l])",),
        ),
    ],
)
def test_the_inverse_of_a_reversible_formula_in_the_order_of_solving(text, inverse):
    found = reversibility(parse(text))
    assert found is not None
    assert found.is_reversible
    assert found.inverse == inverse


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("x[l+1] = F(x[l])", "x[l] is lost: no equation gives it from x[l+1]"),
        ("x[l+1] = x[l] + F(x[l])", "x[l] is lost: no equation gives it from x[l+1]"),
        (
            "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
            "F(x[l-1]) and x[l] are lost: no equation gives them from F(x[l]) and x[l+1]",
        ),
        ("x[l+1] = x[0] + F(x[l])", "x[l] is lost: no equation gives it from x[0] and x[l+1]"),
        # What is kept is a multiple of the block, which itself nothing but that multiple gives.
        (
            "x[l+1] = x[l] - F(x[l]) - F(x[l-1])",
            "-F(x[l-1]) and x[l] are lost: no equation gives them from -F(x[l]) and x[l+1]",
        ),
        # The block would have to run on the very state that is lost.
        (
            "x[l+1] = x[l-1] + F(x[l]) - F(x[l-2])",
            "F(x[l-2]) and x[l-1] are lost: no equation gives them from F(x[l-1]) and x[l] and "
            "F(x[l]) and x[l+1]",
        ),
        # An activation is not inverted, not even one that could be.
        ("x[l+1] = tanh(x[l-1] + F(x[l]))",
         "x[l-1] is lost: no equation gives it from x[l] and x[l+1]"),
        # A learned coefficient may come to 0.
        ("param k = 1\nx[l+1] = k*x[l-1] + F(x[l])",
         "x[l-1] is lost: no equation gives it from x[l] and x[l+1]"),
    ],
)  # fmt: skip
def test_a_formula_that_is_not_says_what_is_lost(text, lost):
    found = reversibility(parse(text))
    assert found is not None
    assert not found.is_reversible
    assert found.inverse == ()
    assert found.reason == lost


def test_what_keeps_all_states_forgets_nothing():
    found = reversibility(parse("x[l+1] = x[l] + sum(F[l](x[i]) for i in 0..l)"))
    assert found is not None
    assert not found.is_reversible
    assert found.reason.startswith("nothing is forgotten")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_gallery(path):
    assert reversibility(resolve(str(path))).is_reversible == (path.stem in REVERSIBLE)


def test_the_last_layer_ends_states_and_is_no_reason():
    formula = parse("x[l+1] = x[l-1] + F(x[l])")
    layers = reversed_layers(unroll(formula, 6), formula)
    assert [bool(layer.lost) for layer in layers] == [False] * 5 + [True]
    assert reversibility(formula).is_reversible


@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if p.stem in REVERSIBLE], ids=lambda p: p.stem
)
def test_each_inverse_holds_in_numbers(path):
    """The equations as printed, on the numbers of a run with a block that nobody can invert."""
    formula = resolve(str(path))
    values = states_in_numbers(formula, depth=16)
    for text in reversibility(formula).inverse:
        left, right = text.split(" = ")
        for layer in (5, 8, 11):
            assert in_numbers(left, values, layer) == pytest.approx(
                in_numbers(right, values, layer), abs=1e-9
            )


def block(index, value):
    return math.cos(3 * value + index) ** 2


def states_in_numbers(formula, depth):
    """Every state at every depth: the tape, operation by operation, on numbers."""
    tape = unroll(formula, depth)
    made: list[float] = []
    operation: Any
    for operation in tape.operations:
        read = [made[v] for v in operands(operation)]
        name = type(operation).__name__
        made.append({
            "Input": lambda: 0.7,
            "Zero": lambda: 0.0,
            "One": lambda: 1.0,
            "Parameter": lambda o=operation: float(o.start),
            "Call": lambda o=operation, r=read: block(o.index, r[0]) * (2 if o.block == "G" else 1),
            "Scale": lambda o=operation, r=read: float(o.factor) * r[0],
            "Add": lambda r=read: r[0] + r[1],
            "Multiply": lambda r=read: r[0] * r[1],
            "Start": lambda r=read: r[0],
            "Part": lambda o=operation, r=read: r[0] + o.number,
            "Combine": lambda r=read: sum(r),
        }[name]())  # fmt: skip
    return {key: made[value] for key, value in tape.states.items()}


def in_numbers(text, values, layer):
    """A side of an equation: x[l+1] is looked up, F(...) is `block` at the layer."""
    code = re.sub(r"\b([a-z])\[(l[^\]]*)\]", r"read('\1', \2)", text)
    names = {
        "l": layer,
        "read": lambda state, depth: values.get((state, depth), 1 / 2 if state == "a" else None),
        "F": lambda value: block(layer, value),
        "G": lambda value: 2 * block(layer, value),
    }
    return eval(code, names)


@pytest.mark.parametrize("read", ["F(x[i-1])", "x[i]", "x[i] - F(x[i-1])"])
def test_a_running_sum_inside_a_block_is_told_without_end(read: str):
    # The sum so far is known by the longer one only, and that by it: words must stop somewhere.
    found = reversibility(parse(f"x[l+1] = F(sum({read} for i in 0..l)) + F(x[l-1])"))
    assert found is not None
    assert not found.is_reversible
    assert found.reason is not None
    assert found.reason.startswith("x[l-1] is lost: no equation gives it from x[l] and ")


def test_a_start_value_that_is_no_state_has_a_name():
    # F(x[-1]) is read by every later sum, and was named by what it was made of, without end.
    found = reversibility(parse("x[l+1] = x[l] - sum(F(x[l-k]) for k in 0..) + max(x[l], x[l-1])\n"
                                "init F(x[-1]) = x[0]"))  # fmt: skip
    assert found is not None
    assert found.reason == (
        "x[l-1] is lost: no equation gives it from the 15 values that are read later"
    )
