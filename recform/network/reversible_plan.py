"""The way back through a layer, found before it is gone: what is run, and what is solved for.

A layer's nodes are taken in whatever order makes each known: a node is run once all that it reads
is known, and an operand of a sum is solved for once the sum is. A layer whose older states become
known in this way is reversible, and such layers, one behind the other, are a run.

What an older layer made of a state that still lives is made of it again: a block that runs once
more. Where that layer stands before the run, its value is held instead, one or two for each run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from torch import fx, nn

from recform.network.recompute import Piece, Pieces, part_of
from recform.network.remade import Older, sources_of
from recform.network.running import run_node
from recform.network.sums import Equation, equation_of


@dataclass(frozen=True, eq=False)
class Backwards:
    """How the values of a piece come back from what lives behind it.

    `copies` are the piece's nodes in a graph of its own. `order` has each node that is run, and
    each that is solved for with the node whose equation gives it. `kept` are the nodes at which the
    chain of gradients is cut: gradients go through a cluster of nodes at a time. `ends` are the
    states of the piece's own nodes that nothing reads behind it, `held` those of them that are kept
    all the same. `again` are nodes of older pieces, copied here to be run again, and `sources` what
    they read that the piece does not.
    """

    piece: Piece
    graph: fx.Graph
    copies: Mapping[fx.Node, fx.Node]
    order: tuple[tuple[fx.Node, fx.Node | None], ...]
    kept: frozenset[fx.Node]
    ends: frozenset[fx.Node]
    held: frozenset[fx.Node]
    again: frozenset[fx.Node]
    sources: tuple[fx.Node, ...]

    @property
    def nodes(self) -> list[fx.Node]:
        """The piece's own nodes."""
        return [node for node in self.graph.nodes
                if node.op not in ("placeholder", "output") and node not in self.again]  # fmt: skip

    @cached_property
    def originals(self) -> Mapping[fx.Node, fx.Node]:
        return {copy: node for node, copy in self.copies.items()}

    def modules(self, model: nn.Module) -> list[nn.Module]:
        """What runs on the way back."""
        targets = dict.fromkeys(str(n.target) for n in self.graph.nodes if n.op == "call_module")
        return [model.get_submodule(target) for target in targets]


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


def with_runs(
    pieces: Pieces, graph: fx.Graph, model: nn.Module, states: Collection[fx.Node]
) -> Pieces:
    """The pieces, those that are reversible put together to runs; `states` hold the states."""
    older = Older(pieces, _constants(graph), frozenset(states))
    backwards = {piece: _backwards(piece, older, model, None) for piece in pieces.pieces}
    parts: list[Piece | Run] = []
    for is_reversible, group in groupby(pieces.pieces, lambda p: backwards[p] is not None):
        members = list(group)
        if not is_reversible:
            parts += members
            continue
        layers = (_backwards(piece, older, model, members) for piece in members)
        parts.append(_run([layer for layer in layers if layer is not None]))
    return Pieces(pieces.given, tuple(parts), pieces.output)  # type: ignore[arg-type]


def _constants(graph: fx.Graph) -> frozenset[fx.Node]:
    """The nodes that no input reaches: parameters and what is made from them."""
    constant: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op != "placeholder" and all(read in constant for read in node.all_input_nodes):
            constant.add(node)
    return frozenset(constant)


def _backwards(
    piece: Piece, older: Older, model: nn.Module, members: Sequence[Piece] | None
) -> Backwards | None:
    """The way back through a piece; None if no equation gives a state that ends in it.

    `members` are the pieces of its run, if that is known; what cannot be made again there is held.
    """
    if piece.layer is None:
        return None
    ends = {n for n in piece.frees if n.meta.get("values") and n not in older.constant}
    plain = _planned(piece, ends, (), (), model)
    lost = {node for node in ends if node not in plain[1]}
    if not lost:
        return plain[0]
    roots = [node for node in piece.reads if node in lost and older.can_make(node, piece)]
    held = [node for node in roots if members is not None and not older.is_in(node, piece, members)]
    again = older.cone([node for node in roots if node not in held], piece)
    made, known = _planned(piece, ends, held, again, model)
    return made if known.issuperset(ends) else None


def _planned(
    piece: Piece,
    ends: Collection[fx.Node],
    held: Collection[fx.Node],
    again: Sequence[fx.Node],
    model: nn.Module,
) -> tuple[Backwards, set[fx.Node]]:
    """A way back, and the piece's nodes that are known on it."""
    kept = {node for node in piece.nodes
            if node.meta.get("values") or is_sum(node) or len(node.users) > 1}  # fmt: skip
    sources = sources_of(again, piece.reads)
    reads = [node for node in (*sources, *piece.reads) if node not in again]
    graph, copies = part_of([*again, *piece.nodes], reads, piece.makes, model,
                            frozenset((*kept, *piece.reads)))  # fmt: skip
    lived = {node for node in (*piece.makes, *piece.reads, *sources) if node not in ends}
    known = {copies[node] for node in (*lived, *held)}
    solvable = {copies[node] for node in (*piece.reads, *piece.nodes) if node.meta.get("values")}
    order = _order(graph, known, solvable)
    cuts = {copies[node] for node in (*kept, *piece.reads)}
    made = Backwards(piece, graph, copies, tuple(order), frozenset(cuts), frozenset(ends),
                     frozenset(held), _with_clones({copies[n] for n in again}, copies),
                     sources)  # fmt: skip
    return made, {node for node in copies if copies[node] in known}


def _with_clones(
    again: Collection[fx.Node], copies: Mapping[fx.Node, fx.Node]
) -> frozenset[fx.Node]:
    """With the copies of what they would overwrite, which no node of a piece became."""
    theirs = {read for node in again for read in node.all_input_nodes}
    return frozenset((*again, *(theirs - set(copies.values()))))


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
    """The parameters that nodes read, by themselves or in modules; one may come several times."""
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
