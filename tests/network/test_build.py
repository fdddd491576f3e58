"""Networks from formulas on real backbones."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.network import num_parameters, size

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


# Liao et al. (2021), table 8, CIFAR-100; the exact numbers follow from the construction.
@pytest.mark.parametrize(
    ("formula", "backbone", "params"),
    [
        ("resnet", "resnet18_cifar", 11_220_132),
        ("resnet", "resnet34_cifar", 21_328_292),
        ("resnet", "resnet50_cifar", 23_705_252),
        ("resnet", "resnet101_cifar", 42_697_380),
        ("resnet_s_net", "resnet18_cifar", 11_393_956),
        ("resnet_s_net", "resnet34_cifar", 21_502_116),
        ("resnet_s_net", "resnet50_cifar", 26_464_932),
        ("resnet_s_net", "resnet101_cifar", 45_457_060),
        (f"{EQ_20}\ninit F(x[-1]) = x[0]", "resnet50_cifar", 26_481_828),
        (f"{EQ_20}\ninit F(x[-1]) = x[0]", "resnet101_cifar", 45_473_956),
    ],
)
def test_parameters_are_the_published_ones(formula, backbone, params):
    with torch.device("meta"):
        network = recform.build(formula, backbone=backbone, num_classes=100)
    assert num_parameters(network) == params


def test_resnet_110_has_the_parameters_of_skipresnets_table():
    assert num_parameters(recform.build("resnet", "resnet110_cifar", num_classes=10)) == 1_730_714


def test_the_network_computes_the_formula_by_hand():
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        x = network.act1(network.bn1(network.conv1(images)))
        older = None
        units = [*network.layer1, *network.layer2, *network.layer3]
        for place, unit in enumerate(units):
            branch = unit.bn2(unit.conv2(unit.act1(unit.bn1(unit.conv1(x)))))
            skip = x if unit.downsample is None else unit.downsample(x)
            x = torch.relu(skip + branch)
            if older is not None:
                crosses = unit.downsample is not None
                name = f"formula.projection.F{place - 1}_at_{place}"
                x = x - (network.get_submodule(name)(older) if crosses else older)
            older = branch
        expected = network.forward_head(x)
        assert torch.allclose(network(images), expected, rtol=1e-5, atol=1e-5)


def test_a_state_that_is_read_again_is_not_overwritten_by_an_activation_in_place():
    network = recform.build("resnet_s_code", "resnet20_cifar")
    images = torch.randn(2, 3, 32, 32)
    expected = network.eval()(images)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    assert torch.equal(network(images), expected)
    assert "act2" in network.code


def test_nothing_is_kept_between_two_calls():
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    first, other = torch.randn(2, 3, 32, 32), torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        expected = network(first)
        network(other)
        assert torch.equal(network(first), expected)


def test_a_deep_copy_and_a_pickle_compute_the_same():
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert torch.equal(twin(images), network(images))
            assert twin.architecture.formula == network.architecture.formula


def test_modules_that_nothing_reads_are_not_built():
    plain = recform.build("plain", "resnet20_cifar")
    assert "layer2.0.downsample" in plain.architecture.removed
    assert not any("downsample" in key for key in plain.state_dict())
    shifted = recform.build("x[l+1] = x[l] + F(x[l-1])", "resnet20_cifar")
    assert "layer3.2.conv1" in shifted.architecture.removed


def test_further_blocks_are_fresh_copies_of_the_branch():
    network = recform.build("block G\nx[l+1] = act(x[l] + F(x[l]) + G(x[l]))", "resnet20_cifar")
    state = network.state_dict()
    mine, original = state["formula.G.4.conv1.weight"], state["layer2.1.conv1.weight"]
    assert mine.shape == original.shape
    assert not torch.equal(mine, original)
    assert not any("downsample" in key for key in state if key.startswith("formula.G"))
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("name", recform.example_names())
def test_every_example_learns_a_step_on_a_real_backbone(name):
    network = recform.build(name, "resnet20_cifar", num_classes=7)
    loss = network(torch.randn(4, 3, 32, 32)).square().mean()
    loss.backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_a_border_that_the_formula_cannot_cross_runs_the_backbones_own():
    network = recform.build("x[l+1] = act(x[l] + F(F(x[l])))", "resnet20_cifar")
    assert network.architecture.plain_borders == (3, 6)
    assert any("layer2.0, layer3.0" in note for note in network.architecture.notes)


def test_a_missing_activation_is_noted_with_the_line_to_write():
    notes = recform.build("resnet_s", "resnet20_cifar").architecture.notes
    assert any("x[l+1] = act(x[l] + F(x[l])) - F(x[l-1]) (--act sum)" in note for note in notes)
    assert recform.build("resnet_s_net", "resnet20_cifar").architecture.notes == ()


def test_batch_norms_of_blocks_that_run_on_several_values_are_noted():
    (note,) = recform.build("block_pairs", "resnet20_cifar").architecture.notes
    assert note.startswith("7 blocks run on several values a step, and their batch norms keep one")
    assert recform.build("block_pairs", "convnext_atto").architecture.notes == ()


def test_act_is_put_where_it_is_asked_for():
    by_sum = recform.build("resnet_s", "resnet20_cifar", act="sum").architecture.formula
    by_end = recform.build("resnet_s", "resnet20_cifar", act="end").architecture.formula
    assert by_sum == recform.resolve("resnet_s_net")
    assert str(by_end).endswith("x[l+1] = act(x[l] + F(x[l]) - F(x[l-1]))")


def test_a_norm_of_an_older_value_is_made_for_its_shape():
    network = recform.build("x[l+1] = x[l] + F(norm(x[l-1])) + F(norm(x[l]))", "resnet20_cifar")
    assert network.get_submodule("formula.norm.3").num_features == 16
    assert network.get_submodule("formula.norm.4").num_features == 32
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_a_saved_network_comes_back_with_its_weights(tmp_path):
    network = recform.build("resnet_s_net", "resnet20_cifar", num_classes=5).eval()
    recform.save_network(network, tmp_path / "net")
    again = recform.load_network(tmp_path / "net").eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(again(images), network(images))
    assert sorted(path.name for path in (tmp_path / "net").iterdir()) == [
        "formula.rf", "network.json", "weights.safetensors"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["network.json", "weights.safetensors", "formula.rf"])
def test_a_damaged_folder_says_which_file(tmp_path, name):
    recform.save_network(recform.build("resnet", "resnet20_cifar"), tmp_path)
    (tmp_path / name).write_bytes(b"\x00damaged")
    with pytest.raises(UserError, match=name):
        recform.load_network(tmp_path)


def test_sizes_stand_beside_the_plain_backbones():
    sizes = size(recform.build("resnet_s", "resnet50"))
    assert (sizes.params, sizes.baseline_params) == (28_316_712, 25_557_032)
    # torchvision's and timm's published 4.09 G multiply-accumulates
    assert sizes.baseline_macs == 4_089_184_256
    assert (sizes.blocks, sizes.projections) == (16, 3)


@pytest.mark.parametrize(
    ("backbone", "code", "hint"),
    [
        ("resnet5O", "unknown-backbone", "resnet50"),
        ("vgg11", "no-units", "resnet50"),
        ("densenet121", "no-units", "resnet50"),
    ],
)
def test_what_is_no_backbone_is_refused_with_a_hint(backbone, code, hint):
    with pytest.raises(UserError) as caught:
        recform.build("resnet", backbone)
    assert caught.value.code == code
    assert hint in str(caught.value)


def test_an_unknown_keyword_of_the_backbone_is_refused():
    with pytest.raises(UserError, match="backbone-argument"):
        recform.build("resnet", "resnet20_cifar", no_such_thing=1)


def test_a_pickle_knows_a_new_head_and_the_precision():
    network = recform.build("resnet_s_net", "resnet20_cifar").double()
    network.reset_classifier(7)
    twin = pickle.loads(pickle.dumps(network.double()))
    assert twin.fc.weight.shape == (7, 64)
    assert twin.fc.weight.dtype == torch.float64


def test_norms_are_the_backbones():
    with torch.device("meta"):
        formula = "x[l+1] = act(x[l] + F(norm(x[l]))) - F(x[l-1])"
        network = recform.build(formula, "resnet50_gn")
    norms = list(network.get_submodule("formula.norm").children())
    assert norms
    assert all(isinstance(norm, nn.GroupNorm) for norm in norms)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.formula.modules())


def test_networks_are_built_in_threads():
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: recform.build("resnet_s", "resnet20_cifar"), range(4)))
    assert len({network.code for network in built}) == 1


@pytest.mark.parametrize("sizes", [{"num_classes": -1}, {"in_chans": 0}, {"image_size": 0}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(UserError, match="bad-argument"):
        recform.build("resnet", "resnet20_cifar", **sizes)


def test_an_absent_output_is_refused():
    with pytest.raises(UserError, match="absent-output"):
        recform.build("x[l+1] = F(x[l-1])", "resnet20_cifar")


def test_torch_compiles_the_whole_network():
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(compiled(images), network(images))
