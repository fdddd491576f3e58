"""A table put to all its tests, and in words what they support and what they do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recform.compare.pairs import Pair, pairs_of
from recform.compare.ranks import Friedman, critical_difference, friedman, mean_ranks
from recform.compare.table import ScoreTable
from recform.errors import UserError

# Below these the distributions of chi2_F and F_F are rough approximations (Demsar 2006, 3.2.2).
FEW_ROWS, FEW_MODELS = 10, 5
# Pairs that a sentence names; the rest is counted.
MOST_NAMED = 6


@dataclass(frozen=True)
class Comparison:
    """All that was computed from a table at the level `alpha`.

    `friedman` and `critical_difference` are None for a single row.
    """

    table: ScoreTable
    alpha: float
    ranks: Mapping[str, float]
    friedman: Friedman | None
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
        critical_difference=(
            critical_difference(num_models, num_rows, alpha) if num_rows > 1 else None
        ),
        pairs=pairs_of(table, alpha),
    )


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
    if _found(comparison):
        sentences.append(_of_the_best(comparison))
    sentences.append(_of_wilcoxon(comparison))
    few = len(comparison.table.datasets) <= FEW_ROWS or len(comparison.ranks) <= FEW_MODELS
    if few:
        sentences.append(
            f"chi2 and F are rough with {_counted(comparison)}: they ask for more than {FEW_ROWS} "
            f"rows and {FEW_MODELS} models"
        )
    return tuple(sentences)


def _found(comparison: Comparison) -> list[Pair]:
    return [pair for pair in comparison.pairs if pair.significant]


def _counted(comparison: Comparison) -> str:
    return f"{len(comparison.table.datasets)} rows and {len(comparison.ranks)} models"


def _of_friedman(comparison: Comparison, test: Friedman) -> str:
    verdict = "differ" if test.F_p < comparison.alpha else "cannot be told apart"
    F = "infinite" if test.F is None else f"{test.F:.2f}"
    return f"taken together the models {verdict} (Friedman, F = {F}, p = {test.F_p:.3g})"


def _of_nemenyi(comparison: Comparison) -> str:
    threshold = comparison.critical_difference
    assert threshold is not None, "there are rows"
    found, num_pairs = _found(comparison), len(comparison.pairs)
    largest = len(comparison.ranks) - 1
    if found:
        text = (f"{_shares(found, num_pairs)} by the critical difference {threshold:.2f}: "
                f"{_named(comparison, found)}")  # fmt: skip
    else:
        text = f"none of {num_pairs} pairs differs by the critical difference {threshold:.2f}"
    if threshold > largest:
        text += f", nor could any: mean ranks differ by {largest} at most"
    return f"{text} (Nemenyi)"


def _shares(found: list[Pair], num_pairs: int) -> str:
    return f"{len(found)} of {num_pairs} pairs differ{'s' if len(found) == 1 else ''}"


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
    num_rows, num_pairs = len(comparison.table.datasets), len(comparison.pairs)
    if found:
        return (f"{_shares(found, num_pairs)} by Wilcoxon's test with Holm: "
                f"{_named(comparison, found)}")  # fmt: skip
    text = f"none of {num_pairs} pairs differs by Wilcoxon's test with Holm"
    # All rows on one side: the two extreme signs of 2^N.
    smallest = num_pairs * math.ldexp(1, 1 - num_rows)
    if smallest > comparison.alpha:
        text += f", nor could any: with {num_rows} rows its smallest p is {min(1, smallest):.3g}"
    return text
