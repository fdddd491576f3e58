"""One state that remembers: formulas x[l+1] = sum of a_d x[l-d] + sum of b_d F(x[l-d]) + e x[0].

Let all that a block's output meets be the state itself again. Then

    x[n] = S_n x[0] + C_0 F(x[n-1]) + C_1 F(x[n-2]) + ...

with *skip response* S and *letter response* C, two fractions in z. If a(z) is a common denominator,
a(z) x is S a + z C a F: a recurrence for x. The 1 in S of eq. (12) of Liao et al. (2021), one path
of each length, can be had from the step before (their eq. (14)), or from x[0] at every depth:

>>> one = (fmpq_poly([1]), fmpq_poly([1]))
>>> always = (fmpq_poly([1]), fmpq_poly([1, -1]))
>>> for form in memory_forms(skip=always, letter=one, fresh=False):
...     print(form.text)
x[l+1] = x[l] + F(x[l]) - F(x[l-1])
x[l+1] = x[0] + F(x[l])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_poly

from recform.design.writing import Term, at, call, start, step

# numerator, denominator
Response = tuple[fmpq_poly, fmpq_poly]

_ONE = fmpq_poly([1])
_ONE_LESS_Z = fmpq_poly([1, -1])
_Z = fmpq_poly([0, 1])


@dataclass(frozen=True)
class Form:
    """A formula's text, and the idea behind it in a clause."""

    text: str
    idea: str


def memory_forms(skip: Response, letter: Response, fresh: bool = True) -> Iterator[Form]:
    """The formulas with these responses; skip(0) must be 1. `fresh`: older values anew, too."""
    denominator = _lcm(skip[1], letter[1])
    above = _times(skip, denominator)
    blocks = _times(letter, denominator)
    assert above[0] == 1, "x[0] is the input"
    yield from _form(denominator, above, blocks, fmpq_poly([]), fresh)
    if denominator(1) == 0:
        injected = above(1)
        rest = above - injected * _Z
        smaller, left = divmod(denominator, _ONE_LESS_Z)
        fewer, over = divmod(blocks, _ONE_LESS_Z)
        if injected != 0 and over == 0:
            assert left == 0, "a polynomial that is zero at 1 has the factor 1 - z"
            start_terms, remainder = divmod(rest, _ONE_LESS_Z)
            assert remainder == 0, "e was chosen so"
            yield from _form(smaller, start_terms, fewer, fmpq_poly([injected]), fresh=False)


def _form(
    below: fmpq_poly, above: fmpq_poly, blocks: fmpq_poly, injected: fmpq_poly, fresh: bool
) -> Iterator[Form]:
    """a(z), S a, C a and e as formulas, if start values can make up for S a."""
    starts = _starts(below, above)
    if starts is None:
        return
    skips = [(-c, at("x", delay - 1)) for delay, c in _coefficients(below) if delay > 0]
    calls = [(c, call(at("x", delay))) for delay, c in _coefficients(blocks)]
    input_again: list[Term] = [(c, "x[0]") for _, c in _coefficients(injected)]
    terms = [*input_again, *skips[:1], *calls[:1], *skips[1:], *calls[1:]]
    lines = [start("x", -place, c, "x") for place, c in starts if c]
    remembers = "what went before is taken from the last step"
    idea = "the input is added again at every depth" if input_again else remembers
    yield Form("\n".join([step("x", terms), *lines]), idea)
    delayed = [delay for delay, _ in _coefficients(blocks) if delay > 0]
    # With start values F[l](x[-1]) would be there, and F(x[-1]) is not.
    if fresh and delayed and not lines:
        anew = [(c, f"F[l]({at('x', delay)})" if delay else call("x[l]"))
                for delay, c in _coefficients(blocks)]  # fmt: skip
        terms = [*skips[:1], *anew[:1], *skips[1:], *anew[1:]]
        yield Form("\n".join([step("x", terms), *lines]),
                   "each block is applied to older states anew: as many paths, others")  # fmt: skip


def _starts(below: fmpq_poly, above: fmpq_poly) -> list[tuple[int, Fraction]] | None:
    """(j, c) of `init x[-j] = c*x[0]` that put the numerator above: triangular equations.

    x[n] reads x[n-1-d] with a_d; for n = 1, 2, ... those from before the start add up to above[n].
    """
    order = below.degree()
    if above.degree() > max(0, order - 1):
        return None
    skips = [-_fraction(below[d + 1]) for d in range(order)]
    found: list[Fraction] = []
    for n in range(order - 1, 0, -1):
        place = order - n
        known = sum((skips[n - 1 + j] * c for j, c in enumerate(found, start=1)), Fraction(0))
        found.append((_fraction(above[n]) - known) / skips[order - 1])
        assert len(found) == place, "one start value an equation"
    return list(enumerate(found, start=1))


def _lcm(left: fmpq_poly, right: fmpq_poly) -> fmpq_poly:
    found = left * right / left.gcd(right)
    return found / found[0]


def _times(response: Response, denominator: fmpq_poly) -> fmpq_poly:
    quotient, rest = divmod(response[0] * denominator, response[1])
    assert rest == 0, "the denominator is common"
    return quotient


def _coefficients(polynomial: fmpq_poly) -> list[tuple[int, Fraction]]:
    return [(k, _fraction(c)) for k, c in enumerate(polynomial.coeffs()) if c != 0]


def _fraction(number: object) -> Fraction:
    exact = fmpq(number)  # type: ignore[arg-type]
    return Fraction(int(exact.numer()), int(exact.denom()))
