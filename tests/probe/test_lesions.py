"""Networks with blocks that give zero."""

import pytest
import torch
from torch import nn

import recform
from recform.probe import blocks_of, examine, study_lesions


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def network_of(formula: str):
    return recform.build(formula, "resnet20_cifar").eval()


def images(number: int = 2) -> torch.Tensor:
    return torch.randn(number, 3, 32, 32)


def silenced(network: nn.Module, *units: str):
    """The branches of these units end in zero, by a hook on their last norm."""
    for unit in units:
        last = network.get_submodule(f"{unit}.bn2")
        last.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    return network


@pytest.mark.parametrize("formula", ["resnet", "resnet_s_net", "dense_sum", "momentum"])
def test_a_dropped_block_is_zero_wherever_it_is_read(formula: str):
    network, batch = network_of(formula), images()
    without = examine(network, batch[0]).logits(frozenset([("F", 1), ("F", 3)]), batch)
    expected = silenced(network, "layer1.1", "layer2.0")(batch)
    assert torch.allclose(without, expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(without, network_of(formula)(batch), atol=1e-2)


def test_a_resnet_without_blocks_is_stem_shortcuts_and_head():
    network, batch = network_of("resnet"), images()
    x = network.act1(network.bn1(network.conv1(batch)))
    for border in (network.layer2[0], network.layer3[0]):
        x = torch.relu(border.downsample(x))
    dropped = frozenset(blocks_of(network.architecture.tape))
    without = examine(network, batch[0]).logits(dropped, batch)
    assert torch.allclose(without, network.forward_head(x), rtol=1e-4, atol=1e-4)


def test_blocks_of_several_names_are_dropped_apart():
    network = network_of("block G\nx[l+1] = act(x[l] + F(x[l]) + G(x[l]))")
    blocks = blocks_of(network.architecture.tape)
    assert blocks[:3] == [("F", 0), ("G", 0), ("F", 1)]
    batch, patient = images(), examine(network, images()[0])
    one, other = (patient.logits(frozenset([block]), batch) for block in blocks[:2])
    assert not torch.allclose(one, other)


def test_a_dropped_block_is_not_run():
    network, ran = network_of("resnet"), []
    for name in ("layer1.1.conv1", "layer1.2.conv1"):
        network.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: ran.append(name)
        )
    patient = examine(network, images()[0])
    ran.clear()
    patient.logits(frozenset([("F", 1)]), images())
    assert ran == ["layer1.2.conv1"]


def test_the_network_stays_as_it_is():
    network = network_of("resnet_s_net").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    study_lesions(network, images(4), torch.tensor([0, 1, 2, 3]), num_sets=1)
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_scores_are_those_of_the_network():
    network, batch, labels = network_of("resnet"), images(6), torch.arange(6)
    study = study_lesions(network, batch, labels, num_sets=2)
    logits = network(batch)
    assert study.intact.loss == pytest.approx(
        nn.functional.cross_entropy(logits, labels).item(), rel=1e-4
    )
    assert study.intact.error == pytest.approx(100 * (logits.argmax(1) != labels).float().mean())


def test_sets_of_each_size_are_drawn_or_all_taken():
    network, batch, labels = network_of("resnet"), images(2), torch.arange(2)
    study = study_lesions(network, batch, labels, num_sets=9)
    assert [lesion.num_dropped for lesion in study.sets] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [lesion.num_sets for lesion in study.sets] == [9, 9, 9, 9, 9, 9, 9, 9, 1]
    complete = [lesion.num_dropped for lesion in study.sets if lesion.is_complete]
    assert complete == [1, 8, 9]
    again = study_lesions(network, batch, labels, num_sets=9)
    assert again == study


def test_a_loss_that_is_no_number_is_none():
    network = network_of("resnet")
    network.layer3[2].conv1.weight.data.fill_(float("nan"))
    study = study_lesions(network, images(2), torch.arange(2), num_sets=1)
    assert study.intact.loss is None
    assert study.blocks[-1].score.loss is not None
    assert study.sets[0].mean_loss is None
