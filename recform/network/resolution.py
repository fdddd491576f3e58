"""Images of the right size for a backbone: neither refused by it nor too small to shrink.

A stage border halves the resolution. Images of one pixel go through convolutions as well, and give
a network that no stage border shrinks anything in, with projections that fit no other image.
"""

from __future__ import annotations

from torch import nn

from recform.errors import UserError
from recform.network.backbone import Backbone, take_apart
from recform.network.create import BackboneSpec, input_size


def take_apart_at(
    model: nn.Module, spec: BackboneSpec, image_size: int | None, unit: str
) -> Backbone:
    """The units of a named backbone for images of a side, or of its own.

    Raises UserError as `take_apart` does, and `bad-argument` for a size that the backbone does not
    take, or at which every state is one pixel.
    """
    sizes = input_size(model, spec.in_chans, image_size)
    try:
        whole = take_apart(model, sizes, unit)
    except UserError as error:
        if image_size is None or error.code != "no-units" or not _is_chain(model, spec, unit):
            raise
        reason = str(error.__cause__ or "").split(". ")[0].rstrip(".")
        message = f"{spec.name} does not take images of {image_size}x{image_size}"
        told = f"{message}: {reason}" if reason else message
        raise UserError("bad-argument", told, _hint(model, spec)) from error
    if image_size is not None and _is_one_pixel(whole):
        raise UserError("bad-argument", f"images of {image_size}x{image_size} are too small for "
                        f"{spec.name}: every state is one pixel", _hint(model, spec))  # fmt: skip
    return whole


def _is_chain(model: nn.Module, spec: BackboneSpec, unit: str) -> bool:
    """Whether it is the images' size that the backbone is refused for."""
    try:
        take_apart(model, input_size(model, spec.in_chans, None), unit)
    except UserError:
        return False
    return True


def _is_one_pixel(backbone: Backbone) -> bool:
    images = [shape for shape in backbone.reads if len(shape.sizes) == 3]
    return bool(images) and all(shape.height * shape.width == 1 for shape in images)


def _hint(model: nn.Module, spec: BackboneSpec) -> str:
    _, height, _ = input_size(model, spec.in_chans, None)
    return f"--image-size {height} is its own (image_size={height}); leave it out for that"
