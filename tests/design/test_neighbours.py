"""Neighbours: every single change, and their analysis side by side."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import recform
from recform.design import neighbours

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def changes(formula: str, **options) -> dict[str, str]:
    return {str(n.formula): n.change for n in neighbours(formula, **options)}


def test_each_sign_delay_and_term_of_eq_20_changes():
    found = changes(EQ_20, adding=False)
    assert found == {
        "x[l+1] = -x[l] + F(x[l]) - F(x[l-1])": "sign of x[l]",
        "x[l+1] = x[l] - F(x[l]) - F(x[l-1])": "sign of F(x[l])",
        "x[l+1] = x[l] + F(x[l]) + F(x[l-1])": "sign of F(x[l-1])",
        "x[l+1] = F(x[l]) - F(x[l-1])": "without x[l]",
        "x[l+1] = x[l] - F(x[l-1])": "without F(x[l])",
        "x[l+1] = x[l] + F(x[l])": "without F(x[l-1])",
        "x[l+1] = x[l-1] + F(x[l]) - F(x[l-1])": "x[l] one step earlier",
        "x[l+1] = x[l] + F(x[l-1]) - F(x[l-1])": "F(x[l]) one step earlier",
        "x[l+1] = x[l] + F(x[l]) - F(x[l-2])": "F(x[l-1]) one step earlier",
        "x[l+1] = x[l] + F(x[l]) - F(x[l])": "F(x[l-1]) one step later",
    }


def test_terms_that_are_there_are_not_added_again():
    added = {change for change in changes(EQ_20).values() if change.startswith("with ")}
    assert added == {f"with {sign} {term}" for sign in "+-"
                     for term in ("x[l-1]", "x[l-2]", "F(x[l-2])")}  # fmt: skip


@pytest.mark.parametrize("name", recform.example_names())
def test_every_neighbour_of_an_example_is_a_formula_of_its_own(name):
    found = neighbours(name, depth=3)
    texts = [str(neighbour.formula) for neighbour in found]
    assert len(set(texts)) == len(texts) > 0
    assert str(recform.resolve(name)) not in texts
    for neighbour in found:
        assert recform.parse(str(neighbour.formula)) == neighbour.formula


def test_the_command_tells_the_formula_first_and_then_its_neighbours():
    done = subprocess.run(
        [sys.executable, "-m", "recform.cli.main", "mutate", "resnet_s", "-d", "4", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, *others = json.loads(done.stdout)
    assert (first["change"], first["net"]) == ("", [1, 1, 1, 1, 1])
    assert first["formula"] == "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
    assert len(others) == len(neighbours("resnet_s", 4))


def test_the_page_has_a_line_for_each():
    done = subprocess.run(
        [sys.executable, "-m", "recform.cli.main", "mutate", "revnet", "-d", "3", "--no-adding"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 + len(neighbours("revnet", 3, adding=False))
    assert "the formula itself" in lines[1]
