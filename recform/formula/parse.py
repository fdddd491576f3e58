"""From text to a checked `Formula`: the only file that imports lark.

    text --cut--> statements --grammar--> ast --check--> Formula

The grammar is `grammars/formula.lark`. Every statement is read by itself, so that several
mistakes are found at once. How a mistake in syntax is told is a table, `MISTAKES`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from sys import implementation
from typing import Any

from lark import Lark, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from recform.errors import Diagnostic, FormulaError, Source, Span, UserError
from recform.formula.assemble import assemble
from recform.formula.build import Builder
from recform.formula.check import check
from recform.formula.formula import Formula
from recform.formula.mistakes import CHARACTERS, MISTAKES, Mistake
from recform.formula.pieces import Part
from recform.formula.reserved import STATEMENTS
from recform.formula.statements import MAX_CHARACTERS, Statement, cut
from recform.formula.suggest import did_you_mean

MAX_HEIGHT = 60
# The words of the grammar with which every term can begin.
STARTS_A_TERM = {"NAME", "BLOCK", "NUMBER", "LPAR"}
FOLLOWS_FROM_OTHERS = ("no-step", "no-start", "unknown-name", "unknown-block")


def parse(text: str, name: str = "<formula>") -> Formula:
    """The formula that a text says.

    `name` is what error messages call the text. Raises FormulaError with every independent
    mistake that was found, UserError `bad-argument` for what is no text.

    >>> parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])").main
    'x'
    """
    if not isinstance(text, str):
        raise UserError("bad-argument", f"a formula's text is not of type {type(text).__name__}",
                        'recform.parse("x[l+1] = x[l] + F(x[l])")')  # fmt: skip
    source = Source(text, name)
    _refuse_large(source)
    statements, mistakes = cut(text)
    parts: list[Part] = []
    for statement in statements:
        part, wrong = read_statement(statement)
        parts += [part] if part is not None else []
        mistakes += wrong
    if not statements and not mistakes:
        mistakes = [Diagnostic("empty-formula", "there is no equation here", Span(1, 1, 2),
                               "write one: x[l+1] = x[l] + F(x[l])")]  # fmt: skip
    formula, twice = assemble(parts, source)
    found = twice + check(formula)
    if mistakes:
        # What is missing because its own line cannot be read is no mistake of its own.
        found = [diagnostic for diagnostic in found if diagnostic.code not in FOLLOWS_FROM_OTHERS]
    if mistakes or found:
        raise FormulaError(mistakes + found, source)
    return formula


def read_statement(statement: Statement) -> tuple[Part | None, list[Diagnostic]]:
    """What one statement says, or what is wrong with it."""
    try:
        tree = _grammar().parse(statement.text)
    except UnexpectedInput as error:
        return None, [_explain(error, statement)]
    part, mistakes = _build(tree, statement)
    return (None if mistakes else part), mistakes


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    grammar = files("recform.grammars") / "formula.lark"
    text = grammar.read_text(encoding="utf-8")
    return Lark(text, start="statement", parser="lalr", propagate_positions=True,
                maybe_placeholders=True, cache=_cache(grammar))  # fmt: skip


def _cache(grammar: object) -> str | bool:
    """Where the parser's tables are kept, as Python keeps its bytecode: beside the source.

    Lark makes them anew if the grammar or lark itself has changed, or the file is damaged, and goes
    on without if it cannot be written.
    """
    folder = Path(str(grammar)).parent / "__pycache__"
    return str(folder / f"formula.{implementation.cache_tag}.lark") if folder.is_dir() else False


def _build(tree: Tree, statement: Statement) -> tuple[Part | None, list[Diagnostic]]:
    """The statement's data. Children come before their parents, so nothing recurses."""
    builder = Builder(statement.line)
    values: dict[int, Any] = {}
    heights: dict[int, int] = {}
    for subtree in tree.iter_subtrees():
        trees = [child for child in subtree.children if isinstance(child, Tree)]
        height = heights[id(subtree)] = 1 + max((heights[id(child)] for child in trees), default=0)
        span = _span(subtree.meta, statement)
        if height > MAX_HEIGHT:
            return None, [Diagnostic("too-large", "this expression is nested too deep", span,
                          "give parts of it names of their own: z[l] = ...")]  # fmt: skip
        parts = [values[id(part)] if isinstance(part, Tree) else part for part in subtree.children]
        values[id(subtree)] = builder.build(subtree.data, parts, span)
    return values[id(tree)], builder.mistakes


def _span(meta: Any, statement: Statement) -> Span:
    line = statement.line + meta.line - 1
    if meta.end_line == meta.line:
        return Span(line, meta.column, meta.end_column)
    return Span(line, meta.column, len(statement.text.split("\n")[meta.line - 1]) + 1)


def _explain(error: UnexpectedInput, statement: Statement) -> Diagnostic:
    if isinstance(error, UnexpectedCharacters):
        return _bad_character(error, statement)
    assert isinstance(error, UnexpectedToken), f"lark raised {type(error).__name__}"
    misspelt = _misspelt(statement)
    if misspelt is not None:
        return misspelt
    token = error.token
    span = statement.end if token.type == "$END" else _span(token, statement)
    known = _known_mistakes()
    for key in (*_keys(error, statement.text), *_keys(error, "")):
        if key in known:
            return Diagnostic(known[key].code, known[key].message, span, known[key].hint)
    return _unexpected(error, span)


def _misspelt(statement: Statement) -> Diagnostic | None:
    """A first word that is nearly one that begins a line, as in `histroy stage`."""
    found = re.match(r"\s*([a-z]+)[ \t]+[A-Za-z]", statement.text)
    if found is None or found[1] in STATEMENTS or not did_you_mean(found[1], STATEMENTS):
        return None
    before = statement.text[: found.start(1)].split("\n")
    column = len(before[-1]) + 1
    span = Span(statement.line + len(before) - 1, column, column + len(found[1]))
    hint = did_you_mean(found[1], STATEMENTS)
    return Diagnostic("syntax", f"no line begins with `{found[1]}`", span, hint)


# lark's own `match_examples` also compares how much the parser has still to close, and so would
# not know a mistake again inside a bracket or behind a plus.
@lru_cache(maxsize=1)
def _known_mistakes() -> dict[tuple, Mistake]:
    """The rows of `MISTAKES` by the state in which the parser fails at their examples."""
    known: dict[tuple, Mistake] = {}
    for mistake in MISTAKES:
        for example in mistake.examples:
            try:
                _grammar().parse(example)
            except UnexpectedToken as error:
                for key in _keys(error, example):
                    known.setdefault(key, mistake)
    return known


def _keys(error: UnexpectedToken, text: str) -> tuple[tuple, tuple]:
    """Kind of statement, state of the parser, kind of word and the word; then any of its kind."""
    state: Any = error.state
    first = text.split(maxsplit=1)[0] if text else ""
    statement = first if first in STATEMENTS else ""
    key = (statement, state.position, error.token.type)
    return (*key, str(error.token)), key


def _unexpected(error: UnexpectedToken, span: Span) -> Diagnostic:
    """What no row tells: a term is missing before this word, or an operator."""
    at_end = error.token.type == "$END"
    where = "where the line ends" if at_end else f"before `{error.token}`"
    if set(error.expected) >= STARTS_A_TERM:
        return Diagnostic("missing-operand", f"a term is missing {where}", span,
                          "a term is a number, a state like x[l], or a call like "
                          "F(x[l])")  # fmt: skip
    if error.token.type in {*STARTS_A_TERM, "L", "SUM", "SIGMA"}:
        return Diagnostic("missing-operator", f"an operator is missing {where}", span,
                          "write the sign: 2*x[l], x[l] + F(x[l])")  # fmt: skip
    message = "the line ends too early" if at_end else f"`{error.token}` is not expected here"
    return Diagnostic("syntax", message, span, "an equation looks like x[l+1] = x[l] + F(x[l])")


def _bad_character(error: UnexpectedCharacters, statement: Statement) -> Diagnostic:
    line = statement.line + error.line - 1
    span = Span(line, error.column, error.column + 1)
    sign = error.char
    hint = next((hint for signs, hint in CHARACTERS.items() if sign in signs), "")
    if not hint:
        hint = "names are written with the letters a to z" if sign.isalpha() else "remove it"
    shown = f"`{sign}`" if sign.isprintable() else f"the character U+{ord(sign):04X}"
    return Diagnostic("bad-character", f"{shown} has no meaning here", span, hint)


def _refuse_large(source: Source) -> None:
    if len(source.text) > MAX_CHARACTERS:
        message = f"the text has {len(source.text):,} characters, more than {MAX_CHARACTERS:,}"
        raise FormulaError([Diagnostic("too-large", message, None, "a formula is a few lines")],
                           None)  # fmt: skip
