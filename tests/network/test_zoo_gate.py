"""SkipResNet's gate, number for number, against numpy written from its description.

takedarts/skipresnet: pool y and the older states x of the stage; one 1x1 convolution of all their
means to a few channels, norm, activation; one 1x1 convolution to a logit for each of them and each
channel; y times the sigmoid of its logit, plus the states weighed by the softmax over them. The
states are those 1, 2, 4, ... blocks back (SkipJunction), or the present one and four before it
(DenseJunction), from the first of the stage on.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from recform import build, load_network, save_network
from recform.errors import UserError
from recform.network.functions import GateStyle

Array = np.ndarray


def numpy_of(tensor: torch.Tensor) -> Array:
    return tensor.detach().double().numpy()


def batch_norm(norm: nn.Module, values: Array) -> Array:
    mean, variance, scale, shift = (
        numpy_of(tensor) for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (values - mean) / np.sqrt(variance + norm.eps) * scale + shift


def layer_norm(norm: nn.Module, values: Array) -> Array:
    mean, variance = values.mean(1, keepdims=True), values.var(1, keepdims=True)
    return (values - mean) / np.sqrt(variance + norm.eps) * numpy_of(norm.weight) + numpy_of(
        norm.bias
    )


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def gelu(values: Array) -> Array:
    return numpy_of(nn.functional.gelu(torch.from_numpy(values)))


def published(
    gate: nn.Module,
    y: Array,
    older: list[Array],
    norm: Callable[[nn.Module, Array], Array] = batch_norm,
    act: Callable[[Array], Array] = relu,
) -> Array:
    """What the description says, for y and older states of shape B C H W, with a gate's weights."""
    num_channels = y.shape[1]
    weights = {name: numpy_of(tensor) for name, tensor in gate.named_parameters()}
    means = np.concatenate([state.mean((2, 3)) for state in (y, *older)], axis=1)
    hidden = act(norm(gate.norm, means @ weights["reduce.weight"].T))
    logits = hidden @ weights["expand.weight"].T + weights["expand.bias"]
    of_y, *of_older = np.split(logits, len(older) + 1, axis=1)
    exponentials = [np.exp(logit) for logit in of_older]
    shares = [exponential / sum(exponentials) for exponential in exponentials]
    assert all(share.shape[1] == num_channels for share in shares)
    result = y / (1 + np.exp(-of_y))[:, :, None, None]
    for state, share in zip(older, shares, strict=True):
        result = result + share[:, :, None, None] * state
    return result


def blocks_back(name: str, place: int) -> list[int]:
    """How far back the states of a block stand, for the `place`th block of a stage."""
    if name == "dense_resnet":
        return [back for back in range(5) if back <= place]
    return [2**k - 1 for k in range(10) if 2**k - 1 <= place]


@pytest.mark.parametrize("name", ["skip_resnet", "dense_resnet"])
def test_a_whole_gated_net_is_what_its_description_says(name: str):
    torch.manual_seed(0)
    network = build(name, "resnet32_cifar", num_classes=10).eval().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_(std=0.1)
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        x = network.act1(network.bn1(network.conv1(images)))
        index = 0
        for stage in (network.layer1, network.layer2, network.layer3):
            states = []
            for place, unit in enumerate(stage):
                states.append(x if unit.downsample is None else unit.downsample(x))
                branch = unit.bn2(unit.conv2(unit.act1(unit.bn1(unit.conv1(x)))))
                older = [states[-1 - back] for back in blocks_back(name, place)]
                gate = network.get_submodule(f"formula.{_gate(network)}.{index}")
                gated = published(gate, branch.numpy(), [state.numpy() for state in older])
                x = torch.relu(torch.from_numpy(gated))
                index += 1
        # Some fifteen gates of float64 arithmetic in another order.
        assert torch.allclose(network.forward_features(images), x, rtol=1e-10, atol=1e-10)


def _gate(network: nn.Module) -> str:
    return next(name for name, _ in network.formula.named_children() if name.startswith("gate"))


def test_gates_of_a_convnext_have_its_norm_and_gelu():
    torch.manual_seed(0)
    network = build("skip_resnet", "convnext_atto", num_classes=10, image_size=64).eval().double()
    gate = network.get_submodule("formula.gate.5")
    seen = {}
    gate.register_forward_hook(lambda _, read, made: seen.update(read=read, made=made))
    with torch.no_grad():
        network(torch.randn(2, 3, 64, 64, dtype=torch.float64))
    y, *older = (numpy_of(state) for state in seen["read"])
    assert np.allclose(
        numpy_of(seen["made"]), published(gate, y, older, layer_norm, gelu), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize(
    ("channels", "reduction", "hidden"),
    [(16, 8, 8), (64, 8, 8), (96, 8, 16), (160, 8, 24), (2048, 8, 256), (16, 2, 8), (64, 2, 32)],
)
def test_the_channels_in_between_are_a_multiple_of_eight(channels, reduction, hidden):
    assert GateStyle(reduction).hidden(channels) == hidden


def test_a_chosen_reduction_is_kept_in_a_pickle_and_on_disk(tmp_path):
    network = build("skip_resnet", "resnet20_cifar", gate_reduction=2)
    gate = network.get_submodule("formula.gate.8")
    assert gate.norm.num_features == 64 // 2
    save_network(network, tmp_path)
    for twin in (pickle.loads(pickle.dumps(network)), load_network(tmp_path)):
        assert twin.architecture.plan.gate_reduction == 2


def test_a_reduction_of_nothing_is_refused():
    with pytest.raises(UserError) as refusal:
        build("skip_resnet", "resnet20_cifar", gate_reduction=0)
    assert refusal.value.code == "bad-argument"
    assert "divide channels by 0" in str(refusal.value)


def test_a_gate_is_not_trained_on_one_image():
    network = build("skip_resnet", "resnet20_cifar").train()
    image = torch.zeros(1, 3, 32, 32)
    with pytest.raises(UserError) as refusal:
        network(image)
    (told,) = refusal.value.diagnostics
    assert (told.message, told.hint) == (
        "a gate's batch norm has no variance over one image",
        "train on batches of 2 or more, or call net.eval()",
    )
    assert network.eval()(image).shape == (1, 10)
    assert build("resnet", "resnet20_cifar").train()(image).shape == (1, 10)
