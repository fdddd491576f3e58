"""The named nets as timm models, and as names on the command line."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models import load_checkpoint
from timm.models._hub import save_for_hf
from typer.testing import CliRunner

import recform
from recform.cli.main import app
from recform.errors import UserError
from recform.formula import resolve
from recform.network import (
    CIFAR_NETS,
    NAMED_NETS,
    FormulaNetwork,
    feature_extractor,
    find_named_nets,
    named_net,
    num_parameters,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_every_named_net_is_a_formula_on_a_backbone():
    assert len({net.name for net in NAMED_NETS}) == len(NAMED_NETS)
    for net in NAMED_NETS:
        assert resolve(net.formula).title
        assert net.backbone in CIFAR_NETS or timm.is_model(net.backbone)


def test_timm_knows_every_named_net():
    named = {net.name for net in NAMED_NETS}
    assert set(timm.list_models("recform_*")) == named | {"recform_network"}  # any, from a folder


def test_importing_the_room_registers_them_and_importing_recform_does_not():
    code = ("import sys, recform; assert 'timm' not in sys.modules; import recform.network, timm; "
            "print(len(timm.list_models('recform_*')))")  # fmt: skip
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(made.stdout) == len(NAMED_NETS) + 1


def test_a_named_net_takes_the_keywords_of_timm():
    network = timm.create_model("recform_resnet18_cifar_resnet_s_net", num_classes=7, in_chans=1)
    assert network.architecture.spec.name == "resnet18_cifar"
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 7)
    assert network.get_classifier().out_features == 7
    assert timm.data.resolve_model_data_config(network)["mean"] == (0.4914, 0.4822, 0.4465)


def test_the_gates_of_resnet_110_are_half_as_wide_as_its_states():
    with torch.device("meta"):
        network = timm.create_model("recform_resnet110_cifar_skip_resnet")
    assert network.get_submodule("formula.gate.53").norm.num_features == 32


def test_features_only_gives_a_state_for_each_stage():
    extractor = timm.create_model(
        "recform_resnet18_cifar_resnet_s_net", features_only=True, out_indices=(1, 3)
    )
    shapes = [tuple(state.shape) for state in extractor(torch.zeros(2, 3, 32, 32))]
    assert shapes == [(2, 64, 32, 32), (2, 256, 8, 8)]
    assert extractor.feature_info.channels() == [64, 256]
    assert extractor.feature_info.reduction() == [1, 4]


def test_features_are_the_states_that_the_network_computes():
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = network.forward_features(images)
        *_, last = feature_extractor(network)(images)
    assert torch.equal(last, expected)


def test_another_extractor_of_features_is_refused():
    with pytest.raises(UserError) as refusal:
        timm.create_model("recform_resnet18_resnet", features_only=True, feature_cls="hook")
    assert refusal.value.code == "bad-argument"
    assert "not extracted by `hook`" in str(refusal.value)


def test_pretrained_weights_are_the_backbones_and_only_what_is_new_is_not(tmp_path):
    torch.save(timm.create_model("resnet18").state_dict(), tmp_path / "resnet18.pth")
    network = timm.create_model(
        "recform_resnet18_resnet_s_net", pretrained=True,
        pretrained_cfg_overlay={"file": str(tmp_path / "resnet18.pth")},
    )  # fmt: skip
    weights = torch.load(tmp_path / "resnet18.pth")
    state = network.state_dict()
    added = {key for key in state if key not in weights}
    assert added
    assert all(key.startswith("formula.projection.") for key in added)
    assert all(torch.equal(state[key], weights[key]) for key in weights)


def _named(path: Path) -> FormulaNetwork:
    return timm.create_model("recform_resnet18_cifar_resnet_s_net", checkpoint_path=str(path))


@pytest.fixture
def plain_file(tmp_path):
    weights = CIFAR_NETS["resnet18_cifar"]().state_dict()
    save_file(weights, tmp_path / "plain.safetensors")
    return tmp_path / "plain.safetensors"


def test_a_checkpoint_of_the_plain_backbone_leaves_only_new_parts_fresh(plain_file):
    weights, state = load_file(plain_file), _named(plain_file).state_dict()
    assert all(torch.equal(state[key], weights[key]) for key in weights)
    added = state.keys() - weights.keys()
    assert added
    assert all(key.startswith("formula.projection.") for key in added)


def test_a_checkpoint_of_a_whole_network_may_miss_nothing(plain_file, tmp_path):
    state = _named(plain_file).state_dict()
    save_file(state, tmp_path / "whole.safetensors")
    assert torch.equal(_named(tmp_path / "whole.safetensors").state_dict()["fc.weight"],
                       state["fc.weight"])  # fmt: skip
    del state[next(key for key in state if key.startswith("formula."))]
    save_file(state, tmp_path / "less.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        _named(tmp_path / "less.safetensors")


def _extractor(path: Path, **keywords):
    return timm.create_model("recform_resnet18_cifar_resnet_s_net", features_only=True,
                             checkpoint_path=str(path), **keywords)  # fmt: skip


@pytest.mark.parametrize("indices", [None, (1, 2)])
def test_an_extractor_takes_a_checkpoint_of_the_network_that_it_is_cut_from(
    plain_file, tmp_path, indices
):
    network = _named(plain_file).eval()
    save_file(network.state_dict(), tmp_path / "whole.safetensors")
    extractor = _extractor(tmp_path / "whole.safetensors", out_indices=indices).eval()
    images = torch.randn(1, 3, 32, 32)
    expected = network.forward_intermediates(images, indices, intermediates_only=True)
    pairs = zip(extractor(images), expected, strict=True)
    assert all(torch.equal(mine, other) for mine, other in pairs)


def test_an_extractor_takes_a_checkpoint_of_the_plain_backbone(plain_file):
    weights, state = load_file(plain_file), _extractor(plain_file).state_dict()
    kept = {f"model.{key}": tensor for key, tensor in weights.items() if key[:3] != "fc."}
    assert all(torch.equal(state[key], tensor) for key, tensor in kept.items())
    assert all(key.startswith("model.formula.") for key in state.keys() - kept.keys())


@pytest.mark.parametrize("key", ["layer1.0.conv1.weight", "formula.projection.F1_at_2.bn.weight"])
def test_an_extractor_may_miss_nothing_of_a_checkpoint(plain_file, tmp_path, key):
    state = _named(plain_file).state_dict()
    del state[key]
    save_file(state, tmp_path / "less.safetensors")
    with pytest.raises(RuntimeError, match=f"Missing key.*{key}"):
        _extractor(tmp_path / "less.safetensors")


def test_an_extractor_loads_its_own_weights_and_is_copied(plain_file):
    extractor = _extractor(plain_file)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(extractor)))
    twin.load_state_dict(extractor.state_dict())
    pairs = zip(twin.state_dict().items(), extractor.state_dict().items(), strict=True)
    assert all(mine[0] == own[0] and torch.equal(mine[1], own[1]) for mine, own in pairs)


@pytest.mark.parametrize("change", ["more", "less", "shape"])
def test_a_checkpoint_that_does_not_fit_the_backbone_is_refused(plain_file, tmp_path, change):
    weights = load_file(plain_file)
    taken = weights.pop("fc.bias") if change != "more" else weights["fc.bias"]
    weights |= {"more": {"head.bias": taken.clone()}, "shape": {"fc.bias": taken[:3].clone()}}.get(
        change, {}
    )
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(RuntimeError, match=r"fc\.bias|head\.bias"):
        _named(tmp_path / "other.safetensors")


def test_a_network_starts_from_a_file_of_its_backbone_without_what_it_does_not_read(plain_file):
    weights = load_file(plain_file)
    network = recform.build("plain", "resnet18_cifar", weights=plain_file)
    assert "layer2.0.downsample" in network.architecture.removed
    state = network.state_dict()
    assert state.keys() < weights.keys()
    assert all(torch.equal(weights[key], state[key]) for key in state)
    (note,) = recform.build("resnet", "resnet18_cifar", 7, weights=plain_file).architecture.notes
    assert note == "the file's classifier is for other classes: fc.weight, fc.bias start afresh"


@pytest.mark.parametrize(
    ("backbone", "told"),
    [
        ("resnet34_cifar", "it lacks layer1.2.bn1.bias and"),
        ("resnet50_cifar", "another shape has fc.weight and"),
    ],
)
def test_a_file_of_another_backbone_is_told(plain_file, backbone, told):
    with pytest.raises(UserError) as refusal:
        recform.build("resnet", backbone, weights=plain_file)
    assert refusal.value.code == "no-weights"
    assert f"{plain_file} does not fit {backbone}" in str(refusal.value)
    assert told in str(refusal.value)


def test_a_file_without_weights_is_told(tmp_path):
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    for name, told in (("none.pth", "No such file or directory"),
                       ("text.pth", "no weights that torch reads"),
                       ("epoch.pth", "more, or less, than weights")):  # fmt: skip
        with pytest.raises(UserError, match=told):
            recform.build("resnet", "resnet20_cifar", weights=tmp_path / name)


def test_the_command_line_starts_from_a_file_and_writes_what_it_started_from(plain_file, tmp_path):
    folder = tmp_path / "net"
    run("build", "resnet_s_net", "-b", "resnet18_cifar", "--weights", str(plain_file),
        "-o", str(folder))  # fmt: skip
    written, given = load_file(folder / "weights.safetensors"), load_file(plain_file)
    assert all(torch.equal(written[key], given[key]) for key in given)


def test_a_network_starts_from_one_place():
    for given in ({"pretrained": True}, {"match_params": "backbone"}):
        with pytest.raises(UserError):
            recform.build("resnet", "resnet18", weights="resnet18.pth", **given)
    with pytest.raises(UserError, match="has its weights already"):
        recform.build("resnet", CIFAR_NETS["resnet20_cifar"](), weights="resnet18.pth")


def test_weights_of_the_whole_network_load_from_a_folder_as_timm_has_them(tmp_path):
    network = timm.create_model("recform_resnet18_cifar_resnet_s_net", num_classes=5)
    network.pretrained_cfg = {
        **network.pretrained_cfg, "architecture": "recform_resnet18_cifar_resnet_s_net"
    }  # fmt: skip
    save_for_hf(network, tmp_path, model_args={"num_classes": 5}, safe_serialization=True)
    twin = timm.create_model(f"local-dir:{tmp_path}", pretrained=True)
    for key, tensor in network.state_dict().items():
        assert torch.equal(twin.state_dict()[key], tensor), key
    load_checkpoint(network, str(tmp_path / "model.safetensors"))


def test_cifar_nets_have_no_pretrained_weights():
    with pytest.raises(UserError) as refusal:
        timm.create_model("recform_resnet18_cifar_resnet", pretrained=True)
    assert refusal.value.code == "no-weights"


def test_a_named_net_is_no_backbone():
    with pytest.raises(UserError) as refusal:
        recform.build("resnet_s", backbone="recform_resnet50_skip_resnet")
    (told,) = refusal.value.diagnostics
    assert told.message == "recform_resnet50_skip_resnet is no backbone: it has a formula already"
    assert told.hint == "recform build skip_resnet --backbone resnet50"


def test_an_unknown_name_is_told_a_known_one():
    with pytest.raises(UserError) as refusal:
        named_net("recform_resnet50_skipresnet")
    assert refusal.value.diagnostics[0].hint == "did you mean `recform_resnet50_skip_resnet`?"


@pytest.mark.slow
@pytest.mark.parametrize(
    "net", [pytest.param(net, id=net.name) for net in NAMED_NETS if not net.published_as]
)
def test_a_net_that_is_in_no_table_has_the_parameters_that_ours_says(net):
    # tests/network/test_sizes.py counts the others.
    with torch.device("meta"):
        assert num_parameters(timm.create_model(net.name)) == net.params


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_line_lists_them():
    lines = run("backbones", "recform_*resnet50_skip*").splitlines()
    assert lines[0].split()[:3] == ["named", "net", "parameters"]
    assert lines[1].split() == ["recform_resnet50_skip_resnet", "40,154,856", "skip_resnet", "on",
                                "resnet50:", "Skip-ResNet-50", "(SkipResNet)"]  # fmt: skip
    (found,) = json.loads(run("backbones", "recform_*resnet50_skip*", "--json"))
    assert found == named_net("recform_resnet50_skip_resnet").to_json()


def test_a_pattern_that_no_named_net_has_is_refused():
    with pytest.raises(UserError) as refusal:
        find_named_nets("recform_vgg*")
    assert refusal.value.diagnostics[0].message == "no named net matches `recform_vgg*`"


def test_the_command_line_takes_the_reduction_of_gates():
    options = ("build", "skip_resnet", "--backbone", "resnet20_cifar", "--json")
    wide, narrow = (json.loads(run(*options, *more))["params"]
                    for more in (("--gate-reduction", "2"), ()))  # fmt: skip
    network = recform.build("skip_resnet", "resnet20_cifar", gate_reduction=2)
    assert num_parameters(network) == wide > narrow


def test_the_docs_have_the_table_of_named_nets():
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    for net in NAMED_NETS:
        assert f"| `{net.name}` | {net.params:,} | {net.published_as} |" in page
    assert page.count("| `recform_") == len(NAMED_NETS)
