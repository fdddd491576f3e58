"""Residual additions: where two ways from one value meet again.

A unit computes after(S(x) + F(x)): F the branch with its weights, S the shortcut (nothing, or a
projection). In the graph of a forward pass, an addition is residual iff

- every way from the input to the output passes it: it dominates the output, and
- its two sides share nothing since x, their nearest common dominator.

F is the side with weights. Where both have weights, F is the deeper one; two sides of equal depth
are a layer in several pieces (RepVGG, MobileOne), not a residual unit; two deep sides are branches
of a net that branches (HRNet).

The values that count are tensors of real numbers made from the input: sizes, places, masks and
position tables that a branch reads as well are its context, not its state.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import torch
from torch import fx, nn
from torch.fx.node import map_aggregate

_ADDITIONS = {operator.add, operator.iadd, torch.add}
# A projection beside F: a branch with less in it than two layers is no branch beside weights.
_LEAST_DEPTH_BESIDE_WEIGHTS = 2
# GhostNet's shortcuts are two layers. With more, two branches meet (HRNet's fusion of resolutions).
_MOST_DEPTH_OF_SHORTCUT = 3


@dataclass(frozen=True)
class Addition:
    """A residual addition: `enters` is x, `branch` and `shortcut` are the ends of F and S."""

    node: fx.Node
    enters: fx.Node
    branch: fx.Node
    shortcut: fx.Node


class Flow:
    """How tensors flow from one node of a graph to its output: the tree of dominators.

    Nodes marked `meta["is_context"]` are left out.
    """

    def __init__(self, graph: fx.Graph, root: fx.Node) -> None:
        self.root = root
        self._depth = {root: 0}
        self._above: dict[fx.Node, fx.Node] = {}
        for node in graph.nodes:
            inputs = [] if node.meta.get("is_context") else self.inputs(node)
            if inputs and (node.op == "output" or carries_tensor(node.meta["value"])):
                above = reduce(self.common, inputs)
                self._above[node], self._depth[node] = above, self._depth[above] + 1
        self.output = next(node for node in reversed(graph.nodes) if node.op == "output")

    def __contains__(self, node: object) -> bool:
        return node in self._depth

    def inputs(self, node: fx.Node) -> list[fx.Node]:
        return [source for source in node.all_input_nodes if source in self._depth]

    def common(self, left: fx.Node, right: fx.Node) -> fx.Node:
        """The last node that every way to either passes."""
        while left is not right:
            if self._depth[left] >= self._depth[right]:
                left = self._above[left]
            else:
                right = self._above[right]
        return left

    def line(self) -> list[fx.Node]:
        """The nodes that every way to the output passes, from the root on."""
        if self.output not in self:
            return []
        found = [self.output]
        while found[-1] is not self.root:
            found.append(self._above[found[-1]])
        return found[:0:-1]

    def between(self, start: fx.Node, end: fx.Node) -> set[fx.Node]:
        """The tensors on the ways from `start` to `end`, without `start`."""
        found: set[fx.Node] = set()
        stack = [end]
        while stack:
            node = stack.pop()
            if node is not start and node not in found:
                found.add(node)
                stack.extend(self.inputs(node))
        return found


def residual_additions(graph: fx.Graph, flow: Flow, module: nn.Module) -> list[Addition]:
    """The residual additions of a graph in the order in which they run."""
    found = (_residual(node, flow, module) for node in flow.line() if _is_addition(node))
    return [addition for addition in found if addition is not None]


def carries_tensor(value: object) -> bool:
    """Whether a value is a tensor of real numbers, or holds one."""
    leaves: list[object] = []
    map_aggregate(value, leaves.append)  # type: ignore[arg-type]
    return any(isinstance(leaf, torch.Tensor) and leaf.is_floating_point() for leaf in leaves)


def num_weights(nodes: Iterable[fx.Node], module: nn.Module) -> int:
    """Parameters that the nodes read, each counted once."""
    found = {id(p): p.numel() for node in nodes for p in _parameters(node, module)}
    return sum(found.values())


def _residual(node: fx.Node, flow: Flow, module: nn.Module) -> Addition | None:
    left, right = _sides(node)
    if left is right or left not in flow or right not in flow:
        return None
    shapes = {getattr(side.meta["value"], "shape", None) for side in (left, right, node)}
    if len(shapes) != 1:
        return None
    enters = flow.common(left, right)
    ways = flow.between(enters, left), flow.between(enters, right)
    if ways[0] & ways[1]:
        return None
    swapped = _branch_is_right(ways, (left, right), module)
    if swapped is None:
        return None
    branch, shortcut = (right, left) if swapped else (left, right)
    return Addition(node, enters, branch, shortcut)


def _branch_is_right(
    ways: tuple[set[fx.Node], set[fx.Node]], ends: tuple[fx.Node, fx.Node], module: nn.Module
) -> bool | None:
    """Which side is F; None if neither is, for two pieces of one layer, and for two branches."""
    weights = [num_weights(_with_constants(way), module) for way in ways]
    if not any(weights):
        return None
    if not all(weights):
        return weights[1] > 0
    depths = [_depth(way, end, module) for way, end in zip(ways, ends, strict=True)]
    if depths[0] == depths[1] or max(depths) < _LEAST_DEPTH_BESIDE_WEIGHTS:
        return None
    if min(depths) > _MOST_DEPTH_OF_SHORTCUT:
        return None
    return depths[1] > depths[0]


def _with_constants(way: set[fx.Node]) -> set[fx.Node]:
    """The nodes and the parameters that they read, possibly by way of a view of them."""
    found, stack = set(way), list(way)
    while stack:
        for source in stack.pop().all_input_nodes:
            if source not in found and _is_constant(source):
                found.add(source)
                stack.append(source)
    return found


def _is_constant(node: fx.Node) -> bool:
    """Whether a node is a parameter, or made from parameters and sizes."""
    inputs = [source for source in node.all_input_nodes if carries_tensor(source.meta["value"])]
    return node.op == "get_attr" or (bool(inputs) and all(s.op == "get_attr" for s in inputs))


def _depth(way: set[fx.Node], end: fx.Node, module: nn.Module) -> int:
    """Layers one behind the other: modules with matrices or kernels, on the longest way."""
    depths: dict[fx.Node, int] = {}
    for node in end.graph.nodes:
        if node in way:
            before = max((depths.get(source, 0) for source in node.all_input_nodes), default=0)
            depths[node] = before + sum(p.ndim > 1 for p in _parameters(node, module))
    return depths.get(end, 0)


def _parameters(node: fx.Node, module: nn.Module) -> list[nn.Parameter]:
    if node.op == "call_module":
        return list(module.get_submodule(str(node.target)).parameters())
    value = node.meta["value"] if node.op == "get_attr" else None
    return [value] if isinstance(value, nn.Parameter) else []


def _is_addition(node: fx.Node) -> bool:
    is_sum = node.op == "call_function" and node.target in _ADDITIONS
    is_method = node.op == "call_method" and node.target in ("add", "add_")
    return (is_sum or is_method) and len(_sides(node)) == 2 and not node.kwargs


def _sides(node: fx.Node) -> list[fx.Node]:
    return [side for side in node.args if isinstance(side, fx.Node)]
