"""The histogram in the terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recform.errors import UserError
from recform.formula import example_names
from recform.paths import analyze
from recform.pictures import ASCII, text_histogram


def known(analysis, **quantities):
    """The analysis with some quantities given instead of computed."""
    vars(analysis).update(quantities)
    return analysis


def test_every_number_of_a_short_formula_is_there():
    assert text_histogram(analyze("resnet_s", depth=2), width=60, glyphs=ASCII) == [
        "length  net  gross  distinct  net",
        "     0    1      1         1  ##############################",
        "     1    1      3         1  ##############################",
        "     2    1      1         1  ##############################",
    ]


def test_bars_are_as_long_as_the_counts_of_the_reading_asked_for():
    lines = text_histogram(analyze("resnet_s", depth=2), width=60, bar_of="gross", glyphs=ASCII)
    assert [line.count("#") for line in lines] == [0, 10, 30, 10]


def test_an_eighth_of_a_cell_is_drawn():
    # Of 30 cells for 3 paths one path takes ten; of 32 cells ten and five eighths.
    (line,) = text_histogram(analyze("resnet", depth=3), width=62)[1:2]
    assert line.endswith("  " + "█" * 10 + "▋")


def test_negative_counts_go_left_of_the_foot():
    lines = text_histogram(analyze("x[l+1] = x[l] - F(x[l])", depth=1), width=60, glyphs=ASCII)
    assert lines[1].endswith(" |" + "#" * 14)
    assert lines[2].endswith(" " + "#" * 14 + "|")


def test_a_logarithmic_bar_says_so():
    assert text_histogram(analyze("resnet"))[-1] == "bars of net: log scale, linear below 1"


def test_deep_networks_are_summed_over_ranges_of_lengths():
    lines = text_histogram(analyze("resnet", depth=50), width=60, glyphs=ASCII)
    assert lines[1].split()[:2] == ["0-1", "51"]
    assert lines[-1] == "each row sums 2 lengths"


@pytest.mark.parametrize("depth", [41, 100, 1000])
def test_no_more_than_forty_rows_are_needed(depth):
    lines = text_histogram(analyze("resnet", depth=depth))
    assert len([line for line in lines if line.split()[0].split("-")[0].isdigit()]) <= 40


@pytest.mark.parametrize("depth", [0, 16, 100])
@pytest.mark.parametrize("name", example_names())
def test_no_line_is_wider_than_asked(name, depth):
    analysis = analyze(name, depth=depth)
    for width in (60, 61, 80, 200):
        assert max(map(len, text_histogram(analysis, width=width))) <= width


def test_plain_characters_are_enough():
    assert "".join(text_histogram(analyze("resnet_s_code"), glyphs=ASCII)).isascii()


def test_what_was_not_counted_is_said():
    analysis = known(analyze("resnet", depth=2), distinct=None, distinct_reason="too many links")
    lines = text_histogram(analysis)
    assert lines[1].split()[:4] == ["0", "1", "1", "?"]
    assert lines[-1] == "distinct is not known: too many links"


def test_bars_of_what_was_not_counted_are_refused():
    analysis = known(analyze("resnet", depth=2), distinct=None, distinct_reason="too many links")
    with pytest.raises(UserError, match="`distinct` was not counted: too many links"):
        text_histogram(analysis, bar_of="distinct")


def test_bars_of_an_unknown_reading_are_refused():
    with pytest.raises(UserError, match="the readings are net, gross, distinct"):
        text_histogram(analyze("resnet", depth=2), bar_of="nett")


def test_the_terminal_needs_no_matplotlib():
    program = (
        "import sys; from recform.paths import analyze;"
        "from recform.pictures import text_histogram;"
        "text_histogram(analyze('resnet', depth=2));"
        "sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
