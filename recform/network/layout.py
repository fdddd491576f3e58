"""Passages that only rearrange: the same numbers as an image and as a list of tokens.

Swin adds attention to an image (B H W C) and its MLP to tokens (B N C); DaViT and TinyViT change
between B C H W and tokens at every unit. Such a passage is no border: the state keeps the layout in
which its stage begins, and each unit is given the layout that it wants and brought back from it.

    image + [flatten -> F -> unflatten]      instead of      flatten -> [+ F] -> unflatten

The numbers are the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import fx

from recform.network.split import Flow
from recform.network.trace import value_of

_RESHAPES = ("reshape", "view", "flatten", "unflatten", "contiguous", "squeeze", "unsqueeze")


@dataclass(frozen=True)
class Passage:
    """Rearranging calls in order; the first reads `start`."""

    start: fx.Node
    nodes: tuple[fx.Node, ...]


def passage_between(start: fx.Node, end: fx.Node, flow: Flow) -> Passage | None:
    """The way from one state to another, if it only rearranges; None if it computes."""
    nodes: list[fx.Node] = []
    node = end
    while node is not start:
        inputs = flow.inputs(node)
        if not rearranges(node) or len(inputs) != 1:
            return None
        nodes.append(node)
        node = inputs[0]
    return Passage(start, tuple(reversed(nodes)))


def undo(node: fx.Node, value: fx.Node, argument: fx.Node, graph: fx.Graph) -> fx.Node:
    """A value in the layout that a rearranging call makes, in that of its `argument`."""
    if node.target == "transpose":
        return graph.call_method("transpose", (value, *node.args[1:]))
    if node.target == "permute":
        axes = _axes(node)
        back = [axes.index(place) for place in range(len(axes))]
        return graph.call_method("permute", (value, *back))
    return graph.call_method("reshape_as", (value, argument))


def is_round_trip(passages: tuple[Passage, ...]) -> bool:
    """Whether passages, one behind the other, bring every number back to its place."""
    shape = passages[0].start.meta["value"].shape
    before = state = torch.arange(shape.numel(), device="cpu").reshape(shape)
    for passage in passages:
        for node in passage.nodes:
            _, *rest = value_of(node.args)
            state = getattr(state, str(node.target))(*rest, **value_of(dict(node.kwargs)))
    return state.shape == before.shape and torch.equal(state, before)


def rearranges(node: fx.Node) -> bool:
    """Whether a call gives the same numbers in another layout."""
    return node.op == "call_method" and node.target in (*_RESHAPES, "transpose", "permute")


def _axes(node: fx.Node) -> list[int]:
    """The axes of a permute call, counted from the front."""
    first = node.args[1]
    axes = list(first) if isinstance(first, tuple | list) else list(node.args[1:])
    return [int(axis) % len(axes) for axis in axes]  # type: ignore[arg-type]
