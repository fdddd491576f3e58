"""Whether two formulas have the same paths: at every depth, decided exactly.

Both are run on one table of letters (`jets`), where outputs with the same paths are the same linear
form. Both settle to recurrences; what agrees up to order(A) + order(B) depths past their lags is
proved to agree for ever (`forever`). So much for d x[L]/d x[0]. From a later x[l0] the derivatives
are compared in the same way, for each l0 up to a period past the settled depths and lags; from
there on all is the same again, moved by a period.

    x[l] + F(x[l]) - F(x[l-1])   and   x[0] + F(x[l])

are equal from the start: both are x[0] + F(x[l]). From x[1] the first has a path through no block,
the second has none.

>>> result = equal("resnet_s", "injection")
>>> result.equal, result.witness.word, result.witness.left, result.witness.right
('from_start', '1', 1, 0)
>>> equal("x[l+1] = x[l] + F(x[l])", "x[l+1] = x[l] + 1/2*F[l](2*x[l])").equal
'no'
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from recform.formula import Formula, resolve
from recform.formula.kinds import is_linear
from recform.paths.affine import NotSteadyError
from recform.paths.breaks import breaks
from recform.paths.difference import Difference, first_difference
from recform.paths.forever import Joint
from recform.paths.histories import History, Unrolled, row_of, tape_at
from recform.paths.jets import Jet, Jets, LetterTable
from recform.paths.products import compare_products
from recform.paths.settle import settle
from recform.tape.radicals import TooManyRadicals

# How deep formulas without a recurrence are compared.
MAX_COMPARED = 24
# Later starts past which "always" would take minutes.
MAX_STARTS = 100

Verdict = Literal["always", "from_start", "no", "undecided"]
_BREAKS = {
    "activation": "the activations as written",
    "projection": "a projection at a stage border",
    "norm": "the norms as written",
}


@dataclass(frozen=True)
class Equality:
    """How two formulas compare.

    `equal` is "always" if d x[L]/d x[l0] is the same for every depth L and every l0; "from_start"
    if it is for l0 = 0, and not proved for all later l0; "no" if a difference was found;
    "undecided" if none was, down to `checked_depth`, but one of the formulas has no recurrence, or
    products of values (`products`).
    `witness` is the first difference; `breaks` names what in a network would make equal formulas
    differ: "activation", "projection", "norm". `reason` says why nothing stronger was proved, where
    that is not the witness.
    """

    equal: Verdict
    witness: Difference | None
    checked_depth: int
    breaks: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        match self.equal:
            case "always":
                return "always: the same paths at every depth, from every start"
            case "from_start":
                others = (
                    "not from every later one" if self.witness else "later ones are not decided"
                )
                return f"from_start: the same paths from x[0] at every depth, {others}"
            case "no":
                return "no: the paths differ"
            case "undecided" if self.checked_depth < 0:
                return "undecided: not even depth 0 could be compared"
            case "undecided":
                return f"undecided: no difference down to depth {self.checked_depth}"

    def __str__(self) -> str:
        """What `recform equal` prints: the verdict, and what it rests on."""
        breaks = ", ".join(_BREAKS[name] for name in self.breaks)
        told = [
            self.verdict,
            None if self.witness is None else self.witness.text,
            self.reason,
            f"as networks they differ with: {breaks}" if breaks else None,
        ]
        return "\n  ".join(line for line in told if line is not None)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What a notebook shows."""
        printer.text(str(self))

    def to_json(self) -> dict[str, object]:
        """The object that `recform equal --json` prints."""
        return {
            "equal": self.equal,
            "witness": None if self.witness is None else self.witness.to_json(),
            "checked_depth": self.checked_depth,
            "breaks": list(self.breaks),
            "reason": self.reason,
        }


def equal(a: Formula | str, b: Formula | str) -> Equality:
    """Compare the paths of two formulas, their texts, or examples by their names.

    `drop` is not part of the language yet, so it is not among `breaks`.

    >>> equal("resnet", "y[l+1] = F(y[l]) + y[l]").equal
    'always'
    """
    left, right = resolve(a), resolve(b)
    if not (is_linear(left) and is_linear(right)):
        return _compare_with_products(left, right)
    try:
        found = _Comparison.of(left, right).run()
    except NotSteadyError as error:
        found = _compare_to_a_depth(left, right, error.reason)
    if found.equal == "no":
        return found
    return replace(found, breaks=breaks(left, right, found.checked_depth))


@dataclass(frozen=True)
class _Comparison:
    """Two recurrences on one table, unrolled to the depth that decides."""

    joint: Joint
    unrolled: tuple[Unrolled, Unrolled]
    last_start: int
    depth: int
    table: LetterTable

    @classmethod
    def of(cls, left: Formula, right: Formula) -> _Comparison:
        joint = Joint((settle(left), settle(right)))
        last_start = joint.settled + joint.lag + joint.period
        depth = last_start + joint.lag + joint.order + joint.period
        jets = Jets(LetterTable())
        first, second = (Unrolled(side, depth, jets) for side in joint.sides)
        return cls(joint, (first, second), last_start, depth, jets.table)

    def run(self) -> Equality:
        left, right = self._histories(0)
        witness = first_difference(self.table, left.rows, right.rows)
        if witness is not None:
            return Equality("no", witness, self.depth)
        if not self.joint.holds_forever(left, right):
            return Equality("undecided", None, self.depth, reason="no difference was found, and "
                            "no proof that there is none")  # fmt: skip
        return self._from_later_starts()

    def _from_later_starts(self) -> Equality:
        if self.last_start > MAX_STARTS:
            reason = f"starts later than x[{MAX_STARTS}] would have to be compared"
            return Equality("from_start", None, self.depth, reason=reason)
        try:
            return self._compare_starts()
        except NotSteadyError as error:
            return Equality("from_start", None, self.depth, reason=error.reason)

    def _compare_starts(self) -> Equality:
        for start in range(1, self.last_start + 1):
            left, right = self._histories(start)
            witness = first_difference(self.table, left.rows, right.rows, start)
            if witness is not None:
                return Equality("from_start", witness, self.depth)
            if not self.joint.holds_forever(left, right):
                reason = f"no proof that all depths agree from x[{start}]"
                return Equality("from_start", None, self.depth, reason=reason)
        return Equality("always", None, self.depth)

    def _histories(self, start: int) -> tuple[History, History]:
        left, right = self.unrolled
        return left.history(start), right.history(start)


def _compare_with_products(left: Formula, right: Formula) -> Equality:
    """A difference of the paths, or none to a depth, which proves nothing of deeper ones."""
    if left == right:
        return Equality("always", None, 0)
    found = compare_products(left, right)
    if found.witness is not None and found.proves:
        return Equality("no", found.witness, found.checked_depth)
    if found.witness is not None:
        return Equality("undecided", None, found.checked_depth - 1, reason=f"{found.witness.text}, "
                        "which may yet come to the same paths")  # fmt: skip
    differ = [name for kept, name in (("act", "activation"), ("norm", "norm"))
              if compare_products(left, right, {kept}).witness is not None]  # fmt: skip
    return Equality("undecided", None, found.checked_depth, tuple(differ), "with products of "
                    "values, learned coefficients or functions of several values formulas are "
                    "compared to a depth, which proves nothing of deeper ones")  # fmt: skip


def _compare_to_a_depth(left: Formula, right: Formula, reason: str) -> Equality:
    """What can be said without recurrences: a difference, or none so far."""
    if left == right:
        return Equality("always", None, MAX_COMPARED)
    jets = Jets(LetterTable())
    lefts, rights = _rows(left, jets), _rows(right, jets)
    num_compared = min(len(lefts), len(rights))
    checked = num_compared - 1
    witness = first_difference(jets.table, lefts[:num_compared], rights[:num_compared])
    if witness is not None:
        return Equality("no", witness, checked)
    return Equality("undecided", None, checked, reason=reason)


def _rows(formula: Formula, jets: Jets) -> list[Jet | None]:
    """By depth, as far as coefficients are no sums of too many roots."""
    rows: list[Jet | None] = []
    for depth in range(MAX_COMPARED + 1):
        try:
            tape = tape_at(formula, depth)
            rows.append(None if tape is None else row_of(tape, jets))
        except TooManyRadicals:
            break
    return rows
