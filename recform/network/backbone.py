"""A backbone taken apart: stem, a chain of residual units, head.

The backbone's `forward_features` is traced with its units as leaves. What comes before the chain
is the stem, what comes after it belongs to the head; the chain itself is what a formula replaces.

This version takes apart timm's ResNet family (basic and bottleneck blocks, with or without
squeeze-and-excitation, groups, wide or deep) and recform's CIFAR nets, which are built from the
same blocks.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

import torch
from timm.models.resnet import BasicBlock, Bottleneck
from torch import fx, nn

from recform.errors import UserError
from recform.network.split import Unit, split

# torch.fx patches nn.Module while it traces: one backbone at a time, or threads meet in the patch.
_TRACING = Lock()

UNIT_CLASSES = (BasicBlock, Bottleneck)


@dataclass(frozen=True)
class Shape:
    """What a unit reads or hands on, without the batch: channels and resolution."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class Backbone:
    """The parts of a model. `trunk` is the graph of its forward_features, with units as leaves.

    `reads[j]` is the shape that unit j reads; the last entry is what the head reads.
    """

    model: nn.Module
    trunk: fx.Graph
    units: tuple[Unit, ...]
    reads: tuple[Shape, ...]

    @property
    def depth(self) -> int:
        return len(self.units)

    @property
    def borders(self) -> tuple[int, ...]:
        """The units at which older values need a projection."""
        return tuple(j for j, unit in enumerate(self.units) if unit.changes_shape)

    @property
    def has_act(self) -> bool:
        """Whether something follows the addition, for a formula to place with `act`."""
        return any(unit.after for unit in self.units)

    @property
    def path_of_unit(self) -> dict[str, int]:
        return {unit.path: j for j, unit in enumerate(self.units)}


class _Trunk(fx.Tracer):
    """Traces forward_features down to the units, which are leaves."""

    traced_func_name = "forward_features"

    def __init__(self, units: dict[str, Unit]) -> None:
        super().__init__()
        self._units = units

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(path.startswith(f"{module_qualified_name}.") for path in self._units)


def take_apart(model: nn.Module, image_size: tuple[int, int, int]) -> Backbone:
    """The stem, units and head of a model; `image_size` is (channels, height, width).

    Raises UserError `no-units` if the model is not of the families that can be taken apart.
    """
    with _TRACING:
        return _take_apart(model, image_size)


def _take_apart(model: nn.Module, image_size: tuple[int, int, int]) -> Backbone:
    units = {}
    for path, module in model.named_modules():
        unit = split(module, path) if isinstance(module, UNIT_CLASSES) else None
        if unit is not None:
            units[path] = unit
    name = type(model).__name__
    if not units or not hasattr(model, "forward_features"):
        raise UserError("no-units", f"{name} has no residual units that recform can take apart",
                        "this version reads timm's ResNet family and recform's CIFAR nets: "
                        "resnet50, seresnet50, resnext50_32x4d, wide_resnet50_2, "
                        "resnet20_cifar, ...")  # fmt: skip
    trunk = _Trunk(units).trace(model)
    chain = _chain(trunk, units)
    if chain is None:
        raise UserError("no-units", f"the residual units of {name} are no chain",
                        "choose a backbone whose units follow one another")  # fmt: skip
    ordered = tuple(units[path] for path in chain)
    return Backbone(model, trunk, ordered, _shapes(model, ordered, image_size))


def _chain(trunk: fx.Graph, units: dict[str, Unit]) -> list[str] | None:
    """The units' paths in the order in which they run, if each reads just the one before."""
    calls = [node for node in trunk.nodes if node.op == "call_module" and node.target in units]
    for before, after in pairwise(calls):
        if after.args != (before,) or list(before.users) != [after]:
            return None
    return [str(node.target) for node in calls] if len(calls) == len(units) else None


def _shapes(
    model: nn.Module, units: tuple[Unit, ...], image_size: tuple[int, int, int]
) -> tuple[Shape, ...]:
    """What each unit reads and the last hands on, by one forward pass without data."""
    ghost = copy.deepcopy(model).to("meta").eval()
    shapes: list[Shape] = []

    def record(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        shapes.append(Shape(*inputs[0].shape[1:]))
        if len(shapes) == len(units):
            shapes.append(Shape(*output.shape[1:]))

    for unit in units:
        ghost.get_submodule(unit.path).register_forward_hook(record)
    with torch.no_grad():
        ghost.forward_features(torch.empty(1, *image_size, device="meta"))  # type: ignore[operator]
    return tuple(shapes)
