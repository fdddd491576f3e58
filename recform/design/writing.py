"""Formulas put together from terms: a coefficient and what it multiplies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Term = tuple[Fraction, str]


def at(state: str, delay: int, depth: str = "l") -> str:
    """x[l], x[l-2]; a delay of -1 is x[l+1]."""
    if delay == 0:
        return f"{state}[{depth}]"
    return f"{state}[{depth}{'-' if delay > 0 else '+'}{abs(delay)}]"


def call(argument: str, times: int = 1) -> str:
    """F(F(x[l])) for two times."""
    return "F(" * times + argument + ")" * times


def sum_of(terms: Iterable[Term], nothing: str = "0*x[l]") -> str:
    """The terms with their signs, positive ones first among equals in the order given.

    >>> sum_of([(Fraction(1), "x[l]"), (Fraction(-1, 2), "F(x[l])")])
    'x[l] - 1/2*F(x[l])'
    """
    pieces: list[str] = []
    for coefficient, value in terms:
        if coefficient == 0:
            continue
        size = abs(coefficient)
        text = value if size == 1 else f"{size}*{value}"
        sign = "-" if coefficient < 0 else "+"
        if pieces:
            pieces.append(f" {sign} {text}")
        else:
            pieces.append(f"-{text}" if sign == "-" else text)
    return "".join(pieces) or nothing


def step(state: str, terms: Sequence[Term]) -> str:
    return f"{state}[l+1] = {sum_of(terms, f'0*{state}[l]')}"


def start(state: str, depth: int, factor: Fraction, source: str) -> str:
    """init x[-1] = 1/2*x[0], or absent for a factor of zero."""
    value = sum_of([(factor, f"{source}[0]")]) if factor else "absent"
    return f"init {state}[{depth}] = {value}"


def output(terms: Sequence[Term]) -> str:
    return f"output {sum_of(terms, '0*x[L]')}"


def by_delay(polynomial: Sequence[Fraction]) -> Mapping[int, Fraction]:
    """{delay: coefficient} of the powers of z that are there."""
    return {delay: c for delay, c in enumerate(polynomial) if c}
