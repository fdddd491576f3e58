"""The route map: its cells are the logarithms of the gross paths through each block."""

from __future__ import annotations

import io
import math

import pytest

from recform.errors import UserError
from recform.formula import example_names, resolve
from recform.paths import through_block
from recform.pictures import routes
from recform.tape import unroll


def cells(figure, panel: int = 0) -> list[list[float]]:
    """10 to the power of each cell; nan is what is left grey."""
    image = figure.axes[panel].images[0].get_array().filled(math.nan)
    return [[10**height for height in row] for row in image]


def test_the_cells_of_resnet_are_binomials():
    # Through one of 3 blocks and k-1 of the 2 others.
    for row in cells(routes(["resnet"], depth=3)):
        assert math.isnan(row[0])
        # log10 and back is exact to a few ulps.
        assert row[1:] == pytest.approx([1, 2, 1], rel=1e-12)


@pytest.mark.parametrize("name", example_names())
def test_the_cells_are_the_counts(name):
    counts = through_block(unroll(resolve(name), 5))
    rows = cells(routes([name], depth=5))
    assert len(rows) == len(counts)
    for row, expected in zip(rows, counts.values(), strict=True):
        shown = [0 if math.isnan(cell) else cell for cell in row]
        padded = [float(count) for count in expected] + [0] * (len(row) - len(expected))
        assert shown == pytest.approx(padded, rel=1e-12)


@pytest.mark.slow
def test_counts_past_every_float_have_colours():
    figure = routes(["resnet_s"], depth=1000)
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    # 1e381 ways through ResNet-s at this depth, most of them through any one block.
    assert 370 < figure.axes[0].images[0].get_array().max() < 382


def test_the_colour_bar_says_that_its_scale_is_logarithmic():
    figure = routes(["resnet", "resnet_s"], depth=8)
    bar = figure.axes[-1]
    assert bar.get_ylabel() == "paths through the block\n(as drawn, log scale)"
    assert [label.get_text() for label in bar.get_yticklabels()] == ["1", "10", "$10^{2}$"]


def test_all_maps_have_the_same_colours():
    figure = routes(["resnet", "delannoy", "momentum"], depth=4)
    assert len({axes.images[0].get_clim() for axes in figure.axes[:3]}) == 1


def test_rows_are_named_after_the_blocks():
    axes = routes(["revnet"], depth=2).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "F[0]",
        "F[1]",
        "G[0]",
        "G[1]",
    ]


def test_a_later_start_leaves_out_what_is_before_it():
    figure = routes(["resnet"], depth=3, start=1)
    assert all(math.isnan(cell) for cell in cells(figure)[0])
    assert "depth 1 to 3" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"formulas": []}, "bad-argument"),
        ({"formulas": ["resnet"], "depth": 0}, "bad-argument"),
        ({"formulas": ["resnet"], "start": 17}, "bad-argument"),
        ({"formulas": ["resnet"], "depth": 1001}, "too-deep"),
        ({"formulas": ["x[l+1] = F(x[l-1])"], "depth": 3}, "absent-output"),
    ],
)
def test_what_cannot_be_mapped_is_refused(arguments, code):
    with pytest.raises(UserError) as refused:
        routes(**arguments)
    assert refused.value.code == code
