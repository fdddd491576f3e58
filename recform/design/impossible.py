"""Why no formula of finite memory has the wanted counts: proofs, where there are some.

Counts of finite memory have a rational generating function. Then so have the counts along an edge
(k = 0, k = n) and in total: they are *C-finite*, sums of terms n^m lambda^n with whole m >= 0.
Something that grows like 4^n/sqrt(n), like n! or like n^(1/2) is not.

- A product of powers, binomials, factorials and their inverses grows, by Stirling, like
  n^(f n) lambda^n n^theta; unless f = 0 and theta = 0, 1, 2, ... it is not C-finite.
- Along a ray such as k = n/2 the counts of a rational generating function have an algebraic one
  (Furstenberg 1967). A product of r binomials is C lambda^n n^(theta) pi^(-r/2) there, C algebraic,
  which an algebraic one has for r = 0 or 1 only (Flajolet 1987, theorem D).
- How many k have k^2 <= n, or k^2 <= n^2/2: whole numbers that grow like s*n^r. C-finite sequences
  of whole numbers that grow no faster than n are polynomials in n by residues (Polya, Carlson,
  Kronecker), so r is 0 or 1, and s is rational.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq_mpoly_ctx, fmpq_poly

from recform.design.lines import Line, OutsideError, quasi
from recform.design.notation import Node, number
from recform.design.series import rational

_RING: Any = fmpq_mpoly_ctx.get(("n", "k"), Ordering.lex)
_N = Node("name", ("n",))
_EDGES = (("no", number(0)), ("all", _N))
_RAYS = ((2, 1), (3, 1), (3, 2), (4, 1), (4, 3))


def reason_against(node: Node) -> str | None:
    """A proof that the counts are not those of finite memory, or None if none was found."""
    for reason in (*_along_edges(node), _along_rays(node), _of_total(node)):
        if reason is not None:
            return reason
    return None


# --- along the edges ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Growth:
    """n^(factorial*n) lambda^n n^power pi^(-binomials/2), up to an algebraic factor.

    lambda is told in words only.
    """

    factorial: Fraction = Fraction(0)
    power: Fraction = Fraction(0)
    binomials: Fraction = Fraction(0)

    def times(self, other: _Growth, sign: int = 1) -> _Growth:
        return _Growth(
            self.factorial + sign * other.factorial,
            self.power + sign * other.power,
            self.binomials + sign * other.binomials,
        )

    def to_the(self, exponent: Fraction) -> _Growth:
        return _Growth(self.factorial * exponent, self.power * exponent, self.binomials * exponent)

    @property
    def is_c_finite(self) -> bool:
        return self.factorial == 0 and self.power.denominator == 1 and self.power >= 0

    def __str__(self) -> str:
        if self.factorial:
            return f"like (n!)^({self.factorial})" if self.factorial != 1 else "like n!"
        return f"like lambda^n * n^({self.power})"


class _FasterError(Exception):
    """Beyond (n!)^c."""


def _along_edges(node: Node) -> Iterator[str | None]:
    for name, k in _EDGES:
        edge = _put(node, _N, k)
        where = f"the number of paths through {name} block{'s' * (name == 'all')}"
        try:
            growth = _growth(edge)
        except _FasterError:
            yield f"{where} grows faster than any power of n!, and with finite memory it grows "\
                  "like n^m * lambda^n at most"  # fmt: skip
            continue
        if growth is not None and not growth.is_c_finite:
            yield (f"{where} grows {growth}, and with finite memory it is a sum of terms "
                   "n^m * lambda^n, m = 0, 1, 2, ...")  # fmt: skip


def _along_rays(node: Node) -> str | None:
    for u, v in _RAYS:
        n, k = (Node("*", (number(factor), _N)) for factor in (u, v))
        try:
            growth = _growth(_put(node, n, k))
        except _FasterError:
            return None
        if growth is not None and growth.factorial == 0 and growth.binomials not in (0, 1):
            return (f"the number of paths through {v} in {u} blocks grows like lambda^n * "
                    f"n^({growth.power}) * pi^({-growth.binomials / 2}), and with finite memory "
                    "its generating function is algebraic, which this growth excludes")  # fmt: skip
    return None


def _put(node: Node, n: Node, k: Node) -> Node:
    """The expression on an edge or ray: n and k replaced."""
    if node.operator == "name":
        return {"n": n, "k": k}.get(node.parts[0], node)
    parts = tuple(_put(part, n, k) if isinstance(part, Node) else part for part in node.parts)
    return Node(node.operator, parts, node.span)


def _growth(node: Node) -> _Growth | None:
    """How a product grows with n; None for what is no product, or may be zero."""
    polynomial = _polynomial(node)
    if polynomial is not None:
        degree = Fraction(int(polynomial.degrees()[0]))
        return None if polynomial.is_zero() else _Growth(power=degree)
    match node.operator, node.parts:
        case "*" | "/", (left, right):
            one, other = _growth(left), _growth(right)
            if one is None or other is None:
                return None
            return one.times(other, 1 if node.operator == "*" else -1)
        case "^", (base, exponent):
            return _of_power(base, exponent)
        case "factorial", (argument,):
            line = _line(argument)
            if line is None or line.a < 0 or (line.a == 0 and line.c < 0):
                return None
            # (an + c)! ~ (an)^(an + c + 1/2): the bases of n^n and n^power
            return _Growth(line.a, line.c + Fraction(1, 2), Fraction(-1)) if line.a else _Growth()
        case "binomial", (above, below):
            return _of_binomial(_line(above), _line(below))
    return None


def _of_binomial(above: Line | None, below: Line | None) -> _Growth | None:
    if above is None or below is None or above.a <= 0 or not 0 <= below.a <= above.a:
        return None
    if below.a in (0, above.a):
        small = below.c if below.a == 0 else above.c - below.c
        return _Growth(power=small) if small >= 0 else None
    return _Growth(power=Fraction(-1, 2), binomials=Fraction(1))


def _of_power(base: Node, exponent: Node) -> _Growth | None:
    line, degree = _line(exponent), _polynomial(exponent)
    if line is None:
        grows = degree is not None and int(degree.degrees()[0]) > 1
        number_ = _line(base)
        if grows and number_ is not None and number_.a == 0 and abs(number_.c) not in (0, 1):
            raise _FasterError
        return None
    if line.a == 0:
        inner = _growth(base)
        return None if inner is None else inner.to_the(line.c)
    inner = _polynomial(base)
    if inner is None or inner.is_zero():
        return None
    size = int(inner.degrees()[0])
    return _Growth(size * line.a, size * line.c)


def _line(node: Node) -> Line | None:
    try:
        found = quasi(node)
    except OutsideError:
        return None
    return None if found is None or found.modulus > 1 or found.line.b else found.line


def _polynomial(node: Node) -> Any:
    """The expression as a polynomial in n and k, or None."""
    match node.operator, node.parts:
        case "number", (value,):
            return _RING.constant(rational(value))
        case "name", (("n" | "k") as name,):
            return _RING.gens()[0 if name == "n" else 1]
        case "+" | "-" | "*", (left, right):
            one, other = _polynomial(left), _polynomial(right)
            if one is None or other is None:
                return None
            if node.operator == "*":
                return one * other
            return one + other if node.operator == "+" else one - other
        case "/", (left, Node("number", (value,))) if value:
            one = _polynomial(left)
            return None if one is None else one * rational(1 / value)
        case "^", (base, Node("number", (power,))) if power.denominator == 1 and 0 <= power <= 30:
            one = _polynomial(base)
            return None if one is None else one ** int(power)
    return None


# --- in total ----------------------------------------------------------------------------------


def _of_total(node: Node) -> str | None:
    """For `c if condition else 0`: how many k fulfil the condition."""
    match node.operator, node.parts:
        case "if", (Node("number", (c,)), condition, Node("number", (d,))) if c != d:
            if d != 0 and c != 0:
                return None
        case _:
            return None
    # The k that do not fulfil it are n + 1 less those that do, and the boundary is the same.
    while condition.operator == "not":
        [condition] = condition.parts
    match condition.operator, condition.parts:
        case "compare", ((sign,), left, right) if sign in ("<", "<=", ">", ">="):
            return _of_boundary(_boundary(left, right))
    return None


def _boundary(left: Node, right: Node) -> Any:
    """A polynomial that is zero where the condition changes, give or take one k."""
    left, right = (
        side.parts[0] if side.operator == "floor" and side.parts[0].operator == "sqrt" else side
        for side in (left, right)
    )
    if left.operator == "sqrt":
        left, right = right, left
    if right.operator == "sqrt":
        one, other = _polynomial(left), _polynomial(right.parts[0])
        # Squares compare like their sides only where neither is negative: -k < sqrt(n) always.
        if one is None or other is None or any(c < 0 for c in one.coeffs()):
            return None
        return one * one - other
    return _polynomial(Node("-", (left, right)))


def _of_boundary(polynomial: Any) -> str | None:
    if polynomial is None or polynomial.is_constant():
        return None
    terms = {(int(i), int(j)): c for (i, j), c in polynomial.to_dict().items()}
    branches = list(_branches(terms))
    if len(branches) != 1:
        return None
    power, slopes = branches[0]
    told = "the number of all paths is, up to a factor, a whole number that grows like"
    law = "and with finite memory it grows like s*n^m with whole m and rational s"
    if 0 < power < 1:
        return f"{told} n^({power}), or n + 1 less such a number, {law}"
    irrational = [slope for slope in slopes if slope is None]
    if power == 1 and len(slopes) == 1 and irrational:
        return f"{told} s*n with an irrational s, {law}"
    return None


def _branches(
    terms: dict[tuple[int, int], Any],
) -> Iterator[tuple[Fraction, list[Fraction | None]]]:
    """The boundaries k ~ s*n^power with 0 < k < n for large n, by Newton's polygon.

    For each power the slopes s; None stands for an irrational one.
    """
    powers = {
        Fraction(i - m, q - j)
        for (i, j) in terms for (m, q) in terms if q != j
    }  # fmt: skip
    for power in sorted(powers):
        if not 0 < power <= 1:
            continue
        height = max(i + power * j for i, j in terms)
        edge = {j: c for (i, j), c in terms.items() if i + power * j == height}
        if len(edge) < 2:
            continue
        slopes = _positive_roots(edge, below_one=power == 1)
        if slopes:
            yield power, slopes


def _roots(factor: Any) -> list[Any]:
    return [root for root, _ in factor.complex_roots()]


def _positive_roots(edge: dict[int, Any], below_one: bool) -> list[Fraction | None]:
    polynomial = fmpq_poly([edge.get(j, 0) for j in range(max(edge) + 1)])
    found: list[Fraction | None] = []
    for factor, multiplicity in polynomial.numer().factor()[1]:
        if multiplicity > 1 and factor.degree() > 0 and factor[0] != 0:
            return []
        for root in _roots(factor):
            if root.imag != 0 or not root.real > 0 or (below_one and not root.real < 1):
                continue
            exact = Fraction(-int(factor[0]), int(factor[1])) if factor.degree() == 1 else None
            found.append(exact)
    return found
