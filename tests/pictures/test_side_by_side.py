"""The rows of compare-formulas: each figure worked out by hand."""

from __future__ import annotations

from recform.paths import analyze
from recform.pictures.side_by_side import side_by_side


def cells(name: str, depth: int) -> dict[str, str]:
    return {row[0]: row[1] for row in side_by_side([analyze(name, depth)])}


def test_resnet_is_told_by_its_binomials():
    # Of 16 paths half go through any one block; from block j there are 2^(3-j) to the output.
    found = cells("resnet", 4)
    assert found["paths, net"] == found["paths, gross"] == found["paths, distinct"] == "16"
    assert found["lengths that survive"] == "0 to 4"
    assert found["mean length, distinct"] == "2 ± 1"
    assert found["through a block, gross"] == "50 %"
    assert found["block to output, net"] == "1 to 8"


def test_what_is_the_same_for_all_is_told_once():
    found = cells("plain", 4)
    assert found["lengths that survive"] == "4"
    assert found["through a block, gross"] == "100 %"
    assert found["block to output, net"] == "1"


def test_with_roots_paths_are_counted_and_not_told_by_block():
    # One block, one way past it: 1 + 1/sqrt(2).
    found = cells("x[l+1] = x[l] + F(x[l])/sqrt(2)", 1)
    assert (found["paths, net"], found["paths, distinct"]) == ("1 + sqrt(2)/2", "2")
    assert found["through a block, gross"] == found["block to output, net"] == "?"


def test_a_formula_without_blocks_has_none_on_its_paths():
    found = cells("x[l+1] = x[l]", 3)
    assert (found["lengths that survive"], found["block to output, net"]) == ("0", "none")
