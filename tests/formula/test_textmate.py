"""The grammar for editors colours the words that the language has."""

import json
import re
from pathlib import Path

import pytest
from pygments.token import Comment, Keyword, Name, Operator, String, Text

from recform.formula import example_names, gallery_names, resolve
from recform.formula.lexer import RecformLexer
from recform.formula.library import FUNCTIONS
from recform.formula.reserved import KEYWORDS, STATEMENTS

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


@pytest.mark.parametrize("name", [*example_names(), *gallery_names()])
def test_nothing_in_an_example_is_left_without_colour(name: str):
    source = resolve(name).source
    assert source is not None
    for line in source.text.splitlines():
        coloured = sum(len(word) for word, _ in scopes(line))
        plain = sum(character in " ()[],;" for character in line.split("#")[0])
        assert coloured + plain == len(line)


@pytest.mark.parametrize("name", [*example_names(), *gallery_names()])
def test_pygments_colours_what_an_editor_does(name: str):
    source = resolve(name).source
    assert source is not None
    tokens = list(RecformLexer().get_tokens(source.text))
    assert "".join(text for _, text in tokens) == source.text
    assert {text for token, text in tokens if token is Text} <= set(" ()[],;")


def test_pygments_tells_words_apart():
    line = "block T = my.gates:Highway\nx[l+1] = F(x[l]) if l > 0 else relu(x[0])  # why\n"
    tokens = {text: token for token, text in RecformLexer().get_tokens(line)}
    assert tokens["block"] is Keyword
    assert tokens["my.gates:Highway"] is String
    assert tokens["F"] is Name.Function
    assert tokens["relu"] is Name.Builtin
    assert tokens["if"] is Operator.Word
    assert tokens["# why"] is Comment.Single
