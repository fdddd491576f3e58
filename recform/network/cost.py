"""What a network costs: parameters and multiply-accumulates, without running it on data."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from recform.network.build import FormulaNetwork
from recform.network.create import create, input_size


@dataclass(frozen=True)
class Size:
    """Sizes of a network beside its plain backbone, for one image of `image_size`.

    `baseline_params` and `baseline_macs` are None where the backbone was a model instance.
    """

    params: int
    baseline_params: int | None
    macs: int
    baseline_macs: int | None
    blocks: int
    projections: int
    projection_params: int
    image_size: tuple[int, int, int]

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "image_size": list(self.image_size)}


def size(network: FormulaNetwork, image_size: int | None = None) -> Size:
    """Count a network's parameters and multiply-accumulates, and those of its plain backbone."""
    architecture = network.architecture
    image = input_size(network, 3, image_size)
    plain = None
    if architecture.spec is not None:
        with torch.device("meta"):
            plain = create(architecture.spec, pretrained=False)
    projections = [network.get_submodule(name) for name in architecture.projections]
    return Size(
        params=num_parameters(network),
        baseline_params=None if plain is None else num_parameters(plain),
        macs=num_macs(network, image),
        baseline_macs=None if plain is None else num_macs(plain, image),
        blocks=architecture.num_blocks,
        projections=len(projections),
        projection_params=sum(num_parameters(module) for module in projections),
        image_size=image,
    )


def num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def num_macs(module: nn.Module, image_size: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and matrix products for one image.

    Counted by torch's FlopCounterMode on the meta device; a multiply-accumulate is two
    floating-point operations.
    """
    ghost = copy.deepcopy(module).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        ghost(torch.empty(1, *image_size, device="meta"))
    return counter.get_total_flops() // 2
