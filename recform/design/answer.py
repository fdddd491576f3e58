"""The answer to a wish: formulas that were checked, the cheapest first, or why there is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from recform.design.borders import MEANINGS, AtBorders, at_borders
from recform.design.cost import Cost, Upkeep, cost_of, upkeep_of
from recform.design.memory import Form
from recform.design.notebook import design_to_html, design_to_text
from recform.formula import Formula, parse
from recform.formula.ast import Sum
from recform.formula.show import number_to_text
from recform.paths import Analysis, Equality, equal
from recform.paths.polynomials import Coefficients

# Recurrences up to this order are compared with the first formula; it takes cubic time.
MAX_COMPARED = 12
MAX_JSON_DIGITS = 4_300


@dataclass(frozen=True)
class Candidate:
    """A formula that has the wanted paths.

    It has them at every depth if `verified_depth` is None, proved; else they have been compared
    down to it. `from_later`: so far as six depths tell, x[1], x[2], x[3] have the same paths.
    `at_borders`: how it builds on a backbone of several stages, `crossed` being as it stands.
    `net` and `distinct` are its counts at each depth down to `depth`. `simplest` is a simpler
    formula with the same paths from the start, if there is one; `against_first` compares it with
    the first candidate.
    """

    formula: Formula
    idea: str
    cost: Cost
    upkeep: Upkeep
    verified_depth: int | None
    from_later: bool
    at_borders: AtBorders
    net: tuple[Coefficients, ...]
    distinct: tuple[Coefficients | None, ...]
    gross_total: Any
    simplest: Formula | None = None
    against_first: Equality | None = None

    @property
    def has_cancellation(self) -> bool:
        return self.gross_total != sum(self.net[-1])

    @property
    def in_a_network(self) -> tuple[str, ...]:
        """What makes a network of this formula differ from others with the same counts."""
        found = [
            f"kept, and projected at every stage border: {', '.join(self.upkeep.kept)}",
            f"calls each step: {', '.join(self.upkeep.calls) or 'none'}",
        ]
        if self.has_cancellation:
            found.append("some paths cancel: exactly only if no activation, norm or projection "
                         "stands between the terms")  # fmt: skip
        return tuple(found)

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known of it, a line each; lines that begin with a space go with the one before.

        Idea, cost, how far it was verified, its later starts, what it is in a network, what is
        simpler, and how it differs from the first candidate.
        """
        cost, depth, last = self.cost, self.verified_depth, self.distinct[-1]
        told = [
            self.idea,
            f"cost: parameters {cost.parameters}, states kept {cost.states_kept}, calls "
            f"{cost.calls}, equations {cost.equations}",
            "exact at every depth" if depth is None else f"verified down to depth {depth}",
            "x[1], x[2], x[3] have the same paths" if self.from_later
            else "from x[1], x[2] or x[3] the paths are others",
            MEANINGS[self.at_borders],
        ]  # fmt: skip
        if last is not None and last != self.net[-1]:
            told.append(f"distinct at depth {len(self.net) - 1}: {', '.join(map(str, last))}")
        told += self.in_a_network
        if self.simplest is not None:
            simplest = str(self.simplest).replace("\n", "; ")
            told.append(f"the simplest with these paths from x[0]: {simplest}")
        if self.against_first is not None:
            told.append(f"against 1: {self.against_first.verdict}")
            witness = self.against_first.witness
            told += [] if witness is None else [f"  {witness.text}"]
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"formula": str(self.formula), "cost": self.cost.to_json()}
        exact = self.verified_depth is None
        found |= {"exact": True} if exact else {"verified_depth": self.verified_depth}
        compared = self.against_first
        return found | {
            "idea": self.idea,
            "from_later": self.from_later,
            "at_borders": self.at_borders,
            "net": [_row(row) for row in self.net],
            "distinct": [_row(row) for row in self.distinct],
            "telescopes_to": None if self.simplest is None else str(self.simplest),
            "keeps": list(self.upkeep.kept),
            "calls": list(self.upkeep.calls),
            "in_a_network": list(self.in_a_network),
            "against_first": None if compared is None else compared.to_json(),
        }


@dataclass(frozen=True)
class Design:
    """What was asked, and the answer: candidates, or `refused` with what is possible `instead`.

    A refusal begins with `proved:` if no formula of finite memory (or of so few calls) exists.
    `wanted` says the wish in one line, `least_calls` how many calls a step it takes at least.
    """

    wanted: str
    candidates: tuple[Candidate, ...] = ()
    refused: str | None = None
    instead: tuple[str, ...] = ()
    least_calls: int | None = None

    def _repr_html_(self) -> str:
        return design_to_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal."""
        printer.text(design_to_text(self))

    def to_json(self) -> dict[str, Any]:
        """The object that `recform design --json` prints."""
        return {
            "wanted": self.wanted,
            "least_calls": self.least_calls,
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "refused": self.refused,
            "instead": list(self.instead),
        }


@dataclass(frozen=True)
class Check:
    """How a formula is compared with the wish: `verify` raises AssertionError where it differs."""

    verify: Callable[[Formula], None]
    from_later: Callable[[Formula], bool]
    verified_depth: int | None


@dataclass(frozen=True)
class Limits:
    """What the formulas may use: calls a step, and minus signs. `depth` is shown."""

    depth: int = 8
    calls: int | None = None
    minus: bool = True


@dataclass(frozen=True)
class Wish:
    """A wish that can be fulfilled: formulas for it, and how they are checked.

    `least_calls_reason` begins with `proved:` where fewer calls are impossible.
    """

    wanted: str
    forms: Sequence[Form]
    check: Check
    least_calls: int
    least_calls_reason: str
    negative: str | None = None
    instead: tuple[str, ...] = field(default=())


def answered(wish: Wish, limits: Limits) -> Design:
    """Every form checked, priced and ranked; or a refusal where the limits leave none."""
    design = Design(wish.wanted, least_calls=wish.least_calls)
    if limits.calls is not None and limits.calls < wish.least_calls:
        calls = f"{wish.least_calls} call{'s' * (wish.least_calls > 1)} a step"
        return replace(design, refused=wish.least_calls_reason, instead=(calls, *wish.instead))
    if not limits.minus and wish.negative is not None:
        return replace(design, refused=f"proved: {wish.negative}, and without a minus no count is "
                       "negative", instead=("a formula with a minus",))  # fmt: skip
    found = [candidate for candidate in _candidates(wish, limits.depth)
             if (limits.calls is None or candidate.cost.calls <= limits.calls)
             and (limits.minus or not subtracts(str(candidate.formula)))]  # fmt: skip
    if not found:
        return replace(design, refused="none of the formulas found keeps to the limits",
                       instead=("more calls a step, or a minus",))  # fmt: skip
    # What builds comes first; of equal cost the one whose later states have the same paths, and
    # the shorter.
    ranks = list(MEANINGS)
    found.sort(key=lambda c: (ranks.index(c.at_borders), c.cost, not c.from_later,
                              len(str(c.formula))))  # fmt: skip
    return replace(design, candidates=tuple(_compared(found)))


def subtracts(text: str) -> bool:
    """Whether a formula has a minus outside its indices."""
    return "-" in re.sub(r"\[[^]]*\]", "", text)


def refused(wanted: str, reason: str, *instead: str) -> Design:
    return Design(wanted, refused=reason, instead=instead)


def _candidates(wish: Wish, depth: int) -> list[Candidate]:
    """The formulas of a wish, and the simplest ones with the paths of one of them."""
    found = [_candidate(parse(form.text), form.idea, wish.check, depth) for form in wish.forms]
    there = {_in_any_order(candidate.formula) for candidate in found}
    simpler = {str(c.simplest): c for c in found if c.simplest is not None}
    for text, candidate in simpler.items():
        formula = parse(text)
        if _in_any_order(formula) not in there:
            idea = f"the simplest with the paths of {_one_line(candidate.formula)}"
            found.append(_candidate(formula, idea, wish.check, depth))
    return found


def _in_any_order(formula: Formula) -> tuple[object, ...]:
    """Equal for formulas that differ in the order of their terms only."""
    sides = [
        frozenset(Counter(right.terms if isinstance(right, Sum) else [(1, right)]).items())
        for right in (equation.right for equation in formula.equations)
    ]
    states = [equation.state for equation in formula.equations]
    return (*zip(states, sides, strict=True), formula.inits, formula.output)


def _one_line(formula: Formula) -> str:
    return "; ".join(str(formula).split("\n"))


def _candidate(formula: Formula, idea: str, check: Check, depth: int) -> Candidate:
    check.verify(formula)
    cost = cost_of(formula)
    small = cost.states_kept + cost.calls <= MAX_COMPARED // 2
    rows = [Analysis(formula, n) for n in range(depth + 1)]
    return Candidate(
        formula,
        idea,
        cost,
        upkeep_of(formula),
        check.verified_depth,
        check.from_later(formula),
        at_borders(formula),
        tuple(_there(row.net) for row in rows),
        tuple(row.distinct for row in rows),
        sum(_there(rows[-1].gross)),
        rows[-1].telescopes_to if small else None,
    )


def _there(counts: Coefficients | None) -> Coefficients:
    assert counts is not None, "designed formulas have counts"
    return counts


def _compared(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each with its difference to the first."""
    first, *others = candidates
    found = [first]
    for candidate in others:
        size = first.cost.states_kept + candidate.cost.states_kept
        size += first.cost.calls + candidate.cost.calls
        if size <= MAX_COMPARED:
            candidate = replace(candidate, against_first=equal(first.formula, candidate.formula))
        found.append(candidate)
    return found


def _row(counts: Coefficients | None) -> list[int | str] | None:
    """Counts as JSON: integers, "p/q", and strings of digits past what Python prints."""
    if counts is None:
        return None
    return [
        int(count) if count.denominator == 1 and abs(count) < 10**MAX_JSON_DIGITS
        else number_to_text(Fraction(count))
        for count in counts
    ]  # fmt: skip
