"""The identity law: a backbone's own formula gives the backbone back, bit for bit.

`x[l+1] = act(x[l] + F(x[l]))` on a model must be that model: the same state_dict keys in the same
order, and to the last bit the same outputs, gradients and running statistics, in evaluation and
in training from the same seed. Weights as made hide a wrong F where branches start at zero, so
the law is checked with perturbed weights as well.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from recform.errors import UserError
from recform.network.backbone import take_apart
from recform.network.build import build
from recform.network.create import BackboneSpec, create, input_size

OWN_FORMULA = "x[l+1] = act(x[l] + F(x[l]))"
# Large enough for every stage of an ImageNet net, small enough for a laptop.
SMALL_SIDE = 96


@dataclass(frozen=True)
class Identity:
    """What the identity law says of one backbone: `differences` is empty where it holds."""

    backbone: str
    num_units: int
    coverage: float
    image_size: tuple[int, int, int]
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def check_identity(
    backbone: str | nn.Module, image_size: int | None = None, seed: int = 0
) -> Identity:
    """Build a backbone by its own formula and compare it with itself; a model is not changed.

    `image_size` is by default 96, or the size that the backbone insists on. Costs four training
    steps and four evaluations on two images. Raises UserError `unknown-backbone`, `no-units`,
    `bad-argument`.
    """
    torch.manual_seed(seed)
    is_name = isinstance(backbone, str)
    plain = create(BackboneSpec(backbone), False) if is_name else copy.deepcopy(backbone)
    name = backbone if is_name else type(backbone).__name__
    size = input_size(plain, 3, _side(plain) if image_size is None else image_size)
    built = build(OWN_FORMULA, backbone=copy.deepcopy(plain), image_size=size[1])
    differences = [] if list(built.state_dict()) == list(plain.state_dict()) else ["keys"]
    images = torch.randn(2, *size)
    for weights in ("as made", "perturbed"):
        if weights == "perturbed":
            perturb(plain)
            built.load_state_dict(plain.state_dict())
        differences += [f"{what}, weights {weights}" for what in _differences(plain, built, images)]
    made = built.architecture
    return Identity(name, made.num_blocks, made.coverage, size, tuple(differences))


def perturb(model: nn.Module) -> None:
    """Random weights and statistics everywhere: norms and scales at zero would hide a wrong F."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and tensor.ndim > 1:
                tensor.mul_(1 + 0.1 * torch.randn_like(tensor))
            elif tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor))


def _differences(plain: nn.Module, built: nn.Module, images: torch.Tensor) -> Iterator[str]:
    mine, own = (_train(model.train(), images) for model in (built, plain))
    if not _same_bits(mine[:1], own[:1]):
        yield "output in training"
    if not _same_bits(mine[1:], own[1:]):
        yield "gradients"
    if not _same_bits(list(built.buffers()), list(plain.buffers())):
        yield "buffers"
    with torch.no_grad():
        if not _same_bits([built.eval()(images)], [plain.eval()(images)]):
            yield "output in evaluation"


def _train(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor | None]:
    """The output and all gradients, from the same random state each time."""
    model.zero_grad()
    torch.manual_seed(1)
    output = model(images)
    output.square().mean().backward()
    return [output.detach(), *(parameter.grad for parameter in model.parameters())]


def _same_bits(mine: list[torch.Tensor | None], own: list[torch.Tensor | None]) -> bool:
    """Whether tensors agree in every bit; those that are missing must be missing in both."""
    return len(mine) == len(own) and all(
        a is b if a is None or b is None else _bits(a) == _bits(b)
        for a, b in zip(mine, own, strict=True)
    )


def _bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().numpy().tobytes()


def _side(model: nn.Module) -> int | None:
    """A small image's side, or None where the model takes its own size only."""
    config = getattr(model, "default_cfg", None) or {}
    channels, height, width = input_size(model, 3, None)
    if config.get("fixed_input_size") or height != width or height <= SMALL_SIDE:
        return None
    try:
        take_apart(model, (channels, SMALL_SIDE, SMALL_SIDE))
    except UserError:
        # Windows and grids fit some sizes only.
        return None
    return SMALL_SIDE
