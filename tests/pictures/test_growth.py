"""Growth against gain: the curves are those that can be worked out by hand."""

from __future__ import annotations

import io

import pytest

from recform.errors import UserError
from recform.pictures import growth


def curves(*formulas: str, **options: float) -> dict[str, list[tuple[float, float]]]:
    (axes,) = growth(formulas, **options).axes
    return {
        str(line.get_label()): list(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


@pytest.mark.parametrize(
    ("name", "title", "rate"),
    [
        ("resnet", "ResNet", lambda g: abs(1 + g)),
        ("plain", "Plain network", abs),
        ("resnet_s", "ResNet-s", lambda g: max(1, abs(g))),
        # Roots of z^2 - (2 + g) z + 1, on the unit circle for gains from -4 to 0.
        ("leapfrog", "Leapfrog", lambda g: 1 if g <= 0 else 1 + g / 2 + (g + g * g / 4) ** 0.5),
    ],
)
def test_curves_are_the_roots_worked_out_by_hand(name, title, rate):
    (curve,) = curves(name).values()
    assert list(curves(name)) == [title]
    assert all(value == pytest.approx(rate(gain), abs=1e-9) for gain, value in curve)


def test_gains_run_from_the_lowest_to_the_highest():
    (curve,) = curves("resnet", low=0, high=2).values()
    assert (curve[0][0], curve[-1][0]) == (0, 2)


def test_the_stable_region_is_coloured_and_said():
    figure = growth(["resnet", "plain"])
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    (axes,) = figure.axes
    # What is coloured reaches from growth 0 to growth 1 over the whole width.
    (region,) = axes.patches
    extents = region.get_window_extent().transformed(axes.transAxes.inverted())
    assert (extents.x0, extents.x1) == pytest.approx((0, 1))
    assert axes.transData.inverted().transform(region.get_window_extent().max)[1] == pytest.approx(
        1
    )
    assert "stable: growth at most 1" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"formulas": []}, "bad-argument"),
        ({"formulas": ["resnet"], "low": 1, "high": 1}, "bad-argument"),
        ({"formulas": ["resnet"], "low": float("nan")}, "bad-argument"),
        ({"formulas": ["resnet"], "high": float("inf")}, "bad-argument"),
        ({"formulas": ["x[l+1] = x[l] + F(x[l])/(l+1)"]}, "no-recurrence"),
    ],
)
def test_what_has_no_growth_is_refused(arguments, code):
    with pytest.raises(UserError) as refused:
        growth(**arguments)
    assert refused.value.code == code
