"""A model's forward as one graph, opened down to the modules that hold residual additions.

Modules that every way through the model passes, and that hold additions themselves, are written
out; all others stay calls. So a transformer block becomes two additions between calls of its
norms, its attention and its MLP, while a convolution with its norm stays one call. What a forward
does inside of what stays a call need not be traceable.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_aggregate
from torch.fx.proxy import TraceError

from recform.network.split import Flow, residual_additions
from recform.network.trace import Input, Watch, watching

# Block class -> its arguments that are made from images, and no states: GC ViT's blocks all read
# one query, pooled from what enters their stage; Gemma's rotations are made of places and a dtype.
CONTEXT = {
    "GlobalContextVitBlock": ("q_global",),
    "Gemma4Block": ("rope_cos", "rope_sin"),
}
# Class -> the place, in what its forward returns, of a result for the head alone: EfficientViM
# classifies by the hidden states of its mixers as well.
SIDE_RESULTS = {"HSMSSD": 1, "EfficientViMBlock": 1, "EfficientViMStage": 2}


def open_up(ghost: nn.Module, method: str, images: torch.Tensor) -> fx.Graph:
    """The graph of `ghost.method(images)`.

    `ghost` is put into evaluation; it and `images` are on the meta device. Each node has its value,
    and in `meta["owner"]` the path of the module whose forward it belongs to. Raises TraceError if
    the model's own forward cannot be followed.
    """
    whole = watching(lambda watch: _opened(watch, ghost, method, images))
    graph = fx.Graph()
    start = graph.placeholder("images")
    start.meta.update(value=images, owner="")
    graph.output(_write_out(whole, graph, ghost, [start]))
    return graph


@dataclass
class _Opened:
    """A module's own graph, and those of the calls in it that are written out."""

    path: str
    graph: fx.Graph
    children: dict[fx.Node, _Opened] = field(default_factory=dict)

    @property
    def inputs(self) -> list[fx.Node]:
        return [node for node in self.graph.nodes if node.op == "placeholder"]


def _opened(watch: Watch, ghost: nn.Module, method: str, images: torch.Tensor) -> _Opened:
    ghost.eval()
    watch.switches = any(type(inner).train is not nn.Module.train for inner in ghost.modules())
    whole = _Opened("", _trace(watch, ghost, method, (Input("images", images),), {}))
    _open_children(watch, whole, ghost)
    return whole


def _open_children(watch: Watch, opened: _Opened, module: nn.Module, data: int = 0) -> bool:
    """Open what holds additions; whether there are any, here or further down."""
    _mark_context(opened.graph, module)
    flow = Flow(opened.graph, opened.inputs[data])
    for node in flow.line():
        child = module.get_submodule(str(node.target)) if node.op == "call_module" else None
        if child is None or not any(True for _ in child.children()):
            continue
        sources = _leaf_nodes(node)
        states = [place for place, source in enumerate(sources) if source in flow]
        if len(states) != 1:
            continue
        try:
            inner = _Opened(_join(opened.path, str(node.target)), _trace_call(watch, child, node))
        except TraceError:
            continue
        if _open_children(watch, inner, child, states[0]):
            opened.children[node] = inner
    return bool(opened.children) or bool(residual_additions(opened.graph, flow, module))


def _mark_context(graph: fx.Graph, module: nn.Module) -> None:
    for node in graph.nodes:
        child = module.get_submodule(str(node.target)) if node.op == "call_module" else None
        names = CONTEXT.get(type(child).__name__, ())
        if child is not None and names:
            bound = signature(child.forward).bind(*node.args, **node.kwargs).arguments
            for argument in (bound.get(name) for name in names):
                if isinstance(argument, fx.Node):
                    argument.meta["is_context"] = True
        side = SIDE_RESULTS.get(type(child).__name__)
        for user in node.users if side is not None else ():
            if user.target is operator.getitem and user.args[1] == side:
                user.meta["is_context"] = True


def _trace_call(watch: Watch, module: nn.Module, node: fx.Node) -> fx.Graph:
    def as_input(leaf: Any) -> Any:
        return Input(leaf.name, leaf.meta["value"]) if isinstance(leaf, fx.Node) else leaf

    return _trace(watch, module, "forward", map_aggregate(node.args, as_input),
                  map_aggregate(dict(node.kwargs), as_input))  # fmt: skip


def _trace(watch: Watch, module: nn.Module, method: str, arguments: Any, keywords: Any) -> fx.Graph:
    """One graph for evaluation and training; `self.training` is read where it matters."""
    graph = watch.trace(module, method, arguments, keywords)
    if not watch.asked_mode:
        return graph
    training = watch.trace(module.train(), method, arguments, keywords, twin=graph)
    module.eval()
    if len(training.nodes) != len(graph.nodes):
        raise TraceError("the forward runs other code in training")
    for node, twin in zip(list(graph.nodes), list(training.nodes), strict=True):
        if (node.op, node.target) != (twin.op, twin.target):
            raise TraceError("the forward runs other code in training")
        node.args = _merge(node.args, twin.args, graph, node)
        node.kwargs = _merge(node.kwargs, twin.kwargs, graph, node)
    return graph


def _merge(mine: Any, twins: Any, graph: fx.Graph, node: fx.Node) -> Any:
    """An argument for both modes; where it is False and True, it is the module's own mode."""
    if isinstance(mine, fx.Node) and isinstance(twins, fx.Node) and mine.name == twins.name:
        return mine
    if isinstance(mine, tuple | list) and isinstance(twins, type(mine)) and len(mine) == len(twins):
        return type(mine)(_merge(a, b, graph, node) for a, b in zip(mine, twins, strict=True))
    if isinstance(mine, slice) and isinstance(twins, slice):
        bounds = ((mine.start, twins.start), (mine.stop, twins.stop), (mine.step, twins.step))
        return slice(*(_merge(a, b, graph, node) for a, b in bounds))
    if isinstance(mine, dict) and isinstance(twins, dict) and mine.keys() == twins.keys():
        return {key: _merge(mine[key], twins[key], graph, node) for key in mine}
    if mine is False and twins is True:
        with graph.inserting_before(node):
            mode = graph.get_attr("training")
        mode.meta["value"] = False
        return mode
    if isinstance(mine, fx.Node) or isinstance(twins, fx.Node) or mine != twins:
        raise TraceError("the forward runs other code in training")
    return mine


def _write_out(opened: _Opened, graph: fx.Graph, ghost: nn.Module, inputs: list[Any]) -> Any:
    """Copy a module's graph and those of its opened children; what it returns comes back."""
    copies: dict[fx.Node, Any] = dict(zip(opened.inputs, inputs, strict=True))
    for node in opened.graph.nodes:
        if node.op == "output":
            return map_aggregate(node.args[0], lambda leaf: copies.get(leaf, leaf))  # type: ignore[arg-type]
        if node in opened.children:
            given = [copies[source] for source in _leaf_nodes(node)]
            copies[node] = _write_out(opened.children[node], graph, ghost, given)
        elif node.op != "placeholder":
            copies[node] = _copy(node, copies, graph, opened.path, ghost)
    raise AssertionError("a graph has an output")


def _copy(node: fx.Node, copies: dict[fx.Node, Any], graph: fx.Graph, path: str,
          ghost: nn.Module) -> Any:  # fmt: skip
    if node.op == "call_function" and node.target.__name__ == "getitem":  # type: ignore[union-attr]
        whole = copies.get(node.args[0])  # type: ignore[arg-type]
        if isinstance(whole, tuple | list | dict):
            # What an opened child returned is in pieces already.
            return whole[node.args[1]]  # type: ignore[index]
    if node.op == "call_module":
        target = _join(path, str(node.target))
        if type(ghost.get_submodule(target)) is nn.Identity:
            source = copies[node.args[0]]  # type: ignore[index]
            if node.meta.get("is_context"):
                source.meta["is_context"] = True
            return source
    new = graph.node_copy(node, lambda old: copies[old])
    new.meta = {**node.meta, "owner": path}
    if node.op in ("call_module", "get_attr"):
        new.target = _join(path, str(node.target))
    return new


def _leaf_nodes(node: fx.Node) -> list[fx.Node]:
    """The nodes among the arguments of a call, in order, as often as they stand there."""
    leaves: list[Any] = []
    map_aggregate((node.args, dict(node.kwargs)), leaves.append)
    return [leaf for leaf in leaves if isinstance(leaf, fx.Node)]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
