"""A picture's file becomes a picture in colours, and a square of one size.

Every kind that Pillow reads is read, whatever the name says, but for those that it hands to another
program: a file from a stranger is to be looked at, not run.
"""

# C channels, S side of an image

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms import v2

from recform.training.augment import box_in

# Pillow has Ghostscript draw them.
RUN_BY_OTHERS = ("EPS",)
# What a file that is no whole picture makes Pillow raise.
UNREAD = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
# Kinds of pictures that other readers of shards know.
SHARED = ("jpg", "png", "webp")
# A picture longer than so many times its shorter side is cut before it is scaled.
LONGEST = 64


def decoded(file: str | Path | IO[bytes]) -> Image.Image:
    """The picture in red, green and blue. Raises one of UNREAD."""
    Image.init()
    kinds = [kind for kind in Image.ID if kind not in RUN_BY_OTHERS]
    with warnings.catch_warnings():
        # Up to twice as many pixels a warning, from there on an error.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(file, formats=kinds) as picture:
            return picture.convert("RGB")


def unread(error: Exception) -> str:
    """What is wrong with a file, in words without the names that Python has for it."""
    if isinstance(error, UnidentifiedImageError):
        return "no image that can be read: its content is of no known kind"
    if isinstance(error, Image.DecompressionBombError):
        return f"no image that can be read: {str(error).partition(',')[0]}"
    system = error.strerror if isinstance(error, OSError) else None
    return f"no image that can be read: {system or error}"


def square_of(picture: Image.Image, image_size: int, share: float) -> Tensor:
    """The middle square of a picture, `share` of its shorter side, at this size, C S S."""
    larger = round(image_size / share)
    scaled = v2.functional.resize(v2.functional.pil_to_tensor(_cut(picture)), [larger])
    return v2.functional.center_crop(scaled, [image_size, image_size])


def as_shared(suffix: str, content: bytes) -> tuple[str, bytes]:
    """A picture's file under the suffix that all readers know; of a rare kind, as PNG."""
    suffix = "jpg" if suffix == "jpeg" else suffix
    if suffix in SHARED:
        return suffix, content
    written = io.BytesIO()
    decoded(io.BytesIO(content)).save(written, "PNG")
    return "png", written.getvalue()


def crop_of(picture: Image.Image, box: Sequence[float], side: int) -> Tensor:
    """A random crop (see `box_in`) as a square of this side."""
    edges = box_in(box, picture.height, picture.width)
    scaled = picture.resize((side, side), Image.Resampling.BILINEAR, edges)
    return v2.functional.pil_to_tensor(scaled)


def _cut(picture: Image.Image) -> Image.Image:
    """The middle of a picture that is a line, which would be as long a line when it is scaled."""
    width, height = picture.size
    most = LONGEST * min(width, height)
    if max(width, height) <= most:
        return picture
    left, top = max(0, width - most) // 2, max(0, height - most) // 2
    return picture.crop((left, top, min(width, left + most), min(height, top + most)))
