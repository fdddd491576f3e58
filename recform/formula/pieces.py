"""The pieces that statements are built of, and what is noted on the way.

Equations, starts and coefficients are built at once (`ast`); of other statements a piece says what
stood there, and `assemble` puts the pieces together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Union

from recform.errors import Diagnostic, Span
from recform.formula.ast import Definition, Equation, Expression, Init, Param, Stream


@dataclass
class Remarks:
    """Where a statement begins, and the mistakes found in it so far."""

    line: int
    mistakes: list[Diagnostic] = field(default_factory=list)

    def place(self, word: Any) -> Span:
        """Where a word of the grammar stands in the text."""
        return Span(self.line + word.line - 1, word.column, word.end_column)

    def wrong(self, code: str, message: str, span: Span, hint: str) -> None:
        self.mistakes.append(Diagnostic(code, message, span, hint))


@dataclass(frozen=True)
class Target:
    """A state with an index, where it is not read but defined."""

    state: str
    index: Expression
    span: Span


@dataclass(frozen=True)
class Start:
    target: Target
    block: str | None


@dataclass(frozen=True)
class Input:
    names: tuple[tuple[str, Span], ...]
    is_split: bool = False


@dataclass(frozen=True)
class Output:
    value: Expression
    span: Span


@dataclass(frozen=True)
class Block:
    names: tuple[tuple[str, Span], ...]


@dataclass(frozen=True)
class History:
    span: Span


Part = Union[Equation, Init, Input, Output, Block, Definition, Param, Stream, History]  # noqa: UP007 - needed at run time on 3.10
