"""Layers for learning rates: new parts in the layer of the block that reads them.

timm groups parameters by patterns of their names, `layer2.0.conv1` into layer 2.0. A projection or
a gate has no such name; here it is looked up under the name of a part of its block that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from timm.models._manipulate import group_with_matcher

NEW = "formula."


def group_by_blocks(
    names: Iterable[str], blocks: Mapping[str, int], matcher: Any = None
) -> Callable[[str], int]:
    """The layer of a parameter or module, by its name.

    `blocks` has the block of each path that the forward pass reads. `matcher` is timm's for the
    backbone; without one, stem, blocks and head are the layers.
    """
    if matcher is None:
        head = max(blocks.values())
        return lambda name: _block(name, blocks, head) + 1
    stand_in = _stand_ins(blocks)
    known = {name: _known_as(name, blocks, stand_in) for name in names}
    pairs = iter([(path, path) for path in {*known.values()}])
    layers: Any = group_with_matcher(pairs, matcher, reverse=True)
    return lambda name: layers[known[name]]


def _stand_ins(blocks: Mapping[str, int]) -> dict[int, str]:
    """For each block a path of the backbone's own in it: the last, behind all downsampling."""
    return {block: path for path, block in blocks.items() if not path.startswith(NEW)}


def _known_as(name: str, blocks: Mapping[str, int], stand_in: Mapping[int, str]) -> str:
    """The name itself, or for a new part that of a part beside it."""
    if not name.startswith(NEW):
        return name
    block = _block(name, blocks, 0)
    near = min(stand_in, key=lambda other: (abs(other - block), other))
    return stand_in[near]


def _block(name: str, blocks: Mapping[str, int], otherwise: int) -> int:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ".".join(parts[:length])
        if path in blocks:
            return blocks[path]
    return otherwise
