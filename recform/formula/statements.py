"""The text of a formula, cut into statements.

A statement ends at the end of its line, or at `;`, unless a bracket is open. Each keeps its place
in the text: it is padded with the blanks that stand before it, so that columns need no arithmetic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
    cutter = _Cutter()
    for line, row in enumerate(lines_of(text), start=1):
        cutter.read(row, line)
        if len(cutter.opened) > MAX_BRACKETS:
            return [], [_too_nested(cutter.opened[-1][1])]
    if cutter.opened:
        cutter.mistakes.append(_unclosed(cutter.opened[-1]))
    return cutter.statements, cutter.mistakes


@dataclass
class _Cutter:
    """What was cut off so far, and the statement being read: where it began, what is open in it."""

    statements: list[Statement] = field(default_factory=list)
    mistakes: list[Diagnostic] = field(default_factory=list)
    opened: list[tuple[str, Span]] = field(default_factory=list)
    line: int = 1
    column: int = 1
    text: str = ""

    def read(self, row: str, line: int) -> None:
        """Read a line, no further than to a bracket that closes nothing, or is one too many."""
        if self.opened and _STATEMENT_START.match(row):
            self.mistakes.append(_unclosed(self.opened.pop()))
            self.opened.clear()
        if not self.opened:
            self._begin(line)
        for column, character in enumerate(row, start=1):
            if character == "#" or not self._take(character, line, column):
                break
        if self.opened:
            self.text += "\n"
        else:
            self._close()

    def _take(self, character: str, line: int, column: int) -> bool:
        """Read a character; whether the line is read on."""
        if character == ";" and not self.opened:
            self._close()
            self._begin(line, column + 1)
            return True
        self.text += character
        if character in "([":
            self.opened.append((character, Span(line, column, column + 1)))
        elif character in _PAIRS:
            if not self.opened or self.opened[-1][0] != _PAIRS[character]:
                self.mistakes.append(_unopened(character, self.opened, line, column))
                self.opened.clear()
                self._begin(line)
                return False
            self.opened.pop()
        return len(self.opened) <= MAX_BRACKETS

    def _begin(self, line: int, column: int = 1) -> None:
        self.line, self.column, self.text = line, column, ""

    def _close(self) -> None:
        if any(row.split("#")[0].strip() for row in self.text.split("\n")):
            self.statements.append(Statement(" " * (self.column - 1) + self.text, self.line))


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
