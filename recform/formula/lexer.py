"""Formulas in colour, for Pygments: docs, notebooks and terminals know the language `recform`.

The rules are those of the grammar for editors, `grammars/recform.tmLanguage.json`: at each place
the first that matches. So there is one list of words for all of them.

>>> from pygments.token import Name
>>> next(iter(RecformLexer().get_tokens("x[l+1] = F(x[l])"))) == (Name.Variable, "x")
True
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, ClassVar

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Text

_TOKENS = {
    "comment": Comment.Single,
    "keyword.control": Keyword,
    "keyword.operator.word": Operator.Word,
    "keyword.operator": Operator,
    "constant.language": Keyword.Constant,
    "constant.numeric": Number,
    "support.function": Name.Builtin,
    "entity.name.function": Name.Function,
    "variable.language": Name.Builtin.Pseudo,
    "variable.other": Name.Variable,
    "string": String,
}


def _rules() -> Iterator[tuple[str, Any]]:
    """The patterns of the grammar for editors, with Pygments' names of what they match."""
    text = (files("recform.grammars") / "recform.tmLanguage.json").read_text(encoding="utf-8")
    grammar = json.loads(text)
    for entry in grammar["patterns"]:
        rule = grammar["repository"][entry["include"].removeprefix("#")]
        for pattern in rule.get("patterns", [rule]):
            yield pattern["match"], _token_of(pattern["name"])
    yield r"\s+", Text.Whitespace
    yield r".", Text


def _token_of(scope: str) -> Any:
    """The token of the longest name that a scope begins with."""
    known = [name for name in _TOKENS if scope.startswith(name)]
    return _TOKENS[max(known, key=len)]


class RecformLexer(RegexLexer):
    """The lexer that `pygments.lexers.get_lexer_by_name("recform")` finds."""

    name = "recform"
    aliases: ClassVar[list[str]] = ["recform", "rf"]
    filenames: ClassVar[list[str]] = ["*.rf"]
    tokens: ClassVar[dict[str, list]] = {"root": list(_rules())}
