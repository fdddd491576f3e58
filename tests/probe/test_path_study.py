"""Gradients by path length, as they are reported."""

import copy
from statistics import fmean

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import recform
from recform.errors import UserError
from recform.probe import path_study, study_paths, with_statistics_of
from recform.probe.path_study import Magnitudes


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def network_of(formula: str):
    return recform.build(formula, "resnet20_cifar")


def batch(number: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(number, 3, 32, 32), torch.arange(number)


def test_paths_of_a_resnet_are_counted_and_sampled():
    study = study_paths(network_of("resnet"), *batch(), samples=10)
    assert [row.surviving.paths for row in study.lengths] == [1, 9, 36, 84, 126, 126, 84, 36, 9, 1]
    assert [row.surviving.sampled for row in study.lengths] == [1, 9, 10, 10, 10, 10, 10, 10, 9, 1]
    assert {row.cancelled.paths for row in study.lengths} == {0}


def test_words_that_cancel_are_reported_apart():
    study = study_paths(network_of("resnet_s_net"), *batch(), samples=5)
    assert [row.surviving.paths for row in study.lengths] == [1] * 10
    assert [row.cancelled.paths for row in study.lengths] == [0, 8, 35, 83, 125, 125, 83, 35, 8, 0]


def test_the_whole_gradient_is_the_mean_over_images():
    network, (images, labels) = network_of("resnet_s_net").eval(), batch()
    entering = []
    network.act1.register_forward_hook(
        lambda module, inputs, output: (
            entering.append(output.clone().requires_grad_()) or entering[-1]
        )
    )
    sizes = []
    for image, label in zip(images, labels, strict=True):
        loss = cross_entropy(network(image[None]), label[None])
        (gradient,) = torch.autograd.grad(loss, entering[-1])
        sizes.append(gradient.norm().item())
    network.act1._forward_hooks.clear()
    assert study_paths(network, images, labels).gradient == pytest.approx(fmean(sizes), rel=1e-3)


def test_the_magnitude_of_a_path_does_not_depend_on_the_batch():
    network, (images, labels) = network_of("resnet"), batch()
    together = study_paths(network, images, labels)
    apart = [study_paths(network, images[i : i + 1], labels[i : i + 1]) for i in range(3)]
    means = [fmean(study.lengths[0].surviving.mean for study in apart)]
    assert together.lengths[0].surviving.mean == pytest.approx(means[0], rel=1e-3)


def test_a_seed_says_which_paths_are_drawn():
    network, data = network_of("resnet"), batch()
    one, same, other = (study_paths(network, *data, samples=3, seed=seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_the_contribution_is_the_mean_times_the_number():
    assert Magnitudes(paths=12, sampled=3, mean=0.25, std=0.1).contribution == 3
    assert Magnitudes(paths=10**400, sampled=3, mean=1e-300, std=0.0).contribution == (
        pytest.approx(1e100)
    )
    assert Magnitudes(paths=10**400, sampled=3, mean=1.0, std=0.0).contribution is None
    assert Magnitudes(paths=0, sampled=0, mean=None, std=None).contribution == 0


def test_the_network_stays_as_it_is():
    network = network_of("resnet").train()
    before = copy.deepcopy(network.state_dict())
    study_paths(network, *batch(), samples=2)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_loss_that_is_no_number_is_refused():
    network = network_of("resnet")
    network.fc.weight.data.fill_(float("nan"))
    with pytest.raises(UserError, match=r"diverged.*\n.*--weights"):
        study_paths(network, *batch())


def test_norms_of_a_fresh_network_take_the_statistics_of_the_images():
    network, (images, _) = network_of("resnet").eval(), batch(8)
    settled = with_statistics_of(network, images)
    moments = []
    settled.layer3[2].bn2.register_forward_hook(
        lambda module, inputs, output: moments.append((output.mean().item(), output.std().item()))
    )
    settled(images)
    assert moments[0] == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-2))
    assert not settled.training
    assert {m.momentum for m in settled.modules() if isinstance(m, nn.BatchNorm2d)} == {0.1}
    assert network.layer3[2].bn2.running_mean.abs().max() == 0


def test_a_formula_that_multiplies_values_is_refused_before_it_runs(monkeypatch):
    def run(*arguments: object) -> None:
        raise AssertionError("the network was run")

    monkeypatch.setattr(path_study, "record", run)
    with pytest.raises(UserError, match="this formula multiplies them") as refused:
        study_paths(network_of("skip_resnet"), *batch())
    assert refused.value.code == "bad-argument"
