"""Where a backbone's features lie: at a state of its chain, or at a value of its stem or tail.

A timm model lists in `feature_info` the modules whose outputs are its features, with channels and
the factor by which the image has shrunk. What such a module hands on is looked for in the graph of
the forward pass. Without a list, the features are the last states of the stages; of all blocks,
where there is but one stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from recform.network.backbone import Backbone, Unit
from recform.network.shape import Shape, shape_of

# How far a feature's size may be from the listed one: sizes are rounded, by windows and patches.
_NEAR = 1.5


@dataclass(frozen=True)
class Place:
    """Where a feature lies: before unit `position`, or at `node` beside the units.

    Both are given where the node lies between two units. `child` is the feature's module, where the
    node is the call of a sequence that holds it. `info` is the entry of timm's list.
    """

    info: dict[str, Any]
    position: int | None
    node: fx.Node | None
    child: str | None = None


def places_of(backbone: Backbone) -> list[Place]:
    """The places of a backbone's features, in the order of their numbers."""
    return _listed(backbone) or _by_stage(backbone)


def shape_at(place: Place, backbone: Backbone) -> Shape:
    """The shape of a feature; inside a sequence that stays one call, as timm's list has it."""
    if place.child is not None:
        channels, reduction = place.info["num_chs"], place.info["reduction"]
        height, width = (-(-side // reduction) for side in _image_size(backbone))
        return Shape((channels, height, width), 0, 0, height, width)
    if place.node is None:
        assert place.position is not None, "a feature lies somewhere"
        return backbone.reads[place.position]
    nodes = list(backbone.trunk.nodes)
    behind = nodes[nodes.index(place.node) + 1 :]
    readers = (backbone.model.get_submodule(str(node.target))
               for node in (*behind, place.node) if node.op == "call_module")  # fmt: skip
    prefix = getattr(backbone.model, "num_prefix_tokens", 0)
    return shape_of(place.node.meta["value"], readers, _image_size(backbone), prefix)


def reduction_at(place: Place, shape: Shape, backbone: Backbone) -> int:
    """timm's number where it is right up to rounding, as it is not for a stem made for CIFAR."""
    reduction = _image_size(backbone)[0] / shape.height
    listed = place.info.get("reduction")
    return listed if listed and _is_near(listed, reduction) else max(1, round(reduction))


def is_between_blocks(units: Sequence[Unit], position: int) -> bool:
    """Whether a block, a module that adds, ends before a unit."""
    before, behind = units[position - 1].path, units[position].path
    return before != behind or not behind


def _listed(backbone: Backbone) -> list[Place]:
    """The places that the model's own list names; none if one of them is not found."""
    listed = getattr(backbone.model, "feature_info", None)
    entries = getattr(listed, "info", listed)
    if not isinstance(entries, list | tuple):
        return []
    found = [_find(dict(entry), backbone) for entry in entries]
    return [] if None in found else found  # type: ignore[return-value]


def _find(info: dict[str, Any], backbone: Backbone) -> Place | None:
    """What a module hands on: the last value on the way to the output that is made in it.

    Of several, one of the listed size: PiT hands on an image that nothing but features read, beside
    the class tokens that go on.
    """
    path = str(info.get("module"))
    made = list(_made_in(path, backbone))
    if not made:
        return _in_sequence(info, path, backbone) or _behind_all(info, path, backbone)
    inside = {node for unit in backbone.units for node in (unit.addition, *unit.nodes)}
    between = {node for unit in backbone.units for node in unit.before}
    usable = [node for node in made if node not in inside or node in between | {*_states(backbone)}]
    if made[0] not in usable:
        return None
    places = [_place(info, node, backbone) for node in usable]
    return next((place for place in places if _is_as_listed(place, backbone)), places[0])


def _made_in(path: str, backbone: Backbone) -> Iterator[fx.Node]:
    """The tensors on the way to the output that a module makes, the last one first."""
    for node in reversed(backbone.flow.line()):
        where = str(node.target) if node.op == "call_module" else node.meta["owner"]
        is_inside = where == path or where.startswith(f"{path}.")
        if is_inside and isinstance(node.meta["value"], torch.Tensor):
            yield node


def _states(backbone: Backbone) -> dict[fx.Node, int]:
    """The backbone's states, by the unit that they stand before."""
    states = {unit.reads: position for position, unit in enumerate(backbone.units)}
    return {**states, backbone.units[-1].last.hands_on: backbone.depth}


def _place(info: dict[str, Any], node: fx.Node, backbone: Backbone) -> Place:
    states = _states(backbone)
    if node in states:
        return Place(info, states[node], None)
    for position, unit in enumerate(backbone.units):
        if node in unit.before:
            return Place(info, position, node)
    return Place(info, None, node)


def _is_as_listed(place: Place, backbone: Backbone) -> bool:
    if not {"num_chs", "reduction"} <= set(place.info):
        return True
    shape = shape_at(place, backbone)
    reduction = _image_size(backbone)[0] / shape.height
    return shape.channels == place.info["num_chs"] and _is_near(place.info["reduction"], reduction)


def _is_near(listed: float, reduction: float) -> bool:
    return listed / _NEAR <= reduction <= listed * _NEAR


def _in_sequence(info: dict[str, Any], path: str, backbone: Backbone) -> Place | None:
    """A member of a plain sequence of modules, such as the first convolution of a stem."""
    owner, _, child = path.rpartition(".")
    for node in backbone.flow.line():
        if node.op == "call_module" and node.target == owner:
            forward = type(backbone.model.get_submodule(owner)).forward
            return Place(info, None, node, child) if forward is nn.Sequential.forward else None
    return None


def _behind_all(info: dict[str, Any], path: str, backbone: Backbone) -> Place | None:
    """What ends the forward pass, for a last module that does nothing as it is."""
    module = dict(backbone.model.named_modules()).get(path)
    place = _place(info, backbone.flow.line()[-1], backbone)
    return place if type(module) is nn.Identity and _is_as_listed(place, backbone) else None


def _by_stage(backbone: Backbone) -> list[Place]:
    """The last state of each stage; of each block, if there is one stage."""
    shapes = [(shape.channels, shape.height, shape.width) for shape in backbone.reads]
    ends = [j for j in range(1, backbone.depth) if shapes[j] != shapes[j + 1]]
    if not ends:
        ends = [j for j in range(1, backbone.depth) if is_between_blocks(backbone.units, j)]
    places = []
    for start, end in zip([0, *ends], [*ends, backbone.depth], strict=True):
        paths = [unit.path.split(".") for unit in backbone.units[start:end]]
        places.append(Place({"module": _common(paths)}, end, None))
    return places


def _common(paths: Sequence[Sequence[str]]) -> str:
    """The module that holds all of some units."""
    shared = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return ".".join(shared)


def _image_size(backbone: Backbone) -> tuple[int, int]:
    height, width = next(iter(backbone.trunk.nodes)).meta["value"].shape[2:]
    return height, width
