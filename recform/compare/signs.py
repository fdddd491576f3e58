"""Wilcoxon's signed-rank test: do the differences of a pair of models lean to one side?

Rows that tie say nothing of the side and are left out, as Wilcoxon did; the others are ranked by
the size of their difference, and W is the sum of ranks that speak for the model they speak less
for. Were there nothing between the models, each of the 2^m ways to put signs on m ranks would be as
likely: counting them gives the p-value, with equal sizes as well. No p is below 2^(1 - m).

>>> signed_rank([Fraction(gap) for gap in (3, 1, 2, 5, 0)]).p        # 2 of 16 ways are as extreme
0.125
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy import stats

from recform.compare.ranks import ranked

# With more untied rows than this the normal approximation is good to three decimals.
MOST_COUNTED = 50


@dataclass(frozen=True)
class SignedRank:
    """Two-sided p; 1 where all rows tie. `is_exact` tells a count from the normal approximation.

    `lean` is the rank-biserial correlation of matched pairs (Kerby 2014): the share of the ranks
    that speak for the first model less that for the second, -1 to 1.
    """

    p: float
    is_exact: bool
    lean: float


def signed_rank(differences: Sequence[Fraction]) -> SignedRank:
    """The test of these differences, the first model's score less the second's, a row each."""
    moved = [gap for gap in differences if gap != 0]
    if not moved:
        return SignedRank(1.0, is_exact=True, lean=0.0)
    ranks = ranked([abs(gap) for gap in moved])
    ahead = sum(rank for rank, gap in zip(ranks, moved, strict=True) if gap > 0)
    lean = (2 * ahead - sum(ranks)) / sum(ranks)
    if len(moved) <= MOST_COUNTED:
        return SignedRank(float(counted_p(ranks, ahead)), is_exact=True, lean=lean)
    signed = [rank if gap > 0 else -rank for rank, gap in zip(ranks, moved, strict=True)]
    # scipy's stubs do not know what its decorator returns.
    test = stats.wilcoxon(signed, method="asymptotic")
    return SignedRank(float(test.pvalue), is_exact=False, lean=lean)  # type: ignore[attr-defined]


def counted_p(ranks: Sequence[float], ahead: float) -> Fraction:
    """Share of all signs for which the ranks ahead sum as far from the middle as `ahead`, or more.

    Cost: the number of ranks times their sum.
    """
    # Ranks shared by two are halves: twice a rank is whole.
    doubled = [round(2 * rank) for rank in ranks]
    ways = [1] + [0] * sum(doubled)
    for rank in doubled:
        ways = [
            stay + (ways[total - rank] if total >= rank else 0) for total, stay in enumerate(ways)
        ]
    smaller = min(round(2 * ahead), sum(doubled) - round(2 * ahead))
    return min(Fraction(1), Fraction(2 * sum(ways[: smaller + 1]), 2 ** len(doubled)))
