"""What a network costs, beside its plain backbone: parameters, multiply-accumulates, memory.

A formula may win because it has more parameters. So every count stands beside that of the plain
backbone, and nothing is run on data: shapes alone decide all of them.

    >>> from recform.network import build
    >>> sizes = size(build("resnet_s_net", "resnet20_cifar"))
    >>> sizes.params - sizes.baseline_params            # two projections of older values
    2752
    >>> round(sizes.activation_ratio, 3)
    1.261
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from recform.network.create import create, input_size
from recform.network.stages import Stage
from recform.network.surface import FormulaNetwork

RATIOS = ("params_ratio", "macs_ratio", "activation_ratio")


@dataclass(frozen=True)
class Size:
    """Sizes of a network beside its plain backbone, for one image of `image_size`.

    `activation_bytes` are kept for the backward pass of one image in training. What belongs to the
    baseline is None where the backbone was a model instance.
    """

    params: int
    baseline_params: int | None
    macs: int
    baseline_macs: int | None
    activation_bytes: int
    baseline_activation_bytes: int | None
    blocks: int
    stages: tuple[Stage, ...]
    projections: int
    projection_params: int
    image_size: tuple[int, int, int]

    @property
    def params_ratio(self) -> float | None:
        return _ratio(self.params, self.baseline_params)

    @property
    def macs_ratio(self) -> float | None:
        return _ratio(self.macs, self.baseline_macs)

    @property
    def activation_ratio(self) -> float | None:
        return _ratio(self.activation_bytes, self.baseline_activation_bytes)

    def to_json(self) -> dict[str, object]:
        ratios = {name: getattr(self, name) for name in RATIOS}
        return {**asdict(self), **ratios, "image_size": list(self.image_size)}


def size(network: FormulaNetwork, image_size: int | None = None) -> Size:
    """Count what a network costs, and what its plain backbone costs, at its full width."""
    architecture = network.architecture
    image = input_size(network, 3, image_size)
    plain = None
    if architecture.spec is not None:
        with torch.device("meta"):
            plain = create(replace(architecture.spec, matched=()), pretrained=False)
    projections = [network.get_submodule(name) for name in architecture.projections]
    return Size(
        params=num_parameters(network),
        baseline_params=None if plain is None else num_parameters(plain),
        macs=num_macs(network, image),
        baseline_macs=None if plain is None else num_macs(plain, image),
        activation_bytes=activation_bytes(network, image),
        baseline_activation_bytes=None if plain is None else activation_bytes(plain, image),
        blocks=architecture.num_blocks,
        stages=architecture.stages,
        projections=len(projections),
        projection_params=sum(num_parameters(module) for module in projections),
        image_size=image,
    )


def num_parameters(module: nn.Module) -> int:
    """How many numbers are trained, a shared parameter counted once."""
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


def activation_bytes(module: nn.Module, image_size: tuple[int, int, int]) -> int:
    """Bytes that one more image keeps for the backward pass, in training and without autocast.

    What autograd saves on the meta device, each storage once and parameters not at all. Attention
    counts with its matrix of weights, which a fused kernel does not keep.
    """
    ghost = copy.deepcopy(module).to("meta").train()
    # Parameters and statistics of a batch are saved as well: the difference belongs to images.
    few, many = (_saved_bytes(ghost, torch.empty(n, *image_size, device="meta")) for n in (2, 4))
    return (many - few) // 2


def _saved_bytes(ghost: nn.Module, images: torch.Tensor) -> int:
    # Storages are held, for a freed one would give its address to the next.
    saved: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
        output = ghost(images)
    del output
    return sum(storage.nbytes() for storage in saved.values())


def _ratio(count: int, baseline: int | None) -> float | None:
    return count / baseline if baseline else None
