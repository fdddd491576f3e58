"""What can be wrong with what a user gave us, and how it is told.

A mistake is a value: a stable code, one sentence that states the fact, the smallest piece of text
it is about, and a hint that can be typed. Several independent mistakes travel together in one
exception. Every code is listed in `CODES`, explained in docs/errors.md, and shown by a file in
tests/diagnostics.

    error[future-read]: x[l+2] is read before it exists
      --> formula.rf:3:19
       |
     3 | x[l+1] = x[l] + F(x[l+2])
       |                   ^^^^^^
       = hint: the right side may read x[l], x[l-1], ...; did you mean F(x[l])?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CODES = {
    # reading the text
    "syntax": "the text does not follow the grammar",
    "unbalanced": "a bracket is opened and not closed, or closed and not opened",
    "bad-character": "a character has no meaning in the language",
    "missing-operator": "two things stand side by side with nothing between them",
    "missing-operand": "an operator lacks one of its sides",
    "missing-index": "a state is written without its depth",
    "missing-right-side": "an equation ends at its equals sign",
    "empty-formula": "the text holds no equation",
    "too-large": "the text is longer, or nested deeper, than recform reads",
    # what the names mean
    "unknown-name": "a name is neither declared nor known",
    "unknown-block": "a block is used that no `block` line declares",
    "reserved-name": "a name that has a meaning already is given another one",
    "duplicate": "one thing is defined twice",
    # equations and starts
    "bad-left-side": "the left side is neither STATE[l+1] nor STATE[l]",
    "no-step": "no equation says how a state goes from depth l to l+1",
    "no-start": "a step state other than the main one has no start value",
    "bad-init": "a start value is given where none can stand, or for what is not a state",
    "bad-param": "a learned coefficient is declared in a way that has no meaning",
    # values
    "bare-number": "a number stands where a value of the network is needed",
    "division-by-value": "something is divided by a value of the network",
    "stream-shape": "streams, vectors and matrices do not fit together",
    "value-in-index": "a depth or a condition is computed from a value of the network",
    "wrong-arguments": "a function has too many or too few arguments",
    # what happens when the formula is unrolled
    "future-read": "a value is read before it exists",
    "circular": "a value depends on itself",
    "block-ahead": "a block index is beyond the depth of its equation",
    "no-depth": "a block without an index reads no state whose depth it could take",
    "fractional-index": "a depth is not a whole number",
    "division-by-zero": "a coefficient divides by zero at some depth",
    "irrational": "a coefficient is irrational in a way that has no exact form here",
    "drop-rate": "a rate of `drop` is not between 0 and 1",
    "endless-range": "an open range never falls before the start of history",
    "too-deep": "the depth, or the unrolled formula, is larger than recform handles",
    "absent-output": "the output has no value",
    "no-recurrence": "a closed form is asked for and the formula has none",
    # files and other arguments
    "no-such-file": "a file does not exist",
    "unreadable": "a file or folder cannot be read",
    "not-text": "a file is not UTF-8 text",
    "unknown-example": "no example has this name",
    "unwritable": "a result cannot be written where it was asked for",
    "bad-argument": "an argument is outside its range",
    # design
    "bad-specification": "wanted paths are not written as recform reads them",
    # networks
    "unknown-backbone": "no backbone has this name",
    "no-units": "a backbone has no residual units that recform can take apart",
    "backbone-argument": "the backbone rejects a keyword that was passed on to it",
    "no-weights": "pretrained weights cannot be had",
    "block-count": "the number of blocks does not fit the formula",
    "no-projection": "a value has another shape than the place where it is read",
    "no-norm": "the formula normalises and no norm was given",
    "no-example": "the shapes of weights depend on an example that was not given",
    "not-reversible": "a formula does not give its older states back",
    "code-not-allowed": "a formula names Python code, which is not run unasked",
    "bad-code": "Python code that a formula names cannot be used",
    "act-rewrite": "`act` cannot be put into the formula as asked",
    "bad-network": "a folder does not hold a network that recform saved",
    "no-width": "a backbone cannot be made narrower or wider",
    "no-export": "a network cannot be written in the form that was asked for",
    # training
    "no-data": "a data set is not where it was looked for",
    "damaged-data": "a file of a data set is damaged",
    "damaged-checkpoint": "a checkpoint cannot be read, or belongs to another run",
    "run-exists": "the run folder holds a run already",
    "bad-run": "a folder does not hold a run",
    "no-device": "the device that was asked for is not there",
    "diverged": "the loss is not a number",
    "out-of-memory": "the memory of the device does not hold a batch",
    # comparing
    "bad-table": "a table of scores cannot be compared",
}


# More mistakes than these at once are rather no formula at all.
MAX_TOLD = 20


@dataclass(frozen=True)
class Span:
    """A piece of one line: `line` and `column` count from 1, in code points; `end` is exclusive."""

    line: int
    column: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`, cut at the end of the line."""
        return Span(self.line, self.column, other.end if other.line == self.line else self.end)


@dataclass(frozen=True)
class Source:
    """A text and the name under which a user knows it."""

    text: str
    name: str = "<formula>"


@dataclass(frozen=True)
class Diagnostic:
    """One mistake. Sorted by its place in the text."""

    code: str
    message: str
    span: Span | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        assert self.code in CODES, f"{self.code} is not in CODES"

    def to_json(self) -> dict[str, str | int | None]:
        """The object that `recform check --json` prints for this mistake."""
        line, column, end = (
            (self.span.line, self.span.column, self.span.end) if self.span else (None, None, None)
        )
        return {
            "code": self.code,
            "message": self.message,
            "line": line,
            "column": column,
            "end_column": end,
            "hint": self.hint,
        }


class UserError(Exception):
    """Something that the user can mend: a formula, a file, an argument. Shown without a traceback.

    >>> print(UserError("no-such-file", "there is no file a.rf", "check the path"))
    error[no-such-file]: there is no file a.rf
      = hint: check the path
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.diagnostics: tuple[Diagnostic, ...] = (Diagnostic(code, message, None, hint),)

    @property
    def code(self) -> str:
        return self.diagnostics[0].code

    def __str__(self) -> str:
        return "\n".join(render(diagnostic, None) for diagnostic in self.diagnostics)


class FormulaError(UserError):
    """One or more mistakes in the text of a formula, each with its place."""

    def __init__(self, diagnostics: Sequence[Diagnostic], source: Source | None = None) -> None:
        assert diagnostics, "an error needs a diagnostic"
        Exception.__init__(self, tuple(diagnostics), source)
        self.diagnostics = tuple(sorted(diagnostics, key=_place))
        self.source = source

    def __str__(self) -> str:
        told = [render(diagnostic, self.source) for diagnostic in self.diagnostics[:MAX_TOLD]]
        more = len(self.diagnostics) - MAX_TOLD
        return "\n\n".join([*told, f"and {more:,} more"] if more > 0 else told)


def render(diagnostic: Diagnostic, source: Source | None) -> str:
    """The message as a person reads it, with the line and a caret under the span."""
    rows = [f"error[{diagnostic.code}]: {_visible(diagnostic.message)}"]
    gutter = "  "
    if source is not None and diagnostic.span is not None:
        gutter = " " * (len(str(diagnostic.span.line)) + 2)
        rows += _excerpt(diagnostic.span, source, gutter)
    if diagnostic.hint:
        rows.append(f"{gutter}= hint: {_visible(diagnostic.hint)}")
    return "\n".join(rows)


def _visible(text: str) -> str:
    """In one line: a file's name may hold line ends, and signs that move the cursor."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def lines_of(text: str) -> list[str]:
    """The lines of a text as an editor counts them; form feeds and the like end none."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _excerpt(span: Span, source: Source, gutter: str, width: int = 96) -> list[str]:
    lines = lines_of(source.text)
    line = lines[min(span.line, len(lines)) - 1].replace("\t", " ")
    # What moves the cursor or cannot be seen is shown as a box, one column wide.
    line = "".join(sign if sign.isprintable() else "\N{WHITE SQUARE}" for sign in line)
    # A very long line is cut to a window around the span, so that the caret stays on the screen.
    start = max(0, span.column - 1 - width // 2) if len(line) > width else 0
    shown = line[start : start + width]
    first = span.column - 1 - start
    carets = "^" * max(1, min(span.end - span.column, len(shown) - first))
    return [
        f"{gutter[1:]}--> {_visible(source.name)}:{span.line}:{span.column}",
        f"{gutter}|",
        f" {span.line} | {shown}".rstrip(),
        f"{gutter}| {' ' * first}{carets}",
    ]


def _place(diagnostic: Diagnostic) -> tuple[int, int]:
    span = diagnostic.span
    return (span.line, span.column) if span else (0, 0)
