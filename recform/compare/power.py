"""The power of a comparison before anyone trains: what a design could find, if it were there.

One model is better than all the others by the same amount in every row, and runs scatter about
their level like a normal distribution; the tests are then run on many tables drawn so. That no
model fares better in one row than in another makes the figures upper bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any

from scipy import stats

from recform.compare.comparison import check_level
from recform.compare.orders import spreads
from recform.compare.ranks import critical_difference
from recform.errors import UserError

NUM_TABLES = 4000
WANTED_POWER = 0.8
MOST_ROWS = 200
# Differences that are tried where none is asked for, in spreads of a run.
DIFFERENCES = (0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Power:
    """Chances, from 0 to 1, to find a `difference` of one model from all others.

    `friedman`: that the models are found to differ at all; `pair`: that the better one and one
    other are found to differ by Nemenyi. `rows_needed`: for a chance of 0.8 at such a pair, None
    where more than 200 rows would be.
    """

    difference: float
    friedman: float
    pair: float
    rows_needed: int | None


@dataclass(frozen=True)
class Plan:
    """A design: models, rows (data set x backbone), seeds averaged in each, and what it can find.

    `spread` is the deviation of a run from its level, in the unit of the scores. Mean ranks differ
    by at most `largest_difference`; with fewer rows than `fewest_rows` no pair can be found.
    """

    num_models: int
    num_rows: int
    num_seeds: int
    alpha: float
    spread: float
    critical_difference: float
    largest_difference: int
    fewest_rows: int
    powers: tuple[Power, ...]


def plan(
    num_models: int,
    num_rows: int,
    num_seeds: int = 1,
    *,
    spread: float = 1.0,
    difference: float | None = None,
    alpha: float = 0.05,
) -> Plan:
    """The power of a design. Raises UserError `bad-argument`. Takes some seconds: it simulates.

    >>> plan(4, 6, difference=100).critical_difference < 3
    True
    """
    check_level(alpha)
    _check(
        2 <= num_models <= 50, f"a comparison has 2 to 50 models, not {num_models}", "--models 4"
    )
    _check(2 <= num_rows <= 200, f"a design has 2 to 200 rows, not {num_rows}", "--rows 6")
    _check(num_seeds >= 1, f"there must be 1 seed or more, not {num_seeds}", "--seeds 3")
    _check(0 < spread < math.inf, f"the spread must be above 0, not {spread}", "--spread 0.2")
    _check(difference is None or 0 < difference < math.inf,
           f"the difference must be above 0, not {difference}", "--difference 0.5")  # fmt: skip
    tried = [factor * spread for factor in DIFFERENCES] if difference is None else [difference]
    shifts = [gap / spread * math.sqrt(num_seeds) for gap in tried]
    return Plan(
        num_models=num_models,
        num_rows=num_rows,
        num_seeds=num_seeds,
        alpha=alpha,
        spread=spread,
        critical_difference=critical_difference(num_models, num_rows, alpha),
        largest_difference=num_models - 1,
        fewest_rows=_fewest_rows(num_models, alpha),
        powers=tuple(
            Power(gap, _chance_to_differ(num_models, num_rows, shift, alpha),
                  _chance_of_pair(num_models, num_rows, shift, alpha),
                  _rows_needed(num_models, shift, alpha))
            for gap, shift in zip(tried, shifts, strict=True)
        ),
    )  # fmt: skip


def _drawn(num_models: int, num_rows: int, shift: float) -> Any:
    """Mean ranks of NUM_TABLES tables, an array of one row each; `shift` in deviations."""
    # Ranks count from the lowest: the better model lies lower, by `shift`.
    levels = [-shift] + [0.0] * (num_models - 1)
    size = (NUM_TABLES, num_rows, num_models)
    scores = stats.norm.rvs(loc=levels, size=size, random_state=0)
    return stats.rankdata(scores, axis=2).mean(axis=1)


def _chance_to_differ(num_models: int, num_rows: int, shift: float, alpha: float) -> float:
    """The chance of Friedman's test: exact where `compare` counts it, else by F."""
    ranks = _drawn(num_models, num_rows, shift)
    chances = spreads([tuple(range(2, 2 * num_models + 1, 2))] * num_rows)
    if chances is not None:
        # Sums of doubled ranks are whole; the half is for rounding.
        sizes = ((2 * num_rows * ranks) ** 2).sum(axis=1)
        return float((sizes > _least_rare(chances, alpha) - 0.5).mean())
    degrees = num_models - 1
    squares = (ranks**2).sum(axis=1) - num_models * (num_models + 1) ** 2 / 4
    chi2 = 12 * num_rows / (num_models * (num_models + 1)) * squares
    needed = stats.f.ppf(1 - alpha, degrees, degrees * (num_rows - 1))
    # F >= needed, without the division by zero of perfect agreement.
    return float(((num_rows - 1) * chi2 >= needed * (num_rows * degrees - chi2)).mean())


def _least_rare(chances: Mapping[int, Fraction], alpha: float) -> float:
    """The smallest spread that is reached with a chance below `alpha`; infinite if none is."""
    least, tail = math.inf, Fraction(0)
    for size in sorted(chances, reverse=True):
        tail += chances[size]
        if tail >= alpha:
            break
        least = size
    return least


def _chance_of_pair(num_models: int, num_rows: int, shift: float, alpha: float) -> float:
    """The chance that Nemenyi's test tells the better model from one other."""
    ranks = _drawn(num_models, num_rows, shift)
    apart = ranks[:, 1:] - ranks[:, :1] >= critical_difference(num_models, num_rows, alpha)
    if num_models > 2:
        return float(apart.mean())
    # Both tests ask for one difference to be large, and Friedman's is exact.
    return min(float(apart.mean()), _chance_to_differ(num_models, num_rows, shift, alpha))


def _rows_needed(num_models: int, shift: float, alpha: float) -> int | None:
    """The smallest number of rows at which a pair is found often enough, by halving."""
    low, high = 1, 2
    while _chance_of_pair(num_models, high, shift, alpha) < WANTED_POWER:
        low, high = high, 2 * high
        if low >= MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = _chance_of_pair(num_models, middle, shift, alpha) >= WANTED_POWER
        low, high = (low, middle) if enough else (middle, high)
    return high if high <= MOST_ROWS else None


def _fewest_rows(num_models: int, alpha: float) -> int:
    """Rows whose perfect agreement is enough, for the critical difference and beside chance."""
    one_row = critical_difference(num_models, 1, alpha)
    agreed = next(n for n in count(2) if math.factorial(num_models) ** (n - 1) * alpha > 1)
    return max(agreed, math.ceil((one_row / (num_models - 1)) ** 2))


def _check(holds: bool, message: str, hint: str) -> None:
    if not holds:
        raise UserError("bad-argument", message, hint)
