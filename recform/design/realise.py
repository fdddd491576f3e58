"""From G(z, t) to formulas that have it.

    1 - z A(z) - t z B(z) below, 1 above     one state:  x[l+1] = A x + B F(x)    (`memory`)
    powers of t up to m below                nested blocks F(F(x)), or a chain y[l+1] = F(x[l]), ...
    several factors below                    a cascade, one state a factor
    more above                               start values, or an output of older values

With r calls a step, P_n = u (A + t B)^n v with B of rank r at most, so that numerator and
denominator of G = u adj(1 - z(A + tB)) v / det(1 - z(A + tB)) have degree r in t at most: the
degree in t is the least number of calls a step. Nested blocks and chains have just as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any

from flint import fmpq_poly

from recform.design.memory import Form, memory_forms
from recform.design.series import PathSeries, Terms, rational, terms_of
from recform.design.writing import Term, at, call, output, start, step
from recform.paths.generating import RING

MAX_CASCADES = 3
_STATES = "xyzwvu"


def forms_of(series: PathSeries) -> list[Form]:
    """Formulas with this generating function, none of them twice."""
    found = [*_one_state(series), *_chains(series), *_nested(series), *_cascades(series)]
    return list({form.text: form for form in reversed(found)}.values())[::-1]


# --- one state ---------------------------------------------------------------------------------


def _one_state(series: PathSeries) -> Iterator[Form]:
    """Start values of the one state for what stands above."""
    no_blocks_above = all(k == 0 for _, k in series.above)
    if series.num_calls > 1 or not no_blocks_above or series.above.get((0, 0)) != 1:
        return
    a = _in_z(series.below, 0)
    blocks = _shifted(-_in_z(series.below, 1))
    above = _in_z(series.above, 0)
    yield from memory_forms(_reduced(above, a), _reduced(blocks, a))


def _in_z(terms: Terms, k: int) -> fmpq_poly:
    """The coefficient of t^k."""
    powers = {n: c for (n, power), c in terms.items() if power == k}
    size = max(powers, default=-1) + 1
    return fmpq_poly([rational(powers.get(n, Fraction(0))) for n in range(size)])


def _shifted(polynomial: fmpq_poly) -> fmpq_poly:
    return fmpq_poly(polynomial.coeffs()[1:])


def _reduced(above: fmpq_poly, below: fmpq_poly) -> tuple[fmpq_poly, fmpq_poly]:
    common = above.gcd(below) if above != 0 else below
    unit = (below / common)[0]
    return above / common / unit, below / common / unit


# --- one state and its blocks' blocks ----------------------------------------------------------


def _nested(series: PathSeries) -> Iterator[Form]:
    """t^k z^d as F(F(...)) of an older state: k calls of one block in a row."""
    if series.num_calls < 2:
        return
    terms = [(-c, call(at("x", n - 1), k)) for (n, k), c in _by_size(series.below) if n > 0]
    out = [(c, call(at("x", n, "L"), k)) for (n, k), c in _by_size(series.above)]
    yield Form(_with_output(step("x", terms), out), "blocks inside blocks")


def _chains(series: PathSeries) -> Iterator[Form]:
    """t^k z^d by way of y[l+1] = F(x[l]), z[l+1] = F(y[l]), ...: no block inside a block."""
    if not series.is_causal or series.num_calls > len(_STATES):
        return
    terms = [(-c, _chained(n - 1, k)) for (n, k), c in _by_size(series.below) if n > 0]
    out = [(c, _chained(n, k, "L")) for (n, k), c in _by_size(series.above)]
    lines = [step("x", terms)]
    for place in range(1, series.num_calls):
        lines.append(step(_STATES[place], [(Fraction(1), call(at(_STATES[place - 1], 0)))]))
    lines += [start(_STATES[place], 0, Fraction(0), "x") for place in range(1, series.num_calls)]
    plain = out == [(Fraction(1), "x[L]")]
    idea = (
        "a state for each block that follows on another"
        if series.num_calls > 1
        else ("one state and its recurrence" if plain else "an output of older values")
    )
    yield Form(_with_output("\n".join(lines), out), idea)


def _chained(n: int, k: int, depth: str = "l") -> str:
    """What is x of n steps before, by k blocks; on a left side n counts from l+1."""
    if k == 0:
        return at("x", n, depth)
    older = n - (k if depth == "L" else k - 1)
    delay = older + 1 if depth == "L" else older
    return call(at(_STATES[k - 1], delay, depth))


def _with_output(lines: str, out: Sequence[Term]) -> str:
    return lines if list(out) == [(Fraction(1), "x[L]")] else f"{lines}\n{output(out)}"


def _by_size(terms: Terms) -> list[tuple[tuple[int, int], Fraction]]:
    """Few blocks and young values first."""
    return sorted(terms.items(), key=lambda item: (item[0][0], item[0][1]))


# --- several states ----------------------------------------------------------------------------


def _cascades(series: PathSeries) -> Iterator[Form]:
    """G = (above_1/below_1)(above_2/below_2)...: a state for each, that reads the one before."""
    for stages in _stages(series):
        tops = _tops(series, len(stages))
        if tops is None or not 2 <= len(stages) <= len(_STATES):
            continue
        orders = {tuple(map(str, order)): order for order in permutations(stages)}
        for order in list(orders.values())[:MAX_CASCADES]:
            yield Form(_cascade(order, tops), "a state for each factor, which reads the one before")
        return


def _stages(series: PathSeries) -> Iterator[list[Any]]:
    """The factors below, at most one block in each; those without t as one, then each alone."""
    plain, stages = [], []
    for factor, power in series.denominator.factor()[1]:
        degree = int(factor.degrees()[1])
        if degree > 1:
            return
        (stages if degree else plain).extend([factor / _unit(factor)] * int(power))
    if plain:
        together = RING.constant(1)
        for factor in plain:
            together *= factor
        yield [*stages, together]
    yield [*stages, *plain]


def _unit(factor: Any) -> Any:
    return factor.subs({"z": 0}).leading_coefficient()


def _tops(series: PathSeries, number: int) -> list[Any] | None:
    """The factors above, one block in each, for the later stages; the first has none."""
    terms = series.above
    common = min((k for _, k in terms), default=0)
    if any(n < k for n, k in terms):
        return None
    pieces = [RING.from_dict({(1, 1): 1})] * common
    rest = RING.from_dict({(n - common, k - common): rational(c) for (n, k), c in terms.items()})
    if int(rest.degrees()[1]) <= 1 and not rest.is_one():
        pieces.append(rest)
    elif int(rest.degrees()[1]) > 1:
        return None
    if len(pieces) > number - 1:
        return None
    return [RING.constant(1)] * (number - len(pieces)) + pieces


def _cascade(stages: Sequence[Any], tops: Sequence[Any]) -> str:
    names = _STATES[: len(stages)][::-1]
    lines, starts = [], []
    for place, (stage, top) in enumerate(zip(stages, tops, strict=True)):
        name, before = names[place], names[place - 1] if place else None
        terms = _own_terms(name, terms_of(stage))
        if before is not None:
            above = terms_of(top)
            terms += [(c, _read_before(before, n, k)) for (n, k), c in _by_size(above)]
            factor = above.get((0, 0), Fraction(0))
            starts.append(start(name, 0, factor, before))
        lines.append(step(name, terms))
    return "\n".join([f"input {names[0]}", *lines, *starts])


def _own_terms(name: str, below: Terms) -> list[Term]:
    return [(-c, call(at(name, n - 1), k)) for (n, k), c in _by_size(below) if n > 0]


def _read_before(before: str, n: int, k: int) -> str:
    """The state before, n steps back from l+1, by k blocks."""
    return call(at(before, n - 1), k)
