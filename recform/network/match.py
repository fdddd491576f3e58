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
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import torch
from timm.models.regnet import RegNetCfg
from torch import nn

from recform.errors import UserError
from recform.network.create import BackboneSpec, create
from recform.network.making import Making, recorded
from recform.network.narrowing import MULTIPLIER, ROUNDING, multiplier_of
from recform.network.regnets import own_pairs, regnet_candidates

BACKBONE = "backbone"
# Keywords by which the classes of timm and of recform take their widths.
KEYWORDS = ("channels", "dims", "widths", "embed_dims", "embed_dim")
# Factors that are tried.
_LEAST, _MOST = 1 / 16, 4
# A narrow net knows no multiples of 8 near its widths.
_NARROW = 32

# Counts that differ by no more than this share are as good as equal.
NEAR = 0.01
OTHERS = ("choose a ResNet, RegNet, EfficientNet, ConvNeXt, ViT, Swin or Mixer, or pass other "
          "widths as keywords: build(..., NAME=...)")  # fmt: skip

Pairs = tuple[tuple[str, Any], ...]
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class WidthSettings:
    """What a backbone's widths are set by, and what whole ones are multiples of.

    `pairs` are keywords with the backbone's own values; numbers that are not whole take any value.
    `others` are the other widths with their factors, where no single factor leads to them. Factors
    are tried in `steps` between 1 and 2.
    """

    pairs: Pairs
    multiple: int
    others: Mapping[Pairs, float] | None = None
    steps: int = 256

    def scaled(self, factor: float) -> Pairs:
        return tuple((name, self._scaled(value, factor)) for name, value in self.pairs)

    def _scaled(self, value: Any, factor: float) -> Any:
        if isinstance(value, tuple):
            return tuple(self._scaled(width, factor) for width in value)
        if isinstance(value, float):
            return round(value * factor, 4)
        return max(self.multiple, round(value * factor / self.multiple) * self.multiple)

    def candidates(self, least: float = _LEAST, most: float = _MOST) -> Mapping[Pairs, float]:
        """Widths by the factors between two that lead to them."""
        if self.others is not None:
            return self.others
        places = range(math.floor(most * self.steps), math.floor(least * self.steps), -1)
        return {self.scaled(place / self.steps): place / self.steps for place in places}


def with_matched_widths(
    spec: BackboneSpec,
    wanted: str | int | Mapping[str, Any] | None,
    make: Callable[[BackboneSpec], Network],
) -> tuple[Network, str]:
    """What `make` makes of the backbone with the widths at which it has `wanted` parameters.

    None are the backbone's own widths; a mapping, those that were found before. Beside it what
    there is to say: where no widths come within a percent, how near they come.
    """
    if wanted is None:
        return make(spec), ""
    if isinstance(wanted, Mapping):
        return make(replace(spec, matched=tuple((k, _frozen(v)) for k, v in wanted.items()))), ""
    spec, number = match_widths(spec, wanted, make)
    network = make(spec)
    share = _num_parameters(network) / number - 1
    if abs(share) <= NEAR:
        return network, ""
    return network, (f"the nearest that the widths of {spec.name} come to {number:,} parameters is "
                     f"{abs(share):.1%} {'more' if share > 0 else 'fewer'}")  # fmt: skip


def match_widths(
    spec: BackboneSpec, wanted: str | int, make: Callable[[BackboneSpec], nn.Module]
) -> tuple[BackboneSpec, int]:
    """The backbone with the widths at which what `make` makes of it has `wanted` parameters.

    `wanted` is a number, or "backbone" for those of the plain backbone; the number comes beside.
    Multiples are halved until the count is within a percent, as far as they can be. `make` is
    called on the meta device, some five to fifteen times. Raises UserError `no-width`,
    `bad-argument`.
    """
    with recorded() as makings, torch.device("meta"):
        plain = create(spec, pretrained=False)
    widths = widths_of(plain, makings[plain], spec.name)
    number = _number(wanted, plain)

    @cache
    def count(pairs: Pairs) -> int | None:
        """Parameters at these widths; None where the backbone cannot have them."""
        try:
            with torch.device("meta"):
                return _num_parameters(make(replace(spec, matched=pairs)))
        except UserError as error:
            # Some widths make no heads that can be turned by halves; a backbone's own do.
            if error.code != "backbone-argument" and pairs == widths.pairs:
                raise
            return None

    if count(widths.pairs) is None:
        raise UserError("no-width", f"{spec.name} does not let its {widths.pairs[0][0]} be set",
                        OTHERS)  # fmt: skip
    found = dict(_search(widths.candidates(), number, count))
    if not found or not min(found.values()) <= number <= max(found.values()):
        raise UserError("no-width", f"no width of {spec.name} comes near {number:,} parameters",
                        "give another number, or another backbone")  # fmt: skip
    for finer in _finer(widths):
        if abs(found[_nearest(found, number)] - number) <= NEAR * number:
            break
        around = _factor_of(_nearest(found, number), widths)
        found |= _search(finer.candidates(0.9 * around, 1.1 * around), number, count, around)
    nearest = _nearest(found, number)
    # Widths that are the backbone's own are not said again.
    return (spec if nearest == widths.pairs else replace(spec, matched=nearest)), number


def _nearest(found: Mapping[Pairs, int], number: int) -> Pairs:
    return min(found, key=lambda pairs: abs(found[pairs] - number))


def _factor_of(pairs: Pairs, widths: WidthSettings) -> float:
    """About the factor that led from a backbone's widths to others."""
    return _first(pairs[0][1]) / _first(widths.pairs[0][1])


def _first(width: Any) -> float:
    return width[-1] if isinstance(width, tuple) else width


def _finer(widths: WidthSettings) -> Iterator[WidthSettings]:
    """Half the multiple, and a quarter, if these are whole; smaller steps of what is not whole."""
    if widths.others is not None:
        return
    if isinstance(widths.pairs[0][1], float):
        yield replace(widths, steps=16 * widths.steps)
        return
    for part in (2, 4):
        if widths.multiple % part == 0:
            yield replace(widths, multiple=widths.multiple // part)


def widths_of(model: nn.Module, making: Making, name: str) -> WidthSettings:
    """The widths that a model was made with. Raises UserError `no-width` if they are not known."""
    defaults = inspect.signature(type(model)).parameters
    config = making.keywords.get("cfg")
    for keyword in KEYWORDS:
        default = getattr(config, keyword, getattr(defaults.get(keyword), "default", None))
        value = making.keywords.get(keyword, default)
        if isinstance(value, int) or (isinstance(value, tuple | list) and value):
            return WidthSettings(((keyword, _frozen(value)),), _multiple(value, _num_heads(making)))
    if isinstance(config, RegNetCfg):
        return WidthSettings(own_pairs(config), 8, regnet_candidates(config))
    if ROUNDING in defaults:
        return WidthSettings(((MULTIPLIER, multiplier_of(making)),), 8)
    raise UserError("no-width", f"{name} has no keyword that recform knows for its widths", OTHERS)


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
    candidates: Mapping[Pairs, float],
    number: int,
    count: Callable[[Pairs], int | None],
    guess: float = 1.0,
) -> Iterator[tuple[Pairs, int]]:
    """The counts that a search comes past, down to the two widths between which the number lies.

    Parameters grow with about the square of a factor: so the next factor is guessed from the last.
    """
    left = sorted(candidates, key=candidates.__getitem__)
    while left:
        pairs = min(left, key=lambda pairs: abs(candidates[pairs] - guess))
        place, counted = left.index(pairs), count(pairs)
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
