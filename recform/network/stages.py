"""The stages of a backbone: how many blocks in each, and how wide each block is.

What `recform analyze --backbone` counts paths by; nothing is computed but shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import torch

from recform.network.backbone import Backbone, take_apart
from recform.network.create import BackboneSpec, create, input_size
from recform.network.shape import Shape
from recform.tape import Stages


@dataclass(frozen=True)
class Stage:
    """Units that hand on states of one shape; `shape` is without the batch."""

    num_units: int
    shape: str


def stages_in(backbone: Backbone) -> tuple[Stage, ...]:
    """Runs of units that hand on one shape."""
    shapes = [str(shape) for shape in backbone.reads[1:]]
    return tuple(Stage(len(list(run)), shape) for shape, run in groupby(shapes))


@dataclass(frozen=True)
class BackboneStages:
    """A backbone's stages as the tape counts them, and the number of channels behind each block."""

    stages: Stages
    widths: tuple[int, ...]


def stages_of(backbone: str) -> BackboneStages:
    """The stages of a backbone by name: timm's, or one of recform's CIFAR nets.

    Raises UserError `unknown-backbone` or `no-units`.
    """
    with torch.device("meta"):
        model = create(BackboneSpec(backbone), pretrained=False)
    parts = take_apart(model, input_size(model, 3, None))
    changes = zip(parts.reads, parts.reads[1:], strict=False)
    borders = [
        j for j, (before, behind) in enumerate(changes) if _extent(before) != _extent(behind)
    ]
    widths = tuple(shape.channels for shape in parts.reads[1:])
    return BackboneStages(Stages.between(borders, parts.depth), widths)


def _extent(shape: Shape) -> tuple[int, int, int]:
    return shape.channels, shape.height, shape.width
