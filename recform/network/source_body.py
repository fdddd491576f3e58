"""The graph of a forward pass up to what is handed on, for a reader.

    logits     of a network: the whole graph, and its head is written apart
    a state    of a network that was cut short: the graph up to that state, and its head as well
    a list     of an extractor of features: each state as an image, behind all that is run for them

What is run and not read stays: a norm in training keeps its statistics there as well.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from timm.models._features import FeatureGetterNet
from torch import Tensor, fx, nn
from torch.fx.node import map_arg

from recform.network.exported import Exported, features_taken, network_of
from recform.network.features import Feature
from recform.network.opening import open_up
from recform.network.surface import FormulaNetwork, formatted, values_of


def body_of(exported: Exported, ghost: nn.Module, images: Tensor) -> fx.Graph:
    """The graph from images to what is handed on, every node with its `meta["value"]`.

    `ghost` is the network on the meta device.
    """
    network = network_of(exported)
    body, states, end = _up_to_the_end(network)
    taken = features_taken(exported)
    if taken is None:
        body.output(end)
        _run(body, ghost, images)
        return body
    assert isinstance(exported, FeatureGetterNet), "nothing else takes features"
    features = [network.architecture.features[index] for index in taken]
    found = [_sum(body, states, feature) for feature in features]
    if exported.norm:
        found = [_normed(body, state, network.architecture.norm) if feature.fits_norm else state
                 for feature, state in zip(features, found, strict=True)]  # fmt: skip
    body.output(found)
    _run(body, ghost, images)
    written = [_as_asked(body, state, feature, str(exported.output_fmt.value))
               for feature, state in zip(features, found, strict=True)]  # fmt: skip
    body.output_node().args = (written,)
    return body


class Values(fx.Interpreter):
    """Runs a graph and keeps what each node came to."""

    def run_node(self, n: fx.Node) -> Any:
        n.meta["value"] = super().run_node(n)
        return n.meta["value"]


def _run(body: fx.Graph, ghost: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        Values(ghost, graph=body).run(images)


def _up_to_the_end(network: FormulaNetwork) -> tuple[fx.Graph, Mapping[str, fx.Node], Any]:
    """A copy of the graph without output, its nodes by their names, and what it would hand on."""
    last = network.last_feature
    body = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    kept = None if last is None else _run_until(network, last)
    whole: Any = None
    for node in network.architecture.graph.nodes:
        if node.op == "output":
            whole = node.args[0]
        elif node.op == "placeholder" or kept is None or node in kept:
            copies[node] = body.node_copy(node, copies.__getitem__)
    states = {node.name: copy for node, copy in copies.items()}
    if last is None:
        return body, states, map_arg(whole, copies.__getitem__)
    return body, states, _sum(body, states, network.architecture.features[last])


def _run_until(network: FormulaNetwork, last: int) -> Collection[fx.Node]:
    """The nodes that a network runs which was cut short behind a feature."""
    steps, _ = network.steps_to(last)
    return {node for step in steps for node in step.piece.nodes}


def _sum(body: fx.Graph, states: Mapping[str, fx.Node], feature: Feature) -> fx.Node:
    """A feature's state: of several streams the sum."""
    parts = [states[name] for name in values_of(feature)]
    return reduce(lambda left, right: body.call_function(operator.add, (left, right)), parts)


def _normed(body: fx.Graph, state: fx.Node, norms: Sequence[str]) -> fx.Node:
    return reduce(lambda value, path: body.call_module(path, (value,)), norms, state)


class _AsAsked(nn.Module):
    def __init__(self, feature: Feature, output_fmt: str) -> None:
        super().__init__()
        self._how = feature, output_fmt

    def forward(self, state: Tensor) -> Tensor:
        return formatted(state, *self._how, False)


def _as_asked(body: fx.Graph, state: fx.Node, feature: Feature, output_fmt: str) -> fx.Node:
    """A state as an image or as a list of tokens: the steps of that, written out."""
    inner = open_up(_AsAsked(feature, output_fmt), "forward", state.meta["value"])
    copies: dict[fx.Node, Any] = {}
    with body.inserting_before(body.output_node()):
        for node in inner.nodes:
            if node.op == "output":
                return copies[node.args[0]]  # type: ignore[index]
            is_state = node.op == "placeholder"
            copies[node] = state if is_state else body.node_copy(node, copies.__getitem__)
    raise AssertionError("a graph has an output")
