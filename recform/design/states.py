"""From weighted words to formulas: states side by side, states as older values, one that remembers.

>>> from recform.design.automaton import of_automaton
>>> from recform.design.regular import minimal, read_routes
>>> for form in forms_of(of_automaton(minimal(read_routes("(F s)*")))):
...     print(form.text)
x[l+1] = F(y[l])
y[l+1] = x[l]
init y[0] = absent
x[l+1] = F[l](x[l-1])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq_mat, fmpq_poly

from recform.design.automaton import Weighted, coordinates, smallest
from recform.design.memory import Form, Response, memory_forms
from recform.design.writing import Term, at, output, start, step, sum_of

_NAMES = "xyzwvu"


def forms_of(wanted: Weighted) -> list[Form]:
    """Formulas with these words, the plainest first."""
    least = smallest(wanted)
    found = [Form(_side_by_side(wanted), "a state for each thing that may follow")]
    found += _with_delays(wanted)
    if least.dimension < wanted.dimension or least.num_calls < wanted.num_calls:
        found.append(Form(_side_by_side(least), "the smallest system of states"))
    found += _remembering(least)
    return list({form.text: form for form in reversed(found)}.values())[::-1]


def name_of(place: int) -> str:
    return _NAMES[place] if place < len(_NAMES) else f"q{place}"


@dataclass(frozen=True)
class _Calls:
    """M[F] = gains * arguments, with as few rows of arguments as can be."""

    gains: fmpq_mat
    arguments: fmpq_mat

    @staticmethod
    def of(block: fmpq_mat) -> _Calls:
        reduced, rank = block.rref()
        rows = [[reduced[i, j] for j in range(block.ncols())] for i in range(rank)]
        if not rank:
            return _Calls(fmpq_mat(block.nrows(), 0), fmpq_mat(0, block.ncols()))
        arguments = fmpq_mat(rows)
        gains = coordinates(arguments.transpose(), block.transpose()).transpose()
        return _Calls(gains, arguments)


def _side_by_side(wanted: Weighted) -> str:
    wanted = _scaled(wanted)
    calls = _Calls.of(wanted.block)
    names = [name_of(place) for place in range(wanted.dimension)]
    reads: list[Term] = [(Fraction(1), at(name, 0)) for name in names]
    applied = [_call(_combined(calls.arguments, p, reads)) for p in range(calls.arguments.nrows())]
    lines = [step(name, _row_of(wanted, calls, place, reads, applied))
             for place, name in enumerate(names)]  # fmt: skip
    rest = [*_starts(wanted, names), *_out(wanted, names)]
    return "\n".join([*_inputs(wanted, names), *lines, *rest])


def _row_of(
    wanted: Weighted, calls: _Calls, place: int, reads: list[Term], applied: list[str]
) -> list[Term]:
    gains = [(_exact(calls.gains[place, p]), text) for p, text in enumerate(applied)]
    return [*_combined(wanted.skip, place, reads), *gains]


def _combined(matrix: fmpq_mat, row: int, values: list[Term]) -> list[Term]:
    terms = [(_exact(matrix[row, j]) * c, text) for j, (c, text) in enumerate(values)]
    return [term for term in terms if term[0]]


def _call(argument: list[Term]) -> str:
    return f"F({sum_of(argument)})"


def _scaled(wanted: Weighted) -> Weighted:
    """The same system with a state that starts as the input itself."""
    starts = [_exact(wanted.last[i, 0]) for i in range(wanted.dimension)]
    if 1 in starts:
        return wanted
    place = max(i for i, factor in enumerate(starts) if factor)
    scale = fmpq_mat(wanted.dimension, wanted.dimension)
    for i in range(wanted.dimension):
        scale[i, i] = wanted.last[place, 0] if i == place else 1
    back = scale.inv()
    return Weighted(wanted.first * scale, back * wanted.skip * scale, back * wanted.block * scale,
                    back * wanted.last)  # fmt: skip


def _inputs(wanted: Weighted, names: list[str]) -> list[str]:
    started = [name for place, name in enumerate(names) if wanted.last[place, 0] == 1]
    return [] if started == ["x"] else [f"input {', '.join(started)}"]


def _starts(wanted: Weighted, names: list[str]) -> list[str]:
    factors = [_exact(wanted.last[place, 0]) for place in range(len(names))]
    source = names[factors.index(Fraction(1))]
    return [start(name, 0, factor, source)
            for name, factor in zip(names, factors, strict=True) if factor != 1]  # fmt: skip


def _out(wanted: Weighted, names: list[str]) -> list[str]:
    terms = [(_exact(wanted.first[0, place]), f"{name}[L]") for place, name in enumerate(names)]
    terms = [term for term in terms if term[0]]
    return [] if terms == [(Fraction(1), "x[L]")] else [output(terms)]


# --- states that are older values of others ----------------------------------------------------


def _with_delays(wanted: Weighted) -> Iterator[Form]:
    """y[l+1] = x[l] with y[0] absent is x of one step before."""
    relays = {place: target for place in range(1, wanted.dimension)
              if (target := _relay(wanted, place)) is not None}  # fmt: skip
    if not relays or wanted.first[0, 0] != 1:
        return
    reads: list[tuple[str, int]] = []
    for place in range(wanted.dimension):
        root, delay = place, 0
        while root in relays:
            root, delay = relays[root], delay + 1
        reads.append((name_of(root), delay))
    kept = [place for place in range(wanted.dimension) if place not in relays]
    names = [name_of(place) for place in kept]
    starts = {place: _exact(wanted.last[place, 0]) for place in kept}
    if 1 not in starts.values():
        return
    lines = []
    for place in kept:
        skips = _combined(wanted.skip, place, [(Fraction(1), at(*read)) for read in reads])
        calls = _combined(wanted.block, place, [(Fraction(1), _call_of(*read)) for read in reads])
        lines.append(step(name_of(place), [*skips, *calls]))
    inputs = [name_of(place) for place in kept if starts[place] == 1]
    head = [] if inputs == ["x"] else [f"input {', '.join(inputs)}"]
    rest = [start(name, 0, starts[place], inputs[0])
            for place, name in zip(kept, names, strict=True) if starts[place] != 1]  # fmt: skip
    yield Form("\n".join([*head, *lines, *rest]), "states that only wait are older values")


def _relay(wanted: Weighted, place: int) -> int | None:
    """The state that this one hands on, one step later."""
    skips = [j for j in range(wanted.dimension) if wanted.skip[place, j] != 0]
    calls = any(wanted.block[place, j] != 0 for j in range(wanted.dimension))
    if calls or len(skips) != 1 or skips[0] == place or wanted.last[place, 0] != 0:
        return None
    return skips[0] if wanted.skip[place, skips[0]] == 1 else None


def _call_of(name: str, delay: int) -> str:
    """Block l of an older value: without the index it would be an older block."""
    return f"F[l]({at(name, delay)})" if delay else f"F({at(name, 0)})"


# --- one state that remembers ------------------------------------------------------------------


def _remembering(least: Weighted) -> Iterator[Form]:
    """Where all that a block meets is the output state again: its responses, as a recurrence."""
    calls = _Calls.of(least.block)
    if calls.arguments.nrows() != 1 or least.last[0, 0] != 1:
        return
    if calls.arguments != least.first:
        return
    yield from memory_forms(_response(least, least.last), _response(least, calls.gains),
                            fresh=False)  # fmt: skip


def _response(system: Weighted, column: fmpq_mat) -> Response:
    """u M[s]^n column, n = 0, 1, 2, ..., as a fraction: the denominator by Cayley and Hamilton."""
    characteristic = system.skip.charpoly().coeffs()
    below = fmpq_poly(characteristic[::-1])
    values = []
    for _ in range(system.dimension):
        values.append((system.first * column)[0, 0])
        column = system.skip * column
    above = fmpq_poly((fmpq_poly(values) * below).coeffs()[: system.dimension])
    common = above.gcd(below) if above != 0 else below
    unit = (below / common)[0]
    return above / common / unit, below / common / unit


def _exact(number: object) -> Fraction:
    return Fraction(int(number.numer()), int(number.denom()))  # type: ignore[attr-defined]
