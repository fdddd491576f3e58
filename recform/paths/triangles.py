"""Number triangles with a name, recognised by their generating functions.

A formula's triangle is the one of the table if both generating functions are the same fraction:
this is a proof for every depth, not a comparison of first rows. A-numbers are those of the On-Line
Encyclopedia of Integer Sequences (OEIS).

>>> from recform.formula import parse
>>> from recform.paths.generating import NET_READING, generating_function
>>> from recform.paths.settle import settle
>>> pascal = generating_function(settle(parse("x[l+1] = x[l] + F(x[l])")), NET_READING)
>>> recognised(pascal).name
"Pascal's triangle"
"""

from __future__ import annotations

from dataclasses import dataclass

from recform.paths.generating import GeneratingFunction


@dataclass(frozen=True)
class Triangle:
    """Row n, entry k is the number of paths with k of n blocks.

    `function` is the generating function as `GeneratingFunction.to_text` writes it, `entry` the
    entry in sympy's syntax.
    """

    name: str
    oeis: str | None
    function: str
    entry: str


TRIANGLES = (
    Triangle("one path, through n blocks", None, "1/(1 - t*z)", "KroneckerDelta(n, k)"),
    Triangle("one path of each length", "A000012", "1/((1 - z)*(1 - t*z))", "1"),
    Triangle("Pascal's triangle", "A007318", "1/(1 - z - t*z)", "binomial(n, k)"),
    Triangle("Pascal's triangle, shifted", "A097805", "(1 - z)/(1 - z - t*z)",
             "Piecewise((1, Eq(n, 0)), (binomial(n - 1, k - 1), True))"),
    Triangle("Delannoy numbers", "A008288", "1/(1 - z - t*z - t*z**2)",
             "Sum(binomial(k, j)*binomial(n - j, k), (j, 0, k))"),
    Triangle("Fibonacci polynomials", "A011973", "1/(1 - z - t*z**2)", "binomial(n - k, k)"),
    Triangle("compositions into parts 1 and 2", "A030528", "1/(1 - t*z - t*z**2)",
             "binomial(k, n - k)"),
    Triangle("Fibonacci polynomials by falling powers", "A168561", "1/(1 - t*z - z**2)",
             "Piecewise((binomial((n + k)/2, k), Eq(Mod(n + k, 2), 0)), (0, True))"),
    Triangle("Chebyshev's S(n, x + 2)", "A078812", "1/(1 - 2*z - t*z + z**2)",
             "binomial(n + k + 1, 2*k + 1)"),
    Triangle("Morgan-Voyce polynomials", "A085478", "(1 - z)/(1 - 2*z - t*z + z**2)",
             "binomial(n + k, 2*k)"),
    Triangle("trinomial coefficients", "A027907", "1/(1 - z - t*z - t**2*z)",
             "Sum(binomial(n, j)*binomial(n - j, k - 2*j), (j, 0, k))"),
)  # fmt: skip


def recognised(function: GeneratingFunction) -> Triangle | None:
    """The triangle of the table with this generating function."""
    text = function.to_text()
    return next((triangle for triangle in TRIANGLES if triangle.function == text), None)
