"""Weights dealt out to a team, for networks too large for each of its processes.

Each process keeps its part of every weight, of its gradient and of what the optimizer remembers; a
large layer's weights are gathered while it computes, the others with the whole network (FSDP, Zhao
et al. 2023). A single number, as a learned coefficient is, has no parts: each process has it whole,
and the mean of its gradients. A checkpoint holds all weights whole, in the form of any other run:
it goes on with another number of processes, or with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

# A layer of fewer weights is not worth a message of its own.
NUM_WEIGHTS_OF_A_LAYER = 100_000


def deal_out(model: nn.Module, place: torch.device) -> None:
    """Leaves each process its part of the weights; all must hold the same ones before."""
    mesh = init_device_mesh(place.type, (dist.get_world_size(),))
    singles = {weight for weight in model.parameters() if weight.ndim == 0}
    for single in singles:
        if single.requires_grad:
            single.register_hook(_averaged)
    for layer in reversed(list(model.modules())):
        if _is_large(layer) and layer is not model:
            fully_shard(layer, mesh=mesh, ignored_params=singles)
    fully_shard(model, mesh=mesh, ignored_params=singles)


def whole(value: Any) -> Any:
    """The same value with whole tensors in the processor's memory: readable on any machine.

    Where weights are dealt out, all processes must call it.
    """
    if isinstance(value, DTensor):
        return value.full_tensor().cpu()
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


def own_part(tensor: Tensor) -> Tensor:
    """What this process has of it: all, where nothing is dealt out."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def dealt_weights(weights: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Whole weights, dealt out as those of the network are."""
    own = model.state_dict()
    return {name: _like(own.get(name), tensor) for name, tensor in weights.items()}


def dealt_memory(states: Mapping[str, Any], optimizer: Optimizer) -> dict[str, Any]:
    """What an optimizer remembers, whole, dealt out as its weights are."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    memory = {
        number: {name: _like(weights[number], value) for name, value in remembered.items()}
        for number, remembered in states["state"].items()
    }
    return {**states, "state": memory}


def _like(own: Tensor | None, value: Any) -> Any:
    if not isinstance(own, DTensor) or not isinstance(value, Tensor) or value.shape != own.shape:
        return value
    return distribute_tensor(value.to(own.device), own.device_mesh, own.placements)


def _averaged(gradient: Tensor) -> Tensor:
    total = gradient.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def _is_large(layer: nn.Module) -> bool:
    """Whether its weights are gathered on their own, when it runs.

    What never runs only holds weights that others read, as a formula's coefficients are held.
    """
    runs = type(layer).forward is not nn.Module.forward
    num_own = sum(weight.numel() for weight in layer.parameters(recurse=False))
    return runs and num_own >= NUM_WEIGHTS_OF_A_LAYER
