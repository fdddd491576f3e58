"""Widths that the function of a model's name fixes, given to the class behind it.

`timm.create_model("mixer_b16_224")` takes no embed_dim, for its function sets one; MlpMixer does.
EfficientNets and MobileNets take their widths as a table and a function that multiplies and rounds:
its multiplier is called `channel_multiplier` here, as in timm's own functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import timm
import torch
from timm.models import build_model_with_cfg
from torch import nn

from recform.network.making import Making, recorded

ROUNDING = "round_chs_fn"
MULTIPLIER = "channel_multiplier"


def create_with_widths(
    name: str, keywords: Mapping[str, Any], widths: Mapping[str, Any]
) -> nn.Module:
    """A timm model with other widths. Raises what its class raises where it cannot have them."""
    if MULTIPLIER not in widths:
        try:
            return timm.create_model(name, **keywords, **widths)
        except TypeError:
            pass
    with recorded() as makings, torch.device("meta"):
        plain = timm.create_model(name, **keywords)
    making = makings[plain]
    given = {**making.keywords, **_for_the_class(plain, making, widths)}
    return build_model_with_cfg(type(plain), name, pretrained=False, **given)


def multiplier_of(making: Making) -> float:
    """What a model's table of widths is multiplied by."""
    rounding = making.keywords.get(ROUNDING)
    options = rounding.keywords if isinstance(rounding, partial) else {}
    return float(options.get("multiplier", 1.0))


def _for_the_class(model: nn.Module, making: Making, widths: Mapping[str, Any]) -> dict[str, Any]:
    if MULTIPLIER not in widths:
        return dict(widths)
    known = inspect.signature(type(model)).parameters
    own = {key: parameter.default for key, parameter in known.items()} | making.keywords
    multiplier = widths[MULTIPLIER]
    given: dict[str, Any] = {ROUNDING: partial(own[ROUNDING], multiplier=multiplier)}
    last = own.get("num_features")
    if isinstance(last, int) and last > 0:
        # The last layer's width does not stand in the table.
        given["num_features"] = max(8, round(last * multiplier / multiplier_of(making) / 8) * 8)
    return given
