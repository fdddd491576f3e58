"""Two models at a time: do they differ, and by how much.

Nemenyi's test takes all pairs at once from the mean ranks; Wilcoxon's signed-rank test looks at the
differences of one pair, and Holm's step-down makes up for there being many pairs. A difference that
is found is not thereby large: its size is told beside it, in the unit of the scores, as rows won
and lost, and as the rank-biserial correlation of matched pairs (Kerby 2014; -1 to 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import scikit_posthocs
from scipy import stats

from recform.compare.ranks import critical_difference, mean_ranks
from recform.compare.table import ScoreTable

# Scores that differ by less than this are rounding apart.
DECIMALS = 9


@dataclass(frozen=True)
class Pair:
    """The first model against the second.

    `rank_difference` is without sign; `mean_difference` is positive where the first scores higher,
    and so is `rank_biserial`. The p-values are None where there are fewer than two rows.
    """

    models: tuple[str, str]
    rank_difference: float
    significant: bool
    nemenyi_p: float | None
    wilcoxon_p: float | None
    wilcoxon_holm_p: float | None
    mean_difference: float
    wins: int
    ties: int
    losses: int
    rank_biserial: float


def pairs_of(table: ScoreTable, alpha: float) -> tuple[Pair, ...]:
    """All pairs of models, in the order of the table."""
    enough = len(table.datasets) >= 2
    nemenyi = _nemenyi(table) if enough else {}
    differences = {
        (one, other): _differences(table, one, other)
        for one, other in combinations(table.models, 2)
    }
    raw = [_wilcoxon(gaps) for gaps in differences.values()] if enough else []
    corrected = holm(raw)
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
                wilcoxon_p=raw[place] if enough else None,
                wilcoxon_holm_p=corrected[place] if enough else None,
                mean_difference=fmean(gaps),
                wins=sum(gap > 0 for gap in gaps),
                ties=sum(gap == 0 for gap in gaps),
                losses=sum(gap < 0 for gap in gaps),
                rank_biserial=rank_biserial(gaps),
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


def rank_biserial(differences: Sequence[float]) -> float:
    """Share of the ranks of |difference| that speak for the first, less those for the second."""
    moved = [gap for gap in differences if gap != 0]
    if not moved:
        return 0.0
    ranks = stats.rankdata([abs(gap) for gap in moved])
    balance = sum(
        float(rank) * (1 if gap > 0 else -1) for rank, gap in zip(ranks, moved, strict=True)
    )
    return balance / float(sum(ranks))


def _nemenyi(table: ScoreTable) -> dict[tuple[str, str], float]:
    rows = list(zip(*(table.means(model) for model in table.models), strict=True))
    found = scikit_posthocs.posthoc_nemenyi_friedman(rows).to_numpy()
    places = range(len(table.models))
    return {
        (table.models[one], table.models[other]): float(found[one, other])
        for one, other in combinations(places, 2)
    }


def _differences(table: ScoreTable, one: str, other: str) -> tuple[float, ...]:
    return tuple(
        round(mine - theirs, DECIMALS)
        for mine, theirs in zip(table.means(one), table.means(other), strict=True)
    )


def _wilcoxon(differences: Sequence[float]) -> float:
    """The two-sided p-value; 1 where all rows tie, of which scipy does not speak."""
    if not any(differences):
        return 1.0
    # scipy's stubs do not know what its decorator returns.
    return float(stats.wilcoxon(differences).pvalue)  # type: ignore[attr-defined]
