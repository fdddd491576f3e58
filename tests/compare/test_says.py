"""The sentences claim what the figures support, and no more."""

from pathlib import Path

from recform.compare import ScoreTable, compare, read_csv
from recform.compare.table import table_of

DATA = Path(__file__).parents[1] / "data"


def of(rows) -> str:
    named = [(f"m{column}", f"d{row}", score) for row, scores in enumerate(rows)
             for column, score in enumerate(scores)]  # fmt: skip
    return "\n".join(compare(table_of(named, "a test")).says)


def test_of_the_papers_table_nothing_is_claimed_for_a_pair():
    told = "\n".join(compare(read_csv(DATA / "liao_table1_top1.csv")).says)
    assert "taken together the models differ (Friedman, F = 12.54" in told
    assert "none of 28 pairs differs by the critical difference 6.06" in told
    assert "nor could any: with 3 rows its smallest p is 1" in told
    assert "rough with 3 rows and 8 models" in told


def test_one_row_allows_no_test():
    table = ScoreTable(("a", "b"), ("d",), {("a", "d"): (1.0, 2.0), ("b", "d"): (5.0, 6.0)})
    found = compare(table)
    assert (found.friedman, found.critical_difference) == (None, None)
    assert [pair.significant for pair in found.pairs] == [False]
    assert found.says[0].startswith("one row (data set x backbone) allows no test")


def test_a_model_that_always_wins_is_named():
    told = of([(4.0, 2.0, 1.0), (5.0, 1.0, 2.0)] * 8)
    assert "2 of 3 pairs differ by the critical difference 0.83: m0 before m1, m0 before m2" in told
    assert "m0, of the best mean rank, differs from every other model" in told
    assert "2 of 3 pairs differ by Wilcoxon's test with Holm" in told


def test_a_best_model_that_differs_from_some_only_is_said_to():
    told = of([(3.0, 2.0, 1.0), (2.0, 3.0, 1.0)] * 6)
    assert "cannot be told from m1" in told


def test_a_difference_beyond_the_largest_possible_one_is_told():
    assert "nor could any: mean ranks differ by 3 at most" in of([(4.0, 3.0, 2.0, 1.0)] * 2)
