"""Friedman, Nemenyi and Holm against published figures, scipy, scikit-posthocs and statsmodels."""

import math
from pathlib import Path
from statistics import fmean

import pytest
import scikit_posthocs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from recform.compare import ScoreTable, compare, critical_difference, friedman_of_ranks, read_csv
from recform.compare.pairs import holm
from recform.compare.ranks import friedman
from recform.compare.table import table_of
from recform.errors import UserError

DATA = Path(__file__).parents[1] / "data"
# Demsar 2006 (JMLR 7), table 6: C4.5, +m, +cf, +m+cf on 14 data sets, as ranks.
DEMSAR = [
    (4, 3, 2, 1), (1, 2, 3, 4), (4, 1, 2, 3), (4, 1, 3, 2), (4, 2, 3, 1), (1, 2.5, 4, 2.5),
    (3, 2, 4, 1), (2.5, 2.5, 4, 1), (4, 3, 2, 1), (2.5, 2.5, 2.5, 2.5), (4, 2.5, 1, 2.5),
    (3, 2, 4, 1), (4, 1, 2, 3), (3, 1, 4, 2),
]  # fmt: skip
NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def demsar() -> ScoreTable:
    """His ranks as scores: 5 less the rank."""
    return table_of(
        [(name, str(row), 5 - rank) for row, ranks in enumerate(DEMSAR)
         for name, rank in zip(NAMES, ranks, strict=True)], "Demsar"
    )  # fmt: skip


def test_the_published_ranks_give_the_published_figures():
    test = friedman_of_ranks([3.143, 2.000, 2.893, 1.964], 14)
    assert (round(test.chi2, 2), round(test.F or 0, 2)) == (9.28, 3.69)
    assert round(critical_difference(4, 14, 0.05), 2) == 1.25
    assert round(critical_difference(4, 14, 0.10), 2) == 1.12


def test_the_published_example_comes_out_from_its_rows():
    found = compare(demsar())
    assert [round(rank, 3) for rank in found.ranks.values()] == [3.143, 2.000, 2.893, 1.964]
    assert found.friedman is not None
    assert found.friedman.F is not None
    assert (round(found.friedman.chi2, 2), round(found.friedman.F, 2)) == (9.28, 3.69)
    # "the post-hoc test is not powerful enough to detect any significant differences" at 0.05 ...
    assert not any(pair.significant for pair in found.pairs)
    # ... "at alpha = 0.10 CD is 1.12": C4.5 differs from C4.5+m and C4.5+m+cf.
    apart = [pair.models for pair in compare(demsar(), 0.10).pairs if pair.significant]
    assert apart == [("C4.5", "C4.5+m"), ("C4.5", "C4.5+m+cf")]


def test_the_papers_table_of_top_1_gives_its_ranks():
    found = compare(read_csv(DATA / "liao_table1_top1.csv"))
    ranks = {name: round(rank, 2) for name, rank in found.ranks.items()}
    assert ranks == {
        "ResNet18": 7.33, "ResNet18s": 7.67, "ResNet34": 6.00, "ResNet34s": 4.00,
        "ResNet50": 3.67, "ResNet50s": 1.67, "ResNet101": 3.67, "ResNet101s": 2.00,
    }  # fmt: skip
    test = found.friedman
    assert test is not None
    assert (round(test.chi2, 2), round(test.p, 4), round(test.F or 0, 2)) == (18.11, 0.0115, 12.54)
    assert round(found.critical_difference or 0, 2) == 6.06


def test_the_papers_whole_table_gives_its_ranks():
    found = compare(read_csv(DATA / "liao_table1.csv"))
    assert [round(rank, 2) for rank in found.ranks.values()] == [
        7.33, 7.17, 6.50, 3.92, 3.08, 2.17, 3.67, 2.17,
    ]  # fmt: skip
    assert round(found.critical_difference or 0, 2) == 4.29


@pytest.mark.parametrize("file", ["liao_table1.csv", "liao_table1_top1.csv"])
def test_no_net_of_the_paper_differs_from_its_twin_by_the_papers_own_test(file):
    found = compare(read_csv(DATA / file))
    twins = [pair for pair in found.pairs if pair.models[1] == f"{pair.models[0]}s"]
    assert len(twins) == 4
    assert not any(pair.significant for pair in twins)


# Nemenyi's p-values are integrals; 15 of them take half a second.
FEW = settings(max_examples=15)
# Few distinct scores, so that there are ties in most tables.
SCORES = st.integers(0, 4).map(float)


@st.composite
def tables(draw, min_models=3):
    """Rows of scores, one tuple a row."""
    width = draw(st.integers(min_models, 6))
    row = st.tuples(*[SCORES] * width)
    return draw(st.lists(row, min_size=2, max_size=9))


def table_from(rows) -> ScoreTable:
    named = [(f"m{column}", f"d{row}", score) for row, scores in enumerate(rows)
             for column, score in enumerate(scores)]  # fmt: skip
    return table_of(named, "a test")


@given(tables())
def test_with_ties_the_test_is_scipys(rows):
    found = friedman(table_from(rows))
    assert found is not None
    if all(len(set(row)) == 1 for row in rows):
        assert (found.chi2_ties, found.p_ties, found.p) == (None, None, 1)
        return
    statistic, p = stats.friedmanchisquare(*zip(*rows, strict=True))
    assert (found.chi2_ties, found.p_ties) == pytest.approx((statistic, p), abs=1e-12)


@given(tables())
def test_the_plain_test_differs_from_scipys_by_the_tie_correction_alone(rows):
    found = friedman(table_from(rows))
    assert found is not None
    models = len(rows[0])
    tied = sum(row.count(score) ** 3 - row.count(score) for row in rows for score in set(row))
    correction = 1 - tied / (len(rows) * models * (models**2 - 1))
    if found.chi2_ties is not None:
        assert found.chi2 == pytest.approx(found.chi2_ties * correction, abs=1e-9)


@FEW
@given(tables(min_models=2))
def test_pairs_agree_with_scikit_posthocs(rows):
    found = compare(table_from(rows))
    expected = scikit_posthocs.posthoc_nemenyi_friedman(rows).to_numpy()
    models = list(found.ranks)
    for pair in found.pairs:
        one, other = (models.index(model) for model in pair.models)
        assert pair.nemenyi_p == pytest.approx(expected[one, other], abs=1e-12)
        # A difference as large as the critical one is one whose p is at most alpha.
        assert pair.significant == (expected[one, other] <= 0.05)


@FEW
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_wilcoxon_is_scipys_for_each_pair():
    table = read_csv(DATA / "liao_table1.csv")
    for pair in compare(table).pairs:
        one, other = (table.means(model) for model in pair.models)
        gaps = [float(mine - theirs) for mine, theirs in zip(one, other, strict=True)]
        # Some are as large as others, for which scipy has all signs tried.
        all_signs = stats.PermutationMethod(n_resamples=2**6)
        expected = stats.wilcoxon([gap for gap in gaps if gap], method=all_signs).pvalue
        assert pair.wilcoxon_p == pytest.approx(expected)
        assert pair.mean_difference == pytest.approx(fmean(gaps))


@settings(max_examples=10)
@given(tables())
def test_pairs_have_scipys_wilcoxon_with_the_holm_of_statsmodels(rows):
    found = compare(table_from(rows)).pairs
    expected = []
    for pair in found:
        one, other = (int(model.removeprefix("m")) for model in pair.models)
        moved = [row[one] - row[other] for row in rows if row[one] != row[other]]
        all_signs = stats.PermutationMethod(n_resamples=2**9)
        # Of one row, or none, scipy's permutations do not speak.
        expected.append(stats.wilcoxon(moved, method=all_signs).pvalue if len(moved) > 1 else 1)
    assert [pair.wilcoxon_p for pair in found] == pytest.approx(expected)
    holms = multipletests(expected, method="holm")[1]
    assert [pair.wilcoxon_holm_p for pair in found] == pytest.approx(holms)


def test_means_tie_that_are_equal_as_decimals():
    # As floats the mean of 0.1 and 0.2 is 0.15000000000000002.
    scores = {("a", "d"): (0.1, 0.2), ("b", "d"): (0.15,), ("a", "e"): (1.0,), ("b", "e"): (2.0,)}
    found = compare(ScoreTable(("a", "b"), ("d", "e"), scores))
    (pair,) = found.pairs
    assert (pair.wins, pair.ties, pair.losses) == (0, 1, 1)
    assert found.ranks == {"a": 1.75, "b": 1.25}


def test_means_tie_that_are_equal_as_shares_of_images():
    # 7, 8 and 6 of 9 images, in percent.
    runs = {("a", "d"): (100 * 7 / 9,), ("b", "d"): (100 * 8 / 9, 100 * 6 / 9)}
    assert compare(ScoreTable(("a", "b"), ("d",), runs)).ranks == {"a": 1.5, "b": 1.5}


def test_effect_sizes_by_hand():
    rows = [(3.0, 1.0), (3.0, 2.0), (1.0, 2.5), (4.0, 4.0)]
    (pair,) = compare(table_from(rows)).pairs
    assert (pair.wins, pair.ties, pair.losses) == (2, 1, 1)
    assert pair.mean_difference == (2 + 1 - 1.5 + 0) / 4
    # Ranks of |2|, |1|, |1.5| are 3, 1, 2: (3 + 1 - 2) / 6.
    assert pair.rank_biserial == pytest.approx(1 / 3)


def test_perfect_agreement_has_an_infinite_f():
    test = compare(table_from([(3.0, 2.0, 1.0)] * 4)).friedman
    assert test is not None
    assert (test.chi2, test.F, test.F_p) == (8, None, 0)


def test_models_that_never_differ_have_p_1():
    found = compare(table_from([(1.0, 1.0, 1.0)] * 3))
    assert found.friedman is not None
    assert (found.friedman.chi2, found.friedman.F_p) == (0, 1)
    assert [pair.wilcoxon_holm_p for pair in found.pairs] == [1, 1, 1]


def test_runs_of_a_pair_are_averaged_whatever_their_order():
    scores = {("a", "d"): (0.1, 0.2, 0.3), ("b", "d"): (0.3, 0.2, 0.1)}
    found = compare(ScoreTable(("a", "b"), ("d",), scores))
    assert found.ranks == {"a": 1.5, "b": 1.5}


def test_a_level_outside_0_and_1_is_refused():
    with pytest.raises(UserError, match="the level must be between 0 and 1, not 5"):
        compare(demsar(), 5)


def test_the_critical_difference_shrinks_with_the_root_of_the_rows():
    assert critical_difference(4, 24, 0.05) == pytest.approx(critical_difference(4, 6, 0.05) / 2)
    assert round(critical_difference(4, 6, 0.05), 2) == 1.91
    assert math.isclose(critical_difference(2, 1, 0.05), 1.959964, rel_tol=1e-5)


@pytest.mark.parametrize(("ranks", "num_rows"), [([1.0], 5), ([1.0, 2.0], 1)])
def test_too_few_models_or_rows_are_told_with_what_to_give(ranks, num_rows):
    with pytest.raises(UserError, match="two models and two rows at least") as refused:
        friedman_of_ranks(ranks, num_rows)
    assert refused.value.diagnostics[0].hint == (
        "give a mean rank for each model, and the number of rows"
    )
