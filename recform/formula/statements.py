"""The text of a formula, cut into statements.

A statement ends at the end of its line, or at `;`, unless a bracket is open. Each keeps its place
in the text: it is padded with the blanks that stand before it, so that columns need no arithmetic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recform.errors import Diagnostic, Span, lines_of

MAX_CHARACTERS = 100_000
MAX_BRACKETS = 40

_PAIRS = {")": "(", "]": "["}
# What only the first words of a statement look like; met inside a bracket, that bracket was
# never closed.
_STATEMENT_START = re.compile(
    r"\s*(?:(?:init|input|output|block|param|stream|history)\b"
    r"|[A-Za-z]\w*\s*\[[^\]\n]*\]\s*=(?!=))"
)


@dataclass(frozen=True)
class Statement:
    """One statement, its text starting at column 1 of line `line`."""

    text: str
    line: int

    @property
    def end(self) -> Span:
        """The place just behind the last character that is neither blank nor comment."""
        rows = [row.split("#")[0].rstrip() for row in self.text.split("\n")]
        last = max((k for k, row in enumerate(rows) if row), default=0)
        column = len(rows[last]) + 1
        return Span(self.line + last, column, column + 1)

    @property
    def whole(self) -> Span:
        """From its first character to its last, or to the end of its first line."""
        row = self.text.split("\n")[0].split("#")[0].rstrip()
        first = len(row) - len(row.lstrip()) + 1
        return Span(self.line, first, max(len(row) + 1, first + 1))


@dataclass
class _Cutter:
    """The statement being read: where it began and which brackets are open."""

    line: int = 1
    column: int = 1
    text: str = ""

    def close(self, statements: list[Statement]) -> None:
        if any(row.split("#")[0].strip() for row in self.text.split("\n")):
            statements.append(Statement(" " * (self.column - 1) + self.text, self.line))


def title(text: str) -> str:
    """The first comment line, without its sign."""
    for row in lines_of(text):
        if row.lstrip().startswith("#"):
            return row.lstrip().lstrip("#").strip()
    return ""


def head(text: str) -> tuple[str, ...]:
    """The comment lines before the first statement, without their signs."""
    lines = []
    for row in lines_of(text):
        if row.strip() and not row.lstrip().startswith("#"):
            break
        lines += [row.lstrip().lstrip("#").strip()] if row.strip() else []
    return tuple(lines)


def cut(text: str) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements of a text, and what is wrong with its brackets.

    A statement with a bracket too many or too few is left out.
    """
    statements: list[Statement] = []
    mistakes: list[Diagnostic] = []
    current, opened = _Cutter(), []
    for number, row in enumerate(lines_of(text), start=1):
        if opened and _STATEMENT_START.match(row):
            mistakes.append(_unclosed(opened[-1]))
            current, opened = _Cutter(number), []
        if not opened:
            current = _Cutter(number)
        for column, character in enumerate(row, start=1):
            if character == "#":
                break
            if character == ";" and not opened:
                current.close(statements)
                current = _Cutter(number, column + 1)
                continue
            current.text += character
            if character in "([":
                opened.append((character, Span(number, column, column + 1)))
            elif character in _PAIRS:
                if opened and opened[-1][0] == _PAIRS[character]:
                    opened.pop()
                else:
                    mistakes.append(_unopened(character, opened, number, column))
                    current, opened = _Cutter(number), []
                    break
            if len(opened) > MAX_BRACKETS:
                return [], [_too_nested(opened[-1][1])]
        if opened:
            current.text += "\n"
        else:
            current.close(statements)
    if opened:
        mistakes.append(_unclosed(opened[-1]))
    return statements, mistakes


def _unclosed(bracket: tuple[str, Span]) -> Diagnostic:
    closing = {"(": ")", "[": "]"}[bracket[0]]
    return Diagnostic("unbalanced", f"this `{bracket[0]}` is never closed", bracket[1],
                      f"add the missing `{closing}`")  # fmt: skip


def _unopened(character: str, opened: list, line: int, column: int) -> Diagnostic:
    span = Span(line, column, column + 1)
    if opened:
        sign = opened[-1][0]
        closing = {"(": ")", "[": "]"}[sign]
        return Diagnostic("unbalanced", f"this `{character}` closes a `{sign}`", span,
                          f"write `{closing}` here, or close the `{sign}` before")  # fmt: skip
    return Diagnostic("unbalanced", f"this `{character}` closes nothing", span,
                      f"remove it, or add the `{_PAIRS[character]}` that it closes")  # fmt: skip


def _too_nested(span: Span) -> Diagnostic:
    message = f"brackets are nested more than {MAX_BRACKETS} deep"
    return Diagnostic("too-large", message, span, "give parts of the formula names of their own, "
                      "as auxiliary quantities: z[l] = ...")  # fmt: skip
