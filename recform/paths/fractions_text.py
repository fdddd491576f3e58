"""Fractions of polynomials in z and t as text that sympy reads."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def fraction_to_text(numerator: Any, denominator: Any) -> str:
    """The fraction with its denominator factored over the rationals, factors with constant term 1.

    `denominator` is 1 at z = 0; both are polynomials (`fmpq_mpoly`) in z and t.
    """
    top = terms_to_text(_terms(numerator))
    factors = [(terms_to_text(terms), power) for terms, power in factors_of(denominator)]
    factors.sort(key=lambda item: (len(item[0]), item))
    if not factors:
        return top
    if " " in top:
        top = f"({top})"
    powers = [f"({text})" + (f"**{power}" if power > 1 else "") for text, power in factors]
    bottom = "*".join(powers)
    return f"{top}/({bottom})" if len(powers) > 1 else f"{top}/{bottom}"


def terms_to_text(
    terms: dict[tuple[int, ...], Fraction], names: tuple[str, ...] = ("z", "t")
) -> str:
    """A polynomial by rising powers: `1 - z - t*z**2`.

    >>> terms_to_text({(0, 0): Fraction(1), (1, 1): Fraction(-1, 2)})
    '1 - t*z/2'
    """
    pieces = []
    for powers in sorted(terms):
        coefficient = terms[powers]
        sign = "-" if coefficient < 0 else "+"
        size = _term(abs(coefficient), powers, names)
        pieces.append(f" {sign} {size}" if pieces else ("-" if sign == "-" else "") + size)
    return "".join(pieces) or "0"


def _term(size: Fraction, powers: tuple[int, ...], names: tuple[str, ...]) -> str:
    letters = [
        name + (f"**{power}" if power > 1 else "")
        for name, power in sorted(zip(names, powers, strict=True))
        if power
    ]
    if not letters:
        return str(size)
    if size.numerator != 1:
        letters = [str(size.numerator), *letters]
    return "*".join(letters) + (f"/{size.denominator}" if size.denominator != 1 else "")


def factors_of(denominator: Any) -> list[tuple[dict[tuple[int, ...], Fraction], int]]:
    """The irreducible factors over the rationals, each 1 at z = 0, with their powers."""
    found = []
    for factor, power in denominator.factor()[1]:
        terms = _terms(factor)
        unit = terms[(0,) * len(next(iter(terms)))]
        found.append(({powers: c / unit for powers, c in terms.items()}, int(power)))
    return found


def _terms(polynomial: Any) -> dict[tuple[int, ...], Fraction]:
    return {
        tuple(int(power) for power in powers): Fraction(int(c.numer()), int(c.denom()))
        for powers, c in polynomial.to_dict().items()
    }
