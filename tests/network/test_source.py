"""Source of a network: it runs without recform, takes the weights, and computes the same bits."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import recform
from recform.errors import UserError
from recform.network import source_of, write_source
from recform.network.create import BackboneSpec, create
from recform.network.identity import perturb

SWIN = {"img_size": 28, "window_size": 7, "patch_size": 2, "embed_dim": 24, "depths": (2, 2),
        "num_heads": (3, 6)}  # fmt: skip
VIT = {"img_size": 32, "embed_dim": 24, "depth": 2, "num_heads": 3}
CONVNEXT = {"depths": (1, 2, 1, 1), "dims": (8, 16, 24, 32)}
RESNET = {"layers": (1, 2, 1, 1), "channels": (8, 16, 24, 32)}

# formula, backbone, side of the images, keywords of the backbone
NETWORKS = [
    ("resnet", "resnet20_cifar", 32, {}),
    ("skip_resnet", "resnet20_cifar", 32, {}),
    ("dense_resnet", "resnet20_cifar", 32, {}),
    ("hyper_connections", "resnet20_cifar", 32, {}),
    ("mhc", "resnet20_cifar", 32, {}),
    ("resnet_s_net", "resnet18", 32, RESNET),
    ("resnet", "resnet50", 32, RESNET),
    ("resnet_s_net", "convnext_atto", 32, CONVNEXT),
    ("dense_resnet", "swin_tiny_patch4_window7_224", 28, SWIN),
    ("skip_resnet", "vit_tiny_patch16_224", 32, VIT),
    ("skip_resnet", "regnety_002", 32, {}),
]

# What a fresh process does with a file: it has no recform, and compares with what was saved.
PROGRAM = """
import sys
sys.modules["recform"] = None
import torch
for path in sys.argv[1:]:
    scope = {"__name__": "written"}
    sys.modules["written"] = type(sys)("written")
    exec(compile(open(path).read(), path, "exec"), scope)
    saved = torch.load(path + ".pt")
    network = scope["Network"]()
    network.load_state_dict(saved["weights"], strict=True)
    network.train()
    torch.manual_seed(1)
    assert torch.equal(network(saved["images"]), saved["training"]), path + " in training"
    assert torch.equal(network.eval()(saved["images"]), saved["evaluation"]), path
    for name, buffer in network.named_buffers():
        assert name not in saved["after"] or torch.equal(buffer, saved["after"][name]), name
    print("same", path)
"""


def write(folder: Path, formula: str, backbone: str, side: int, keywords: dict) -> Path:
    torch.manual_seed(0)
    network = recform.build(formula, backbone, num_classes=5, image_size=side, **keywords)
    perturb(network)
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    path = folder / f"{formula}_{backbone}.py"
    write_source(network, path)
    images = torch.randn(3, 3, side, side)
    torch.manual_seed(1)
    with torch.no_grad():
        training = network.train()(images)
        saved = {"images": images, "weights": weights, "training": training,
                 "evaluation": network.eval()(images)}  # fmt: skip
    torch.save({**saved, "after": network.state_dict()}, f"{path}.pt")
    return path


def test_a_process_without_recform_computes_the_same_bits(tmp_path):
    # One process, and so one test, for torch starts slowly.
    paths = [str(write(tmp_path, *network)) for network in NETWORKS]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *paths], capture_output=True, text=True,
                          cwd=tmp_path, timeout=300, check=False)  # fmt: skip
    assert done.stdout.splitlines() == [f"same {path}" for path in paths], done.stderr


def test_the_forward_pass_reads_as_the_formula():
    text = source_of(recform.build("resnet_s_net", "resnet20_cifar"))
    step = text[
        text.index("y = self.layer1[1].conv1(x_1)") : text.index("y = self.layer1[2].conv1")
    ]
    assert step.split("\n") == [
        "y = self.layer1[1].conv1(x_1)",
        "        y = self.layer1[1].bn1(y)",
        "        y = self.layer1[1].act1(y)",
        "        y = self.layer1[1].conv2(y)",
        "        F_1 = self.layer1[1].bn2(y)",
        "        y = F_1 + x_1",
        "        y = self.layer1[1].act2(y)",
        "        x_2 = y - F_0",
        "        del F_0, x_1",
        "",
        "        ",
    ]


def test_a_network_of_torchs_layers_needs_torch_alone():
    text = source_of(recform.build("resnet_s_net", "resnet20_cifar"))
    assert "needs torch alone" in text
    assert "timm" not in text


def test_a_network_with_timms_attention_says_that_it_needs_timm():
    text = source_of(recform.build("resnet", "vit_tiny_patch16_224", image_size=32, **VIT))
    assert "from timm.layers import Attention, LayerNorm, PatchEmbed\n" in text
    assert "needs torch, and timm" in text


def test_the_mode_of_the_network_stays():
    network = recform.build("resnet", "resnet20_cifar").train()
    network.layer1.eval()
    source_of(network)
    assert network.training
    assert not network.layer1.training


def test_a_new_classifier_is_written():
    network = recform.build("resnet", "resnet20_cifar")
    network.reset_classifier(3)
    assert "nn.Linear(64, 3)" in source_of(network)


def test_a_network_on_a_model_instance_has_no_source():
    backbone = create(BackboneSpec("resnet20_cifar"), pretrained=False)
    with pytest.raises(UserError, match="no-export") as caught:
        source_of(recform.build("resnet", backbone))
    assert "name the backbone" in str(caught.value)


def test_an_unwritable_place_is_told_and_nothing_is_left(tmp_path):
    (tmp_path / "net.py").mkdir()
    with pytest.raises(UserError, match="unwritable"):
        write_source(recform.build("resnet", "resnet20_cifar"), tmp_path / "net.py")
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]
