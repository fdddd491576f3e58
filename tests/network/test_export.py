"""What is exported computes what the network computes, for batches of any size."""

import sys
from itertools import product
from pathlib import Path

import pytest
import timm
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.network import export, feature_extractor
from recform.network.create import BackboneSpec, create
from recform.network.export import ENDINGS, write_onnx
from recform.network.identity import perturb
from recform.writing import write_beside
from tests.network.test_source import CONVNEXT, RESNET, SWIN, VIT

onnxruntime = pytest.importorskip("onnxruntime")

PLAIN = {**RESNET, "layers": (1, 1, 1, 1)}
RESNEXT = {**PLAIN, "channels": (16, 16, 32, 32), "cardinality": 2, "base_width": 32}
SWIN_V2 = {"img_size": 32, "window_size": 4, "embed_dim": 24, "depths": (1, 1), "num_heads": (3, 6)}
# Ten families and ten formulas; the side of the images, and small settings.
NETWORKS = [
    ("resnet_s_net", "resnet18", 32, PLAIN),
    ("skip_resnet", "resnet50", 32, PLAIN),
    ("dense_resnet", "seresnet18", 32, PLAIN),
    ("revnet", "resnext50_32x4d", 32, RESNEXT),
    ("highway", "convnext_atto", 32, CONVNEXT),
    ("leapfrog", "vit_tiny_patch16_224", 32, {**VIT, "depth": 1}),
    ("injection", "swinv2_tiny_window8_256", 32, SWIN_V2),
    ("resnet", "swin_tiny_patch4_window7_224", 28, {**SWIN, "depths": (1, 1)}),
    ("momentum", "resnetv2_50", 32, {**PLAIN, "channels": (16, 16, 32, 32)}),
    ("denseformer", "resnet20_cifar", 16, {"channels": (4, 8)}),
]


def made(formula: str, backbone: str, side: int, keywords: dict) -> nn.Module:
    torch.manual_seed(0)
    network = recform.build(formula, backbone, num_classes=5, image_size=side, **keywords)
    perturb(network)
    return network


@pytest.mark.parametrize(("formula", "backbone", "side", "keywords"), NETWORKS)
def test_onnx_computes_the_networks_logits(tmp_path, formula, backbone, side, keywords):
    network = made(formula, backbone, side, keywords)
    export(network, tmp_path / "net.onnx", "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    for batch in (1, 5):
        images = torch.randn(batch, 3, side, side)
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        with torch.no_grad():
            expected = network.eval()(images)
        assert torch.allclose(torch.from_numpy(logits), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["torch", "torchscript"])
def test_torchs_own_forms_take_any_batch(tmp_path, form):
    network = made(*NETWORKS[0])
    path = tmp_path / f"net{ENDINGS[form][0]}"
    export(network, path, form)
    again = torch.export.load(path).module() if form == "torch" else torch.jit.load(path)
    for batch in (1, 5):
        images = torch.randn(batch, 3, 32, 32)
        with torch.no_grad():
            assert torch.allclose(again(images), network.eval()(images), atol=1e-5)


def test_a_network_in_training_is_exported_in_evaluation_and_stays_in_training(tmp_path):
    network = made(*NETWORKS[0]).train()
    network.layer1.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    export(network, tmp_path / "net.pt", "torchscript")
    assert network.training
    assert network.layer2.training
    assert not network.layer1.training
    # Running statistics as well: no batch went by.
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    images = torch.randn(3, 3, 32, 32)
    expected = network.eval()(images)
    assert torch.allclose(torch.jit.load(tmp_path / "net.pt")(images), expected, atol=1e-5)


@pytest.mark.parametrize("project", ["conv", "pad"])
def test_channels_last_is_kept_by_cat_and_pad(project):
    formula = "x[l+1] = act(x[l] + F(cat(x[l], x[l-1])))"
    network = recform.build(formula, "resnet20_cifar", project=project).eval()
    network.to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        features = network.forward_features(images)
        assert features.is_contiguous(memory_format=torch.channels_last)
        # Other kernels run there: the sums of up to 64*9 terms are added in another order.
        assert torch.allclose(network(images), network(images.contiguous()), atol=1e-4)


def test_timm_loads_the_folder(tmp_path):
    network = made("resnet_s_net", "resnet18", 32, PLAIN).eval()
    export(network, tmp_path / "net", "timm")
    images = torch.randn(2, 3, 32, 32)
    whole = timm.create_model(f"local-dir:{tmp_path / 'net'}", pretrained=True).eval()
    with torch.no_grad():
        assert torch.equal(whole(images), network(images))
    features = timm.create_model(f"local-dir:{tmp_path / 'net'}", features_only=True)
    assert [state.shape[1] for state in features(images)][-1] == network.num_features


def test_the_entry_point_wants_a_formula():
    with pytest.raises(UserError, match="is given no formula"):
        timm.create_model("recform_network")


@pytest.mark.parametrize("form", ["source", "timm"])
def test_a_network_on_a_model_instance_has_no_source_and_no_name(tmp_path, form):
    backbone = create(BackboneSpec("resnet20_cifar"), pretrained=False)
    path = (tmp_path / "net").with_suffix("".join(ENDINGS[form][:1]))
    with pytest.raises(UserError, match="no-export"):
        export(recform.build("resnet", backbone), path, form)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["onnx", "torch", "torchscript", "source"])
def test_a_folder_where_a_file_should_be_is_told_at_once(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"unwritable.*is a folder"):
        export(recform.build("resnet", "resnet20_cifar"), ".", form)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_timms_folder_should_be_is_told(tmp_path):
    (tmp_path / "net").write_text("mine")
    with pytest.raises(UserError, match=r"unwritable.*is a file"):
        export(recform.build("resnet", "resnet20_cifar"), tmp_path / "net", "timm")
    assert (tmp_path / "net").read_text() == "mine"


# What becomes of a network after it was built; the side of the images, and small settings.
CHANGED = {
    "cut behind stage 1": ("resnet_s_net", "resnet18", 32, PLAIN),
    "pooled by the maximum": ("skip_resnet", "swin_tiny_patch4_window7_224", 28, SWIN),
    "without classifier": ("dense_resnet", "resnet20_cifar", 32, {}),
    "features 0 and 1": ("resnet_s_net", "vit_tiny_patch16_224", 32, VIT),
}


def changed(change: str) -> nn.Module:
    network: nn.Module = made(*CHANGED[change])
    match change:
        case "cut behind stage 1":
            network.prune_intermediate_layers([1])
        case "pooled by the maximum":
            network.reset_classifier(3, global_pool="max")
        case "without classifier":
            network.reset_classifier(0, global_pool="")
        case _:
            network = feature_extractor(network, (0, 1))
    # A classifier that is new is not perturbed yet.
    perturb(network)
    return network.eval()


def read_back(path: Path, form: str, network: nn.Module) -> nn.Module:
    """What another program makes of the file."""
    match form:
        case "torch":
            return torch.export.load(path).module()
        case "torchscript":
            return torch.jit.load(path)
        case "timm":
            return timm.create_model(f"local-dir:{path}", pretrained=True).eval()
    scope: dict = {}
    exec(path.read_text(), scope)
    again = scope["Network"]()
    again.load_state_dict(getattr(network, "model", network).state_dict())
    return again.eval()


@pytest.mark.parametrize(
    ("change", "form"),
    [
        *product(CHANGED, ("torchscript", "source", "timm")),
        ("cut behind stage 1", "torch"),
        ("features 0 and 1", "torch"),
    ],
)
def test_a_network_that_was_changed_is_exported_as_it_is(tmp_path, change, form):
    network = changed(change)
    path = (tmp_path / "net").with_suffix("".join(ENDINGS[form][:1]))
    export(network, path, form)
    images = torch.randn(3, 3, CHANGED[change][2], CHANGED[change][2])
    with torch.no_grad():
        found, expected = read_back(path, form, network)(images), network(images)
    if isinstance(expected, torch.Tensor):
        found, expected = [found], [expected]
    assert len(found) == len(expected)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_onnx_hands_on_a_feature_each(tmp_path):
    network = changed("features 0 and 1")
    export(network, tmp_path / "net.onnx", "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    assert [output.name for output in session.get_outputs()] == ["features_0", "features_1"]
    images = torch.randn(5, 3, 32, 32)
    found = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        for mine, expected in zip(found, network(images), strict=True):
            assert torch.allclose(torch.from_numpy(mine), expected, rtol=1e-4, atol=1e-4)


def test_timm_may_give_a_changed_network_other_classes(tmp_path):
    network = changed("pooled by the maximum")
    export(network, tmp_path / "net", "timm")
    name = f"local-dir:{tmp_path / 'net'}"
    assert timm.create_model(name)(torch.zeros(1, 3, 28, 28)).shape == (1, 3)
    assert timm.create_model(name, num_classes=7)(torch.zeros(1, 3, 28, 28)).shape == (1, 7)


def test_timm_has_no_word_for_features_that_are_normed(tmp_path):
    backbone = recform.build("resnet", "vit_tiny_patch16_224", image_size=32, **VIT)
    extractor = type(feature_extractor(backbone))(backbone, (1,), norm=True)
    with pytest.raises(UserError, match=r"no-export.*as images, without norm"):
        export(extractor, tmp_path / "net", "timm")


def test_what_follows_no_formula_is_not_exported(tmp_path):
    with pytest.raises(UserError, match="a Linear follows no formula"):
        export(nn.Linear(2, 2), tmp_path / "net.py", "source")  # type: ignore[arg-type]


def test_weights_that_are_too_many_for_one_onnx_file_stand_beside_it(tmp_path):
    network = made(*NETWORKS[0]).eval()
    # The limit is 1.5 GB; here it is a little less than the network has.
    write_onnx(network, tmp_path / "net.onnx", None, most_bytes=10**5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.onnx.data"]
    assert (tmp_path / "net.onnx.data").stat().st_size > 10**5
    images = torch.randn(3, 3, 32, 32)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (logits,) = session.run(["logits"], {"images": images.numpy()})
    with torch.no_grad():
        assert torch.allclose(torch.from_numpy(logits), network(images), rtol=1e-4, atol=1e-4)


def test_two_files_are_both_put_in_place_or_none(tmp_path):
    (tmp_path / "net.onnx.data").write_text("old")
    # Nothing can take the place of a folder that is full.
    (tmp_path / "net.onnx" / "in the way").mkdir(parents=True)

    def write(part: Path) -> None:
        part.write_text("new")
        part.with_name("net.onnx.data").write_text("new")
        part.with_name("net.onnx.more").write_text("new")

    with pytest.raises(UserError, match="unwritable"):
        write_beside(tmp_path / "net.onnx", write)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.onnx.data"]
    assert (tmp_path / "net.onnx.data").read_text() == "old"


@pytest.mark.parametrize(
    ("form", "name", "told", "hint"),
    [
        ("onnx", "net.pt2", "does not end in .onnx", "net.onnx"),
        ("torch", "net", "does not end in .pt2", "net.pt2"),
        ("torchscript", "net.py", "does not end in .pt or .pth or .ts", "net.pt"),
        ("source", "net.txt", "does not end in .py", "net.py"),
        ("timm", "net.onnx", "is the name of a file", "net-timm"),
        ("onnx", "/proc/nowhere/net.onnx", "cannot be written", "name a file in a folder"),
        ("timm", f"{'long' * 99}/net", "File name too long", "name a file in a folder"),
    ],
)
def test_a_place_that_will_not_do_is_told_before_the_work(tmp_path, form, name, told, hint):
    with pytest.raises(UserError, match="unwritable") as caught:
        # There is no network yet.
        export(None, tmp_path / name, form)  # type: ignore[arg-type]
    message, cure = str(caught.value).split("= hint: ")
    assert told in message
    assert hint in cure
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(UserError, match="choose onnx, torch, torchscript, source, timm"):
        export(recform.build("resnet", "resnet20_cifar"), tmp_path / "net", "tflite")


def test_onnx_without_its_libraries_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["recform.network.export"], "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"recform\[export\]"):
        export(recform.build("resnet", "resnet20_cifar"), tmp_path / "net.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_an_exporter_complains_of_is_told(tmp_path, monkeypatch):
    def fails(*given: object, **more: object) -> None:
        raise RuntimeError("it met a tensor\nand a long listing")

    # What was written until then goes away.
    monkeypatch.setattr("torch.jit.load", fails)
    with pytest.raises(UserError, match="does not become TorchScript: it met a tensor\n"):
        export(recform.build("resnet", "resnet20_cifar"), tmp_path / "net.pt", "torchscript")
    assert list(tmp_path.iterdir()) == []
