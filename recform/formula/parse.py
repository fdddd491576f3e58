"""From text to a checked `Formula`: the only file that imports lark.

    text --cut--> statements --grammar--> ast --check--> Formula

The grammar is `grammars/formula.lark`. Every statement is read by itself, so that several
mistakes are found at once. How a mistake in syntax is told is a table, `MISTAKES`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput

from recform.errors import Diagnostic, FormulaError, Source, Span
from recform.formula.ast import Equation, Init
from recform.formula.build import LATER_STATEMENTS, Block, Builder, Input, Output, Part
from recform.formula.check import check
from recform.formula.formula import Formula
from recform.formula.mistakes import MISTAKES, Mistake
from recform.formula.statements import MAX_CHARACTERS, Statement, cut, title

MAX_HEIGHT = 60
FOLLOWS_FROM_OTHERS = ("no-step", "no-start", "unknown-name", "unknown-block")


def parse(text: str, name: str = "<formula>") -> Formula:
    """The formula that a text says.

    `name` is what error messages call the text. Raises FormulaError with every independent
    mistake that was found.

    >>> parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])").main
    'x'
    """
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
    formula, twice = _assemble(parts, source)
    found = twice + check(formula)
    if mistakes:
        # What is missing because its own line cannot be read is no mistake of its own.
        found = [diagnostic for diagnostic in found if diagnostic.code not in FOLLOWS_FROM_OTHERS]
    if mistakes or found:
        raise FormulaError(mistakes + found, source)
    return formula


def read_statement(statement: Statement) -> tuple[Part | None, list[Diagnostic]]:
    """What one statement says, or what is wrong with it."""
    first_word = statement.text.split()[0]
    if first_word in LATER_STATEMENTS:
        return None, [_later(first_word, statement)]
    try:
        tree = _grammar().parse(statement.text)
    except UnexpectedInput as error:
        return None, [_explain(error, statement)]
    part, mistakes = _build(tree, statement)
    return (None if mistakes else part), mistakes


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = (files("recform.grammars") / "formula.lark").read_text(encoding="utf-8")
    return Lark(text, start="statement", parser="lalr", propagate_positions=True,
                maybe_placeholders=True)  # fmt: skip


def _build(tree: Tree, statement: Statement) -> tuple[Part | None, list[Diagnostic]]:
    """The statement's data. Children come before their parents, so nothing recurses."""
    builder = Builder()
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
    token: Token = error.token  # type: ignore[attr-defined]
    span = statement.end if token.type == "$END" else _span(token, statement)
    examples = {mistake: list(mistake.examples) for mistake in MISTAKES}
    mistake = error.match_examples(_grammar().parse, examples, use_accepts=True)
    if isinstance(mistake, Mistake):
        return Diagnostic(mistake.code, mistake.message, span, mistake.hint)
    found = "the line ends too early" if token.type == "$END" else f"`{token}` is not expected here"
    return Diagnostic("syntax", found, span, "an equation looks like x[l+1] = x[l] + F(x[l])")


_CHARACTERS = {
    "'": "a derivative has no place in a formula; write the equation itself",
    "@": "products of matrices are not read by this version of recform",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=`",
    "_": "names start with a letter; the depth of a state stands in brackets: x[l]",
    "{": "use parentheses",
    ".": "a range is written 0..l, a decimal number 0.5",
}


def _bad_character(error: UnexpectedCharacters, statement: Statement) -> Diagnostic:
    line = statement.line + error.line - 1
    span = Span(line, error.column, error.column + 1)
    sign = error.char
    hint = _CHARACTERS.get(sign, "remove it")
    shown = f"`{sign}`" if sign.isprintable() else f"the character U+{ord(sign):04X}"
    return Diagnostic("bad-character", f"{shown} has no meaning here", span, hint)


def _later(word: str, statement: Statement) -> Diagnostic:
    column = statement.whole.column
    return Diagnostic("unsupported", f"`{word}` is not read by this version of recform",
                      Span(statement.line, column, column + len(word)),
                      "docs/language.md lists what this version reads")  # fmt: skip


def _refuse_large(source: Source) -> None:
    if len(source.text) > MAX_CHARACTERS:
        message = f"the text has {len(source.text):,} characters; at most {MAX_CHARACTERS:,} are read"
        raise FormulaError([Diagnostic("too-large", message, None, "a formula is a few lines")],
                           None)  # fmt: skip


def _assemble(parts: list[Part], source: Source) -> tuple[Formula, list[Diagnostic]]:
    """The parts under their headings; what may stand once and stands twice is a mistake."""
    mistakes: list[Diagnostic] = []
    outputs = [part for part in parts if isinstance(part, Output)]
    blocks = [(name, part.span) for part in parts if isinstance(part, Block) for name in part.names]
    inputs = [(name, part.span) for part in parts if isinstance(part, Input) for name in part.names]
    equations = [part for part in parts if isinstance(part, Equation)]
    inits = [part for part in parts if isinstance(part, Init)]
    mistakes += _twice([("output", part.span) for part in outputs], "the output")
    mistakes += _twice(blocks, "block {}")
    mistakes += _twice(inputs, "input {}")
    mistakes += _twice([(e.state, e.span) for e in equations], "{}")
    mistakes += _twice([((i.state, i.depth, i.block), i.span) for i in inits], "this start value")
    formula = Formula(
        equations=tuple(equations),
        inits=tuple(inits),
        inputs=tuple(name for name, _ in inputs),
        output=outputs[0].value if outputs else None,
        blocks=tuple(name for name, _ in blocks),
        title=title(source.text),
        source=source,
    )
    return formula, mistakes


def _twice(keys: Iterable[tuple[Hashable, Span]], what: str) -> list[Diagnostic]:
    seen: dict[Hashable, Span] = {}
    mistakes = []
    for key, span in keys:
        if key in seen:
            message = f"{what.format(key)} is defined twice, first in line {seen[key].line}"
            mistakes.append(Diagnostic("duplicate", message, span, "remove one of the two"))
        seen.setdefault(key, span)
    return mistakes
