"""Features: the values of a formula at the stage borders of its backbone.

Where the backbone has a state between two stages, the formula has the state that the next stage
reads in its place; of several streams all count. What lies in the stem or behind the last unit is
the backbone's own. `feature_info` has timm's numbers and names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import fx

from recform.network.assemble import BackboneParts
from recform.network.backbone import Backbone
from recform.network.layout import rearranges
from recform.network.places import Place, is_between_blocks, places_of, reduction_at, shape_at
from recform.network.shape import Shape
from recform.tape import Tape


@dataclass(frozen=True)
class Feature:
    """One feature: `values` are the names of its values, those of streams to be added.

    There are none where the formula computes no such value. `info` is timm's: `num_chs`,
    `reduction` (the factor by which the image has shrunk), `module` and `index`. `fits_norm` says
    that the model's last norm takes it.
    """

    info: Mapping[str, Any]
    shape: Shape
    fits_norm: bool
    values: tuple[str, ...]


def features_of(
    backbone: Backbone, parts: BackboneParts, tape: Tape
) -> list[tuple[Feature, list[fx.Node]]]:
    """The features of a network that was put together, each with the nodes that hold it."""
    norm = final_norm(backbone)
    states = _states(tape, parts.graph, backbone.depth)
    found = []
    for index, place in enumerate(places_of(backbone)):
        nodes = _nodes(place, backbone, parts, states)
        if place.child is not None and nodes:
            nodes = [_written_out(nodes[0], backbone, parts, place.child)]
        shape = shape_at(place, backbone)
        info = {**place.info, "index": index, "num_chs": shape.channels,
                "reduction": reduction_at(place, shape, backbone)}  # fmt: skip
        fits = bool(norm) and shape.channels == backbone.reads[-1].channels
        found.append((Feature(info, shape, fits, tuple(node.name for node in nodes)), nodes))
    return found


def final_norm(backbone: Backbone) -> tuple[str, ...]:
    """The norms that run between the last unit and the end, if there is nothing else."""
    line = backbone.flow.line()
    behind = line[line.index(backbone.units[-1].last.hands_on) + 1 :]
    if not backbone.reads[-1].is_channels_first:
        # Norms of channels that stand last do not ask how the places are written.
        behind = [node for node in behind if not rearranges(node)]
    elif backbone.exit:
        return ()
    paths = [str(node.target) for node in behind if node.op == "call_module"]
    is_norm = len(paths) == len(behind) and all(_is_norm(path, backbone) for path in paths)
    return tuple(paths) if is_norm else ()


def _is_norm(path: str, backbone: Backbone) -> bool:
    return "norm" in type(backbone.model.get_submodule(path)).__name__.lower()


def block_ends(backbone: Backbone, tape: Tape, graph: fx.Graph) -> list[fx.Node]:
    """The node of the last state of each block, the stem's and the last block's among them."""
    states = _states(tape, graph, backbone.depth)
    units = backbone.units
    ends = [0, *(j for j in range(1, backbone.depth) if is_between_blocks(units, j))]
    return [states[j][-1] for j in (*ends, backbone.depth) if states.get(j)]


def _states(tape: Tape, graph: fx.Graph, depth: int) -> dict[int, list[fx.Node]]:
    """The nodes of the main state before each unit, one for each of its streams."""
    holders = {value: node for node in graph.nodes for value in node.meta.get("values", ())}
    values: dict[int, list[int]] = {}
    for (state, layer), value in tape.states.items():
        if state.split(".")[0] == tape.main and layer < depth:
            values.setdefault(layer, []).append(value)
    assert tape.output is not None, "checked when the tape was made"
    values[depth] = [tape.output]
    found = {layer: [holders[v] for v in these if v in holders] for layer, these in values.items()}
    order = {node: place for place, node in enumerate(graph.nodes)}
    return {layer: sorted(nodes, key=order.__getitem__) for layer, nodes in found.items()}


def _nodes(
    place: Place, backbone: Backbone, parts: BackboneParts, states: dict[int, list[fx.Node]]
) -> list[fx.Node]:
    if place.node is None:
        assert place.position is not None, "a feature lies somewhere"
        return states.get(place.position, [])
    if place.position is not None:
        unit = backbone.units[place.position]
        entered = [parts.entered(unit, state) for state in states.get(place.position, [])]
        found = [copies[place.node] for copies in entered if place.node in copies]
        if found:
            return found
    copy = parts.context.get(place.node)
    return [] if copy is None else [copy]


def _written_out(node: fx.Node, backbone: Backbone, parts: BackboneParts, child: str) -> fx.Node:
    """The call of a sequence as calls of its members, in the graph; that of one member comes back.

    The same calls in the same order: nothing changes but what can be read between them.
    """
    value, found = node.args[0], node
    with parts.graph.inserting_before(node):
        for name, _ in backbone.model.get_submodule(str(node.target)).named_children():
            value = parts.graph.call_module(f"{node.target}.{name}", (value,))
            found = value if name == child else found
    assert isinstance(value, fx.Node), "a sequence with a feature has members"
    value.meta = dict(node.meta)
    node.replace_all_uses_with(value)
    parts.graph.erase_node(node)
    return found
