"""A table put to all its tests, and in words what they support and what they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recform.compare.orders import exact_p
from recform.compare.pairs import Pair, pairs_of
from recform.compare.ranks import Friedman, critical_difference, friedman, mean_ranks, row_ranks
from recform.compare.signs import MOST_COUNTED
from recform.compare.table import ScoreTable
from recform.errors import UserError

# Below these the distributions of chi2_F and F_F are rough approximations (Demsar 2006, 3.2.2).
FEW_ROWS, FEW_MODELS = 10, 5
# Pairs that a sentence names; the rest is counted.
MOST_NAMED = 6


@dataclass(frozen=True)
class Comparison:
    """All that was computed from a table at the level `alpha`.

    `friedman` and `critical_difference` are None for a single row. `friedman_exact_p` is counted
    over all orders of the ranks in each row; None where there are too many, and for a single row.
    """

    table: ScoreTable
    alpha: float
    ranks: Mapping[str, float]
    friedman: Friedman | None
    friedman_exact_p: float | None
    critical_difference: float | None
    pairs: tuple[Pair, ...]

    @property
    def by_rank(self) -> tuple[str, ...]:
        """The models, best first."""
        return tuple(sorted(self.ranks, key=lambda model: self.ranks[model]))

    @property
    def says(self) -> tuple[str, ...]:
        """What the tests support and what they do not, a sentence each."""
        return _says(self)

    def to_json(self) -> dict[str, Any]:
        """The object that `recform compare --json` prints."""
        table = self.table
        return {
            "ranks": dict(self.ranks),
            "friedman": None if self.friedman is None else asdict(self.friedman),
            "friedman_exact_p": self.friedman_exact_p,
            "critical_difference": self.critical_difference,
            "alpha": self.alpha,
            "pairs": [{**asdict(pair), "models": list(pair.models)} for pair in self.pairs],
            "num_rows": len(table.datasets),
            "scores": [
                {"model": model, "dataset": dataset, **asdict(table.cell(model, dataset))}
                for dataset in table.datasets
                for model in table.models
            ],
            "says": list(self.says),
        }


def compare(table: ScoreTable, alpha: float = 0.05) -> Comparison:
    """Ranks, tests and pairs. Raises UserError `bad-argument` for a level not between 0 and 1."""
    check_level(alpha)
    num_models, num_rows = len(table.models), len(table.datasets)
    return Comparison(
        table=table,
        alpha=alpha,
        ranks=mean_ranks(table),
        friedman=friedman(table),
        friedman_exact_p=_exact_p(table) if num_rows > 1 else None,
        critical_difference=(
            critical_difference(num_models, num_rows, alpha) if num_rows > 1 else None
        ),
        pairs=pairs_of(table, alpha),
    )


def _exact_p(table: ScoreTable) -> float | None:
    found = exact_p(row_ranks(table))
    return None if found is None else float(found)


def check_level(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UserError("bad-argument", f"the level must be between 0 and 1, not {alpha}",
                        "--alpha 0.05")  # fmt: skip


def _says(comparison: Comparison) -> tuple[str, ...]:
    if comparison.friedman is None:
        return (
            "one row (data set x backbone) allows no test: the models may differ on it by chance, "
            "and the spread over seeds says nothing of other data",
        )
    sentences = [_of_friedman(comparison, comparison.friedman), _of_nemenyi(comparison)]
    if _found(comparison) and _differ(comparison, comparison.friedman):
        sentences.append(_of_the_best(comparison))
    sentences.append(_of_wilcoxon(comparison))
    few = len(comparison.table.datasets) <= FEW_ROWS or len(comparison.ranks) <= FEW_MODELS
    if few:
        sentences.append(
            f"chi2 and F are rough with {_counted(comparison)}: they ask for more than {FEW_ROWS} "
            f"rows and {FEW_MODELS} models"
            + ("" if comparison.friedman_exact_p is None else "; the exact p does not")
        )
    return tuple(sentences)


def _found(comparison: Comparison) -> list[Pair]:
    return [pair for pair in comparison.pairs if pair.significant]


def _counted(comparison: Comparison) -> str:
    return f"{len(comparison.table.datasets)} rows and {len(comparison.ranks)} models"


def _differ(comparison: Comparison, test: Friedman) -> bool:
    """By the exact p where it could be counted: of perfect agreement F says p = 0 (Demsar 2006)."""
    exact = comparison.friedman_exact_p
    return (test.F_p if exact is None else exact) < comparison.alpha


def _of_friedman(comparison: Comparison, test: Friedman) -> str:
    verdict = "differ" if _differ(comparison, test) else "cannot be told apart"
    F = "infinite" if test.F is None else f"{test.F:.2f}"
    p = (f"p = {test.F_p:.3g}" if comparison.friedman_exact_p is None
         else f"exact p = {comparison.friedman_exact_p:.3g}")  # fmt: skip
    return f"taken together the models {verdict} (Friedman, F = {F}, {p})"


def _of_nemenyi(comparison: Comparison) -> str:
    threshold, test = comparison.critical_difference, comparison.friedman
    assert threshold is not None, "there are rows"
    assert test is not None, "there are rows"
    found, largest = _found(comparison), len(comparison.ranks) - 1
    text = _of_pairs(comparison, found, f"by the critical difference {threshold:.2f}")
    if threshold > largest:
        text += f", nor could {_any(comparison)}: mean ranks differ by {largest} at most"
    if found and not _differ(comparison, test):
        text += ", which counts only where the models differ taken together"
    return f"{text} (Nemenyi)"


def _of_pairs(comparison: Comparison, found: list[Pair], how: str) -> str:
    """How many pairs differ by a test, and which."""
    num_pairs = len(comparison.pairs)
    if num_pairs == 1:
        return f"the pair {'differs' if found else 'does not differ'} {how}" + (
            f": {_named(comparison, found)}" if found else ""
        )
    if not found:
        return f"none of {num_pairs} pairs differs {how}"
    verb = "differs" if len(found) == 1 else "differ"
    return f"{len(found)} of {num_pairs} pairs {verb} {how}: {_named(comparison, found)}"


def _any(comparison: Comparison) -> str:
    return "it" if len(comparison.pairs) == 1 else "any"


def _named(comparison: Comparison, found: list[Pair]) -> str:
    told = ", ".join(_better_first(comparison, pair) for pair in found[:MOST_NAMED])
    more = len(found) - MOST_NAMED
    return f"{told} and {more} more" if more > 0 else told


def _better_first(comparison: Comparison, pair: Pair) -> str:
    better, worse = sorted(pair.models, key=lambda model: comparison.ranks[model])
    return f"{better} before {worse}"


def _of_the_best(comparison: Comparison) -> str:
    best = comparison.by_rank[0]
    beside = [
        other
        for pair in comparison.pairs
        if best in pair.models and not pair.significant
        for other in pair.models
        if other != best
    ]
    if not beside:
        return f"{best}, of the best mean rank, differs from every other model"
    return f"{best}, of the best mean rank, cannot be told from {', '.join(beside)}"


def _of_wilcoxon(comparison: Comparison) -> str:
    found = [pair for pair in comparison.pairs
             if (pair.wilcoxon_holm_p or 0) < comparison.alpha]  # fmt: skip
    with_holm = " with Holm" if len(comparison.pairs) > 1 else ""
    text = _of_pairs(comparison, found, f"by Wilcoxon's test{with_holm}")
    untied = max(pair.wins + pair.losses for pair in comparison.pairs)
    # All untied rows on one side: the two extreme signs of 2^m.
    smallest = min(1, math.ldexp(1, 1 - untied))
    corrected = min(1, len(comparison.pairs) * smallest)
    if not found and corrected > comparison.alpha:
        text += (f", nor could {_any(comparison)}: with {_of_untied(comparison, untied)} its "
                 f"smallest p is {smallest:.3g}")  # fmt: skip
        if corrected > smallest:
            text += f", by Holm {corrected:.3g}"
    return f"{text} ({_how_counted(comparison)})"


def _of_untied(comparison: Comparison, untied: int) -> str:
    num_rows = len(comparison.table.datasets)
    if untied == num_rows:
        return f"{num_rows} rows"
    return f"{untied or 'no'} untied row{'' if untied == 1 else 's'} of {num_rows}"


def _how_counted(comparison: Comparison) -> str:
    counted = sum(pair.wilcoxon_exact for pair in comparison.pairs)
    if counted == len(comparison.pairs):
        return "exact, over the rows that do not tie"
    return (f"over the rows that do not tie; by the normal approximation where these are more than "
            f"{MOST_COUNTED}")  # fmt: skip
