"""What a network costs: counts against sums made by hand, and against a real training step."""

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

import recform
from recform.network.cost import activation_bytes, size


def test_a_linear_layer_keeps_its_input():
    # 5 numbers of 4 bytes; the ReLU keeps its 7 results, which the second layer reads too.
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
    assert activation_bytes(nn.Sequential(nn.Flatten(), network), (5, 1, 1)) == 4 * (5 + 7)


def test_activation_bytes_are_what_a_real_step_keeps():
    network = recform.build("resnet_s_net", "resnet20_cifar").train()

    def kept(images: torch.Tensor) -> int:
        own = {p.data_ptr() for p in network.state_dict().values()}
        found: dict[int, torch.Tensor] = {}
        with saved_tensors_hooks(lambda t: found.setdefault(t.data_ptr(), t), lambda t: t):
            network(images)
        return sum(t.untyped_storage().nbytes() for at, t in found.items() if at not in own)

    few, many = kept(torch.randn(2, 3, 32, 32)), kept(torch.randn(3, 3, 32, 32))
    assert activation_bytes(network, (3, 32, 32)) == many - few


def test_a_formula_that_is_the_backbone_costs_what_it_costs():
    sizes = size(recform.build("resnet", "resnet20_cifar"))
    assert (sizes.params_ratio, sizes.macs_ratio, sizes.activation_ratio) == (1, 1, 1)


def test_a_model_instance_has_no_plain_backbone_beside_it():
    from recform.network.create import BackboneSpec, create

    backbone = create(BackboneSpec("resnet20_cifar"), pretrained=False)
    sizes = size(recform.build("resnet", backbone))
    assert (sizes.baseline_params, sizes.params_ratio, sizes.activation_ratio) == (None,) * 3
