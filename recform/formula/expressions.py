"""Expressions, from the pieces that the grammar finds: one method a rule.

Numbers are folded where they can be: `1/10` and `0.1` are the same.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from recform.errors import Span
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
    Expression,
    Item,
    Learned,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Read,
    Reduce,
    Sum,
)
from recform.formula.library import COMBINING, DROP, MAPS, ONE_HOT, REDUCTIONS, ROOT
from recform.formula.pieces import Remarks

_ASCII = {"·": "*", "×": "*", "−": "-", "Σ": "sum", "σ": "sigmoid"}
# Python itself reads and prints at most 4,300 digits.
MAX_DIGITS = 4000


class Expressions:
    """The rules of expressions, each called with what its parts became and its place."""

    def __init__(self, remarks: Remarks) -> None:
        self._place, self._wrong = remarks.place, remarks.wrong

    def case(self, parts: list[Any], span: Span) -> Case:
        value, condition, otherwise = parts
        return Case(value, condition, otherwise, span)

    def any_of(self, parts: list[Any], span: Span) -> Logic:
        return Logic("or", tuple(parts), span)

    def all_of(self, parts: list[Any], span: Span) -> Logic:
        return Logic("and", tuple(parts), span)

    def not_(self, parts: list[Any], span: Span) -> Not:
        return Not(parts[0], span)

    def compare(self, parts: list[Any], span: Span) -> Compare:
        return Compare(tuple(str(sign) for sign in parts[1::2]), tuple(parts[0::2]), span)

    def signed_sum(self, parts: list[Any], span: Span) -> Sum:
        signs = [1] + [1 if sign == "+" else -1 for sign in parts[1::2]]
        return Sum(tuple(zip(signs, parts[0::2], strict=True)), span)

    def binary(self, parts: list[Any], span: Span) -> Expression:
        left, sign, right = parts
        operator = _ASCII.get(str(sign), str(sign))
        if isinstance(left, Number) and isinstance(right, Number):
            folded = _fold(operator, left.value, right.value)
            if folded is not None:
                return Number(folded, span)
        return Binary(operator, left, right, span)

    def signed(self, parts: list[Any], span: Span) -> Expression:
        sign, operand = parts
        if sign == "+":
            return operand
        if isinstance(operand, Number):
            return Number(-operand.value, span)
        return Negate(operand, span)

    def number(self, parts: list[Any], span: Span) -> Number:
        text = str(parts[0])
        digits, _, exponent = text.lower().partition("e")
        # nine digits of an exponent say enough: more are too many
        if len(digits) + abs(int(exponent[:9] or "0")) > MAX_DIGITS:
            self._wrong("too-large", f"this number has more than {MAX_DIGITS:,} digits", span,
                        "write a smaller number, or a power: 10^l")  # fmt: skip
            return Number(Fraction(0), span)
        return Number(Fraction(text), span)

    def name(self, parts: list[Any], span: Span) -> Name:
        return Name(str(parts[0]), span)

    def num_blocks(self, parts: list[Any], span: Span) -> Name:
        return Name("L", span)

    def read(self, parts: list[Any], span: Span) -> Expression:
        name, *indices = parts
        if len(indices) > 1:
            return Learned(str(name), tuple(indices), span)
        # `parse` knows the coefficients, and makes this one if it is none of the states.
        return Read(str(name), indices[0], span)

    def apply(self, parts: list[Any], span: Span) -> Apply:
        return Apply(str(parts[0]), None, parts[1], span)

    def apply_at(self, parts: list[Any], span: Span) -> Apply:
        return Apply(str(parts[0]), parts[1], parts[2], span)

    def item(self, parts: list[Any], span: Span) -> Item:
        return Item(parts[0])

    def each(self, parts: list[Any], span: Span) -> Item:
        value, variable, first, last, condition = parts
        where = self._place(variable).to(span)
        return Item(value, Each(str(variable), first, last, condition, where))

    def call(self, parts: list[Any], span: Span) -> Expression:
        name = _ASCII.get(str(parts[0]), str(parts[0]))
        items = tuple(part if isinstance(part, Item) else Item(part) for part in parts[1:])
        where = Span(span.line, span.column, span.column + len(str(parts[0])))
        if name in (*REDUCTIONS, *COMBINING):
            self._check_number_of_arguments(name, items, where)
            return Reduce(name, items, span)
        if name in (*MAPS, ROOT, ONE_HOT):
            return self._map(name, items, span, where)
        # `check` knows the states and blocks, and says what an unknown function may have meant.
        return Map(name, items[0].value, None, span)

    def _map(self, name: str, items: tuple[Item, ...], span: Span, where: Span) -> Map:
        takes = 2 if name == DROP else 1
        if len(items) != takes or any(item.each is not None for item in items):
            example = "drop(F(x[l]), 1/10)" if name == DROP else f"{name}(x[l])"
            example = f"{name}(2)" if name in (ROOT, ONE_HOT) else example
            number = "two arguments" if takes == 2 else "one argument"
            self._wrong("wrong-arguments", f"`{name}` takes {number}", where,
                        f"write {example}")  # fmt: skip
        number = items[1].value if len(items) == takes == 2 else None
        return Map(name, items[0].value, number, span)

    def _check_number_of_arguments(self, name: str, items: tuple[Item, ...], where: Span) -> None:
        if name == "gru" and (len(items) != 2 or any(item.each is not None for item in items)):
            self._wrong("wrong-arguments", "`gru` takes two arguments", where,
                        "write gru(x[l], F(x[l])): the state, and what comes in")  # fmt: skip


def _fold(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    """`1/10` and `0.1` are the same number; other operators wait until depths are known.

    So does a product that would grow too long to be printed.
    """
    if _num_digits(left) + _num_digits(right) > MAX_DIGITS:
        return None
    if operator == "*":
        return left * right
    if operator == "/" and right != 0:
        return left / right
    return None


def _num_digits(value: Fraction) -> int:
    """No less than the decimal digits of the numerator, nor than those of the denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length()) * 31 // 100 + 1
