"""The drawn histogram: its bars are the counts, and any formula at any depth can be drawn."""

from __future__ import annotations

import io
import math
from fractions import Fraction

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recform.errors import UserError
from recform.formula import example_names, parse
from recform.paths import Analysis, analyze
from recform.pictures import histogram
from recform.pictures.counts import READINGS, counts_of, scale_for
from recform.pictures.theme import POINTS_PER_INCH, SMALL
from recform.pictures.typeset import typeset_equations


def known(analysis, **quantities):
    """The analysis with some quantities given instead of computed."""
    vars(analysis).update(quantities)
    return analysis


def drawn(figure: Figure) -> None:
    """Draws with all that this needs: fonts, mathematics, layout."""
    figure.savefig(io.BytesIO(), format="png", dpi=30)


def heights_of_bars(axes: Axes) -> dict[str, list[float]]:
    return {
        str(bars.get_label()): [patch.get_height() for patch in bars.patches]
        for bars in axes.containers
    }


def all_counts(*analyses: Analysis) -> list[int | Fraction]:
    return [c for a in analyses for reading in READINGS for c in counts_of(a, reading) or ()]


def test_on_a_linear_scale_the_heights_are_the_counts():
    (axes,) = histogram([analyze("resnet_s", depth=4)]).axes
    assert heights_of_bars(axes) == {
        "net": [1, 1, 1, 1, 1],
        "gross": [1, 7, 13, 7, 1],
        "distinct": [1, 1, 1, 1, 1],
    }


@pytest.mark.parametrize("name", example_names())
def test_the_heights_are_the_positions_of_the_counts(name):
    analysis = analyze(name, depth=10)
    scale = scale_for(all_counts(analysis))
    (axes,) = histogram([analysis]).axes
    assert heights_of_bars(axes) == {
        reading: [scale.position(count) for count in counts_of(analysis, reading) or ()]
        for reading in READINGS
    }


def test_negative_counts_hang_below_the_axis():
    (axes,) = histogram([analyze("resnet_s_code")]).axes
    signs = [1 if height > 0 else -1 for height in heights_of_bars(axes)["net"]]
    assert signs == [-1, -1, -1, -1, 1, 1, 1, -1, -1, -1, 1, 1, 1, -1, -1, 1, 1]


def test_fractions_are_drawn_between_whole_numbers():
    (axes,) = histogram([analyze("x[l+1] = x[l] + 1/2*F(x[l])", depth=2)]).axes
    assert heights_of_bars(axes)["net"] == [1, 1, 0.25]


def test_small_bars_bear_their_numbers():
    (axes,) = histogram([analyze("resnet_s", depth=4)]).axes
    assert [text.get_text() for text in axes.texts][5:10] == ["1", "7", "13", "7", "1"]


def test_numbers_stay_inside_the_panel():
    figure = histogram([analyze("resnet_s_code")])
    drawn(figure)
    (axes,) = figure.axes
    frame = axes.get_window_extent()
    assert axes.texts
    for text in axes.texts:
        extent = text.get_window_extent()
        assert frame.y0 <= extent.y0
        assert extent.y1 <= frame.y1


def test_bars_that_are_too_thin_bear_none():
    (axes,) = histogram([analyze("resnet_s", depth=40)]).axes
    assert axes.containers
    assert not axes.texts


def test_a_thousand_blocks_are_lines_through_the_positions():
    analysis = analyze("resnet_s", depth=1000)
    figure = histogram([analysis])
    drawn(figure)
    (axes,) = figure.axes
    scale = scale_for(all_counts(analysis))
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert lines["gross"] == [scale.position(count) for count in analysis.gross]


def test_counts_past_every_float_are_drawn():
    analysis = known(analyze("resnet", depth=2), net=(1, -(10**5000), Fraction(1, 10**400)))
    figure = histogram([analysis])
    drawn(figure)
    (heights,) = [bars for label, bars in heights_of_bars(figure.axes[0]).items() if "net" in label]
    assert all(math.isfinite(height) for height in heights)
    assert heights[0] > 0 > heights[1]


def test_panels_share_their_axes():
    figure = histogram([analyze("resnet"), analyze("resnet_s"), analyze("plain", depth=4)])
    first, *others = figure.axes[:3]
    assert all(axes.get_ylim() == first.get_ylim() for axes in others)
    assert all(axes.get_xlim() == first.get_xlim() for axes in others)


@pytest.mark.parametrize("num_panels", [1, 2, 3, 4])
def test_any_number_of_formulas_stands_side_by_side(num_panels):
    figure = histogram([analyze("resnet_s", depth=4)] * num_panels)
    drawn(figure)
    assert len([axes for axes in figure.axes if axes.containers]) == num_panels


def test_the_axes_say_what_they_count():
    (axes,) = histogram([analyze("resnet_s")]).axes
    assert axes.get_xlabel() == "blocks on the path"
    assert axes.get_ylabel() == "number of paths\n(log scale, linear below 1)"


def test_the_scale_is_named_in_powers_of_ten():
    (axes,) = histogram([analyze("resnet_s_code")]).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["0", "1", "$10^{2}$", "$10^{4}$", "$10^{6}$", "−1", "−$10^{2}$"]


def test_the_panel_is_titled_with_the_formula_and_the_depth():
    (axes,) = histogram([analyze("resnet_s")]).axes
    assert axes.get_title(loc="left").splitlines() == [
        "ResNet-s (Liao et al. 2021, eq. (20)): one path of each length",
        "$x_{l+1} = x_{l} + F_{l}(x_{l}) - F_{l-1}(x_{l-1})$",
    ]
    assert axes.get_title(loc="right") == "depth 16"


def test_the_legend_covers_no_panel():
    figure = histogram([analyze("resnet"), analyze("resnet_s")])
    drawn(figure)
    (legend,) = figure.legends
    top = legend.get_window_extent().y1
    assert all(top <= axes.get_tightbbox().y0 for axes in figure.axes)


def test_uncounted_distinct_paths_are_left_out_and_said():
    analysis = known(analyze("resnet", depth=2), distinct=None, distinct_reason="too many links")
    (axes,) = histogram([analysis]).axes
    assert list(heights_of_bars(axes)) == ["net", "gross"]
    assert axes.get_title(loc="left").endswith("\ndistinct paths were not counted")


def test_a_histogram_of_nothing_is_refused():
    with pytest.raises(UserError, match="a histogram needs a formula") as refused:
        histogram([])
    assert refused.value.code == "bad-argument"


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = x[l] if l % 2 == 0 else F(x[l])",
        "# costs $5 and 10% of $x_1$\nx[l+1] = x[l] + F(x[l])",
        "x[l+1] = " + " + ".join(f"{n}/7*F(x[l-{n}])" for n in range(1, 30)),
        "x[l+1] = mean(F(x[i]) for i in 0..l if i % 2 == l % 2)",
        "block G\nlong_name[l] = G(x[l])\nx[l+1] = sigmoid(long_name[l]) - 0.5*F(x[l])",
    ],
)
def test_every_formula_makes_a_title(text):
    figure = histogram([analyze(text, depth=2)])
    drawn(figure)
    assert figure.axes[0].get_title(loc="left").strip()


def test_what_mathematics_cannot_show_stands_there_as_text():
    formula = parse("x[l+1] = x[l] if l % 2 == 0 else F(x[l])")
    assert typeset_equations(formula, 400, 9) == ["x[l+1] = x[l] if l % 2 == 0 else F(x[l])"]


def test_depths_stand_beside_each_other_under_one_title():
    figure = histogram([analyze("resnet", depth) for depth in (2, 4, 8)], num_columns=3)
    drawn(figure)
    depths = [axes.get_title(loc="right").strip() for axes in figure.axes]
    assert depths == ["depth 2", "depth 4", "depth 8"]
    heads = [[text.get_text() for text in axes.texts if "ResNet (He" in text.get_text()]
             for axes in figure.axes]  # fmt: skip
    assert [len(found) for found in heads] == [1, 0, 0]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


@pytest.mark.parametrize("name", ["resnet_s", "rk4", "dense_sum"])
def test_a_title_over_several_depths_stands_clear_of_them_and_moves_no_panel(name):
    figure = histogram([analyze(name, depth) for depth in (2, 4, 6)], num_columns=3)
    drawn(figure)
    title = analyze(name, 2).formula.title
    head = next(text for text in figure.axes[0].texts if text.get_text().startswith(title))
    box, first = head.get_window_extent(), figure.axes[0].get_window_extent()
    # Above the panel there are 6 points and the depth, and then the title, whole.
    points = figure.dpi / POINTS_PER_INCH
    assert first.y1 + (6 + SMALL) * points < box.y0
    assert box.y1 <= figure.bbox.y1
    lefts = [axes.get_position().x0 for axes in figure.axes]
    # As far from the first to the second as from the second to the third.
    assert lefts[1] - lefts[0] == pytest.approx(lefts[2] - lefts[1], rel=0.02)


@pytest.mark.parametrize(("scale", "is_log"), [("linear", False), ("log", True), ("auto", True)])
def test_the_scale_can_be_chosen(scale, is_log):
    (axes,) = histogram([analyze("resnet", depth=12)], scale=scale).axes
    assert ("log scale" in axes.get_ylabel()) == is_log
    assert (max(heights_of_bars(axes)["net"]) == 924) == (not is_log)


def test_what_a_linear_scale_cannot_hold_is_refused():
    with pytest.raises(UserError, match="cannot stand on a linear scale"):
        histogram([analyze("resnet", depth=100)], scale="linear")


def test_an_unknown_scale_is_refused():
    with pytest.raises(UserError, match="there is no scale `cubic`"):
        histogram([analyze("resnet", depth=2)], scale="cubic")


def test_more_depths_than_fit_are_refused():
    with pytest.raises(UserError, match="7 panels do not fit"):
        histogram([analyze("resnet", depth) for depth in range(7)], num_columns=7)


def test_an_absent_output_is_said_in_the_panel():
    (axes,) = histogram([analyze("x[l+1] = F(x[l-1])", depth=3)]).axes
    assert axes.texts[-1].get_text() == "the output is absent: no path reaches it"
