"""A residual unit taken apart.

A unit computes after(S(x) + F(x)): F the branch with its weights, S the shortcut (nothing, or a
projection), `after` what follows the addition (ReLU in ResNet v1). The parts are found in the
unit's own forward, traced with torch.fx, its children as leaves: no code is written per class.

The addition of a unit is the one that everything passes, and whose two sides share nothing but x.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.fx.proxy import TraceError

_ADDITIONS = {operator.add, operator.iadd, torch.add}


@dataclass(frozen=True)
class Unit:
    """The parts of the residual unit at `path`, as nodes of its traced graph.

    Each part is a list in the order of execution, and begins at what `enters` it.
    """

    path: str
    graph: fx.Graph
    enters: fx.Node
    addition: fx.Node
    branch: tuple[fx.Node, ...]
    shortcut: tuple[fx.Node, ...]
    after: tuple[fx.Node, ...]

    @property
    def changes_shape(self) -> bool:
        """Whether the shortcut is a projection, so that older values need one too."""
        return bool(self.shortcut)


class _Children(fx.Tracer):
    """Traces a module's own forward; whatever it calls is a leaf."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def split(module: nn.Module, path: str = "") -> Unit | None:
    """The unit's parts, or None if the module is no residual unit."""
    try:
        graph = _Children().trace(module)
    except (TraceError, TypeError):
        # Control flow on data, or arguments beside x: not a unit that this version takes apart.
        return None
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    if len(inputs) != 1:
        return None
    for node in graph.nodes:
        if _is_addition(node) and _is_residual(node, inputs[0], graph):
            return _unit(path, graph, inputs[0], node)
    return None


def _unit(path: str, graph: fx.Graph, enters: fx.Node, addition: fx.Node) -> Unit:
    left, right = (_upstream(side) - {enters} for side in _sides(addition))
    # F is the side with the work in it; the other may be a projection, or nothing.
    branch, shortcut = (left, right) if _num_calls(left) > _num_calls(right) else (right, left)
    after = _downstream(addition) - {addition}
    order = list(graph.nodes)
    parts = [tuple(node for node in order if node in part and node.op != "output")
             for part in (branch, shortcut, after)]  # fmt: skip
    return Unit(path, graph, enters, addition, *parts)


def _is_addition(node: fx.Node) -> bool:
    is_sum = node.op == "call_function" and node.target in _ADDITIONS
    is_method = node.op == "call_method" and node.target in ("add", "add_")
    return (is_sum or is_method) and len(_sides(node)) == 2


def _is_residual(addition: fx.Node, enters: fx.Node, graph: fx.Graph) -> bool:
    left, right = (_upstream(side) for side in _sides(addition))
    if enters not in left or enters not in right or (left & right) != {enters}:
        return False
    everything = {node for node in graph.nodes if node.op not in ("output", "get_attr")}
    return everything <= left | right | _downstream(addition)


def _sides(addition: fx.Node) -> list[fx.Node]:
    return [side for side in addition.args[:2] if isinstance(side, fx.Node)]


def _upstream(node: fx.Node) -> set[fx.Node]:
    """The node and all that it is made from."""
    found: set[fx.Node] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current not in found:
            found.add(current)
            stack.extend(current.all_input_nodes)
    return found


def _downstream(node: fx.Node) -> set[fx.Node]:
    """The node and all that is made from it."""
    found: set[fx.Node] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current not in found:
            found.add(current)
            stack.extend(current.users)
    return found


def _num_calls(nodes: set[fx.Node]) -> int:
    return sum(node.op == "call_module" for node in nodes)
