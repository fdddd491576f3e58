"""The forward pass in pieces, one for each layer of the formula, that the backward pass runs again.

An ordinary step keeps what every module inside of a block reads. In pieces it keeps what goes from
one piece to the next: states, and block outputs that a later layer reads. The rest is computed a
second time when its gradients are wanted (Chen et al. 2016, arXiv 1604.06174), to the same bits:
the random state is put back, and running statistics are read but not written a second time.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

_numbers = count()

Run = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Piece:
    """Nodes that run together. `run(model, *reads)` returns what later pieces read, `makes`.

    After the piece, nothing reads `frees` any more. `layer` is None for what lies before the first
    layer and behind the last one.
    """

    layer: int | None
    nodes: tuple[fx.Node, ...]
    reads: tuple[fx.Node, ...]
    makes: tuple[fx.Node, ...]
    frees: tuple[fx.Node, ...]
    run: Run

    def modules(self, model: nn.Module) -> list[nn.Module]:
        targets = dict.fromkeys(str(n.target) for n in self.nodes if n.op == "call_module")
        return [model.get_submodule(target) for target in targets]


@dataclass(frozen=True, eq=False)
class Pieces:
    """A graph cut into pieces, in the order in which they run."""

    given: tuple[fx.Node, ...]
    pieces: tuple[Piece, ...]
    output: Any

    def __deepcopy__(self, memo: dict[int, Any]) -> Pieces:
        """Itself: it is code, and holds no weights."""
        return self

    def __call__(self, model: nn.Module, *inputs: Any, how: Callable[..., Any]) -> Any:
        """The output of the graph; `how(piece, model, read)` runs a piece."""
        values: dict[fx.Node, Any] = dict(zip(self.given, inputs, strict=True))
        for piece in self.pieces:
            made = how(piece, model, [values[node] for node in piece.reads])
            values.update(zip(piece.makes, made, strict=True))
            for node in piece.frees:
                del values[node]
        return map_arg(self.output, values.__getitem__)


def recompute(piece: Piece, model: nn.Module, read: Sequence[Any]) -> Any:
    """Run a piece so that its backward pass computes it again; stem and head run as ever."""
    if piece.layer is None:
        return piece.run(model, *read)
    contexts = partial(_contexts, piece, model)
    run = partial(piece.run, model)
    return checkpoint(run, *read, use_reentrant=False, context_fn=contexts)


def is_recording() -> bool:
    """Whether a backward pass may come in ordinary Python; compilers plan their own."""
    return torch.is_grad_enabled() and not (
        torch.compiler.is_compiling() or torch.jit.is_tracing()
    )  # fmt: skip


def cut(graph: fx.Graph, ends: Sequence[int], model: nn.Module) -> Pieces:
    """The graph in pieces that end where layers do.

    `ends` are values of the tape (`tape.layer_ends`): the last of the starts, then the last of each
    layer. What would be overwritten in place, and is read from outside of a piece, is copied first.
    """
    nodes = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
    chunks = [(layer, nodes[first:end]) for layer, first, end in _borders(nodes, ends)]
    return in_pieces(graph, chunks, model)


def in_pieces(
    graph: fx.Graph,
    chunks: Sequence[tuple[int | None, Sequence[fx.Node]]],
    model: nn.Module,
    kept: Collection[fx.Node] = (),
) -> Pieces:
    """The graph in pieces: for each its layer and its nodes, all nodes in their order.

    `kept` are values that a piece hands on whether a later one reads them or not.
    """
    given = tuple(node for node in graph.nodes if node.op == "placeholder")
    (output,) = (node.args[0] for node in graph.nodes if node.op == "output")
    chunks = [(layer, chunk) for layer, chunk in chunks if chunk]
    last = {read: place for place, (_, chunk) in enumerate(chunks)
            for node in chunk for read in node.all_input_nodes}  # fmt: skip
    map_arg(output, lambda node: last.__setitem__(node, len(chunks)))
    pieces = tuple(_piece(layer, chunk, place, last, model, kept)
                   for place, (layer, chunk) in enumerate(chunks))  # fmt: skip
    return Pieces(given, pieces, output)


def _borders(nodes: Sequence[fx.Node], ends: Sequence[int]) -> list[tuple[int | None, int, int]]:
    """(layer, first node, node behind the last), over all nodes."""
    behind = []
    for end in ends:
        made = [place + 1 for place, node in enumerate(nodes)
                if any(value <= end for value in node.meta.get("values", ()))]  # fmt: skip
        behind.append(max(made, default=0))
    layers = [(layer, first, end) for layer, (first, end) in enumerate(pairwise(behind))]
    return [(None, 0, behind[0]), *layers, (None, behind[-1], len(nodes))]


def _piece(layer: int | None, chunk: Sequence[fx.Node], place: int, last: Mapping[fx.Node, int],
           model: nn.Module, kept: Collection[fx.Node]) -> Piece:  # fmt: skip
    inside = set(chunk)
    reads = dict.fromkeys(read for node in chunk for read in node.all_input_nodes
                          if read not in inside)  # fmt: skip
    makes = tuple(node for node in chunk if node in kept or last.get(node, place) > place)
    frees = tuple(node for node in (*reads, *makes) if last.get(node, place) <= place)
    part, _ = part_of(chunk, tuple(reads), makes, model)
    return Piece(layer, tuple(chunk), tuple(reads), makes, frees, code_of(part))


def part_of(
    chunk: Sequence[fx.Node],
    reads: Sequence[fx.Node],
    makes: Sequence[fx.Node],
    model: nn.Module,
    also_kept: frozenset[fx.Node] = frozenset(),
) -> tuple[fx.Graph, dict[fx.Node, fx.Node]]:
    """The nodes as a graph of their own, and which node became which.

    Nothing overwrites what it reads from outside, nor `also_kept`: it gets a copy of it.
    """
    graph = fx.Graph()
    copies = {node: graph.placeholder(node.name) for node in reads}
    kept = {*reads, *also_kept}
    for node in chunk:
        if kept.intersection(node.all_input_nodes) and overwrites(node, model):
            first = node.args[0]
            own = graph.call_function(torch.clone, (copies[first],))  # type: ignore[index]
            copies[node] = graph.node_copy(node, lambda old, f=first, o=own: o if old is f
                                           else copies[old])  # fmt: skip
        else:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in makes))
    return graph, copies


def overwrites(node: fx.Node, model: nn.Module) -> bool:
    """Whether a node may work in place on its first argument."""
    if node.op == "call_module":
        module = model.get_submodule(str(node.target))
        return any(getattr(inner, "inplace", False) for inner in module.modules())
    name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
    return (
        node.meta.get("overwrites", False)
        or bool(node.kwargs.get("inplace", False))
        or (node.op != "get_attr" and writes(name))
    )


def writes(name: str) -> bool:
    """Whether torch's function of this name works in place."""
    return (name.endswith("_") and not name.endswith("__")) or name.startswith("__i")


def code_of(graph: fx.Graph) -> Run:
    """A graph as a function of the model and its inputs."""
    code = graph.python_code(root_module="self")
    file = f"<recform piece {next(_numbers)}>"
    linecache.cache[file] = (len(code.src), None, code.src.splitlines(keepends=True), file)
    scope = dict(code.globals)
    exec(compile(code.src, file, "exec"), scope)
    return scope["forward"]


def _contexts(piece: Piece, model: nn.Module) -> tuple[Any, Any]:
    return nullcontext(), buffers_kept(piece.modules(model))


@contextmanager
def buffers_kept(modules: Sequence[nn.Module]) -> Iterator[None]:
    """What runs in here reads the modules' buffers, and writes to copies of them.

    So a second run of a BatchNorm leaves its running statistics alone. Only this thread is
    concerned, and the modules stay as they are.
    """
    with _Copying(frozenset(id(b) for module in modules for b in module.buffers())):
        yield


class _Copying(TorchFunctionMode):
    def __init__(self, buffers: frozenset[int]) -> None:
        super().__init__()
        self._buffers = buffers

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name.endswith("norm") or writes(name):
            args = tuple(map(self._own, args))
            kwargs = {key: self._own(value) for key, value in kwargs.items()}
        return func(*args, **kwargs)

    def _own(self, value: Any) -> Any:
        return value.clone() if id(value) in self._buffers else value
