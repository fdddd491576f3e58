"""Ranks within each row, Friedman's test on them, and how far apart two mean ranks must be.

With k models and N rows, R_j the mean rank of model j (1 is best, ties share the mean of their
ranks), Demsar (2006, section 3.2.2, JMLR 7) has

    chi2_F = 12 N / (k (k+1)) (sum R_j^2 - k (k+1)^2 / 4)    with k - 1 degrees of freedom
    F_F    = (N - 1) chi2_F / (N (k-1) - chi2_F)             with k - 1 and (k-1)(N-1)
    CD     = q_alpha sqrt(k (k+1) / (6 N))                   q_alpha: studentized range / sqrt(2)

The second is Iman and Davenport's, the third Nemenyi's.

>>> test = friedman_of_ranks([3.143, 2.000, 2.893, 1.964], num_rows=14)   # Demsar's example
>>> f"{test.chi2:.2f} {test.F:.2f} {critical_difference(4, 14, 0.05):.2f}"
'9.28 3.69 1.25'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean

from scipy import stats

from recform.compare.table import ScoreTable
from recform.errors import UserError


@dataclass(frozen=True)
class Friedman:
    """`chi2`, `p`, `F` and `F_p` without correction for ties; `chi2_ties` and `p_ties` with it.

    `F` is None where it is infinite: every row ranks the models alike. The two with ties are None
    for two models, of which scipy's test does not speak, and where every row is one tie.
    """

    chi2: float
    p: float
    F: float | None
    F_p: float
    chi2_ties: float | None = None
    p_ties: float | None = None


def mean_ranks(table: ScoreTable) -> dict[str, float]:
    """The mean over the rows of each model's rank, 1 for the highest score."""
    ranks = row_ranks(table)
    return {model: fmean(row[place] for row in ranks) for place, model in enumerate(table.models)}


def row_ranks(table: ScoreTable) -> list[tuple[float, ...]]:
    """The ranks of the models in each row, 1 for the highest mean score."""
    columns = [table.means(model) for model in table.models]
    return [ranked([-score for score in row]) for row in zip(*columns, strict=True)]


def ranked(values: Sequence[Fraction]) -> tuple[float, ...]:
    """Ranks from the lowest, 1, upwards; ties, which are exact, share the mean of their ranks.

    >>> ranked([Fraction(3), Fraction(1), Fraction(3)])
    (2.5, 1.0, 2.5)
    """
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return tuple(float(rank) for rank in stats.rankdata([places[value] for value in values]))


def friedman(table: ScoreTable) -> Friedman | None:
    """Friedman's test of a table; None for a single row, which ranks but cannot vary."""
    if len(table.datasets) < 2:
        return None
    plain = friedman_of_ranks(list(mean_ranks(table).values()), len(table.datasets))
    chi2_ties, p_ties = _with_ties(table)
    return Friedman(plain.chi2, plain.p, plain.F, plain.F_p, chi2_ties, p_ties)


def friedman_of_ranks(ranks: Sequence[float], num_rows: int) -> Friedman:
    """Friedman's test from mean ranks alone, as they stand in a paper.

    Not corrected for ties, which only the scores tell: `compare` has that as well. Raises UserError
    `bad-argument` for fewer than two models or rows.
    """
    num_models = len(ranks)
    if num_models < 2 or num_rows < 2:
        raise UserError("bad-argument", "Friedman's test has two models and two rows at least, "
                        f"not {num_models} and {num_rows}",
                        "give a mean rank for each model, and the number of rows")  # fmt: skip
    squares = math.fsum(rank * rank for rank in ranks)
    # By rounding, ranks that are all equal may come out a hair below zero.
    chi2 = max(
        0.0,
        12 * num_rows / (num_models * (num_models + 1))
        * (squares - num_models * (num_models + 1) ** 2 / 4),
    )  # fmt: skip
    degrees = num_models - 1
    rest = num_rows * degrees - chi2
    # By rounding, perfect agreement may leave a hair; the next largest chi2 leaves far more.
    F = None if rest < 1e-9 * num_rows * degrees else (num_rows - 1) * chi2 / rest
    F_p = 0.0 if F is None else float(stats.f.sf(F, degrees, degrees * (num_rows - 1)))
    return Friedman(chi2, float(stats.chi2.sf(chi2, degrees)), F, F_p)


def critical_difference(num_models: int, num_rows: int, alpha: float) -> float:
    """Nemenyi's: mean ranks at least so far apart differ at the level `alpha`."""
    q = stats.studentized_range.ppf(1 - alpha, num_models, math.inf) / math.sqrt(2)
    return float(q) * math.sqrt(num_models * (num_models + 1) / (6 * num_rows))


def _with_ties(table: ScoreTable) -> tuple[float | None, float | None]:
    ranks = row_ranks(table)
    if len(table.models) < 3 or all(len(set(row)) == 1 for row in ranks):
        return None, None
    # Ranks of ranks are ranks: scipy sees which scores tie as they were meant, not as floats.
    test = stats.friedmanchisquare(*zip(*ranks, strict=True))
    return float(test.statistic), float(test.pvalue)
