"""The unknowns of a recurrence and their forms, as they are found (`settle`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from recform.formula.ast import Expression
from recform.formula.formula import Formula
from recform.paths.affine import NotSteadyError
from recform.paths.recurrence import Form, Unknown

MAX_UNKNOWNS = 200


@dataclass
class Unknowns:
    """The unknowns so far by what they are, and their forms by residue of the depth.

    `ahead`: an auxiliary that reads depth l+1 is put where that is, its unknown at n is z[n-1].
    `averaged` are those that stand in a mean.
    """

    formula: Formula
    period: int
    ahead: dict[str, int]
    unknowns: list[Unknown] = field(default_factory=list)
    expressions: dict[tuple[int, int], Expression] = field(default_factory=dict)
    forms: dict[tuple[int, int], Form] = field(default_factory=dict)
    averaged: set[int] = field(default_factory=set)
    places: dict[object, int] = field(default_factory=dict)

    def unknown(self, key: object, unknown: Unknown) -> int:
        """The place of an unknown, which is made where there is none with this key.

        Raises NotSteadyError where there are too many.
        """
        if key not in self.places:
            if len(self.unknowns) >= MAX_UNKNOWNS:
                raise NotSteadyError(f"the recurrence has more than {MAX_UNKNOWNS} unknowns")
            self.places[key] = len(self.unknowns)
            self.unknowns.append(unknown)
        return self.places[key]

    def define(self, unknown: int, residue: int, expression: Expression, form: Form) -> None:
        """What an unknown is at depths of a residue: in the formula, and as a form."""
        self.expressions.setdefault((unknown, residue), expression)
        self.forms[unknown, residue] = form
