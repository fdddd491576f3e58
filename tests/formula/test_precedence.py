"""Precedence and associativity are Python's: scalar expressions come to what Python makes of them.

The oracle is Python's own parser and `Fraction`; only `^` must be spelled `**` for it.
"""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recform.errors import FormulaError
from recform.formula import parse
from recform.formula.ast import Binary, Case, Expression
from recform.tape.scalar import Budget, condition, number

LAYER, BLOCKS = Fraction(5), Fraction(16)


def read(text: str) -> Expression:
    """The scalar expression that a text says."""
    right = parse(f"x[l+1] = ({text})*x[l]").equations[0].right
    assert isinstance(right, Binary)
    return right.left


def read_condition(text: str) -> Expression:
    right = parse(f"x[l+1] = x[l] if {text} else F(x[l])").equations[0].right
    assert isinstance(right, Case)
    return right.condition


def ours(text: str) -> Fraction:
    return number(read(text), {"l": LAYER, "L": BLOCKS}, Budget(None, 1000))


def pythons(text: str) -> Fraction | bool:
    words = text.replace("^", "**").split(" ")
    exact = " ".join(f"Fraction({word})" if word.isdigit() else word for word in words)
    return eval(exact, {"Fraction": Fraction, "l": LAYER, "L": BLOCKS, "__builtins__": {}})


OPERANDS = st.sampled_from(["1", "2", "3", "7", "l", "L"])


@st.composite
def scalars(draw: st.DrawFn, depth: int = 3) -> str:
    """Words with spaces between them; parentheses only here and there."""
    if depth == 0:
        return draw(OPERANDS)
    left, right = draw(scalars(depth - 1)), draw(scalars(depth - 1))
    match draw(st.integers(0, 7)):
        case 0:
            return f"- {left}"
        case 1:
            return f"( {left} )"
        case 2:
            return f"{left} ^ {draw(st.sampled_from(['2', '- 1', '( l - 4 )', '1 ^ 2', '- - 2']))}"
        case 3:
            return f"( {left} {draw(st.sampled_from('+-*/'))} {right} )"
    return f"{left} {draw(st.sampled_from('+-*/%'))} {right}"


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
        operands = draw(st.lists(scalars(1), min_size=2, max_size=3))
        return operands[0] + "".join(f" {draw(signs)} {operand}" for operand in operands[1:])
    left, right = draw(conditions(depth - 1)), draw(conditions(depth - 1))
    match draw(st.integers(0, 4)):
        case 0:
            return f"not {left}"
        case 1:
            return f"( {left} )"
    return f"{left} {draw(st.sampled_from(['and', 'or']))} {right}"


@given(scalars())
def test_numbers_come_to_what_python_makes_of_them(text: str):
    try:
        expected = pythons(text)
    except ZeroDivisionError:
        with pytest.raises(FormulaError) as caught:
            ours(text)
        assert caught.value.code == "division-by-zero"
        return
    # Python's tower of powers may end in a float, ours only in a rational number.
    assume(isinstance(expected, Fraction))
    assert ours(text) == expected


@given(conditions())
def test_conditions_hold_when_pythons_do(text: str):
    try:
        expected = pythons(text)
    except ZeroDivisionError:
        assume(False)
    assert (
        condition(read_condition(text), {"l": LAYER, "L": BLOCKS}, Budget(None, 1000)) == expected
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 - 3 - 4", -5),
        ("12 / 3 / 2", 2),
        ("2 ^ 3 ^ 2", 512),
        ("- 2 ^ 2", -4),
        ("2 ^ - 1", Fraction(1, 2)),
        ("2 + 3 * 4", 14),
        ("- 7 % 3", 2),
        ("7 % 4 * 2", 6),
        ("1 / 2 ^ l", Fraction(1, 32)),
        ("1 / 2 * l", Fraction(5, 2)),
    ],
)
def test_by_hand(text: str, value: Fraction):
    assert ours(text) == pythons(text) == value


@given(scalars())
def test_a_printed_number_is_read_as_the_same(text: str):
    formula = parse(f"x[l+1] = ({text})*x[l]")
    assert parse(str(formula)) == formula


@given(conditions())
def test_a_printed_condition_is_read_as_the_same(text: str):
    formula = parse(f"x[l+1] = x[l] if {text} else F(x[l])")
    assert parse(str(formula)) == formula
