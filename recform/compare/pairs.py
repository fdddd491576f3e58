"""Two models at a time: do they differ, and by how much.

Nemenyi's test takes all pairs at once from the mean ranks; Wilcoxon's signed-rank test looks at the
differences of one pair, and Holm's step-down makes up for there being many pairs. A difference that
is found is not thereby large: its size is told beside it, in the unit of the scores, as rows won
and lost, and as the rank-biserial correlation of matched pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import scikit_posthocs

from recform.compare.ranks import critical_difference, mean_ranks, row_ranks
from recform.compare.signs import signed_rank
from recform.compare.table import ScoreTable


@dataclass(frozen=True)
class Pair:
    """The first model against the second.

    `rank_difference` is without sign; `mean_difference` is positive where the first scores higher,
    and so is `rank_biserial`. The p-values are None where there are fewer than two rows.
    `wilcoxon_exact`: whether its p was counted, not taken from the normal approximation.
    """

    models: tuple[str, str]
    rank_difference: float
    significant: bool
    nemenyi_p: float | None
    wilcoxon_p: float | None
    wilcoxon_holm_p: float | None
    wilcoxon_exact: bool
    mean_difference: float
    wins: int
    ties: int
    losses: int
    rank_biserial: float


def pairs_of(table: ScoreTable, alpha: float) -> tuple[Pair, ...]:
    """All pairs of models, in the order of the table."""
    enough = len(table.datasets) >= 2
    nemenyi = _nemenyi(table) if enough else {}
    means = {model: table.means(model) for model in table.models}
    differences = {
        (one, other): tuple(a - b for a, b in zip(means[one], means[other], strict=True))
        for one, other in combinations(table.models, 2)
    }
    tests = [signed_rank(gaps) for gaps in differences.values()]
    corrected = holm([test.p for test in tests])
    ranks = mean_ranks(table)
    threshold = critical_difference(len(table.models), len(table.datasets), alpha)
    found = []
    for place, ((one, other), gaps) in enumerate(differences.items()):
        rank_difference = abs(ranks[one] - ranks[other])
        found.append(
            Pair(
                models=(one, other),
                rank_difference=rank_difference,
                significant=enough and rank_difference >= threshold,
                nemenyi_p=nemenyi.get((one, other)),
                wilcoxon_p=tests[place].p if enough else None,
                wilcoxon_holm_p=corrected[place] if enough else None,
                wilcoxon_exact=tests[place].is_exact,
                mean_difference=float(sum(gaps) / len(gaps)),
                wins=sum(gap > 0 for gap in gaps),
                ties=sum(gap == 0 for gap in gaps),
                losses=sum(gap < 0 for gap in gaps),
                rank_biserial=tests[place].lean,
            )
        )
    return tuple(found)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down: the i-th smallest of m times m - i + 1, never below the one before it."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _nemenyi(table: ScoreTable) -> dict[tuple[str, str], float]:
    found = scikit_posthocs.posthoc_nemenyi_friedman(row_ranks(table)).to_numpy()
    places = range(len(table.models))
    return {
        (table.models[one], table.models[other]): float(found[one, other])
        for one, other in combinations(places, 2)
    }
