"""What older layers made, and can be made again while the states that it was made of still live.

In x[l+1] = x[l-2] + F(x[l]) + F(x[l-1]) the value F(x[l-1]) ends in layer l, and no equation gives
it. But it is block l-1 on x[l-1], which lives behind layer l, for layer l+1 reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import fx
from torch.fx.node import map_arg

from recform.network.recompute import Piece, Pieces


@dataclass(frozen=True, eq=False)
class Older:
    """The pieces of a graph, asked for what lies further back than one of them.

    `constant` are the nodes that no input reaches; `states` hold the states of the formula, which
    are solved for and never made again.
    """

    pieces: Pieces
    constant: frozenset[fx.Node]
    states: frozenset[fx.Node]

    def can_make(self, node: fx.Node, piece: Piece) -> bool:
        """Whether a value that ends in a piece can be made again of what lives behind it."""
        home = self._homes.get(node)
        if node in self.states or home is None or home is piece or home.layer is None:
            return False
        cone = self.cone([node], piece)
        return all(self._lives(source, piece) for source in sources_of(cone, ()))

    def is_in(self, node: fx.Node, piece: Piece, members: Sequence[Piece]) -> bool:
        """Whether a run of pieces has all that it takes to make a value again."""
        inside = {n for member in members for n in (*member.reads, *member.makes)}
        sources = sources_of(self.cone([node], piece), ())
        return self._homes[node] in members and inside.issuperset(sources)

    def cone(self, nodes: Iterable[fx.Node], piece: Piece) -> tuple[fx.Node, ...]:
        """Values with all that their own layers made them of, back to what lives, in order."""
        found: set[fx.Node] = set()
        for root in nodes:
            waiting = [root]
            while waiting:
                inner = waiting.pop()
                is_near = self._homes.get(inner) is self._homes[root] and inner not in self.states
                lives = self._lives(inner, piece) and inner is not root
                if inner in self.constant or (is_near and not lives):
                    found.add(inner)
                    waiting += [read for read in inner.all_input_nodes if read not in found]
        return tuple(sorted(found, key=self._places.__getitem__))

    def _lives(self, node: fx.Node, piece: Piece) -> bool:
        """Whether a value is there behind a piece: made by then, and read later."""
        place = self._orders[piece]
        made = self._homes.get(node)
        is_made = made is None or self._orders[made] <= place
        return is_made and self._last_reads.get(node, -1) > place

    @cached_property
    def _orders(self) -> Mapping[Piece, int]:
        return {piece: place for place, piece in enumerate(self.pieces.pieces)}

    @cached_property
    def _homes(self) -> Mapping[fx.Node, Piece]:
        return {node: piece for piece in self.pieces.pieces for node in piece.nodes}

    @cached_property
    def _places(self) -> Mapping[fx.Node, int]:
        return {node: place for place, node in enumerate(self._homes)}

    @cached_property
    def _last_reads(self) -> Mapping[fx.Node, int]:
        reads = {n: place for piece, place in self._orders.items() for n in piece.reads}
        map_arg(self.pieces.output, lambda node: reads.__setitem__(node, len(self._orders)))
        return reads


def sources_of(nodes: Sequence[fx.Node], known: Collection[fx.Node]) -> tuple[fx.Node, ...]:
    """What nodes read that is neither among them nor known."""
    inside = {*nodes, *known}
    reads = dict.fromkeys(read for node in nodes for read in node.all_input_nodes)
    return tuple(read for read in reads if read not in inside)
