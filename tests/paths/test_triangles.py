"""Published triangles and sequences, found again as counts of paths.

The A-numbers are those of the On-Line Encyclopedia of Integer Sequences; each row is written here
by the encyclopedia's closed form or first terms, so that nothing of recform computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import pytest

from recform import analyze

DEPTHS = range(31)


def delannoy(n: int, k: int) -> int:
    """A008288 read by antidiagonals: ways from (0, 0) to (k, n-k) by steps east, north, both."""
    return sum(comb(k, d) * comb(n - d, k) for d in range(min(k, n - k) + 1))


def trinomial(n: int, k: int) -> int:
    """A027907: the coefficient of t^k in (1 + t + t^2)^n."""
    return sum(comb(n, j) * comb(n - j, k - 2 * j) for j in range(k // 2 + 1))


LEAPFROG = "x[l+1] = 2*x[l] - x[l-1] + F(x[l])"

# formula, what is counted, the entry for depth n and k blocks
TRIANGLES: dict[str, tuple[str, str, Callable[[int, int], int]]] = {
    "plain network": ("x[l+1] = F(x[l])", "net", lambda n, k: int(k == n)),
    "A007318 Pascal": ("x[l+1] = x[l] + F(x[l])", "net", comb),
    "A000012 all ones, eq. (20)": (
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "net", lambda n, k: int(k <= n),
    ),
    "A000012 all ones, distinct": (
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "distinct", lambda n, k: int(k <= n),
    ),
    "A008288 Delannoy, eq. (20)": ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "gross", delannoy),
    "A008288 Delannoy": ("x[l+1] = x[l] + F(x[l]) + F(x[l-1])", "net", delannoy),
    "A007318 distinct with a plus": ("x[l+1] = x[l] + F(x[l]) + F(x[l-1])", "distinct", comb),
    "A011973 Fibonacci polynomials": (
        "x[l+1] = x[l] + F(x[l-1])", "net", lambda n, k: comb(n - k, k) if k <= n else 0,
    ),
    "A030528": (
        "x[l+1] = F(x[l]) + F(x[l-1])", "net", lambda n, k: comb(k, n - k) if k <= n else 0,
    ),
    "A168561": (
        "x[l+1] = F(x[l]) + x[l-1]", "net",
        lambda n, k: comb((n + k) // 2, k) if (n + k) % 2 == 0 and k <= n else 0,
    ),
    "A027907 trinomials": ("x[l+1] = x[l] + F(x[l]) + F(F(x[l]))", "net", trinomial),
    "A078812": (LEAPFROG, "net", lambda n, k: comb(n + k + 1, 2 * k + 1)),
    "A085478 from rest": (
        f"{LEAPFROG}\ninit x[-1] = x[0]", "net", lambda n, k: comb(n + k, 2 * k),
    ),
    "A085478": (
        "x[l+1] = x[l] + sum(F(x[i]) for i in 0..l)", "net", lambda n, k: comb(n + k, 2 * k),
    ),
    "A007318 shifted": (
        "x[l+1] = sum(F(x[i]) for i in 0..l)", "net",
        lambda n, k: comb(n - 1, k - 1) if k > 0 else int(n == 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRIANGLES)
def test_paths_by_length_are_the_rows_of_a_published_triangle(name: str) -> None:
    formula, quantity, entry = TRIANGLES[name]
    for depth in DEPTHS:
        row = [entry(depth, length) for length in range(2 * depth + 1)]
        assert list(getattr(analyze(formula, depth), quantity)) == _without_zeros_at_the_end(row)


REVNET = """
block G
input x, y
x[l+1] = x[l] + F(y[l])
y[l+1] = y[l] + G(x[l+1])
output x[L] + y[L]
"""

# formula, the totals of net at depths 0, 1, 2, ...
TOTALS: dict[str, tuple[str, list[int]]] = {
    "A000079 powers of 2": ("x[l+1] = x[l] + F(x[l])", [1, 2, 4, 8, 16, 32, 64]),
    "A000027 whole numbers": ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", [1, 2, 3, 4, 5, 6]),
    "A000129 Pell": ("x[l+1] = x[l] + F(x[l]) + F(x[l-1])", [1, 2, 5, 12, 29, 70, 169]),
    "A000045 Fibonacci": ("x[l+1] = x[l] + F(x[l-1])", [1, 1, 2, 3, 5, 8, 13, 21]),
    "A000244 powers of 3": ("x[l+1] = x[l] + F(x[l]) + F(F(x[l]))", [1, 3, 9, 27, 81]),
    "A000073 tribonacci": (
        "x[l+1] = F(x[l]) + F(x[l-1]) + F(x[l-2])", [1, 1, 2, 4, 7, 13, 24, 44],
    ),
    "A001519 every other Fibonacci number": (REVNET, [2, 5, 13, 34, 89, 233]),
    "A023359 compositions into powers of 2": (
        "x[l+1] = sum(x[l - 2^k + 1] for k in 0..)", [1, 1, 2, 3, 6, 10, 18, 31, 56],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOTALS)
def test_totals_are_a_published_sequence(name: str) -> None:
    formula, totals = TOTALS[name]
    assert [sum(analyze(formula, depth).net) for depth in range(len(totals))] == totals


def test_injection_and_eq_20_agree_from_the_start_and_not_later() -> None:
    injection, eq_20 = "x[l+1] = x[0] + F(x[l])", "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
    for depth in DEPTHS:
        assert analyze(injection, depth).net == analyze(eq_20, depth).net == (1,) * (depth + 1)
    assert analyze(injection, 4, start=1).net == (0, 0, 0, 1)
    assert analyze(eq_20, 4, start=1).net == (1, 1, 1, 1)


def _without_zeros_at_the_end(row: list[int]) -> list[int]:
    while len(row) > 1 and row[-1] == 0:
        row = row[:-1]
    return row
