"""Features: the states at stage borders, as timm names and numbers them.

A timm model lists in `feature_info` the modules whose outputs are its features. In the graph of the
forward pass such an output is a state of the chain, or a value of stem or tail; in a network by a
formula it is the state that stands in its place. Without such a list, the features are the last
states of the stages; of all blocks, where there is but one stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from recform.network.assemble import BackboneParts
from recform.network.backbone import Backbone
from recform.network.shape import Shape, shape_of
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


@dataclass(frozen=True)
class _Place:
    """Where a feature lies in the backbone: before unit `position`, or at `node` beside the units.

    Both are given where `node` lies between two units.
    """

    info: dict[str, Any]
    position: int | None
    node: fx.Node | None


def features_of(
    backbone: Backbone, parts: BackboneParts, tape: Tape
) -> list[tuple[Feature, list[fx.Node]]]:
    """The features of a network that was put together, each with the nodes that hold it."""
    norm = final_norm(backbone)
    states = _states(tape, parts.graph, backbone.depth)
    found = []
    for index, place in enumerate(_listed(backbone) or _by_stage(backbone)):
        nodes = _nodes(place, backbone, parts, states)
        shape = _shape(place, backbone)
        info = {**place.info, "index": index, "num_chs": shape.channels,
                "reduction": _reduction(place, shape, backbone)}  # fmt: skip
        fits = bool(norm) and shape.channels == backbone.reads[-1].channels
        found.append((Feature(info, shape, fits, tuple(node.name for node in nodes)), nodes))
    return found


def final_norm(backbone: Backbone) -> tuple[str, ...]:
    """The modules that run between the last unit and the end, if they keep the shape."""
    line = backbone.flow.line()
    behind = line[line.index(backbone.units[-1].last.hands_on) :]
    sizes = {getattr(node.meta["value"], "shape", None) for node in behind}
    if backbone.exit or len(sizes) != 1 or any(n.op != "call_module" for n in behind[1:]):
        return ()
    return tuple(str(node.target) for node in behind[1:])


def block_ends(backbone: Backbone, tape: Tape, graph: fx.Graph) -> list[fx.Node]:
    """The node of the last state of each block, the stem's and the last block's among them."""
    states = _states(tape, graph, backbone.depth)
    units = backbone.units
    ends = [0, *(j for j in range(1, backbone.depth) if _is_between_blocks(units, j))]
    return [states[j][-1] for j in (*ends, backbone.depth) if states.get(j)]


def _is_between_blocks(units: Any, position: int) -> bool:
    before, behind = units[position - 1].path, units[position].path
    return before != behind or not behind


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


def _listed(backbone: Backbone) -> list[_Place]:
    """The places that the model's own `feature_info` names; none if one of them is not found."""
    listed = getattr(backbone.model, "feature_info", None)
    entries = getattr(listed, "info", listed)
    if not isinstance(entries, list | tuple) or not entries:
        return []
    positions = {unit.reads: j for j, unit in enumerate(backbone.units)}
    positions[backbone.units[-1].last.hands_on] = backbone.depth
    places: list[_Place] = []
    for entry in entries:
        node = _last_of_module(str(entry.get("module")), backbone)
        if node is None:
            return []
        places.append(_place(dict(entry), node, positions, backbone))
    return places


def _place(
    info: dict[str, Any], node: fx.Node, positions: dict[fx.Node, int], backbone: Backbone
) -> _Place:
    if node in positions:
        return _Place(info, positions[node], None)
    for position, unit in enumerate(backbone.units):
        if node in unit.before:
            return _Place(info, position, node)
    return _Place(info, None, node)


def _last_of_module(path: str, backbone: Backbone) -> fx.Node | None:
    """What a module returns: the last value on the way to the output that is made in it."""
    inside = {node for unit in backbone.units for node in (unit.addition, *unit.nodes)}
    states = {unit.last.hands_on for unit in backbone.units}
    before = {node for unit in backbone.units for node in unit.before}
    for node in reversed(backbone.flow.line()):
        where = str(node.target) if node.op == "call_module" else node.meta["owner"]
        if where == path or where.startswith(f"{path}."):
            is_usable = node not in inside or node in states or node in before
            is_tensor = isinstance(node.meta["value"], torch.Tensor)
            return node if is_usable and is_tensor else None
    return None


def _by_stage(backbone: Backbone) -> list[_Place]:
    """The last state of each stage; of each block, if there is one stage."""
    shapes = [(shape.channels, shape.height, shape.width) for shape in backbone.reads]
    ends = [j for j in range(1, backbone.depth) if shapes[j] != shapes[j + 1]]
    if not ends:
        ends = [j for j in range(1, backbone.depth) if _is_between_blocks(backbone.units, j)]
    places = []
    for start, end in zip([0, *ends], [*ends, backbone.depth], strict=True):
        paths = [unit.path.split(".") for unit in backbone.units[start:end]]
        places.append(_Place({"module": _common(paths)}, end, None))
    return places


def _common(paths: list[list[str]]) -> str:
    """The module that holds all of some units."""
    shared = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return ".".join(shared)


def _nodes(
    place: _Place, backbone: Backbone, parts: BackboneParts, states: dict[int, list[fx.Node]]
) -> list[fx.Node]:
    if place.node is None:
        assert place.position is not None, "a feature lies somewhere"
        return states.get(place.position, [])
    if place.position is not None:
        unit = backbone.units[place.position]
        for state in states.get(place.position, []):
            copies = parts.entered(unit, state)
            if place.node in copies:
                return [copies[place.node]]
    copy = parts.context.get(place.node)
    return [] if copy is None else [copy]


def _shape(place: _Place, backbone: Backbone) -> Shape:
    if place.node is None:
        assert place.position is not None, "a feature lies somewhere"
        return backbone.reads[place.position]
    nodes = list(backbone.trunk.nodes)
    behind = [node for node in nodes[nodes.index(place.node) :] if node.op == "call_module"]
    readers = [backbone.model.get_submodule(str(node.target)) for node in (*behind[1:], *behind)]
    prefix = getattr(backbone.model, "num_prefix_tokens", 0)
    return shape_of(place.node.meta["value"], readers, _image_size(backbone), prefix)


def _image_size(backbone: Backbone) -> tuple[int, int]:
    height, width = next(iter(backbone.trunk.nodes)).meta["value"].shape[2:]
    return height, width


def _reduction(place: _Place, shape: Shape, backbone: Backbone) -> int:
    """timm's number where it is right up to rounding, as it is not for a stem made for CIFAR."""
    height = _image_size(backbone)[0]
    listed = place.info.get("reduction")
    if listed and height // listed <= shape.height <= -(-height // listed):
        return listed
    return max(1, round(height / shape.height))
