"""The sentences claim what the figures support, and no more."""

from pathlib import Path

from recform.compare import ScoreTable, compare, read_csv
from recform.compare.table import table_of

DATA = Path(__file__).parents[1] / "data"
EIGHT = tuple(float(score) for score in range(8, 0, -1))


def of(rows) -> str:
    named = [(f"m{column}", f"d{row}", score) for row, scores in enumerate(rows)
             for column, score in enumerate(scores)]  # fmt: skip
    return "\n".join(compare(table_of(named, "a test")).says)


def test_of_the_papers_table_nothing_is_claimed_for_a_pair():
    told = "\n".join(compare(read_csv(DATA / "liao_table1_top1.csv")).says)
    assert "taken together the models differ (Friedman, F = 12.54" in told
    assert "none of 28 pairs differs by the critical difference 6.06" in told
    assert "nor could any: with 3 rows its smallest p is 0.25, by Holm 1" in told
    assert "rough with 3 rows and 8 models" in told


def test_two_rows_that_agree_on_two_models_are_no_proof():
    # F is infinite and its p 0, yet two rows agree half the time.
    told = of([(2.0, 1.0), (2.0, 1.0)])
    assert "the models cannot be told apart (Friedman, F = infinite, exact p = 0.5)" in told
    assert "models differ (" not in told


def test_a_pair_is_no_finding_where_the_models_cannot_be_told_apart():
    told = of([(2.0, 1.0)] * 4)
    assert "cannot be told apart (Friedman, F = infinite, exact p = 0.125)" in told
    assert "m0 before m1, which counts only where the models differ taken together" in told
    assert "of the best mean rank" not in told


def test_perfect_agreement_is_counted_for_any_number_of_models():
    # (8!)^2 tables of two more rows, of which one agrees.
    assert "differ (Friedman, F = infinite, exact p = 6.15e-10)" in of([EIGHT] * 3)


def test_one_pair_is_told_as_one():
    told = of([(2.0, 1.0)] * 6)
    assert "the pair differs by the critical difference 0.80: m0 before m1" in told
    assert "the pair differs by Wilcoxon's test: m0 before m1" in told
    told = of([(2.0, 1.0), (1.0, 2.0)])
    assert "the pair does not differ by the critical difference 1.39, nor could it" in told
    assert "the pair does not differ by Wilcoxon's test, nor could it: with 2 rows" in told


def test_rows_that_tie_do_not_count_for_what_could_be_found():
    told = of([(2.0, 1.0)] * 5 + [(1.0, 1.0)] * 10)
    assert "with 5 untied rows of 15 its smallest p is 0.0625" in told
    assert "(exact, over the rows that do not tie)" in told


def test_more_than_fifty_rows_are_told_to_be_approximate():
    assert "by the normal approximation where these are more than 50" in of([(2.0, 1.0)] * 51)


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
