"""A search over small formulas around a given one, for those that meet conditions on their paths.

    near("resnet_s", "growth(1) <= 1 and shortest == 0 and kept <= 2")

The members of `family` with few terms and coefficients of a bounded set are gone through; the parts
of a condition that cost least are decided first, and decided exactly. Formulas with the same paths
from x[0] are told once. What nothing beats in every chosen figure at once is the front.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from time import perf_counter
from typing import Any

from recform.design.conditions import agrees, comparisons, truth, turned
from recform.design.cost import cost_of
from recform.design.counting import value, wrong
from recform.design.family import Member, Number, member_of, trimmed
from recform.design.figures import NAMES, Figures, figures_of
from recform.design.notation import Node, names_in, read
from recform.design.notebook import search_to_html
from recform.errors import FormulaError, Source, UserError
from recform.formula import Formula, parse, resolve

MAX_EXAMINED = 100_000
MAX_DEPTH = 32
MAX_TERMS = 6
# The figures of the Pareto front, unless others are named.
FRONT = ("kept", "terms", "distinct", "through")
# What less is better in; of the others more is.
LESS = ("kept", "terms", "distance", "shortest", "cancelled")
# Growth takes more time than what is counted, and this more than what is read off.
_CHEAP = ("kept", "terms", "distance", "reversible")


@dataclass(frozen=True)
class Found:
    """A formula that meets the conditions, with its figures. `others` have the same paths.

    It meets them exactly: figures are counted, at the depth of the search, and growth is compared
    as an algebraic number.
    """

    formula: Formula
    figures: dict[str, int]
    on_front: bool = False
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "formula": str(self.formula),
            "cost": cost_of(self.formula).to_json(),
            # As a `Candidate` says it; one that is found was never compared to a depth only.
            "exact": True,
            "figures": self.figures,
            "on_front": self.on_front,
            "same_paths": list(self.others),
        }


@dataclass(frozen=True)
class Search:
    """What was found among `num_examined` formulas, the nearest first."""

    wanted: str
    depth: int
    num_examined: int
    seconds: float
    candidates: tuple[Found, ...] = field(default=())

    @property
    def refused(self) -> str | None:
        if self.candidates:
            return None
        return f"none of {self.num_examined:,} formulas meets the conditions"

    def _repr_html_(self) -> str:
        return search_to_html(self)

    def to_json(self) -> dict[str, Any]:
        return {
            "wanted": self.wanted,
            "depth": self.depth,
            "examined": self.num_examined,
            "seconds": round(self.seconds, 3),
            "candidates": [found.to_json() for found in self.candidates],
            "refused": self.refused,
        }


def near(
    formula: Formula | str,
    where: str,
    *,
    depth: int = 8,
    front: Sequence[str] = FRONT,
    coefficients: Sequence[Number] = (1, -1),
) -> Search:
    """Small formulas around one, for which a condition holds at a depth.

    The condition compares the figures of `figures` with numbers, joined by and, or, not:
    `growth(1/2) <= 1 and through >= 3`. `front` names the figures of the Pareto front. The formulas
    have one term more than the given one at most, go back one depth further, and have its
    coefficients and `coefficients`. Raises UserError `bad-argument`, FormulaError
    `bad-specification`.

    >>> found = near("resnet_s", "distinct == depth + 1 and shortest == 0", depth=5).candidates
    >>> str(found[0].formula)
    'x[l+1] = x[l] + F(x[l]) - F(x[l-1])'
    """
    origin = member_of(resolve(formula))
    if origin is None:
        raise UserError("bad-argument", "a search starts from a formula of one state with terms "
                        "x[l-d], F(x[l-d]) and x[0]", "recform mutate FORMULA shows what is one "
                        "change away from any formula")  # fmt: skip
    _check(depth, front, origin)
    try:
        condition = _condition(where)
        started = perf_counter()
        examined, met = 0, []
        for member in _members(origin, coefficients):
            examined += 1
            figures = figures_of(member, depth, origin)
            if _holds(condition, figures):
                met.append(figures)
    except FormulaError as error:
        if error.source is not None:
            raise
        raise FormulaError(error.diagnostics, Source(where, "<condition>")) from error
    found = _told_once(met, front)
    return Search(where.strip(), depth, examined, perf_counter() - started, tuple(found))


def _check(depth: int, front: Sequence[str], origin: Member) -> None:
    if not 1 <= depth <= MAX_DEPTH:
        raise UserError("bad-argument", f"the depth {depth} is not between 1 and {MAX_DEPTH}",
                        "--depth 8")  # fmt: skip
    unknown = [name for name in front if name not in NAMES]
    if unknown:
        raise UserError("bad-argument", f"there is no figure `{unknown[0]}`",
                        f"the figures are {', '.join(NAMES)}")  # fmt: skip
    if origin.num_terms > MAX_TERMS or max(len(origin.skips), len(origin.blocks)) > 4:
        raise UserError("too-large", "the formula has too many terms, or goes back too far, to be "
                        "searched around", f"at most {MAX_TERMS} terms and x[l-3]")  # fmt: skip


# --- the formulas ------------------------------------------------------------------------------


def _members(origin: Member, coefficients: Sequence[Number]) -> Iterator[Member]:
    """All members with few terms, the fewest first."""
    values = list(dict.fromkeys([
        *coefficients, *(c for c in (*origin.skips, *origin.blocks, origin.again) if c)
    ]))  # fmt: skip
    reach = max(len(origin.skips), len(origin.blocks)) + 1
    places = 2 * reach + 1
    number = 0
    for size in range(1, min(origin.num_terms + 1, MAX_TERMS) + 1):
        for chosen in combinations(range(places), size):
            for filled in product(values, repeat=size):
                number += 1
                if number > MAX_EXAMINED:
                    return
                yield _member(dict(zip(chosen, filled, strict=True)), reach)


def _member(filled: dict[int, Number], reach: int) -> Member:
    skips = [filled.get(d, 0) for d in range(reach)]
    blocks = [filled.get(reach + d, 0) for d in range(reach)]
    return Member(trimmed(skips), trimmed(blocks), filled.get(2 * reach, 0))


def _told_once(met: Sequence[Figures], front: Sequence[str]) -> list[Found]:
    """One formula for each set of paths, the nearest and shortest, and which are on the front."""
    groups: dict[tuple[object, ...], list[Figures]] = {}
    for figures in met:
        groups.setdefault(figures.member.key, []).append(figures)
    firsts = []
    for group in groups.values():
        group.sort(key=lambda f: (f.distance, f.kept, f.terms, f.member.to_text()))
        firsts.append(group)
    firsts.sort(key=lambda group: (group[0].distance, group[0].kept, group[0].terms))
    scores = [tuple(_score(group[0], name) for name in front) for group in firsts]
    best = _undominated(scores)
    return [
        Found(parse(group[0].member.to_text()), {name: group[0].value(name) for name in NAMES},
              place in best, tuple(other.member.to_text() for other in group[1:]))
        for place, group in enumerate(firsts)
    ]  # fmt: skip


def _score(figures: Figures, name: str) -> int:
    """The figure, so that less is better."""
    found = figures.value(name)
    return found if name in LESS else -found


def _undominated(scores: Sequence[tuple[int, ...]]) -> set[int]:
    """The places of scores that no other is at least as good as in all, and better in one."""
    different = set(scores)
    kept = {score for score in different
            if not any(other != score and all(a <= b for a, b in zip(other, score, strict=True))
                       for other in different)}  # fmt: skip
    return {place for place, score in enumerate(scores) if score in kept}


# --- the condition -----------------------------------------------------------------------------


def _condition(text: str) -> Node:
    """The condition, the cheap parts of every `and` first."""
    node = read(text, functions={"growth": 1})
    unknown = names_in(node) - {*NAMES, "depth"}
    if unknown:
        raise wrong(node, f"there is no figure `{min(unknown)}`",
                    f"the figures are {', '.join((*NAMES, 'growth(g)'))}")  # fmt: skip
    return _ordered(node)


def _ordered(node: Node) -> Node:
    if node.operator not in ("and", "or"):
        return node
    parts = tuple(sorted((_ordered(part) for part in node.parts), key=_price))
    return Node(node.operator, parts, node.span)


def _price(node: Node) -> int:
    if _has_growth(node):
        return 1
    return 0 if names_in(node) <= {*_CHEAP, "depth"} else 2


def _has_growth(node: Node) -> bool:
    return node.operator == "growth" or any(
        _has_growth(part) for part in node.parts if isinstance(part, Node)
    )


def _holds(node: Node, figures: Figures) -> bool:

    def holds(part: Node) -> bool:
        match part.operator:
            case "name":
                return figures.value(part.parts[0]) != 0
            case "compare":
                return all(_compares(*pair, figures) for pair in comparisons(part))
        raise wrong(part, "this is no condition", "growth(1) <= 1 and shortest == 0")

    return truth(node, holds)


def _compares(sign: str, left: Node, right: Node, figures: Figures) -> bool:
    if right.operator == "growth":
        left, right, sign = right, left, turned(sign)
    if left.operator == "growth":
        gain, rate = _number(left.parts[0], figures), _number(right, figures)
        if rate <= 0:
            raise wrong(right, "a growth is compared with a number above 0", "growth(1) <= 1")
        return figures.grows(gain, sign, rate)
    return agrees(_number(left, figures) - _number(right, figures), sign)


def _number(node: Node, figures: Figures) -> Fraction:
    names = {name: figures.value(name) for name in names_in(node) - {"depth"}}
    return value(node, {**names, "depth": figures.depth})
