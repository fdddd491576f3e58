"""The forward pass of a network in steps: it can stop at a feature, and compute blocks twice.

    images -> [stem] -> x_0 -> [block 0] -> x_1, F_0 -> [block 1] -> x_2, F_1 -> ... -> features

The straight-line graph is cut behind blocks and features. Values go from step to step under their
names, older ones as well as the newest state, so a step computed again in the backward pass has the
history that it had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import fx, nn
from torch.utils.checkpoint import checkpoint

from recform.network.recompute import Piece, in_pieces, is_recording, recompute


@dataclass(frozen=True, eq=False)
class Step:
    """A piece of the forward pass, and the names of what it reads, makes, and reads last.

    `paths` are the modules, parameters and buffers that it uses.
    """

    piece: Piece
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    frees: tuple[str, ...]
    paths: tuple[str, ...]


def steps_of(
    graph: fx.Graph, ends: Sequence[fx.Node], kept: Collection[fx.Node], model: nn.Module
) -> tuple[Step, ...]:
    """The steps of a graph. `ends` are the last nodes of the stem and of each block, in order.

    `kept` are the nodes that a pass may be asked for; there is a cut behind each of them.
    """
    constants = _constants(graph)
    pieces = in_pieces(graph, list(_chunks(graph, ends, kept)), model, kept).pieces
    return tuple(
        Step(
            piece,
            reads=_names(piece.reads),
            makes=_names(piece.makes),
            frees=_names(piece.frees),
            paths=_paths(piece, constants),
        )
        for piece in pieces
    )


def blocks_of(steps: Sequence[Step]) -> dict[str, int]:
    """The block of each path that the steps use, the last that does; -1 in the stem."""
    blocks: dict[str, int] = {}
    block = -1
    for step in steps:
        layer = step.piece.layer
        # Behind the last block is the head.
        block = layer if layer is not None else (block + 1 if block >= 0 else -1)
        blocks.update(dict.fromkeys(step.paths, block))
    return blocks


def run_steps(
    model: nn.Module,
    steps: Sequence[Step],
    images: torch.Tensor,
    wanted: Collection[str],
    twice: bool = False,
) -> dict[str, Any]:
    """The values of the wanted names; with `twice`, blocks are computed again for gradients."""
    values: dict[str, Any] = {"images": images}
    found: dict[str, Any] = {}
    run = _run_twice if twice and torch.is_grad_enabled() else _run
    for step in steps:
        made = run(step.piece, model, [values[name] for name in step.reads])
        for name, value in zip(step.makes, made, strict=True):
            values[name] = value
            if name in wanted:
                found[name] = value
        for name in step.frees:
            del values[name]
    return found


def _run(piece: Piece, model: nn.Module, given: Sequence[Any]) -> Any:
    return piece.run(model, *given)


def _run_twice(piece: Piece, model: nn.Module, given: Sequence[Any]) -> Any:
    if is_recording():
        return recompute(piece, model, given)
    if piece.layer is None or torch.compiler.is_exporting() or torch.jit.is_tracing():
        return piece.run(model, *given)
    # What a compiler runs again changes no buffers.
    return checkpoint(partial(piece.run, model), *given, use_reentrant=False)


def _chunks(
    graph: fx.Graph, ends: Sequence[fx.Node], kept: Collection[fx.Node]
) -> Iterator[tuple[int | None, list[fx.Node]]]:
    """(block, nodes); the block is None in stem and head."""
    chunk: list[fx.Node] = []
    num_ends = 0
    for node in graph.nodes:
        if node.op not in ("placeholder", "output"):
            chunk.append(node)
        if node in ends or node in kept:
            yield (num_ends - 1 if 0 < num_ends < len(ends) else None), chunk
            chunk = []
            num_ends += node in ends
    yield None, chunk


def _names(nodes: Sequence[fx.Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)


def _paths(piece: Piece, constants: Mapping[fx.Node, tuple[str, ...]]) -> tuple[str, ...]:
    """The paths that a piece uses, also by way of values made from parameters alone."""
    modules = [str(node.target) for node in piece.nodes if node.op == "call_module"]
    used = (*piece.nodes, *piece.reads)
    parameters = [path for node in used for path in constants.get(node, ())]
    paths = dict.fromkeys((*modules, *parameters))
    return tuple(path for path in paths if path.split(".")[-1] != "training")


def _constants(graph: fx.Graph) -> dict[fx.Node, tuple[str, ...]]:
    """The values that are made from parameters alone, with the paths of these."""
    made: dict[fx.Node, tuple[str, ...]] = {}
    for node in graph.nodes:
        sources = node.all_input_nodes
        if node.op == "get_attr":
            made[node] = (str(node.target),)
        elif node.op == "call_function" and sources and all(s in made for s in sources):
            made[node] = tuple(path for source in sources for path in made[source])
    return made
