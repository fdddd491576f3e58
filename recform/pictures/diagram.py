"""What a wiring picture shows: boxes, circles and wires, before they have a place.

A value that is only a multiple of another is no node but a factor on a wire; a sum is one circle,
however many terms it has.

    x[l+1] = x[l] + F(x[l]) - F(x[l-1])       x_2 is a circle with the wires x_1, F_1, -1 * F_0
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from recform.tape import Exact

Kind = Literal["state", "block", "sum", "map", "dot", "remembered"]


@dataclass(frozen=True)
class Node:
    """A box, circle or dot. `label` stands in it, `name` beside it; both may be mathematics.

    `lane` is the row that the node stands in, from the top; `block` the name of a block's kind.
    A `remembered` node was computed at an earlier step; a `dot` is a state that is but a multiple.
    """

    kind: Kind
    label: str = ""
    name: str = ""
    lane: int = 0
    block: str = ""


@dataclass(frozen=True)
class Wire:
    """`target` reads `source` times a factor; `symbol` is the factor where it depends on l."""

    source: int
    target: int
    factor: Exact = Fraction(1)
    symbol: str = ""

    @property
    def label(self) -> str:
        """What is written on the wire: nothing for 1, a sign for -1."""
        if self.symbol:
            return self.symbol
        if abs(self.factor) == 1:
            return "" if self.factor > 0 else "−"
        return str(self.factor).replace("-", "−")


@dataclass(frozen=True)
class Diagram:
    """Nodes from left to right: every wire leads from a node to a later one."""

    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]

    def into(self, target: int) -> list[tuple[int, Wire]]:
        """The wires that end at a node, with their numbers."""
        return [(number, wire) for number, wire in enumerate(self.wires) if wire.target == target]


def lanes_from_readers(num_nodes: int, wires: list[Wire], own: dict[int, int]) -> list[int]:
    """A lane for each node: its own, else that of the first node that reads it.

    Lanes in which nothing stands are left out.
    """
    readers: dict[int, int] = {}
    for wire in wires:
        readers[wire.source] = min(wire.target, readers.get(wire.source, wire.target))
    lanes = [0] * num_nodes
    for node in reversed(range(num_nodes)):
        lanes[node] = own[node] if node in own else lanes[readers[node]] if node in readers else 0
    used = sorted(set(lanes))
    return [used.index(lane) for lane in lanes]
