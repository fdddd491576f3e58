"""Answers as notebooks show them: every formula typeset, every fact told, all tags closed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from recform.design import by_length, near
from recform.formula import parse, to_mathml
from recform.paths import equal


def elements(html: str) -> ElementTree.Element:
    """The page, which is XML as well: it has no element that stands open."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def test_candidates_are_typeset_with_their_facts():
    design = by_length("1")
    html = design._repr_html_()
    assert all(to_mathml(candidate.formula) in html for candidate in design.candidates)
    items = [item.text for item in elements(html).findall("ol/li/ul/li")]
    assert items == [fact for candidate in design.candidates for fact in candidate.facts]


def test_a_refusal_says_why_and_what_is_possible():
    refused = by_length("factorial(k)")
    html = "".join(elements(refused._repr_html_()).itertext())
    assert refused.refused is not None
    assert refused.refused in html
    assert all(possible in html for possible in refused.instead)


def test_a_search_is_a_table_of_what_it_found():
    found = near("resnet_s", "growth(1) <= 1", depth=5)
    rows = elements(found._repr_html_()).findall("table/tr")
    assert len(rows) == 1 + min(30, len(found.candidates))
    cells = ["".join(cell.itertext()) for cell in rows[1]][2:]
    assert cells[0] == str(found.candidates[0].figures["distance"])


class Printer:
    shown = ""

    def text(self, text: str) -> None:
        self.shown += text


def in_a_terminal(value: Any) -> str:
    printer = Printer()
    value._repr_pretty_(printer, cycle=False)
    return printer.shown


def test_a_comparison_is_shown_as_it_is_printed():
    found = equal("resnet_s", "injection")
    assert in_a_terminal(found) == str(found)
    assert str(found).startswith("from_start: the same paths from x[0] at every depth")


def test_a_terminal_shows_a_formula_and_a_design_as_text():
    text = "x[l+1] = x[l] + F(x[l])"
    assert in_a_terminal(parse(text)) == text
    lines = in_a_terminal(by_length("binomial(n, k)")).splitlines()
    assert lines[0] == text
    assert "  exact at every depth" in lines
    assert in_a_terminal(by_length("factorial(k)")).startswith("refused: proved: ")
