"""The forward pass of a network as graphs for a reader: features and head, opened where it helps.

What timm wraps in a class of its own and comes to a few calls (a convolution with its norm, an MLP,
a pooling) is written out; attention and the like stay calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from timm.layers import BatchNormAct2d
from torch import fx, nn
from torch.fx.node import map_arg
from torch.fx.proxy import TraceError
from torch.nn import functional

from recform.network.exported import Exported, features_taken, network_of
from recform.network.ghost import ghost_of
from recform.network.opening import open_up
from recform.network.source_body import body_of

# A module that comes to more calls than these has a name for a reason.
MAX_OPENED = 8
# Activations without weights, as functions.
_FUNCTIONS = {nn.ReLU: functional.relu, nn.SiLU: functional.silu, nn.Sigmoid: torch.sigmoid,
              nn.Tanh: torch.tanh, nn.Hardswish: functional.hardswish}  # fmt: skip


@dataclass(frozen=True)
class ForwardPass:
    """`head` is None where `body` is the forward of the whole.

    That is so of an extractor of features, and of a network without forward_features.
    """

    method: str
    body: fx.Graph
    head: fx.Graph | None


def forward_pass(exported: Exported, image_size: tuple[int, int, int]) -> ForwardPass:
    """The forward pass, every node with its `meta["value"]` on the meta device.

    Raises TraceError if the head cannot be followed.
    """
    network = network_of(exported)
    ghost = ghost_of(network).eval()
    images = torch.empty(2, *image_size, device="meta", dtype=_precision(network))
    body = body_of(exported, ghost, images)
    if features_taken(exported) is not None or not hasattr(network, "forward_features"):
        return ForwardPass("forward", _opened(body, ghost), None)
    (made,) = body.output_node().all_input_nodes
    head = open_up(ghost, "forward_head", made.meta["value"])
    next(iter(head.nodes))._rename("features")
    return ForwardPass("forward_features", _opened(body, ghost), _opened(head, ghost))


def _precision(network: nn.Module) -> torch.dtype:
    floating = (p.dtype for p in network.parameters() if p.is_floating_point())
    return next(floating, torch.float32)


def _opened(graph: fx.Graph, ghost: nn.Module) -> fx.Graph:
    """A copy of the graph in which small modules are written out."""
    new = fx.Graph()
    copies: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node.op == "output":
            new.output(map_arg(node.args[0], copies.__getitem__))
        else:
            copies[node] = _copy(node, new, copies, ghost)
    return new


def _copy(node: fx.Node, new: fx.Graph, copies: dict[fx.Node, Any], ghost: nn.Module) -> Any:
    module = ghost.get_submodule(str(node.target)) if node.op == "call_module" else None
    if module is not None and is_plain_norm(module):
        assert isinstance(module, BatchNormAct2d), "nothing else is"
        return _norm_then_act(node, new, copies, module)
    inner = None if module is None else _inside(node, module)
    if inner is None:
        return new.node_copy(node, copies.__getitem__)
    assert module is not None, "what is opened is a module"
    (argument,) = node.args
    below: dict[fx.Node, Any] = {}
    for each in inner.nodes:
        if each.op == "placeholder":
            below[each] = copies[argument]  # type: ignore[index]
        elif each.op == "output":
            made = below[each.args[0]]  # type: ignore[index]
        else:
            below[each] = _copy(_moved(each, str(node.target)), new, below, ghost)
    made.meta.update({key: node.meta[key] for key in ("values",) if key in node.meta})
    return made


def _inside(node: fx.Node, module: nn.Module) -> fx.Graph | None:
    """A module's own forward, if it is timm's and short."""
    if not _is_timms(module) or len(node.args) != 1 or node.kwargs:
        return None
    value = getattr(node.args[0], "meta", {}).get("value")
    if not isinstance(value, torch.Tensor):
        return None
    try:
        inner = open_up(module, "forward", value)
    except TraceError:
        return None
    calls = [each for each in inner.nodes if each.op not in ("placeholder", "output")]
    ends_simply = isinstance(next(reversed(inner.nodes)).args[0], fx.Node)
    reads_own = any(each.op == "get_attr" for each in calls)
    return inner if ends_simply and not reads_own and 0 < len(calls) <= MAX_OPENED else None


def _is_timms(module: nn.Module) -> bool:
    if type(module) is nn.Sequential:
        return any(_is_timms(child) for child in module)
    return type(module).__module__.startswith("timm.")


def _moved(node: fx.Node, path: str) -> fx.Node:
    """A node of a module's own graph, with its path from the whole."""
    if node.op == "call_module":
        node.target = f"{path}.{node.target}"
    return node


def is_plain_norm(module: nn.Module) -> bool:
    """Whether it is timm's BatchNorm2d followed by an activation without weights."""
    if type(module) is not BatchNormAct2d:
        return False
    act = type(module.act)
    return type(module.drop) is nn.Identity and (act is nn.Identity or act in _FUNCTIONS)


def _norm_then_act(
    node: fx.Node, new: fx.Graph, copies: dict[fx.Node, Any], norm: BatchNormAct2d
) -> fx.Node:
    normed = new.node_copy(node, copies.__getitem__)
    if type(norm.act) is nn.Identity:
        return normed
    values = normed.meta.pop("values", None)
    acted = new.call_function(_FUNCTIONS[type(norm.act)], (normed,))
    acted.meta["value"] = normed.meta["value"]
    if values is not None:
        acted.meta["values"] = values
    return acted
