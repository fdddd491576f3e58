"""How many states the words of a general formula need at most, read off its text.

Two systems of dimensions d and e that agree on all words of length up to d + e - 1 agree on all
words (Eilenberg 1974, "equality theorem"). So where the text gives a bound, agreement down to a
depth is a proof. What is read:

    numbers                                     1
    F'[L-1-c], F'[l+c]                          c + 2
    prod(a + b F'[i] for i in l+p..L-1-q)       2(p + q) + 1
    sum(a + b F'[i] for i in l+p..L-1-q)        p + q + 2
    sum(prod(a + b F'[i] for i in L-k..L-1) for k in p..L-l-q), or i in l..l+k-1      p + q + 2
    sums and differences; products              sums of these; products of these

>>> from recform.design.notation import read
>>> bound_of(read("1 + sum(prod(F'[i] for i in L-k..L-1) for k in 1..L-l)"))
4
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

from recform.design.notation import Node

# {name: coefficient}, the constant under ""
Linear = dict[str, Fraction]


def bound_of(node: Node) -> int | None:
    """The bound, or None where the text is not one of the above. At l = 0."""
    match node.operator, node.parts:
        case "number", _:
            return 1
        case "letter", (index,):
            return _of_letter(_linear(index))
        case (("+" | "-"), (left, right)):
            return _joined([bound_of(left), bound_of(right)], sum)
        case "*", (left, right):
            return _joined([bound_of(left), bound_of(right)], prod)
        case "/", (left, Node("number", _)):
            return bound_of(left)
        case "sum", parts:
            return _joined([_of_sum(part) for part in parts], sum)
        case "prod", parts:
            return _joined([_of_product(part) for part in parts], prod)
    return None


def _joined(bounds: list[int | None], join: object) -> int | None:
    known = [bound for bound in bounds if bound is not None]
    return join(known) if len(known) == len(bounds) else None  # type: ignore[operator]


def _of_letter(index: Linear | None) -> int | None:
    """F'[L-1-c] or F'[c]."""
    if index is None:
        return None
    constant = index.pop("", Fraction(0))
    place = -1 - constant if index == {"L": 1} else constant if not index else None
    return int(place) + 2 if place is not None and _is_count(place) else None


def _of_sum(item: Node) -> int | None:
    if item.operator != "each":
        return bound_of(item)
    body, variable, first, last, condition = item.parts
    if condition is not None:
        return None
    ends = _ends(first, last, 1)
    if ends is not None and _is_local(body, variable):
        return ends + 2
    moving = _ends(first, last, 0)
    if moving is not None and body.operator == "prod" and len(body.parts) == 1:
        return moving + 2 if _is_sliding(body.parts[0], variable) else None
    return None


def _of_product(item: Node) -> int | None:
    if item.operator != "each":
        return bound_of(item)
    body, variable, first, last, condition = item.parts
    ends = _ends(first, last, 1)
    if condition is not None or ends is None or not _is_local(body, variable):
        return None
    return 2 * ends + 1


def _ends(first: Node, last: Node, before: int) -> int | None:
    """p + q of a range p..L-before-q."""
    low, high = _linear(first), _linear(last)
    if low is None or high is None:
        return None
    p, q = low.pop("", Fraction(0)), -high.pop("", Fraction(0)) - before
    if low or high != {"L": 1} or not _is_count(p) or not _is_count(q):
        return None
    return int(p + q)


def _is_sliding(item: Node, length: str) -> bool:
    """A product over the last k blocks, or the first k, for k = `length`."""
    if item.operator != "each":
        return False
    body, variable, first, last, condition = item.parts
    ends = (_linear(first), _linear(last))
    at_the_end = ({"L": Fraction(1), length: Fraction(-1)}, {"L": Fraction(1), "": Fraction(-1)})
    at_the_start = ({}, {length: Fraction(1), "": Fraction(-1)})
    return condition is None and ends in (at_the_end, at_the_start) and _is_local(body, variable)


def _is_local(node: Node, variable: str) -> bool:
    """a + b F'[i] with numbers a and b: no other letter, name or condition."""
    degree = _degree(node, variable)
    return degree is not None and degree <= 1


def _degree(node: Node, variable: str) -> int | None:
    match node.operator, node.parts:
        case "number", _:
            return 0
        case "letter", (index,):
            return 1 if _linear(index) == {variable: 1} else None
        case (("+" | "-" | "*"), (left, right)):
            one, other = _degree(left, variable), _degree(right, variable)
            if one is None or other is None:
                return None
            return one + other if node.operator == "*" else max(one, other)
        case "/", (left, Node("number", _)):
            return _degree(left, variable)
    return None


def _linear(node: Node) -> Linear | None:
    """An index as a linear expression; l counts as 0."""
    match node.operator, node.parts:
        case "number", (value,):
            return {"": value} if value else {}
        case "name", ("l",):
            return {}
        case "name", (name,):
            return {name: Fraction(1)}
        case (("+" | "-"), (left, right)):
            one, other = _linear(left), _linear(right)
            if one is None or other is None:
                return None
            sign = 1 if node.operator == "+" else -1
            total = {name: one.get(name, Fraction(0)) + sign * other.get(name, Fraction(0))
                     for name in (*one, *other)}  # fmt: skip
            return {name: c for name, c in total.items() if c}
    return None


def _is_count(value: Fraction) -> bool:
    return value.denominator == 1 and value >= 0
