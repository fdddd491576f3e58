"""The blocks of the library, and those that a user brings from Python: `block T = ...`.

A block from Python is a function, or a class, that makes a module: of the number of channels if it
takes one positional argument, and of the settings that the formula gives.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from recform.errors import UserError
from recform.formula.ast import Definition
from recform.network.functions import Layout, SqueezeExcite, channel_map


def make_block(definition: Definition, layout: Layout, allow_code: bool = False) -> nn.Module:
    """The module of a block that a formula defines, for values of a layout.

    Raises UserError `code-not-allowed` for a block from Python unless `allow_code`, `bad-code` if
    it cannot be had or makes no module.
    """
    settings = {name: float(value) for name, value in definition.settings}
    if not definition.is_python:
        return _LIBRARY[definition.source](layout, **settings)
    if not allow_code:
        raise UserError("code-not-allowed", f"block {definition.block} is Python code, "
                        f"{definition.source}, which is not run unasked",
                        "pass allow_code=True, or --allow-code, if you trust it")  # fmt: skip
    return _from_python(definition, layout, settings)


def _from_python(
    definition: Definition, layout: Layout, settings: Mapping[str, float]
) -> nn.Module:
    module_name, _, path = definition.source.partition(":")
    try:
        factory = importlib.import_module(module_name)
        for name in path.split("."):
            factory = getattr(factory, name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UserError("bad-code", f"{definition.source} cannot be loaded: {error}",
                        "write package.module:name of what makes it") from error  # fmt: skip
    try:
        made = factory(layout.channels, **settings)  # type: ignore[operator]
    except TypeError as error:
        raise UserError("bad-code", f"{definition.source} does not make a module: {error}",
                        "it takes the number of channels, and the settings by name"
                        ) from error  # fmt: skip
    if not isinstance(made, nn.Module):
        raise UserError("bad-code", f"{definition.source} makes a {type(made).__name__}",
                        "let it return a torch.nn.Module")  # fmt: skip
    return made


class Activated(nn.Module):
    """A map of the channels with an activation behind it; its bias starts at a number."""

    def __init__(
        self, maps: nn.Module, activation: Callable[[Tensor], Tensor], bias: float
    ) -> None:
        super().__init__()
        self.maps = maps
        self._activation = activation
        for name, parameter in maps.named_parameters():
            if name.endswith("bias"):
                nn.init.constant_(parameter, bias)

    def forward(self, state: Tensor) -> Tensor:
        return self._activation(self.maps(state))


class Pooled(nn.Module):
    """A module applied to the mean over all places, its result being the same at each."""

    def __init__(self, module: nn.Module, layout: Layout) -> None:
        super().__init__()
        self.module = module
        self._places = layout.places

    def forward(self, state: Tensor) -> Tensor:
        mean = state.mean(self._places, keepdim=True) if self._places else state
        return self.module(mean)


class UnitVector(nn.Module):
    """A linear map of the channels, brought to length 1 at each place."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.maps = channel_map(layout.channels, layout)
        self._axis = layout.axis

    def forward(self, state: Tensor) -> Tensor:
        return nn.functional.normalize(self.maps(state), dim=self._axis)


def _activated(
    layout: Layout, activation: Callable[[Tensor], Tensor], bias: float, to: int | None = None
) -> nn.Module:
    out = layout if to is None else Layout(to, layout.axis, layout.num_axes)
    return Activated(channel_map(layout.channels, out), activation, bias)


_LIBRARY: Mapping[str, Callable[..., nn.Module]] = MappingProxyType({
    "sigmoid_conv1x1": lambda layout, bias=0.0: _activated(layout, torch.sigmoid, bias),
    "sigmoid_linear": lambda layout, bias=0.0: _activated(layout, torch.sigmoid, bias),
    "sigmoid_scalar": lambda layout, bias=0.0: _activated(layout, torch.sigmoid, bias, to=1),
    "tanh_scalar": lambda layout, bias=0.0: _activated(layout, torch.tanh, bias, to=1),
    "sigmoid_pooled": lambda layout, bias=0.0: Pooled(
        _activated(layout, torch.sigmoid, bias), layout
    ),
    "sigmoid_pooled_scalar": lambda layout, bias=0.0: Pooled(
        _activated(layout, torch.sigmoid, bias, to=1), layout
    ),
    "unit_vector": UnitVector,
    "conv1x1": lambda layout: channel_map(layout.channels, layout),
    "linear": lambda layout: channel_map(layout.channels, layout),
    "se": SqueezeExcite,
})  # fmt: skip
