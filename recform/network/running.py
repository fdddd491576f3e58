"""Shapes found by running: an example goes through the graph while the graph is made."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg

from recform.errors import UserError
from recform.network.functions import Layout
from recform.network.mode import evaluating


@dataclass
class Shapes:
    """The layouts of nodes. What is asked for is computed, once, with all that comes before it."""

    root: nn.Module
    graph: fx.Graph
    stem: fx.Node
    example: torch.Tensor | None
    channel_axis: int | None
    known: dict[fx.Node, Any] = field(default_factory=dict)

    def layout(self, node: fx.Node) -> Layout:
        """Raises UserError `no-example` if there is none to run."""
        if self.example is None:
            raise UserError("no-example", "the formula has weights of its own, whose shapes are "
                            "those of the values", "pass example=torch.zeros(2, 64), an input "
                            "that the blocks are run on once")  # fmt: skip
        value = self._run_to(node)
        axis = self.channel_axis
        if axis is None:
            axis = 1 if value.ndim == 4 else value.ndim - 1
        axis %= value.ndim
        return Layout(value.shape[axis], axis, value.ndim)

    def _run_to(self, node: fx.Node) -> torch.Tensor:
        with evaluating(self.root), torch.no_grad():
            for each in self.graph.nodes:
                if each not in self.known:
                    self.known[each] = self._run(each)
        return self.known[node]

    def _run(self, node: fx.Node) -> Any:
        return self.example if node is self.stem else run_node(node, self.root, self.known)


def run_node(node: fx.Node, root: nn.Module, values: Mapping[fx.Node, Any]) -> Any:
    """What a node computes from the values of the nodes that it reads."""
    arguments, keywords = map_arg((node.args, node.kwargs), values.__getitem__)
    match node.op:
        case "call_function":
            return node.target(*arguments, **keywords)  # type: ignore[operator]
        case "call_method":
            return getattr(arguments[0], str(node.target))(*arguments[1:], **keywords)
        case "call_module":
            return root.get_submodule(str(node.target))(*arguments, **keywords)
        case "get_attr":
            return operator.attrgetter(str(node.target))(root)
    raise AssertionError(f"a {node.op} has no value of its own")
