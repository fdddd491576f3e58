"""Features are what the classifier reads: with its weights they are its answers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.network import build, save_network
from recform.training import (
    check_features_file,
    extract,
    load_data,
    save_features,
    seed_everything,
)
from recform.training.batches import evaluation_batch, normalized


@pytest.fixture(scope="module")
def few():
    return load_data("digits", image_size=16, limit_train=7, limit_test=5)


@pytest.fixture(scope="module")
def network():
    seed_everything(0)
    return build("resnet_s_net", "resnet20_cifar", 10, image_size=16)


def asked(*arguments):
    return CliRunner().invoke(app, ["extract", *map(str, arguments)])


def test_pooled_features_are_what_the_classifier_reads(few, network):
    arrays = extract(network, few, parts=("test",), device="cpu", batch_size=3)
    assert arrays["features"].shape == (5, 64)
    assert arrays["features"].dtype == np.float32
    with torch.no_grad():
        logits = network.eval()(evaluation_batch(few)[0])
        read = network.get_classifier()(torch.from_numpy(arrays["features"]))
    # batches of 3 and of 5 sum in other orders
    assert torch.allclose(read, logits, atol=1e-5)
    assert arrays["labels"].tolist() == few.test.labels.tolist()


def test_both_parts_are_told_apart(few, network):
    arrays = extract(network, few, device="cpu")
    assert arrays["part"].tolist() == ["train"] * 7 + ["test"] * 5
    assert arrays["labels"].tolist() == [*few.train.labels.tolist(), *few.test.labels.tolist()]
    assert arrays["classes"].tolist() == list("0123456789")


def test_stages_are_means_over_places(few, network):
    arrays = extract(network, few, layer="stages", parts=("train",), device="cpu")
    stages = [name for name in arrays if name.startswith("stage_")]
    assert [arrays[name].shape[1] for name in stages][-3:] == [16, 32, 64]
    with torch.no_grad():
        images = normalized(few.train.fetch(torch.arange(7)), few)
        last = network.eval().forward_features(images).mean((2, 3))
    assert np.allclose(arrays[stages[-1]], last.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "logits"}, "there is no layer logits"),
        ({"parts": ("val",)}, "there is no part val"),
    ],
)
def test_layers_and_parts_that_are_not_there_are_told(few, network, changes, message):
    with pytest.raises(UserError, match=message):
        extract(network, few, device="cpu", **changes)


@pytest.mark.parametrize("layer", ["pooled", "stages"])
def test_a_network_without_features_is_refused(few, layer):
    with pytest.raises(UserError) as caught:
        extract(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), few, device="cpu", layer=layer)
    assert caught.value.code == "bad-argument"
    assert "Sequential" in str(caught.value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    arrays = {"features": np.zeros((2, 3), np.float32), "classes": np.array(["a", "b"])}
    save_features(arrays, tmp_path / "new" / "features.npz")
    again = np.load(tmp_path / "new" / "features.npz")
    assert {name: again[name].tolist() for name in again} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["features.npz"]
    with pytest.raises(UserError, match="not as features"):
        save_features(arrays, tmp_path / "features.csv")
    with pytest.raises(UserError, match="cannot be written"):
        save_features(arrays, tmp_path / "new" / "features.npz" / "inner.npz")


def test_the_command_writes_the_features_of_a_network_on_disk(network, tmp_path):
    save_network(network, tmp_path / "net")
    out = tmp_path / "features.npz"
    answer = asked(tmp_path / "net", "--data", "digits", "--image-size", 16, "--limit-train", 6,
                   "--limit-test", 4, "--device", "cpu", "-o", out)  # fmt: skip
    assert answer.exit_code == 0
    assert "features 10 x 64" in answer.stderr
    assert np.load(out)["features"].shape == (10, 64)
    refused = asked(tmp_path / "net", "-o", out)
    assert "does not say what images it is for" in str(refused.exception)


@pytest.mark.parametrize("name", ["", ".", "features.txt", "folder.npz"])
def test_a_place_that_takes_no_features_is_told_at_once(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    with pytest.raises(UserError) as caught:
        check_features_file(Path(name))
    assert "-o" in caught.value.diagnostics[0].hint
