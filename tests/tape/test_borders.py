"""Stage borders: where a formula cannot be followed, the backbone's own runs."""

import pytest

from recform.errors import FormulaError
from recform.formula import parse, resolve
from recform.tape import Call, Project, Stages, Tape, place, unroll


def staged(text: str, *lengths: int, widens: bool = False) -> Tape:
    return unroll(resolve(text), sum(lengths), Stages(lengths, widens))


def test_a_border_is_the_first_block_of_each_stage_but_the_first():
    assert Stages((3, 4, 6, 3)).borders == (3, 7, 13)


def test_the_first_block_is_a_border_if_the_first_stage_widens():
    assert Stages((3, 4, 6, 3), widens=True).borders == (0, 3, 7, 13)


@pytest.mark.parametrize("borders", [(3, 7, 13), (0, 3, 7, 13), (0,), ()])
def test_stages_are_found_from_their_borders(borders: tuple[int, ...]):
    assert Stages.between(borders, 16).borders == borders
    assert sum(Stages.between(borders, 16).lengths) == 16


@pytest.mark.parametrize(
    "name", ["resnet", "resnet_s", "delannoy", "leapfrog", "dense_sum", "injection"]
)
def test_a_formula_that_reads_earlier_depths_is_followed_over_borders(name: str):
    tape = staged(name, 3, 3, widens=True)
    assert tape.plain_borders == ()
    assert tape.operations == unroll(resolve(name), 6).operations


def test_a_nested_call_cannot_be_followed_at_a_border():
    tape = staged("x[l+1] = x[l] + F(F(x[l]))", 2, 2)
    assert tape.plain_borders == (2,)
    rows = tape.listing()
    # block 2 runs act(x[2] + F(x[2])), once
    assert [o.index for o in tape.operations if isinstance(o, Call)] == [0, 0, 1, 1, 2, 3, 3]
    assert sum("act[2]" in row for row in rows) == 1


def test_revnet_reads_the_next_depth_and_so_stops_at_each_border():
    tape = staged("revnet", 2, 2, 2)
    assert tape.plain_borders == (2, 4)
    border = [o for o in tape.operations if isinstance(o, Call) and o.index == 2]
    assert [o.block for o in border] == ["F", "G"]


def test_a_border_of_the_first_block_counts():
    assert staged("revnet", 2, 2, widens=True).plain_borders == (0, 2)


def test_without_stages_nothing_is_plain():
    assert unroll(resolve("revnet"), 6).plain_borders == ()


def test_a_block_is_not_shared_across_a_border():
    with pytest.raises(FormulaError) as caught:
        staged("x[l+1] = x[l] + F(x[l]) + F[0](x[l])", 2, 2)
    assert caught.value.code == "no-projection"
    assert "share blocks within a stage" in str(caught.value)


def test_a_start_behind_a_border_is_refused_where_no_formula_can_read_it():
    # y[0] lies behind block 0 already, and the plain formula would apply block 0 to it
    text = "x[l+1] = F(y[l])\ny[l+1] = x[l] + F(y[l])\ninit y[0] = F(x[0])"
    with pytest.raises(FormulaError) as caught:
        unroll(parse(text), 4, Stages((2, 2), widens=True))
    assert caught.value.code == "no-projection"
    assert "block 0 changes the shape" in str(caught.value)


def test_a_block_may_be_shared_within_a_stage():
    # blocks 1 and 2 share, 4 and 5; the first of a stage changes the shape and stands alone
    shared = "x[l+1] = x[l] + F[l if l % 3 == 0 else l - l % 3 + 1](x[l])"
    tape = staged(shared, 3, 3)
    assert tape.plain_borders == ()
    assert [o.index for o in tape.operations if isinstance(o, Call)] == [0, 1, 1, 3, 4, 4]


def test_history_sums_go_on_behind_a_plain_border():
    tape = staged("x[l+1] = F(F(x[l])) + sum(F(x[i]) for i in 0..l)", 2, 2)
    assert tape.plain_borders == (2,)
    assert "act[2]" in str(tape)


def test_stages_have_as_many_blocks_as_the_depth():
    with pytest.raises(FormulaError) as caught:
        unroll(parse("x[l+1] = x[l]"), 5, Stages((2, 2)))
    assert caught.value.code == "bad-argument"


def test_a_value_is_projected_once_for_each_border_that_it_crosses():
    tape = place(staged("x[l+1] = x[0] + x[0] + F(x[l])", 2, 2, 2))
    projected = [(o.label, o.border) for o in tape.operations if isinstance(o, Project)]
    assert sorted(projected) == sorted(set(projected))
    assert {("x0", 2), ("x0", 4)} <= set(projected)


def test_the_state_that_the_border_block_reads_passes_by_its_shortcut():
    tape = place(staged("resnet_s", 2, 2))
    projected = [(o.label, o.is_shortcut) for o in tape.operations if isinstance(o, Project)]
    assert projected == [("x2", True), ("F1", False)]


def test_the_output_cannot_apply_a_border_block_to_what_lies_behind_it():
    with pytest.raises(FormulaError) as caught:
        staged("x[l+1] = x[l] + F(x[l])\noutput F(x[L])", 2, 1)
    assert caught.value.code == "no-projection"
    assert "block 2 changes the shape" in str(caught.value)
