"""recform build and export: the page beside the plain backbone, and what they write."""

import json

import pytest
import timm
import timm.data
import torch

import recform
from recform.cli.weights import load_weights

MORE = "block G\nx[l+1] = act(x[l] + F(x[l]) + G(x[l]))"


def test_the_page_has_each_count_beside_the_plain_backbones(here):
    done = here("build", "resnet_s_net", "--backbone", "resnet20_cifar")
    assert done.returncode == 0, done.stderr
    rows = {line[:24].strip(): line[24:].split() for line in done.stdout.splitlines()}
    assert rows["parameters"] == ["275,226", "272,474", "+2,752", "1.010"]
    assert rows["MACs at 32x32"] == ["41,075,328", "40,813,184", "+262,144", "1.006"]
    assert rows["bytes kept for backward"] == ["1,978,624", "1,569,024", "+409,600", "1.261"]
    assert "9 units in 3 stages: 3 x 16x32x32, 3 x 32x16x16, 3 x 64x8x8" in done.stdout
    assert "2 projections of older values (2,752 parameters)" in done.stdout


def test_json_has_the_counts_of_the_page(here):
    done = here("build", "resnet_s_net", "--backbone", "resnet20_cifar", "--json")
    found = json.loads(done.stdout)
    assert found["params_ratio"] == pytest.approx(275_226 / 272_474)
    assert (found["activation_bytes"], found["baseline_activation_bytes"]) == (1978624, 1569024)
    assert [stage["num_units"] for stage in found["stages"]] == [3, 3, 3]
    assert found["stages"][0]["shape"] == "16x32x32"
    assert found["matched"] == {}


def test_matched_widths_are_told(here):
    done = here("build", MORE, "--backbone", "resnet20_cifar", "--match-params", "50,000")
    assert "the backbone by the formula has channels=(5, 10, 19)" in done.stdout
    assert "49,969" in done.stdout


def test_a_run_keeps_its_widths(here, tmp_path):
    done = here("train", MORE, "--data", "digits", "--epochs", 1, "--limit-train", 16,
                "--limit-test", 16, "--match-params", 10000, "--out", tmp_path / "run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "for 10000 parameters" in done.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    network, _ = load_weights(tmp_path / "run")
    assert dict(network.architecture.spec.matched)["channels"] == tuple(
        config["matched"]["channels"]
    )


def test_a_run_keeps_its_plan(here, tmp_path):
    done = here("train", "skip_resnet", "--data", "digits", "--epochs", 1, "--limit-train", 16,
                "--limit-test", 16, "--gate-reduction", 1, "--project", "pad",
                "--out", tmp_path / "run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["plan"] == {"project": "pad", "unit": "sum", "gate_reduction": 1}
    network, _ = load_weights(tmp_path / "run")
    assert network.architecture.plan.project == "pad"
    assert network.get_submodule("formula.gate.0.reduce").out_features == 16


def test_a_run_tells_timm_how_its_images_were_prepared(here, tmp_path):
    """By the run's data, not by the backbone's: other means would be another input."""
    run = tmp_path / "run"
    here("train", MORE, "--data", "digits", "--epochs", 1, "--limit-train", 16, "--limit-test", 16,
         "--out", run)  # fmt: skip
    done = here("export", run, "--format", "timm", "-o", tmp_path / "net")
    assert done.returncode == 0, done.stderr
    data = json.loads((run / "config.json").read_text())["data"]
    told = json.loads((tmp_path / "net" / "config.json").read_text())["pretrained_cfg"]
    assert (told["mean"], told["std"]) == (data["mean"], data["deviation"])
    assert (told["input_size"], told["crop_pct"]) == ([3, 32, 32], 1.0)
    network = timm.create_model(f"local-dir:{tmp_path / 'net'}", pretrained=True)
    resolved = timm.data.resolve_model_data_config(network)
    assert list(resolved["mean"]) == data["mean"]
    assert resolved["crop_pct"] == 1.0


def test_source_is_written_and_nothing_else(here, tmp_path):
    done = here("build", "resnet", "--backbone", "resnet20_cifar", "--source", tmp_path / "net.py")
    assert done.stderr == f"wrote {tmp_path / 'net.py'}\n"
    assert "class Network(nn.Module):" in (tmp_path / "net.py").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


def test_export_of_a_saved_network_carries_its_weights(here, tmp_path):
    network = recform.build("resnet_s_net", "resnet20_cifar", num_classes=3).eval()
    recform.save_network(network, tmp_path / "net")
    done = here("export", tmp_path / "net", "--format", "torchscript", "-o", tmp_path / "net.pt")
    assert done.returncode == 0, done.stderr
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        made = torch.jit.load(tmp_path / "net.pt")(images)
        assert torch.allclose(made, network(images), atol=1e-5)


def test_features_of_a_cut_network_are_exported(here, tmp_path):
    network = recform.build("resnet_s_net", "resnet20_cifar").eval()
    network.prune_intermediate_layers((0, 1))
    recform.save_network(network, tmp_path / "net")
    done = here("export", tmp_path / "net", "-f", "source", "--features", "0,1",
                "-o", tmp_path / "net.py")  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "net.py").read_text()
    assert "return [x_0, x_3]\n" in text
    assert "layer2" not in text


def test_choices_that_a_folder_has_made_are_refused(here, tmp_path):
    recform.save_network(recform.build("resnet", "resnet20_cifar"), tmp_path / "net")
    done = here("export", tmp_path / "net", "--backbone", "resnet18", "--num-classes", 3,
                "-f", "source", "-o", tmp_path / "net.py")  # fmt: skip
    assert done.returncode == 1
    told = "--backbone and --num-classes"
    assert done.stderr == (
        f"error[bad-argument]: {tmp_path / 'net'} holds a network, and {told} would build another\n"
        f"  = hint: leave out {told}, or give a formula instead of {tmp_path / 'net'}\n"
    )
    assert not (tmp_path / "net.py").exists()


def test_export_takes_a_checkpoint_of_a_run(here, tmp_path):
    run = tmp_path / "run"
    here("train", "resnet", "--data", "digits", "--epochs", 1, "--limit-train", 16,
         "--limit-test", 16, "--out", run)  # fmt: skip
    last = next((run / "checkpoints").glob("last.pt"))
    done = here("export", last, "--format", "source", "-o", tmp_path / "net.py")
    assert (done.returncode, done.stderr) == (0, f"wrote {tmp_path / 'net.py'}\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("build", "resnet", "-b", "resnet20_cifar", "--match-params", "few"), "bad-argument"),
        (("build", "resnet", "-b", "resnext26ts", "--match-params", "backbone"), "no-width"),
        (("export", "resnet", "--format", "tflite", "-o", "net"), "bad-argument"),
        (("export", "nowhere", "--format", "onnx", "-o", "net.onnx"), "unknown-example"),
        (("export", "nowhere", "--format", "onnx", "-o", "net.py"), "unwritable"),
        (("build", "nowhere", "--source", "net.txt"), "unwritable"),
        (("build", "nowhere", "-o", "/proc/nowhere/net"), "unwritable"),
        (
            (
                "export",
                "resnet",
                "-b",
                "resnet20_cifar",
                "-f",
                "source",
                "-o",
                "net.py",
                "--features",
                "one",
            ),
            "bad-argument",
        ),
        (
            (
                "export",
                "resnet",
                "-b",
                "resnet20_cifar",
                "-f",
                "source",
                "-o",
                "net.py",
                "--features",
                "0,9",
            ),
            "bad-argument",
        ),
    ],
)
def test_what_cannot_be_is_one_message(here, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_network_is_refused(here, tmp_path):
    done = here("export", tmp_path, "--format", "onnx", "-o", tmp_path / "net.onnx")
    assert done.returncode == 1
    assert "error[bad-network]" in done.stderr
