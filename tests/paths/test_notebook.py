"""What a notebook shows of an analysis."""

from xml.etree import ElementTree

import pytest

from recform.paths import analyze


def test_an_analysis_shows_the_formula_and_its_counts():
    shown = analyze("resnet", 3)._repr_html_()
    page = ElementTree.fromstring(f"<div>{shown.replace('colspan=3', '')}</div>")
    rows = [[cell.text for cell in row] for row in page.iter("tr")]
    assert rows == [
        ["length", "net", "gross", "distinct"],
        ["0", "1", "1", "1"],
        ["1", "3", "3", "3"],
        ["2", "3", "3", "3"],
        ["3", "1", "1", "1"],
    ]


@pytest.mark.parametrize(
    ("formula", "caption"),
    [
        ("resnet", "Paths of d x[3] / d x[1]"),
        ("y[l+1] = y[l] + F(y[l])", "Paths of d y[3] / d y[1]"),
        ("hyper_connections", "Paths of d output[3] / d h[1]"),
    ],
)
def test_the_caption_calls_states_by_their_names(formula: str, caption: str):
    assert f"<caption>{caption}</caption>" in analyze(formula, 3, 1)._repr_html_()


def test_a_long_table_and_a_long_number_are_cut():
    shown = analyze("x[l+1] = x[l] + 10^40*F(x[l])", 60)._repr_html_()
    assert "11 more" in shown
    assert "about 2^" in shown
