"""Backbones by name: timm's, and recform's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import timm
from torch import nn

from recform.errors import UserError
from recform.network.named import PREFIX, named_net
from recform.network.narrowing import create_with_widths
from recform.network.zoo import CIFAR_NETS


@dataclass(frozen=True)
class BackboneSpec:
    """All that it takes to create a backbone anew.

    `keywords` go to timm, as pairs; so do `matched`, the widths that `match_params` chose.
    """

    name: str
    num_classes: int | None = None
    in_chans: int = 3
    keywords: tuple[tuple[str, Any], ...] = ()
    matched: tuple[tuple[str, Any], ...] = ()


def create(spec: BackboneSpec, pretrained: bool) -> nn.Module:
    """The plain backbone.

    Raises UserError `unknown-backbone`, `backbone-argument` or `no-weights`.
    """
    keywords: dict[str, Any] = dict((("in_chans", spec.in_chans), *spec.keywords))
    if spec.num_classes is not None:
        keywords["num_classes"] = spec.num_classes
    if spec.name in CIFAR_NETS:
        if pretrained:
            raise UserError("no-weights", f"there are no published weights for {spec.name}",
                            "train it: recform train ... --data cifar10")  # fmt: skip
        return _call(CIFAR_NETS[spec.name], spec.name, keywords | dict(spec.matched))
    if spec.name.startswith(PREFIX):
        net = named_net(spec.name)
        raise UserError("unknown-backbone", f"{net.name} is no backbone: it has a formula already",
                        f"recform build {net.formula} --backbone {net.backbone}")  # fmt: skip
    if not timm.is_model(spec.name):
        raise UserError("unknown-backbone", f"there is no backbone `{spec.name}`",
                        _hint(spec.name))  # fmt: skip
    if pretrained:
        return _with_weights(spec.name, keywords)
    if spec.matched:
        make = partial(create_with_widths, spec.name, widths=dict(spec.matched))
        return _call(lambda **given: make(given), spec.name, keywords)
    return _call(lambda **all_: timm.create_model(spec.name, **all_), spec.name, keywords)


def input_size(model: nn.Module, in_chans: int, image_size: int | None) -> tuple[int, int, int]:
    """(channels, height, width) of the images that a backbone is made for, or of a given size.

    Raises UserError `bad-argument` where the size is no number of pixels.
    """
    if image_size is not None and image_size < 1:
        raise UserError("bad-argument", f"the image size must be 1 or more, not {image_size}",
                        "give a larger number")  # fmt: skip
    config = getattr(model, "default_cfg", None)
    default = config.get("input_size") if isinstance(config, Mapping) else None
    _, height, width = default or (in_chans, 224, 224)
    channels = getattr(model, "in_chans", in_chans)
    return (channels, image_size, image_size) if image_size else (channels, height, width)


def _with_weights(name: str, keywords: dict[str, Any]) -> nn.Module:
    if not timm.is_model_pretrained(name):
        raise UserError("no-weights", f"timm has no weights for {name}",
                        "build it without pretrained weights")  # fmt: skip
    try:
        return timm.create_model(name, pretrained=True, **keywords)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise UserError(
            "no-weights",
            f"the weights of {name} cannot be had: {reason}",
            "check the network, or point HF_HOME at a cache that has them",
        ) from error


def _call(builder: Any, name: str, keywords: dict[str, Any]) -> nn.Module:
    try:
        return builder(**keywords)
    except (TypeError, AssertionError, ValueError, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError("backbone-argument", f"{name} does not take this: {reason}",
                        "see the backbone's own documentation") from error  # fmt: skip


def _hint(name: str) -> str:
    known = [*CIFAR_NETS, *timm.list_models(exclude_filters=f"{PREFIX}*")]
    matches = get_close_matches(name, known, n=3, cutoff=0.5)
    near = f"did you mean {' or '.join(matches)}? or " if matches else ""
    return f"{near}look for one: recform backbones 'resnet*'"
