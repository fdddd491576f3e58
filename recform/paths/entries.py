"""Coefficient formulas: the number of paths with k of n blocks, read off the denominator.

The entry of row n and length k of 1/(1 - sum of a_i t^p_i z^q_i) is a sum over all ways to use the
terms, u_i times each in any order, so that the powers add up to n and k:

    multinomial(u_1 + u_2 + ...; u_1, u_2, ...) * a_1^u_1 * a_2^u_2 * ...

With two terms n and k determine the u: u = (n - k, k) and binomial(n, k) for ResNet. With three,
one of them is summed over. In a product of two factors of one term each, order does not matter.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

from recform.paths.fractions_text import terms_to_text
from recform.paths.generating import GeneratingFunction
from recform.paths.triangles import recognised


class _Term(NamedTuple):
    """constant * z^depth * t^length."""

    constant: Fraction
    depth: int
    length: int


class _Linear(NamedTuple):
    """n_factor * n + k_factor * k + j_factor * j."""

    n: int
    k: int
    j: int

    def __str__(self) -> str:
        terms = {powers: Fraction(factor) for powers, factor in
                 zip(((0, 0, 1), (0, 1, 0), (1, 0, 0)), self, strict=True) if factor}  # fmt: skip
        return terms_to_text(terms, ("j", "k", "n"))

    @property
    def is_never_negative(self) -> bool:
        """For j = 0 and all 0 <= k <= n."""
        return self.n >= 0 and self.n + self.k >= 0

    def plus(self, other: _Linear) -> _Linear:
        return _Linear(self.n + other.n, self.k + other.k, self.j + other.j)


_J = _Linear(0, 0, 1)


def entry(function: GeneratingFunction) -> str | None:
    """The number of paths with k of n blocks, for 0 <= k <= n, in sympy's syntax.

    None where the generating function has another form than those above.

    >>> from recform.formula import parse
    >>> from recform.paths.generating import NET_READING, generating_function
    >>> from recform.paths.settle import settle
    >>> entry(generating_function(settle(parse("x[l+1] = 2*x[l] + F(x[l])")), NET_READING))
    '2**(n - k)*binomial(n, k)'
    """
    known = recognised(function)
    if known is not None:
        return known.entry
    if [str(part) for part in function.numerator] != ["1"]:
        return None
    factors = [_terms(factor) for factor, _ in function.factors()]
    if any(power > 1 for _, power in function.factors()):
        return None
    match [len(terms) for terms in factors]:
        case [1, 1]:
            return _two(factors[0][0], factors[1][0], in_any_order=False)
        case [2]:
            return _two(*factors[0], in_any_order=True)
        case [3]:
            return _three(factors[0])
    return None


def _terms(factor: dict[tuple[int, ...], Fraction]) -> list[_Term]:
    """What 1 - factor is made of."""
    return [_Term(-c, *powers) for powers, c in sorted(factor.items()) if any(powers)]


def _two(first: _Term, second: _Term, in_any_order: bool) -> str | None:
    uses = _uses(first, second, _Linear(1, 0, 0), _Linear(0, 1, 0))
    if uses is None:
        return None
    powers = [_power(first.constant, uses[0]), _power(second.constant, uses[1])]
    # A binomial is 0 by itself where a use is negative, if not both are.
    total = uses[0].plus(uses[1])
    doubtful = [total] if in_any_order else list(uses)
    ways = [_binomial(total, uses[1])] if in_any_order else []
    conditions = [f"{use} >= 0" for use in doubtful if not use.is_never_negative]
    text = _product([*powers, *ways])
    if not conditions:
        return text
    condition = conditions[0] if len(conditions) == 1 else f"And({', '.join(conditions)})"
    return f"Piecewise(({text}, {condition}), (0, True))"


def _three(terms: list[_Term]) -> str | None:
    """A sum over the uses j of one term; those of the other two follow."""
    candidates = [sum_ for order in permutations(terms) if (sum_ := _sum(*order)) is not None]
    return min(candidates, key=lambda text: (len(text), text), default=None)


def _sum(first: _Term, second: _Term, third: _Term) -> str | None:
    uses = _uses(first, second, _Linear(1, 0, -third.depth), _Linear(0, 1, -third.length))
    if uses is None:
        return None
    # binomial(two, use) is 0 by itself where a use is negative, if two is not.
    two = uses[0].plus(uses[1])
    ends = [_end(use) for use in uses if use.j < 0]
    if len(ends) < 2 and two.j < 0:
        ends.append(_end(two))
    if not ends or (two.j >= 0 and not two.is_never_negative):
        return None
    ways = [_binomial(two.plus(_J), _J), _binomial(two, uses[1])]
    powers = [_power(term.constant, use) for term, use in
              zip((first, second, third), (*uses, _J), strict=True)]  # fmt: skip
    end = ends[0] if len(ends) == 1 else f"Min({', '.join(ends)})"
    return f"Sum({_product([*powers, *ways])}, (j, 0, {end}))"


def _end(use: _Linear) -> str:
    """The last j at which a use is not negative."""
    rest = str(_Linear(use.n, use.k, 0))
    if use.j == -1:
        return rest
    return f"floor({rest if rest.isalnum() else f'({rest})'}/{-use.j})"


def _uses(
    first: _Term, second: _Term, depth: _Linear, length: _Linear
) -> tuple[_Linear, _Linear] | None:
    """How often two terms are used if their powers are to add up to `depth` and `length`.

    Only where every depth and length can be had: a determinant of 1 or -1.
    """
    determinant = first.depth * second.length - second.depth * first.length
    if abs(determinant) != 1:
        return None
    return (
        _combined(second.length * determinant, depth, -second.depth * determinant, length),
        _combined(-first.length * determinant, depth, first.depth * determinant, length),
    )


def _combined(first: int, left: _Linear, second: int, right: _Linear) -> _Linear:
    return _Linear(*(first * a + second * b for a, b in zip(left, right, strict=True)))


def _binomial(above: _Linear, below: _Linear) -> str:
    return f"binomial({above}, {below})"


def _power(base: Fraction, exponent: _Linear) -> str:
    if base == 1:
        return ""
    written = str(base) if base > 0 and base.denominator == 1 else f"({base})"
    power = str(exponent)
    return f"{written}**{power if power.isalnum() else f'({power})'}"


def _product(factors: list[str]) -> str:
    return "*".join(factor for factor in factors if factor) or "1"
