"""Conditions: comparisons joined by and, or, not, whatever it is that they compare.

>>> from recform.design.notation import read
>>> node = read("1 if n < 2 and not k < n else 0").parts[1]
>>> truth(node, lambda part: part.parts[1].parts[0] == "n")
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

from recform.design.notation import Node
from recform.formula.library import RELATIONS

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def truth(condition: Node, holds: Callable[[Node], bool]) -> bool:
    """Whether a condition is true, where `holds` says it of the parts that are joined."""
    match condition.operator:
        case "and":
            return all(truth(part, holds) for part in condition.parts)
        case "or":
            return any(truth(part, holds) for part in condition.parts)
        case "not":
            return not truth(condition.parts[0], holds)
    return holds(condition)


def comparisons(chain: Node) -> Iterator[tuple[str, Node, Node]]:
    """The comparisons of a chain: those of `a < b <= c` are `a < b` and `b <= c`."""
    signs, *operands = chain.parts
    for sign, (left, right) in zip(signs, pairwise(operands), strict=True):
        yield sign, left, right


def turned(sign: str) -> str:
    """The sign between the same two, written the other way round: `<` for `>`."""
    return _TURNED.get(sign, sign)


def agrees(difference: Fraction, sign: str) -> bool:
    """Whether left and right stand in a relation, given left - right."""
    return RELATIONS[sign](difference, 0)
