"""The grammar for editors colours the words that the language has."""

import json
import re
from pathlib import Path

import pytest

from recform.formula import example_names, resolve
from recform.formula.build import KEYWORDS, STATEMENTS
from recform.formula.library import FUNCTIONS

FILE = Path(__file__).parents[2] / "grammars" / "recform.tmLanguage.json"
GRAMMAR = json.loads(FILE.read_text(encoding="utf-8"))


def rules() -> list[tuple[str, re.Pattern]]:
    """The scopes with their patterns, in the order in which an editor tries them."""
    found = []
    for entry in GRAMMAR["patterns"]:
        rule = GRAMMAR["repository"][entry["include"].removeprefix("#")]
        found += [(r["name"], re.compile(r["match"])) for r in rule.get("patterns", [rule])]
    return found


def scopes(line: str) -> list[tuple[str, str]]:
    """Words with their scopes: at each place the first match wins, as in an editor."""
    found, place = [], 0
    while place < len(line):
        matches = [(scope, match) for scope, rule in rules() if (match := rule.match(line, place))]
        if matches:
            scope, match = matches[0]
            found.append((match[0], scope))
        place = matches[0][1].end() if matches else place + 1
    return found


def scope_of(word: str, line: str) -> str:
    return dict(scopes(line))[word].split(".")[0]


def test_every_rule_is_used_and_belongs_to_recform():
    used = {entry["include"].removeprefix("#") for entry in GRAMMAR["patterns"]}
    assert used == set(GRAMMAR["repository"])
    assert all(scope.endswith(".recform") for scope, _ in rules())


@pytest.mark.parametrize("word", STATEMENTS)
def test_the_word_that_begins_a_statement_is_a_keyword(word: str):
    assert scope_of(word, f"{word} x") == "keyword"


@pytest.mark.parametrize("word", sorted({*KEYWORDS} - {"l", "s"}))
def test_a_word_of_the_language_is_no_state(word: str):
    assert scope_of(word, f"2 {word} x") != "variable"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_one(name: str):
    assert scope_of(name, f"x[l+1] = {name}(x[l])") == "support"


def test_a_line_in_colours():
    assert scopes("x[l+1] = x[l] + 1/2*F(x[l-1])  # why") == [
        ("x", "variable.other.recform"),
        ("l", "variable.language.recform"),
        ("+", "keyword.operator.recform"),
        ("1", "constant.numeric.recform"),
        ("=", "keyword.operator.recform"),
        ("x", "variable.other.recform"),
        ("l", "variable.language.recform"),
        ("+", "keyword.operator.recform"),
        ("1", "constant.numeric.recform"),
        ("/", "keyword.operator.recform"),
        ("2", "constant.numeric.recform"),
        ("*", "keyword.operator.recform"),
        ("F", "entity.name.function.recform"),
        ("x", "variable.other.recform"),
        ("l", "variable.language.recform"),
        ("-", "keyword.operator.recform"),
        ("1", "constant.numeric.recform"),
        ("# why", "comment.line.number-sign.recform"),
    ]


@pytest.mark.parametrize("name", example_names())
def test_nothing_in_an_example_is_left_without_colour(name: str):
    source = resolve(name).source
    assert source is not None
    for line in source.text.splitlines():
        coloured = sum(len(word) for word, _ in scopes(line))
        plain = sum(character in " ()[],;" for character in line.split("#")[0])
        assert coloured + plain == len(line)
