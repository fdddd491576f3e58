"""What is read off a network's coefficients and gates is what it computes with."""

import math

import pytest
import torch

from recform.network import build, is_weighing, weighing
from recform.network.functions import Attend, Gate, Layout, StaticGate

LAYOUT = Layout(channels=4, axis=1, num_axes=4)


def built(formula, seed=0):
    torch.manual_seed(seed)
    return build(formula, "resnet20_cifar", 10)


def test_a_coefficient_is_told_under_its_name_in_the_formula():
    network = built("param a[l] = 0\nx[l+1] = x[l] + a[l]*F(x[l])")
    with torch.no_grad():
        network.get_parameter("formula.a.5").fill_(0.25)
    told = weighing(network).coefficients
    assert list(told) == [f"a[{block}]" for block in range(9)]
    assert told["a[5]"] == 0.25
    assert told["a[4]"] == 0


def test_a_constrained_coefficient_is_told_as_the_network_reads_it():
    text = "param k[l] = 1/4 in sigmoid\nx[l+1] = k[l]*F(x[l]) + (1 - k[l])*x[l]"
    assert weighing(built(text)).coefficients["k[3]"] == pytest.approx(0.25, abs=1e-7)


def test_a_doubly_stochastic_matrix_has_rows_of_sum_one():
    network = built("mhc")
    with torch.no_grad():
        network.get_parameter("formula.A.2").normal_()
    told = weighing(network).coefficients
    for row in range(4):
        assert sum(told[f"A[2][{row}, {column}]"] for column in range(4)) == pytest.approx(1, 1e-3)


def test_of_a_coefficient_over_channels_the_mean_is_told():
    network = built("layerscale")
    with torch.no_grad():
        network.get_parameter("formula.g.0").copy_(torch.arange(16.0))
    assert weighing(network).coefficients["g[0]"] == 7.5


def test_a_static_gate_adds_its_sources_with_the_weights_it_tells():
    gate = StaticGate(3)
    basis = torch.eye(4)[:, None]
    columns = [gate(*basis[:, :, source]) for source in range(4)]
    assert torch.allclose(torch.cat(columns), gate.mean_weights(*basis), atol=1e-7)


def test_a_gate_whose_weights_are_known_tells_them():
    gate = Gate(2, LAYOUT).eval()
    with torch.no_grad():
        gate.expand.weight.zero_()
        gate.expand.bias.copy_(torch.tensor([0.0, math.log(3), 0]).repeat_interleave(4))
    images = torch.randn(5, 4, 2, 2)
    told = gate.mean_weights(images, images, images)
    assert told.tolist() == pytest.approx([0.5, 0.75, 0.25])
    # 0.5 + 0.75 + 0.25 of the same source
    assert torch.allclose(gate(images, images, images), 1.5 * images, atol=1e-6)


def test_attention_begins_with_equal_weights():
    sources = torch.randn(3, 5, 4, 2, 2)
    assert Attend(LAYOUT).mean_weights(*sources).tolist() == pytest.approx([1 / 3] * 3)


def test_the_gates_of_a_network_are_those_of_the_images_given():
    network = built("skip_resnet").train()
    images = torch.randn(4, 3, 32, 32)
    gates = weighing(network, images).gates
    # three blocks a stage, and history ends at its border
    assert [len(weights) for weights in gates.values()] == [2, 3, 3] * 3
    assert all(sum(weights[1:]) == pytest.approx(1, abs=1e-5) for weights in gates.values())
    assert gates != weighing(network, 9 * images).gates
    assert network.training
    assert weighing(network).gates == {}


@pytest.mark.parametrize("name", ["highway", "skipnet"])
def test_a_gate_that_is_written_out_tells_what_its_block_gives(name):
    network, seen = built(name), {}
    for block, module in network.formula.T.named_children():
        module.register_forward_hook(lambda _, __, made, block=block: seen.update({block: made}))
    images = torch.randn(4, 3, 32, 32)
    told = weighing(network, images).written
    with torch.no_grad():
        network.eval()(images)
    assert list(told) == [f"T.{block}" for block in range(9)]
    for block in range(9):
        gate = seen[str(block)].double()
        expected = (gate.mean().item(), (gate - gate.mean()).square().mean().sqrt().item())
        assert told[f"T.{block}"] == pytest.approx(expected, rel=1e-12)


def test_a_sigmoid_in_a_product_is_told_as_well():
    network = built("x[l+1] = sigmoid(x[l])*F(x[l]) + x[l]")
    with torch.no_grad():
        network.conv1.weight.zero_()
    # the stem is 0, and so is the block of it in evaluation
    assert weighing(network, torch.randn(2, 3, 32, 32)).written["sigmoid.0"] == (0.5, 0)


def test_what_has_neither_coefficients_nor_gates_is_not_weighing():
    assert is_weighing(built("rezero"))
    assert is_weighing(built("attention_residuals"))
    assert is_weighing(built("highway"))
    assert not is_weighing(built("resnet_s"))
    assert not is_weighing(torch.nn.Linear(2, 2))
