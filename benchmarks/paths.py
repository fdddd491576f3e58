"""Exact counts at scale, each beside named peers in the same run.

    python benchmarks/paths.py            # a minute; --quick leaves out the slow peers

For each task the best of several runs in seconds, and the ratio to the first row of its group:
FLINT computing the same polynomial by the best method it offers. Peers:

    FLINT        fmpz_poly power, or doubling of the companion matrix over fmpz_poly
    Python       the recurrence on lists of integers
    sympy        Poly arithmetic, the recurrence
    networkx     counting paths over the unrolled graph in topological order

All answers are compared before anything is printed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from flint import fmpz_poly

import recform
from recform.paths import closed_forms

ONE_PLUS_T = fmpz_poly([1, 1])
T = fmpz_poly([0, 1])

Row = tuple[int, ...]


def pascal_flint(depth: int) -> Row:
    return to_row(ONE_PLUS_T**depth)


def delannoy_flint(depth: int) -> Row:
    """P[n] = (1 + t) P[n-1] + t P[n-2] by doubling: (U_n, U_n-1) with U the fundamental solution.

    U[2n-1] = U[n]^2 + t U[n-1]^2 and U[2n] = U[n] (U[n] (1 + t) + 2 t U[n-1]), as for Fibonacci
    numbers: the fewest large products that a linear recurrence of order 2 needs.
    """
    now, before = fmpz_poly([1]), fmpz_poly([0])
    for bit in bin(depth + 1)[3:]:
        doubled = now * (now * ONE_PLUS_T + 2 * T * before)
        now, before = doubled, now * now + T * before * before
        if bit == "1":
            now, before = ONE_PLUS_T * now + T * before, now
    return to_row(now)


def ones_flint(depth: int) -> Row:
    """(1 - t^(n+1)) / (1 - t), an exact division."""
    return to_row((1 - T ** (depth + 1)) / (1 - T))


def to_row(polynomial: fmpz_poly) -> Row:
    return tuple(int(c) for c in polynomial.coeffs())


def recurrence_python(first: list[Row], coefficients: list[Row]) -> Callable[[int], Row]:
    """P[n] as a combination of P[n-1], P[n-2], ... on lists of Python integers."""

    def row(depth: int) -> Row:
        rows = [list(r) for r in first]
        for _ in range(len(first), depth + 1):
            new = [0] * (len(rows[-1]) + 1)
            for back, coefficient in enumerate(coefficients, start=1):
                for shift, factor in enumerate(coefficient):
                    for length, count in enumerate(rows[-back]):
                        new[length + shift] += factor * count
            rows = [*rows[1:], new]
        return strip(rows[-1])

    return row


def recurrence_sympy(first: list[Row], coefficients: list[Row]) -> Callable[[int], Row]:
    import sympy

    t = sympy.Symbol("t")

    def row(depth: int) -> Row:
        factors = [sympy.Poly(list(c)[::-1], t) for c in coefficients]
        rows = [sympy.Poly(list(r)[::-1], t) for r in first]
        for _ in range(len(first), depth + 1):
            new = sum((f * rows[-k] for k, f in enumerate(factors, start=1)), sympy.Poly(0, t))
            rows = [*rows[1:], new]
        return tuple(int(c) for c in rows[-1].all_coeffs()[::-1])

    return row


def walk_networkx(name: str, gross: bool) -> Callable[[int], Row]:
    """Every node's polynomial from those before it, over the unrolled graph."""
    import networkx

    def row(depth: int) -> Row:
        graph = recform.to_networkx(name, depth)
        counts: dict[object, list[int]] = {}
        for node in networkx.topological_sort(graph):
            kind = graph.nodes[node]["kind"]
            total = [1] if kind == "input" else []
            for before, _, edge in graph.in_edges(node, data=True):
                constant = int(abs(edge["constant"]) if gross else edge["constant"])
                shift = 1 if kind == "call" else 0
                seen = counts[before]
                total += [0] * (len(seen) + shift - len(total))
                for length, count in enumerate(seen):
                    total[length + shift] += constant * count
            counts[node] = total
        return strip(counts[graph.graph["output"]])

    return row


def strip(row: list[int]) -> Row:
    while len(row) > 1 and row[-1] == 0:
        row.pop()
    return tuple(row)


def ours(name: str, reading: str) -> Callable[[int], Row]:
    """From the formula's text to the row: parsing, recurrence, generating function, row."""

    def row(depth: int) -> Row:
        return getattr(closed_forms(recform.resolve(name)), reading).row(depth)

    return row


def best(function: Callable[[int], Row], depth: int, repeats: int) -> tuple[float, Row]:
    seconds, answer = float("inf"), ()
    for _ in range(repeats):
        began = time.perf_counter()
        answer = function(depth)
        seconds = min(seconds, time.perf_counter() - began)
    return seconds, answer


PASCAL = ([(1,)], [(1, 1)])
DELANNOY = ([(1,), (1, 1)], [(1, 1), (0, 1)])
ONES = ([(1,), (1, 1)], [(1, 1), (0, -1)])


def groups(quick: bool) -> Iterator[tuple[str, int, dict[str, Callable[[int], Row]]]]:
    for depth in (1_000, 10_000):
        small = depth == 1_000 and not quick
        for title, name, reading, flint, recurrence in (
            ("ResNet, net and gross", "resnet", "net", pascal_flint, PASCAL),
            ("ResNet-s, net", "resnet_s", "net", ones_flint, ONES),
            ("ResNet-s, gross", "resnet_s", "gross", delannoy_flint, DELANNOY),
        ):
            peers = {"FLINT": flint, "recform": ours(name, reading)}
            if small:
                peers["Python"] = recurrence_python(*recurrence)
                peers["sympy"] = recurrence_sympy(*recurrence)
                peers["networkx"] = walk_networkx(name, reading == "gross")
            yield title, depth, peers
    dense = {"recform": ours("dense_sum", "net")}
    yield "dense sum, net", 1_000, dense


def distinct(depth: int) -> Iterator[tuple[str, float]]:
    for name in recform.example_names():
        seconds, _ = best(lambda n, name=name: recform.analyze(name, n).distinct, depth, 2)
        yield name, seconds


def main() -> None:
    for title, depth, peers in groups("--quick" in sys.argv):
        print(f"{title}, depth {depth:,}")
        measured = {name: best(peer, depth, 3 if name in ("FLINT", "recform") else 1)
                    for name, peer in peers.items()}  # fmt: skip
        answers = {answer for _, answer in measured.values()}
        assert len(answers) == 1, f"{title}: the answers differ"
        first = next(iter(measured.values()))[0]
        for name, (seconds, _) in measured.items():
            print(f"  {name:10} {seconds:10.4f} s {seconds / first:10.2f} x")
    print("distinct, depth 1,000")
    for name, seconds in distinct(1_000):
        print(f"  {name:14} {seconds:8.4f} s")


if __name__ == "__main__":
    main()
