"""Linear forms by sets of letters: their supports are those of the coefficients themselves."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from flint import fmpq, fmpq_poly

from recform.paths.forms import EMPTY_FORM, Form, Links, add, letter, members, scale

FACTORS = (Fraction(-1), Fraction(1, 3), Fraction(-3, 2), Fraction(2), Fraction(0))


def test_a_letter_taken_off_again_is_gone() -> None:
    both = add(letter(1, 1), letter(2, 1))
    left = add(both, scale(Fraction(-1), letter(1, 1)))
    assert list(members(left.support)) == [2]


def test_what_remains_of_a_letter_keeps_its_sign() -> None:
    thrice, twice_off = scale(Fraction(3), letter(1, 1)), scale(Fraction(-2), letter(1, 1))
    assert add(thrice, twice_off).positive == 1 << 1
    assert add(scale(Fraction(-1), thrice), letter(1, 1)).negative == 1 << 1


def test_nothing_times_anything_is_nothing() -> None:
    assert scale(Fraction(0), letter(3, 1)) is EMPTY_FORM


@pytest.mark.parametrize("seed", range(40))
def test_supports_agree_with_sums_of_fractions(seed: int) -> None:
    random = Random(seed)
    forms = [letter(number, 1) for number in range(6)]
    sums = [{number: Fraction(1)} for number in range(6)]
    for _ in range(60):
        first, second = random.randrange(len(forms)), random.randrange(len(forms))
        factor = random.choice(FACTORS)
        forms.append(add(forms[first], scale(factor, forms[second])))
        sums.append(_sum_of(sums[first], factor, sums[second]))
    for form, total in zip(forms, sums, strict=True):
        assert list(members(form.positive)) == [n for n in sorted(total) if total[n] > 0]
        assert list(members(form.negative)) == [n for n in sorted(total) if total[n] < 0]
        assert form.links.polynomial() == _as_polynomial(total)


def test_coefficients_of_a_long_sum_need_no_recursion() -> None:
    form = letter(0, 1)
    for number in range(1, 5_000):
        form = add(form, letter(number, 1))
    assert form.links.polynomial() == fmpq_poly([1] * 5_000)


def test_signs_that_agree_need_no_coefficients() -> None:
    form: Form = add(letter(1, 1), scale(Fraction(1, 2), letter(1, 1)))
    assert isinstance(form.links, Links)
    assert form.links.known is None


def _sum_of(
    left: dict[int, Fraction], factor: Fraction, right: dict[int, Fraction]
) -> dict[int, Fraction]:
    return {n: left.get(n, 0) + factor * right.get(n, Fraction(0)) for n in {*left, *right}}


def _as_polynomial(total: dict[int, Fraction]) -> fmpq_poly:
    links = [total.get(number, Fraction(0)) for number in range(6)]
    return fmpq_poly([fmpq(link.numerator, link.denominator) for link in links])
