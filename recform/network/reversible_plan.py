"""The way back through a layer, found before it is gone: what is run, and what is solved for.

A layer's nodes are taken in whatever order makes each known: a node is run once all that it reads
is known, and an operand of a sum is solved for once the sum is. A layer whose older states become
known in this way is reversible, and such layers, one behind the other, are a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from torch import fx, nn

from recform.network.recompute import Piece, Pieces, part_of
from recform.network.running import run_node
from recform.network.sums import Equation, equation_of


@dataclass(frozen=True, eq=False)
class Backwards:
    """How the values of a piece come back from what lives behind it.

    `copies` are the piece's nodes in a graph of its own. `order` has each node that is run, and
    each that is solved for with the node whose equation gives it. `kept` are the nodes at which the
    chain of gradients is cut: gradients go through a cluster of nodes at a time. `ends` are the
    states of the piece's own nodes that nothing reads behind it.
    """

    piece: Piece
    graph: fx.Graph
    copies: Mapping[fx.Node, fx.Node]
    order: tuple[tuple[fx.Node, fx.Node | None], ...]
    kept: frozenset[fx.Node]
    ends: frozenset[fx.Node]

    @property
    def nodes(self) -> list[fx.Node]:
        return [node for node in self.graph.nodes if node.op not in ("placeholder", "output")]


@dataclass(frozen=True, eq=False)
class Run:
    """Reversible layers, one behind the other, that run as one function of autograd."""

    layers: tuple[Backwards, ...]
    reads: tuple[fx.Node, ...]
    makes: tuple[fx.Node, ...]
    frees: tuple[fx.Node, ...]

    def parameters(self, model: nn.Module) -> list[nn.Parameter]:
        found: dict[int, nn.Parameter] = {}
        for backwards in self.layers:
            for parameter in parameters_of(backwards.piece.nodes, model):
                found[id(parameter)] = parameter
        return list(found.values())


def with_runs(pieces: Pieces, graph: fx.Graph, model: nn.Module) -> Pieces:
    """The pieces, those that are reversible put together to runs."""
    constant = _constants(graph)
    backwards = {piece: _backwards(piece, constant, model) for piece in pieces.pieces}
    parts: list[Piece | Run] = []
    for is_reversible, group in groupby(pieces.pieces, lambda p: backwards[p] is not None):
        members = list(group)
        parts += [_run([b for p in members if (b := backwards[p])])] if is_reversible else members
    return Pieces(pieces.given, tuple(parts), pieces.output)  # type: ignore[arg-type]


def _constants(graph: fx.Graph) -> frozenset[fx.Node]:
    """The nodes that no input reaches: parameters and what is made from them."""
    constant: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op != "placeholder" and all(read in constant for read in node.all_input_nodes):
            constant.add(node)
    return frozenset(constant)


def _backwards(piece: Piece, constant: frozenset[fx.Node], model: nn.Module) -> Backwards | None:
    """The way back through a piece; None if no equation gives a state that ends in it."""
    if piece.layer is None:
        return None
    kept = {node for node in piece.nodes
            if node.meta.get("values") or is_sum(node) or len(node.users) > 1}  # fmt: skip
    graph, copies = part_of(piece.nodes, piece.reads, piece.makes, model, frozenset(kept))
    states = {node for node in piece.frees if node.meta.get("values") and node not in constant}
    known = {copies[node] for node in (*piece.makes, *piece.reads) if node not in states}
    solvable = {copies[node] for node in (*piece.reads, *piece.nodes) if node.meta.get("values")}
    order = _order(graph, known, solvable)
    if not known.issuperset(copies[node] for node in states):
        return None
    cuts = {copies[node] for node in (*kept, *piece.reads)}
    return Backwards(piece, graph, copies, tuple(order), frozenset(cuts), frozenset(states))


def _order(
    graph: fx.Graph, known: set[fx.Node], solvable: set[fx.Node]
) -> list[tuple[fx.Node, fx.Node | None]]:
    """What is run and what is solved, in order; `known` grows by it.

    A block whose result is known is run as well, since its gradients are wanted.
    """
    order: list[tuple[fx.Node, fx.Node | None]] = []
    nodes = [n for n in graph.nodes if n.op not in ("placeholder", "output") and n.users]
    waiting = dict.fromkeys(nodes)
    grows = True
    while grows:
        grows = False
        for node in list(waiting):
            missing = [read for read in node.all_input_nodes if read not in known]
            equation = equation_of(node)
            if not missing:
                if node not in known or not is_sum(node):
                    order.append((node, None))
                known.add(node)
                del waiting[node]
                grows = True
            elif node in known and equation is not None and _is_solved(equation, missing, solvable):
                order.append((missing[0], node))
                known.add(missing[0])
                grows = True
    return order


def _is_solved(
    equation: Equation, missing: Sequence[fx.Node], solvable: Collection[fx.Node]
) -> bool:
    return len(missing) == 1 and missing[0] in solvable and equation.gives(missing[0])


def _run(layers: Sequence[Backwards]) -> Run:
    pieces = [backwards.piece for backwards in layers]
    inside = {node for piece in pieces for node in piece.makes}
    freed = {node for piece in pieces for node in piece.frees}
    reads = dict.fromkeys(node for piece in pieces for node in piece.reads if node not in inside)
    return Run(
        layers=tuple(layers),
        reads=tuple(reads),
        makes=tuple(node for piece in pieces for node in piece.makes if node not in freed),
        frees=tuple(node for node in reads if node in freed),
    )


def parameters_of(nodes: Sequence[fx.Node], model: nn.Module) -> Iterator[nn.Parameter]:
    for node in nodes:
        if node.op == "call_module":
            yield from model.get_submodule(str(node.target)).parameters()
        elif node.op == "get_attr":
            value = run_node(node, model, {})
            if isinstance(value, nn.Parameter):
                yield value


def is_sum(node: fx.Node) -> bool:
    equation = equation_of(node)
    return equation is not None and equation.is_linear


def cluster_of(node: fx.Node, kept: frozenset[fx.Node]) -> tuple[list[fx.Node], list[fx.Node]]:
    """The kept nodes that a node is made from, and the nodes on the way."""
    sources: dict[fx.Node, None] = {}
    inside: dict[fx.Node, None] = {}
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner in inside:
            continue
        inside[inner] = None
        for read in inner.all_input_nodes:
            if read in kept:
                sources[read] = None
            else:
                stack.append(read)
    return list(sources), list(inside)
