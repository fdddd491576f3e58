"""Gain: where signal and gradient stay bounded, and how fast they grow elsewhere.

The intervals are derived by hand beside each. For x^2 + b x + c both roots are in the closed disc
iff |c| <= 1 and |b| <= 1 + c (Jury's conditions).
"""

from __future__ import annotations

from cmath import sqrt as complex_sqrt
from fractions import Fraction
from math import isclose, sqrt

import pytest
from flint import fmpq, fmpq_poly
from sympy import CRootOf, Rational, sympify
from sympy.abc import x

from recform.errors import UserError
from recform.formula import Formula, parse, resolve
from recform.paths.characteristic import characteristic
from recform.paths.first_order import first_order, state_matrix
from recform.paths.gain import Interval, bounded_gains, growth_curve, growth_rate, is_bounded
from recform.paths.polynomials import NET, ONE
from recform.paths.settle import settle
from recform.paths.start import sources_of
from recform.tape import fold, unroll

# The classical method of Runge and Kutta for x' = F(x), with step 1.
RK4 = """k[l] = F(x[l])
m[l] = F(x[l] + 1/2*k[l])
n[l] = F(x[l] + 1/2*m[l])
o[l] = F(x[l] + n[l])
x[l+1] = x[l] + 1/6*k[l] + 1/3*m[l] + 1/3*n[l] + 1/6*o[l]"""

LEAPFROG = "init y[0] = x[0]\ny[l+1] = 2*y[l] - y[l-1]"

INTERVALS = {
    # x = g x
    "plain": ("-1 <= g <= 1",),
    # root 1 + g
    "resnet": ("-2 <= g <= 0",),
    # roots 1 and g: at g = 1 a Jordan block, at g = -1 two simple roots
    "resnet_s": ("-1 <= g < 1",),
    "injection": ("-1 <= g < 1",),
    # s[n] = s[n-1] + g x[n], x[n] = s[n-1]: root 1 + g
    "dense_sum": ("-2 <= g <= 0",),
    # x^2 - (1+g) x + (1+g): c = 1 + g <= 1 and 1 + g <= 2 + g, -(1 + g) <= 2 + g
    "resnet_s_code": ("-3/2 <= g <= 0",),
    # x^2 - (2+g) x + 1: on the circle for |2 + g| <= 2, double (Jordan) at both ends
    "leapfrog": ("-4 < g < 0",),
    # x^2 - (19/10 + g/10) x + 9/10: |19 + g| <= 19; roots 1, 9/10 and -1, -9/10 at the ends
    "momentum": ("-38 <= g <= 0",),
    # trace 2 + g^2, determinant 1: on the circle for g = 0 only, there the identity
    "revnet": ("g = 0",),
    # x^2 - (1+g) x - g: -g <= 1 and |1 + g| <= 1 - g
    "delannoy": ("-1 <= g <= 0",),
}
TEXTS = {
    # R(g) = 1 + g + g^2/2 + g^3/6 + g^4/24; R = 1 at g = 0 and 24 + 12 g + 4 g^2 + g^3 = 0
    RK4: ("CRootOf(24 + 12*x + 4*x**2 + x**3, 0) <= g <= 0",),
    # x^2 - x - g: -g <= 1 and 1 <= 1 - g
    "x[l+1] = x[l] + F(x[l-1])": ("-1 <= g <= 0",),
    # two layers multiply by 2 g g/2
    "x[l+1] = 2*F(x[l]) if l % 2 == 0 else 1/2*F(x[l])": ("-1 <= g <= 1",),
    # two layers multiply by (1 + g) (1 - g)
    "x[l+1] = x[l] + F(x[l]) if l % 2 == 0 else x[l] - F(x[l])": ("-sqrt(2) <= g <= sqrt(2)",),
    # a transformer layer, (1 + g)^2
    "block G\ny[l] = x[l] + F(x[l])\nx[l+1] = y[l] + G(y[l])": ("-2 <= g <= 0",),
    # two sums whose difference is F(x[l]): the root 1 of each is not seen
    "x[l+1] = sum(F(x[i]) for i in 0..l) - sum(F(x[i]) for i in 0..l-1)": ("-1 <= g <= 1",),
    # 1 is a double root at every g, semisimple only where y is not read
    "x[l+1] = x[l] + F(y[l])\ny[l+1] = y[l]\ninit y[0] = x[0]": ("g = 0",),
    # y doubles, and is seen with the factor g
    "x[l+1] = F(x[l])\ny[l+1] = 2*y[l]\ninit y[0] = x[0]\noutput x[L] + F(y[L])": ("g = 0",),
    # y doubles, and is seen with the factor g^2 - 2
    "x[l+1] = 1/2*F(x[l])\ny[l+1] = 2*y[l]\ninit y[0] = x[0]\noutput x[L] + F(F(y[L])) - 2*y[L]": (
        "g = -sqrt(2)",
        "g = sqrt(2)",
    ),
    # y is leapfrog and drives x, whose roots are i and -i: resonance where 2 + g = 0
    f"{LEAPFROG} + F(y[l])\nx[l+1] = -x[l-1] + y[l]": ("-4 < g < -2", "-2 < g < 0"),
    # as before, with -g^2 for g: resonance at an irrational gain
    f"{LEAPFROG} - F(F(y[l]))\nx[l+1] = -x[l-1] + y[l]": (
        "-2 < g < -sqrt(2)",
        "-sqrt(2) < g < 0",
        "0 < g < sqrt(2)",
        "sqrt(2) < g < 2",
    ),
    # side by side the two do not disturb each other
    f"{LEAPFROG} - F(F(y[l]))\nx[l+1] = -x[l-1]\noutput x[L] + y[L]": (
        "-2 < g < 0",
        "0 < g < 2",
    ),
    "x[l+1] = 1/2*x[l]": ("every g",),
    "x[l+1] = 2*x[l]": (),
    # root g^2 - 3
    "x[l+1] = F(F(x[l])) - 3*x[l]": ("-2 <= g <= -sqrt(2)", "sqrt(2) <= g <= 2"),
}


@pytest.mark.parametrize(("name", "expected"), INTERVALS.items())
def test_bounded_gains_of_the_examples(name: str, expected: tuple[str, ...]) -> None:
    assert tuple(map(str, bounded_gains(resolve(name)))) == expected


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_bounded_gains_of_other_formulas(text: str, expected: tuple[str, ...]) -> None:
    assert tuple(map(str, bounded_gains(parse(text)))) == expected


@pytest.mark.parametrize("text", [*INTERVALS, *TEXTS])
def test_a_single_gain_is_decided_as_the_intervals_say(text: str) -> None:
    formula = parse(text) if "=" in text else resolve(text)
    intervals = bounded_gains(formula)
    for gain in (Fraction(k, 4) for k in range(-18, 19)):
        assert is_bounded(formula, gain) == any(_lies_in(gain, i) for i in intervals), gain


def _lies_in(gain: Fraction, interval: Interval) -> bool:
    """Read off the text, by sympy."""
    low, high = ((end and sympify(end.to_text())) for end in (interval.low, interval.high))
    value = Rational(gain.numerator, gain.denominator)
    above = low is None or (low <= value if interval.has_low else low < value)
    below = high is None or (value <= high if interval.has_high else value < high)
    return bool(above and below)


def test_the_stability_interval_of_runge_kutta_is_the_published_one() -> None:
    # Hairer and Wanner, Solving ODEs II, section IV.2: -2.785... <= g <= 0
    [gains] = bounded_gains(parse(RK4))
    assert gains.low is not None
    assert isclose(gains.low.to_float(), -2.785293563405282, rel_tol=1e-15)
    assert sympify(gains.low.to_text()) == CRootOf(x**3 + 4 * x**2 + 12 * x + 24, 0)


def test_runge_kutta_is_stable_on_the_imaginary_axis_up_to_two_root_two() -> None:
    # |R(iy)|^2 = 1 - y^6/72 + y^8/576, which is 1 at y = 2 sqrt(2)
    border = 2 * sqrt(2)
    below, above = growth_curve(parse(RK4), [(border - 0.01) * 1j, (border + 0.01) * 1j])
    assert below < 1 < above


# What the largest root is, by hand.
ROOTS = {
    "plain": lambda g: abs(g),
    "resnet": lambda g: abs(1 + g),
    "resnet_s": lambda g: max(1, abs(g)),
    "leapfrog": lambda g: max(
        abs(2 + g + sign * complex_sqrt((2 + g) ** 2 - 4)) / 2 for sign in (1, -1)
    ),
    "revnet": lambda g: max(
        abs(2 + g * g + sign * complex_sqrt((2 + g * g) ** 2 - 4)) / 2 for sign in (1, -1)
    ),
}
WEIGHTS = [-5, -4, -1.5, -0.1, 0, 0.3, 1, 7, 1j, -2 + 0.5j, 0.25 - 3j]


@pytest.mark.parametrize("name", ROOTS)
def test_the_growth_rate_is_the_modulus_of_the_largest_root(name: str) -> None:
    # complex_sqrt loses half the digits near a double root
    for weight, found in zip(WEIGHTS, growth_curve(resolve(name), WEIGHTS), strict=True):
        assert isclose(found, ROOTS[name](weight), rel_tol=1e-7, abs_tol=1e-12), weight


def test_growth_is_by_layer_where_layers_take_turns() -> None:
    formula = parse("x[l+1] = 2*F(x[l]) if l % 2 == 0 else 1/2*F(x[l])")
    assert growth_curve(formula, [3, -1.5, 0]) == [3, 1.5, 0]


def test_a_signal_that_no_block_can_reach_dies_out() -> None:
    assert growth_curve(parse("x[l+1] = F(x[l]) - F(x[l])"), [5, 2j]) == [0, 0]


@pytest.mark.parametrize("text", [*INTERVALS, *TEXTS])
def test_the_characteristic_polynomial_annihilates_the_counts_of_the_tape(text: str) -> None:
    formula = parse(text) if "=" in text else resolve(text)
    recurrence = settle(formula)
    chi = characteristic(first_order(recurrence)).coefficients
    for start in (0, 1):
        rows = [_net(formula, depth, start) for depth in range(24)]
        for n in range(recurrence.settled + start + 2, 24 - recurrence.period * len(chi)):
            terms = [c * rows[n + recurrence.period * k] for k, c in enumerate(chi)]
            assert sum(terms, fmpq_poly([])) == 0


def _net(formula: Formula, depth: int, start: int) -> fmpq_poly:
    if depth < start:
        return fmpq_poly([])
    tape = unroll(formula, depth)
    return fold(tape, NET, dict.fromkeys(sources_of(tape, start), ONE))


def test_the_state_matrix_of_resnet_s_at_a_half() -> None:
    # v = (x[n], u[n], u[n-1]) with x[n] = x[n-1] + u[n-1] - u[n-2] and u[n] = x[n]/2
    matrix = state_matrix(settle(resolve("resnet_s")), Fraction(1, 2))
    half = fmpq(1, 2)
    assert matrix.tolist() == [[1, 1, -1], [half, half, -half], [0, 1, 0]]


def test_the_state_matrix_of_a_period_multiplies_its_layers() -> None:
    formula = parse("x[l+1] = 2*x[l] + F(x[l]) if l % 2 == 0 else 3*x[l] - F(x[l])")
    assert state_matrix(settle(formula), Fraction(1, 2)).charpoly().roots() == [
        (fmpq(5, 2) * fmpq(5, 2), 1), (fmpq(0), 1),
    ]  # fmt: skip


def test_the_layers_of_a_period_are_multiplied_in_their_order() -> None:
    # [1 1; 1 0] [-g 2; 1 0] [1 g; 1 0] = [3-g g-g^2; 2-g -g^2], the first layer on the right
    formula = parse(
        "x[l+1] = x[l] + F(x[l-1]) if l % 3 == 0 else "
        "(2*x[l-1] - F(x[l]) if l % 3 == 1 else x[l-1] + x[l])"
    )
    chi = characteristic(first_order(settle(formula))).coefficients
    assert chi == [fmpq_poly([0, -2]), fmpq_poly([-3, 1, 1]), fmpq_poly([1])]


def test_what_has_no_recurrence_is_told_why() -> None:
    formula = parse("x[l+1] = x[l] + (l+1)*F(x[l])")
    for asked in (bounded_gains, lambda f: growth_rate(f, 1), lambda f: is_bounded(f, Fraction(1))):
        with pytest.raises(UserError) as told:
            asked(formula)
        assert str(told.value) == (
            "error[no-recurrence]: the formula has no recurrence: "
            "a coefficient changes with the depth\n"
            "  = hint: ask for one depth: recform analyze FORMULA --depth 20"
        )


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), complex(0, float("-inf"))])
def test_a_weight_must_be_finite(weight: complex) -> None:
    with pytest.raises(UserError, match="a weight must be a finite number") as told:
        growth_rate(resolve("resnet"), weight)
    assert told.value.code == "bad-argument"
