"""What a design can find, against what is known of it without simulation."""

import pytest

from recform.compare import plan
from recform.errors import UserError


def test_four_models_in_six_rows_must_be_1_91_ranks_apart_of_3():
    design = plan(4, 6, difference=1)
    assert round(design.critical_difference, 2) == 1.91
    assert (design.largest_difference, design.fewest_rows) == (3, 3)


def test_without_a_difference_the_test_finds_one_as_often_as_its_level():
    # 4,000 tables: a deviation is sqrt(0.05 * 0.95 / 4000) = 0.0034; with 12 rows the F
    # approximation itself is off by less than 0.01.
    power = plan(4, 12, difference=1e-9).powers[0]
    assert power.friedman == pytest.approx(0.05, abs=0.02)


def test_an_enormous_difference_is_always_found():
    assert plan(3, 12, difference=100).powers[0].friedman == 1


def test_more_seeds_find_smaller_differences():
    one, four = (plan(4, 6, seeds, difference=1).powers[0] for seeds in (1, 4))
    assert four.friedman > one.friedman
    # Four seeds halve the spread of a mean: they are a difference of twice the size.
    assert four.friedman == plan(4, 6, 1, difference=2).powers[0].friedman


def test_the_rows_needed_are_the_first_that_suffice():
    needed = plan(4, 6, difference=3).powers[0].rows_needed
    assert needed is not None
    assert plan(4, needed, difference=3).powers[0].pair >= 0.8
    assert plan(4, needed - 1, difference=3).powers[0].pair < 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_models": 1}, "2 to 50 models, not 1"),
        ({"num_rows": 1}, "2 to 200 rows, not 1"),
        ({"num_seeds": 0}, "1 seed or more, not 0"),
        ({"spread": 0}, "the spread must be above 0, not 0"),
        ({"difference": -1}, "the difference must be above 0, not -1"),
        ({"alpha": 0}, "the level must be between 0 and 1"),
    ],
)
def test_a_design_out_of_range_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        plan(**{"num_models": 4, "num_rows": 6, **change})


def test_a_plan_finds_nothing_where_chance_alone_gives_as_much():
    # Two models in five rows agree by chance in 2 of 32 tables, in six in 2 of 64.
    assert plan(2, 5, difference=100).powers[0].friedman == 0
    assert plan(2, 6, difference=100).powers[0].friedman == 1


def test_two_models_take_six_rows_to_be_told_apart():
    # Five rows that agree have p = 2 / 32, six 2 / 64, whatever Nemenyi's approximation says.
    design = plan(2, 5, difference=100)
    assert (design.fewest_rows, design.powers[0].pair, design.powers[0].rows_needed) == (6, 0, 6)
