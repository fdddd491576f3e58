"""Parameters matched: a backbone made narrower until the counts meet.

A formula often brings weights of its own, and more parameters are no better formula. So the widths
of the backbone are scaled by one factor, each rounded to a multiple that its layers allow, until
the network has as many parameters as the plain backbone at its full width, as nearly as that goes.

    >>> from recform.network import build, num_parameters
    >>> network = build("resnet_s_net", "resnet50_cifar", match_params="backbone")
    >>> network.architecture.spec.matched
    (('channels', (64, 120, 240, 488)),)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from timm.models.regnet import RegNetCfg
from torch import nn

from recform.errors import UserError
from recform.network.create import BackboneSpec, create
from recform.network.making import Making, recorded

BACKBONE = "backbone"
# Keywords by which the classes of timm and of recform take their widths.
KEYWORDS = ("channels", "dims", "widths", "embed_dims", "embed_dim")
# Factors that are tried, in steps of 1/256.
_FACTORS = [place / 256 for place in range(16, 1024)]
# A narrow net knows no multiples of 8 near its widths.
_NARROW = 32

Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Widths:
    """What a backbone's widths are set by, and how they may be rounded."""

    pairs: Pairs
    multiple: int

    def scaled(self, factor: float) -> Pairs:
        (name, width), *slopes = self.pairs
        rounded = self._round(width, factor)
        # RegNet's slope keeps its ratio to the first width, and so the net its stages.
        return (name, rounded), *((key, value * rounded / width) for key, value in slopes)

    def _round(self, value: Any, factor: float) -> Any:
        if isinstance(value, tuple):
            return tuple(self._round(width, factor) for width in value)
        return max(self.multiple, round(value * factor / self.multiple) * self.multiple)


def match_widths(
    spec: BackboneSpec,
    wanted: str | int | Mapping[str, Any],
    make: Callable[[BackboneSpec], nn.Module],
) -> BackboneSpec:
    """The backbone with the widths at which what `make` makes of it has `wanted` parameters.

    `wanted` is a number, or "backbone" for those of the plain backbone; widths that were found
    before are taken as they are. `make` is called on the meta device, some five times. Raises
    UserError `no-width`, `bad-argument`.
    """
    if isinstance(wanted, Mapping):
        return replace(spec, matched=tuple((k, _frozen(value)) for k, value in wanted.items()))
    with recorded() as makings, torch.device("meta"):
        plain = create(spec, pretrained=False)
    widths = widths_of(plain, makings[plain], spec.name)
    number = _number(wanted, plain)

    def count(pairs: Pairs) -> int | None:
        """Parameters at these widths; None where the backbone cannot have them."""
        try:
            with torch.device("meta"):
                made = make(replace(spec, matched=pairs))
        except UserError as error:
            if error.code != "backbone-argument":
                raise
            return None
        return _num_parameters(made)

    candidates = {widths.scaled(factor): factor for factor in reversed(_FACTORS)}
    found = dict(_search(candidates, number, count))
    if not found:
        raise UserError("no-width", f"{spec.name} does not let its {widths.pairs[0][0]} be set",
                        "choose another backbone")  # fmt: skip
    nearest = min(found, key=lambda pairs: abs(found[pairs] - number))
    if not min(found.values()) <= number <= max(found.values()):
        raise UserError("no-width", f"no width of {spec.name} comes near {number:,} parameters",
                        "give another number, or another backbone")  # fmt: skip
    # Widths that are the backbone's own are not said again.
    return spec if nearest == widths.pairs else replace(spec, matched=nearest)


def widths_of(model: nn.Module, making: Making, name: str) -> Widths:
    """The widths that a model was made with. Raises UserError `no-width` if they are not known."""
    defaults = inspect.signature(type(model)).parameters
    for keyword in KEYWORDS:
        value = making.keywords.get(keyword, getattr(defaults.get(keyword), "default", None))
        if isinstance(value, int) or (isinstance(value, tuple | list) and value):
            return Widths(((keyword, _frozen(value)),), _multiple(value, _num_heads(making)))
    config = making.keywords.get("cfg")
    if isinstance(config, RegNetCfg):
        return Widths((("w0", config.w0), ("wa", config.wa)), 8)
    raise UserError("no-width", f"{name} has no keyword that recform knows for its widths",
                    "choose a ResNet, RegNet, ConvNeXt, ViT or Swin, or pass widths as keywords: "
                    "build(..., NAME=...)")  # fmt: skip


def _multiple(widths: Any, num_heads: int) -> int:
    """What widths are multiples of: 4 for each head of attention, else 8, or 1 in narrow nets."""
    if num_heads > 1:
        return 4 * num_heads
    least = widths if isinstance(widths, int) else min(widths)
    return 8 if least >= _NARROW else 1


def _num_heads(making: Making) -> int:
    """Those of the first stage."""
    heads = making.keywords.get("num_heads", 1)
    return heads[0] if isinstance(heads, tuple | list) else heads


def _search(
    candidates: Mapping[Pairs, float], number: int, count: Callable[[Pairs], int | None]
) -> Iterator[tuple[Pairs, int]]:
    """The counts that a search comes past, down to the two widths between which the number lies.

    Parameters grow with about the square of a factor: so the next factor is guessed from the last.
    """
    left = sorted(candidates, key=candidates.__getitem__)
    guess = 1.0
    while left:
        pairs = min(left, key=lambda pairs: abs(candidates[pairs] - guess))
        place, counted = left.index(pairs), count(pairs)
        if counted is None and guess == 1:
            # Not even its own widths may be said.
            return
        if counted is None:
            del left[place]
            continue
        yield pairs, counted
        left = left[place + 1 :] if counted < number else left[:place]
        guess = candidates[pairs] * (number / counted) ** 0.5


def _number(wanted: str | int, plain: nn.Module) -> int:
    if wanted == BACKBONE:
        return _num_parameters(plain)
    if isinstance(wanted, str) or wanted < 1:
        raise UserError("bad-argument", f"parameters cannot be matched to `{wanted}`",
                        f"write `{BACKBONE}`, or a number such as 1000000")  # fmt: skip
    return wanted


def _num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
