"""The random formulas are what the other laws believe them to be: valid, various, alive."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from oracles.walk import walk

from laws.features import FEATURES
from laws.formulas import formulas
from recform.formula import Formula, parse

NUM_FORMULAS = 300


@pytest.fixture(scope="module")
def sample() -> list[Formula]:
    """300 random formulas, the same in every run."""
    texts: list[str] = []

    @settings(
        max_examples=NUM_FORMULAS,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(formulas())
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    return [parse(text) for text in texts]


def test_random_formulas_differ(sample: list[Formula]) -> None:
    assert len(set(sample)) > 0.95 * NUM_FORMULAS


@pytest.mark.parametrize("feature", FEATURES)
def test_feature_is_in_a_tenth_of_the_random_formulas(feature: str, sample: list[Formula]) -> None:
    count = sum(FEATURES[feature](formula) for formula in sample)
    assert count >= len(sample) / 10, f"{feature}: {count} of {len(sample)}"


def test_random_formulas_carry_paths_through_blocks(sample: list[Formula]) -> None:
    walks = [walk(formula, depth=3) for formula in sample]
    assert sum(len(found.net) > 1 for found in walks) > 0.8 * len(sample)


def test_cancellation_is_common_in_random_formulas(sample: list[Formula]) -> None:
    walks = [walk(formula, depth=3) for formula in sample]
    assert sum(found.net != found.gross for found in walks) > 0.5 * len(sample)


def test_a_row_of_the_table_misses_where_the_feature_is_missing() -> None:
    plain = parse("x[l+1] = x[l]")
    assert [name for name, shows in FEATURES.items() if shows(plain)] == []
