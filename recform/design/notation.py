"""The notation in which wanted paths are written: counts in n and k, sums and products of F'[i].

    1 if k % 2 == 0 else 0                              counts by length
    1/((1 - z)*(1 - t*z))                               a generating function
    sum(prod(F'[i] for i in L-k..L-1) for k in 0..L-l)  a derivative, Liao et al. (2021), eq. (12)

Precedence is that of the formula language. A text becomes a tree of `Node`s; what the names mean
is decided by who reads it.

>>> read("2*k + 1").operator
'+'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NoReturn

from recform.errors import Diagnostic, FormulaError, Source, Span, lines_of

MAX_CHARACTERS = 10_000
MAX_NESTED = 60
MAX_DIGITS = 1_000
FUNCTIONS = {"binomial": 2, "fibonacci": 1, "factorial": 1, "floor": 1, "sqrt": 1}
REDUCTIONS = ("sum", "prod")

_WORDS = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(\.\d+)?)|(?P<letter>F['’′])|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|//|\.\.|<=|>=|==|!=|[-+*/%^()\[\],<>−·×])"
)
_ASCII = {"−": "-", "·": "*", "×": "*", "**": "^"}
_COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")


@dataclass(frozen=True)
class Node:
    """`operator` applied to `parts`.

    number: a Fraction; name: its text; letter: the index of F'; a function: its arguments; sum
    and prod: `each` nodes (body, variable, first, last, condition or None) or plain ones; compare:
    the signs, then the operands; if: value, condition, otherwise; and, or, not; + - * / % ^.
    """

    operator: str
    parts: tuple[Any, ...]
    span: Span = field(default=Span(1, 1, 2), compare=False, repr=False)


def number(value: Fraction | int) -> Node:
    return Node("number", (Fraction(value),))


def names_in(node: Node) -> set[str]:
    """Every name that stands in a tree, functions left out."""
    if node.operator == "name":
        return {node.parts[0]}
    return set().union(*(names_in(part) for part in node.parts if isinstance(part, Node)))


def read(text: str, functions: Mapping[str, int] = FUNCTIONS) -> Node:
    """The tree of a specification; `functions` have so many arguments.

    Raises FormulaError `bad-specification`.
    """
    source = Source(text, "<specification>")
    if len(text) > MAX_CHARACTERS:
        raise refusal(f"the specification has more than {MAX_CHARACTERS:,} characters", None,
                      source, "write it as an expression, or as a table in a file")  # fmt: skip
    reader = _Reader(source, list(_words(source)), functions)
    node = reader.expression()
    reader.end()
    return node


def refusal(message: str, span: Span | None, source: Source | None, hint: str) -> FormulaError:
    return FormulaError([Diagnostic("bad-specification", message, span, hint)], source)


@dataclass(frozen=True)
class _Word:
    kind: str
    text: str
    span: Span


def _words(source: Source) -> Iterator[_Word]:
    for line, text in enumerate(lines_of(source.text), start=1):
        place = 0
        while place < len(text):
            match = _WORDS.match(text, place)
            if match is None:
                raise refusal(f"`{text[place]}` has no meaning here",
                              Span(line, place + 1, place + 2), source,
                              "write counts with n, k, numbers and + - * / % ^")  # fmt: skip
            place = match.end()
            if match.lastgroup != "space":
                word = _ASCII.get(match[0], match[0])
                yield _Word(str(match.lastgroup), word, Span(line, match.start() + 1, place + 1))


@dataclass
class _Reader:
    """One method for each step of precedence, the loosest first."""

    source: Source
    words: list[_Word]
    functions: Mapping[str, int]
    place: int = 0
    nested: int = 0

    def expression(self) -> Node:
        self.nested += 1
        if self.nested > MAX_NESTED:
            self._wrong("the specification is nested too deep", "write less inside brackets")
        value = self._any()
        if self._takes("if"):
            condition = self._any()
            self._expects("else")
            value = self._node("if", value, condition, self.expression())
        self.nested -= 1
        return value

    def end(self) -> None:
        if self._next is not None:
            self._wrong(f"`{self._next.text}` is not expected here", "check signs and brackets")

    def _any(self) -> Node:
        return self._chain("or", self._all)

    def _all(self) -> Node:
        return self._chain("and", self._negation)

    def _chain(self, word: str, part: Any) -> Node:
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else self._node(word, *parts)

    def _negation(self) -> Node:
        if self._takes("not"):
            self.nested += 1
            if self.nested > MAX_NESTED:
                self._wrong("the specification is nested too deep", "write it simpler")
            node = self._node("not", self._negation())
            self.nested -= 1
            return node
        operands, signs = [self._sum()], []
        while (sign := self._takes(*_COMPARISONS)) is not None:
            signs.append(sign)
            operands.append(self._sum())
        return self._node("compare", tuple(signs), *operands) if signs else operands[0]

    def _sum(self) -> Node:
        value = self._product()
        while (sign := self._takes("+", "-")) is not None:
            value = self._node(sign, value, self._product())
        return value

    def _product(self) -> Node:
        value = self._signed()
        while (sign := self._takes("*", "/", "//", "%")) is not None:
            whole = sign == "//"
            value = self._node("/" if whole else sign, value, self._signed())
            value = self._node("floor", value) if whole else value
        return value

    def _signed(self) -> Node:
        sign = self._takes("+", "-")
        if sign is None:
            return self._power()
        self.nested += 1
        if self.nested > MAX_NESTED:
            self._wrong("the specification is nested too deep", "write one sign")
        operand = self._signed()
        self.nested -= 1
        return operand if sign == "+" else self._node("-", number(0), operand)

    def _power(self) -> Node:
        base = self._atom()
        if self._takes("^") is None:
            return base
        exponent = self._signed()
        half = (Fraction(1), Fraction(2))
        if exponent.operator == "/" and tuple(p.parts[0] for p in exponent.parts) == half:
            return self._node("sqrt", base)
        return self._node("^", base, exponent)

    def _atom(self) -> Node:
        word = self._next
        if word is None:
            self._wrong("the specification ends too early", "add what is missing")
        if self._takes("(") is not None:
            value = self.expression()
            self._expects(")")
            return value
        if word.kind not in ("number", "letter", "name") or word.text in ("if", "else", "for"):
            self._wrong(f"a number or a name is missing before `{word.text}`", "write 1, n or k")
        self.place += 1
        if word.kind == "number":
            if len(word.text) > MAX_DIGITS:
                self._wrong("this number is too long", "write a power: 2^n")
            return Node("number", (Fraction(word.text),), word.span)
        if word.kind == "letter":
            self._expects("[")
            index = self._sum()
            self._expects("]")
            return Node("letter", (index,), word.span)
        return self._call(word) if self._takes("(") is not None else self._name(word)

    def _name(self, word: _Word) -> Node:
        return Node("name", (word.text,), word.span)

    def _call(self, word: _Word) -> Node:
        if word.text not in (*self.functions, *REDUCTIONS):
            known = ", ".join((*self.functions, *REDUCTIONS))
            raise refusal(f"there is no function `{word.text}`", word.span, self.source,
                          f"the functions are {known}")  # fmt: skip
        parts = [self._item()]
        while self._takes(",") is not None:
            parts.append(self._item())
        self._expects(")")
        wanted = self.functions.get(word.text)
        if wanted is not None and (
            len(parts) != wanted or any(part.operator == "each" for part in parts)
        ):
            raise refusal(f"`{word.text}` takes {wanted} argument{'s' * (wanted > 1)}",
                          word.span, self.source,
                          "binomial(n, k)" if wanted == 2 else f"{word.text}(n)")  # fmt: skip
        return Node(word.text, tuple(parts), word.span)

    def _item(self) -> Node:
        body = self.expression()
        if self._takes("for") is None:
            return body
        variable = self._next
        if variable is None or variable.kind != "name":
            self._wrong("the range has no variable", "write sum(F'[i] for i in 0..L-1)")
        self.place += 1
        self._expects("in")
        first = self._sum()
        self._expects("..")
        last = self._sum()
        condition = self._any() if self._takes("if") is not None else None
        return Node("each", (body, variable.text, first, last, condition), variable.span)

    @property
    def _next(self) -> _Word | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def _takes(self, *texts: str) -> str | None:
        if self._next is None or self._next.text not in texts:
            return None
        self.place += 1
        return self.words[self.place - 1].text

    def _expects(self, text: str) -> None:
        if self._takes(text) is None:
            found = "the end" if self._next is None else f"`{self._next.text}`"
            self._wrong(f"`{text}` is expected before {found}", "check signs and brackets")

    def _node(self, operator: str, *parts: Any) -> Node:
        before = self.words[max(0, self.place - 1)].span
        spans = [part.span for part in parts if isinstance(part, Node)]
        first = spans[0] if spans and spans[0].line == before.line else before
        return Node(operator, parts, Span(first.line, first.column, before.end))

    def _wrong(self, message: str, hint: str) -> NoReturn:
        word = self._next
        if word is not None:
            raise refusal(message, word.span, self.source, hint)
        lines = lines_of(self.source.text)
        end = Span(len(lines), len(lines[-1]) + 1, len(lines[-1]) + 2)
        raise refusal(message, end, self.source, hint)
