"""The wires that the surviving paths of one length run along.

A path is told by its blocks. From one block of a path to the next there may be several ways; their
factors add up, and the path survives if no such sum, no *link*, is zero (see `recform.paths`).

>>> from recform.formula import resolve
>>> from recform.pictures.unrolled import unrolled_diagram
>>> diagram = unrolled_diagram(resolve("resnet_s"), depth=3)
>>> [surviving_wires(diagram, length).num_paths for length in range(5)]
[1, 1, 1, 1, 0]
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from recform.pictures.diagram import Diagram
from recform.tape import Exact

# What a node is a sum of: blocks and the input, each by its node, with factors.
Form = dict[int, Exact]


@dataclass(frozen=True)
class Survivors:
    """How many paths of one length survive, and the wires that they use, by number."""

    num_paths: int
    wires: frozenset[int]


def surviving_wires(diagram: Diagram, length: int) -> Survivors:
    """The distinct paths through exactly `length` blocks, from the input to the last node.

    A wire is in use if it lies on a way between two blocks that such a path joins, and what it
    carries has not been cancelled where the wire begins.
    """
    reads, gives = _forms(diagram)
    before = _lengths_before(diagram, reads)
    output = len(diagram.nodes) - 1
    # How many blocks there may be on a path from a reader, itself included, to the output.
    after: defaultdict[int, set[int]] = defaultdict(set, {output: {0}})
    wires: set[int] = set()
    for reader in reversed(range(len(diagram.nodes))):
        for source in reads[reader] if reader in after else ():
            after[source] |= {blocks + 1 for blocks in after[reader]}
            if any(length - blocks in before[source] for blocks in after[reader]):
                wires.update(_ways(diagram, gives, reader, source))
    return Survivors(before[output][length], frozenset(wires))


def _forms(diagram: Diagram) -> tuple[list[Form], list[Form]]:
    """What each node reads, without what cancels, and what it gives: a block gives itself."""
    reads: list[Form] = []
    gives: list[Form] = []
    for place, node in enumerate(diagram.nodes):
        total: Form = {}
        wires = [wire for _, wire in diagram.into(place)]
        for wire in wires:
            for source, factor in gives[wire.source].items():
                total[source] = total.get(source, Fraction(0)) + wire.factor * factor
        reads.append({source: factor for source, factor in total.items() if factor})
        is_source = node.kind == "block" or _is_input(diagram, place)
        gives.append({place: Fraction(1)} if is_source else reads[place])
    return reads, gives


def _lengths_before(diagram: Diagram, reads: list[Form]) -> list[Counter[int]]:
    """For each node the surviving paths from the input to it, itself included, by length."""
    before: list[Counter[int]] = []
    for node, form in zip(diagram.nodes, reads, strict=True):
        paths: Counter[int] = Counter()
        for source in form:
            paths.update(before[source])
        if node.kind == "block":
            paths = Counter({blocks + 1: num for blocks, num in paths.items()})
        elif _is_input(diagram, len(before)):
            paths = Counter({0: 1})
        before.append(paths)
    return before


def _is_input(diagram: Diagram, place: int) -> bool:
    return diagram.nodes[place].kind == "state" and not diagram.into(place)


def _ways(diagram: Diagram, gives: list[Form], reader: int, source: int) -> Iterator[int]:
    """The wires from `source` to `reader` along which no block stands."""
    waiting, seen = [reader], {reader}
    while waiting:
        node = waiting.pop()
        for number, wire in diagram.into(node):
            if source not in gives[wire.source] or not wire.factor:
                continue
            yield number
            if wire.source not in seen and wire.source != source:
                seen.add(wire.source)
                waiting.append(wire.source)
