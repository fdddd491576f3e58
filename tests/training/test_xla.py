"""The lazy path of XLA, on the processor: run by `make test-xla`, in an environment of its own."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

os.environ.setdefault("PJRT_DEVICE", "CPU")
pytest.importorskip("torch_xla")

import recform
from recform.training import load_data, loop, pick_device, read_run, read_weights, seed_everything

from .small import Recorder, small_recipe, train_small
from .test_steps import group_net

RECIPE = replace(small_recipe(), epochs=5, batch_size=32, learning_rate=0.005, cutout=0.25)
# Two virtual devices: how many there are is read when torch_xla starts.
ON_TWO = """
import json, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import torch
from recform.errors import UserError
from recform.training import load_data, loop, pick_device
from training.small import Recorder, train_small
from training.test_steps import group_net
from training.test_xla import RECIPE
pick_device("xla")
loop.STEPS_PER_REPORT, told = 1, Recorder()
data = load_data("digits", limit_train=128, limit_test=39)
out = Path({out!r})
train_small(group_net(), data, out, recipe=RECIPE, device="xla", progress=told)
found = {{"plan": told.plans[0].device, "losses": [step.loss for step in told.steps],
         "top1": [metrics.test_top1 for metrics in told.epochs]}}
try:
    train_small(group_net(), data, out / "odd", device="xla",
                recipe=__import__("dataclasses").replace(RECIPE, batch_size=33))
except UserError as error:
    found["refused"] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same 20 steps on the processor and by XLA: what each reported, and its folder."""
    # Before any gradient: autograd counts the devices when it first runs.
    pick_device("xla")
    data = load_data("digits", limit_train=128, limit_test=39)
    place, told = tmp_path_factory.mktemp("xla"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "STEPS_PER_REPORT", 1)
        for device in ("cpu", "xla"):
            told[device] = Recorder()
            train_small(group_net(), data, place / device, recipe=RECIPE, device=device,
                        progress=told[device])  # fmt: skip
    return place, told


def test_twenty_steps_are_those_of_the_processor(both):
    _, told = both
    losses = {device: [step.loss for step in record.steps] for device, record in told.items()}
    assert len(losses["xla"]) == 20
    assert losses["xla"] == pytest.approx(losses["cpu"], abs=1e-5)


def test_a_checkpoint_of_xla_is_read_anywhere(both):
    place, _ = both
    mine, theirs = (
        read_weights(place / device / "checkpoints" / "last.pt") for device in ("cpu", "xla")
    )
    for name, weights in mine.items():
        assert theirs[name].device.type == "cpu"
        if weights.is_floating_point():
            assert torch.allclose(weights, theirs[name], atol=1e-5)


def test_a_run_on_xla_goes_on(both, tmp_path):
    place, _ = both
    data = load_data("digits", limit_train=128, limit_test=39)
    train_small(group_net(), data, tmp_path / "run", recipe=RECIPE, device="xla",
                resume=place / "xla" / "checkpoints" / "last-1.pt")  # fmt: skip
    whole, resumed = (
        read_weights(path / "checkpoints" / "last.pt") for path in (place / "xla", tmp_path / "run")
    )
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_built_network_learns_alike(tmp_path):
    """Batch normalization lets rounding grow with the steps: one epoch of four is compared."""
    data = load_data("digits", limit_train=128, limit_test=40)
    losses = []
    for device in ("cpu", "xla"):
        seed_everything(0)
        network = recform.build("resnet_s_net", "resnet20_cifar", num_classes=10)
        recipe = replace(RECIPE, epochs=1, learning_rate=5e-4)
        train_small(network, data, tmp_path / device, recipe=recipe, device=device)
        losses.append(read_run(tmp_path / device).metrics[0].train_loss)
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_two_devices_driven_as_one_take_the_same_steps(both, tmp_path):
    _, told = both
    program = ON_TWO.format(tests=str(Path(__file__).parents[1]), out=str(tmp_path / "run"))
    environment = {**os.environ, "CPU_NUM_DEVICES": "2"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True,
                          text=True, timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert "XLA on 2 times CPU" in found["plan"]
    assert found["losses"] == pytest.approx([step.loss for step in told["cpu"].steps], abs=1e-5)
    assert found["top1"] == [metrics.test_top1 for metrics in told["cpu"].epochs]
    assert "33 images is not dealt out evenly to 2 devices" in found["refused"]
