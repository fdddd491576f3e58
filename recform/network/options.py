"""What `recform.build` is asked for beside formula and backbone, and checked before any work.

The plan stays with the network, for whoever makes it anew; the rest is for this making alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from recform.errors import UserError
from recform.network.backbone import UNITS
from recform.network.plan import Plan
from recform.network.projection import PROJECTIONS
from recform.network.surface import FormulaNetwork


@dataclass(frozen=True)
class Options:
    """A plan, and how the network by it is made: `build` says what each is."""

    plan: Plan
    allow_code: bool = False
    pretrained: bool = False
    weights: str | Path | None = None
    match_params: str | int | Mapping[str, Any] | None = None
    recompute: bool = False
    reversible: bool = False


def check_options(options: Options, backbone: Any, num_classes: int | None, in_chans: int) -> None:
    """Raises UserError `bad-argument`, `no-weights`, `no-width` for what cannot be done."""
    _check_numbers(options.plan, num_classes, in_chans)
    _check_instance(options, backbone)
    _check_start(options, backbone)
    _check_choices(options.plan)


def _check_numbers(plan: Plan, num_classes: int | None, in_chans: int) -> None:
    for name, value, least in (
        ("number of classes", num_classes, 0),
        ("number of input channels", in_chans, 1),
        ("image size", plan.image_size, 1),
    ):
        if value is not None and value < least:
            raise UserError("bad-argument", f"the {name} must be {least} or more, not {value}",
                            "give a larger number")  # fmt: skip


def _check_instance(options: Options, backbone: Any) -> None:
    """Whether it is a backbone, and one whose widths are free if they are to be matched."""
    if not isinstance(backbone, str | nn.Module):
        raise UserError("bad-argument", f"a backbone is no {type(backbone).__name__}",
                        "give a name such as resnet50, or a model")  # fmt: skip
    if isinstance(backbone, FormulaNetwork):
        raise UserError("bad-argument", "the model follows a formula already",
                        "give a fresh one, or its name")  # fmt: skip
    if options.match_params is not None and not isinstance(backbone, str):
        raise UserError("no-width", "a model instance has its widths already",
                        "name the backbone instead of passing an instance")  # fmt: skip


def _check_start(options: Options, backbone: Any) -> None:
    """Whether there can be weights to start from."""
    if options.weights is not None and options.pretrained:
        raise UserError("bad-argument", "weights come from a file or from timm, not both",
                        "leave out --pretrained, or --weights")  # fmt: skip
    if options.weights is not None and isinstance(backbone, nn.Module):
        raise UserError("bad-argument", "a model instance has its weights already",
                        "load them into it, or name the backbone")  # fmt: skip
    starts = options.pretrained or options.weights is not None
    if options.match_params is not None and starts:
        raise UserError("no-weights", "there are no weights for other widths",
                        "leave out --pretrained and --weights, or --match-params")  # fmt: skip


def _check_choices(plan: Plan) -> None:
    if plan.gate_reduction < 1:
        raise UserError("bad-argument", f"a gate cannot divide channels by {plan.gate_reduction}",
                        "give a gate_reduction of 1 or more, such as 8")  # fmt: skip
    for name, value, known in (
        ("projection", plan.project, (None, *PROJECTIONS)),
        ("unit", plan.unit, UNITS),
    ):
        if value not in known:
            choices = ", ".join(str(choice) for choice in known if choice is not None)
            raise UserError("bad-argument", f"there is no {name} `{value}`", f"choose {choices}")
