"""What recform finds in a backbone, without weights and without images.

A backbone is created and taken apart on the meta device, which takes about a second.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

import timm
import torch
from timm.models import list_modules

from recform.errors import UserError
from recform.network.backbone import take_apart
from recform.network.create import BackboneSpec, create, input_size
from recform.network.named import PREFIX
from recform.network.stages import Stage, stages_in
from recform.network.zoo import CIFAR_NETS


@dataclass(frozen=True)
class Description:
    """A backbone taken apart. `coverage` is the share of its parameters in branches and shortcuts.

    For one that cannot be taken apart, `refusal` says why, and the rest is empty.
    """

    backbone: str
    num_params: int
    num_units: int
    stages: tuple[Stage, ...]
    coverage: float
    has_act: bool
    refusal: str = ""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Family:
    """One of timm's model files, and how many models it registers."""

    name: str
    num_models: int
    example: str


def describe(backbone: str, image_size: int | None = None) -> Description:
    """A backbone's units, stages and coverage.

    Raises UserError `unknown-backbone`, `bad-argument`; a backbone without a chain of units is
    described as such.
    """
    with torch.device("meta"):
        model = create(BackboneSpec(backbone), pretrained=False)
    num_params = sum(parameter.numel() for parameter in model.parameters())
    images = input_size(model, 3, image_size)
    try:
        whole = take_apart(model, images)
    except UserError as error:
        return Description(backbone, num_params, 0, (), 0.0, False, error.diagnostics[0].message)
    return Description(backbone, num_params, whole.depth, stages_in(whole), whole.coverage,
                       whole.has_act)  # fmt: skip


def find_backbones(pattern: str) -> list[str]:
    """The names of timm's models and of recform's own that match a pattern with * and ?.

    Raises UserError `unknown-backbone` where none does.
    """
    known = (*CIFAR_NETS, *timm.list_models(exclude_filters=f"{PREFIX}*"))
    names = [name for name in known if fnmatchcase(name, pattern)]
    if not names:
        raise UserError("unknown-backbone", f"no backbone matches `{pattern}`",
                        "use * for any letters: recform backbones 'resnet*'")  # fmt: skip
    return names


def families() -> list[Family]:
    """timm's families, that is its model files, and recform's CIFAR nets."""
    found = [Family("recform (CIFAR)", len(CIFAR_NETS), next(iter(CIFAR_NETS)))]
    for name in sorted(list_modules()):
        models = timm.list_models(module=name, exclude_filters=f"{PREFIX}*")
        if models:
            found.append(Family(name, len(models), models[0]))
    return found
