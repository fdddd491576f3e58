"""Sums in a graph, read as equations: v = 2*a - b gives a, b or v from the other two.

A product with a coefficient that sigmoid keeps above zero can be divided by it; no other operation
is inverted.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

_SIGNS: Mapping[Any, int] = {operator.add: 1, operator.sub: -1, torch.add: 1, torch.sub: -1}


@dataclass(frozen=True)
class Equation:
    """result = the sum of factor * operand + offset, or the product of a coefficient and operand.

    `is_linear` says which; a product has one term, whose factor is the coefficient's node.
    """

    terms: tuple[tuple[Any, fx.Node], ...]
    offset: float = 0.0

    @property
    def is_linear(self) -> bool:
        return not any(isinstance(factor, fx.Node) for factor, _ in self.terms)

    def gives(self, operand: fx.Node) -> bool:
        """Whether it can be solved for an operand."""
        return any(node is operand and factor != 0 for factor, node in self.terms)

    def solve(self, operand: fx.Node, result: Any, values: Mapping[fx.Node, Any]) -> Any:
        """The operand, from the result and the values of the others."""
        own: Any = 1.0
        for factor, node in self.terms:
            if node is operand:
                own = values[factor] if isinstance(factor, fx.Node) else factor
            else:
                result = _less(result, values[node], factor)
        if self.offset:
            result = result - self.offset
        return result if isinstance(own, float) and own == 1.0 else result / own


def equation_of(node: fx.Node) -> Equation | None:
    """The equation that a node is; None for anything but sums and multiples."""
    if node.op != "call_function":
        return None
    if node.target in _SIGNS:
        alpha = float(node.kwargs.get("alpha", 1))  # type: ignore[arg-type]
        return _sum(node.args[0], node.args[1], _SIGNS[node.target] * alpha)
    if node.target is operator.neg:
        return _sum(0.0, node.args[0], -1.0)
    if node.target is operator.mul:
        left, right = node.args
        if isinstance(left, fx.Node) and isinstance(right, fx.Node):
            return _product(left, right)
        number, operand = (left, right) if isinstance(right, fx.Node) else (right, left)
        assert isinstance(operand, fx.Node), "a product of numbers is no node"
        return Equation(((float(number), operand),))  # type: ignore[arg-type]
    return None


def _sum(left: Any, right: Any, factor: float) -> Equation | None:
    terms: dict[fx.Node, float] = {}
    offset = 0.0
    for value, sign in ((left, 1.0), (right, factor)):
        if isinstance(value, fx.Node):
            terms[value] = terms.get(value, 0.0) + sign
        elif isinstance(value, int | float):
            offset += sign * value
        else:
            return None
    return Equation(tuple((factor, node) for node, factor in terms.items()), offset)


def _product(left: fx.Node, right: fx.Node) -> Equation | None:
    for coefficient, operand in ((left, right), (right, left)):
        if _is_positive(coefficient):
            return Equation(((coefficient, operand),))
    return None


def _is_positive(node: fx.Node) -> bool:
    """Whether a node is an entry of a parameter that went through a sigmoid."""
    while node.op == "call_function" and node.target in (torch.select, torch.reshape):
        (node,) = node.all_input_nodes
    is_sigmoid = node.op == "call_function" and node.target is torch.sigmoid
    return is_sigmoid and node.all_input_nodes[0].op == "get_attr"


def _less(result: Any, value: Any, factor: float) -> Any:
    if factor == 1.0:
        return result - value
    return result + value if factor == -1.0 else result - factor * value


def to_shape(gradient: Tensor, like: Tensor) -> Tensor:
    """The gradient of an operand that was broadcast: summed up, in its own number type."""
    return gradient.sum_to_size(like.shape).to(like.dtype)
