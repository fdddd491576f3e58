"""Weights dealt out to processes learn what whole ones learn."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from recform.errors import UserError
from recform.network import build, compile, weighing
from recform.training import read_run, seed_everything
from recform.training.batches import normalized
from recform.training.dataset import balanced_order

from .small import small_net, train_small
from .test_team import RECIPE, few

RICH = replace(RECIPE, clip_norm=0.5, ema_decay=0.9)
WEIGHED = """
param b = 1/2
param a[l] = 1/2
param g[l, channel] = 1
x[l+1] = b*x[l] + a[l]*F(g[l]*x[l])
"""
PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from pathlib import Path
import torch.distributed as dist
from recform.training import sharding
from dataclasses import replace
out = Path({out!r})
dist.init_process_group("gloo")
from training.test_sharding import *
from training.small import small_net, train_small
# All weights are gathered with the whole network; then the largest layers on their own.
gated = highway()
train_small(gated, few(8), out / "gates", recipe=replace(RECIPE, epochs=1), sharded=True)
gated.reshard()
(out / f"gates_{{dist.get_rank()}}.json").write_text(json.dumps(weighing(gated, shown()).written))
sharding.NUM_WEIGHTS_OF_A_LAYER = 20
for name, sharded in (("whole", False), ("parts", True)):
    train_small(weighed_net(), few(), out / name, recipe=RICH, sharded=sharded)
last = out / "parts" / "checkpoints" / "last-1.pt"
train_small(weighed_net(), few(), out / "resumed", recipe=RICH, sharded=True, resume=last)
train_small(small_net(), few(), out / "norms", recipe=RICH, sharded=True)
dist.destroy_process_group()
"""


def weighed_net():
    """Three blocks, weighed by numbers and by vectors; none mixes the images of a batch."""
    seed_everything(0)
    blocks = [nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU())
              for _ in range(3)]  # fmt: skip
    weighed = compile(WEIGHED, blocks, example=torch.zeros(1, 8, 8, 8))
    return nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 8, 3, padding=1), weighed, nn.Flatten(),
                         nn.Linear(512, 10))  # fmt: skip


def highway():
    seed_everything(0)
    return build("highway", "resnet20_cifar", 10, image_size=8)


def shown():
    """The images that gates are read off on."""
    data = few(8)
    order = balanced_order(data.test.labels)[: RECIPE.batch_size]
    return normalized(data.test.fetch(order), data)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two processes train by whole weights, by parts of them, and go on from a checkpoint."""
    place = tmp_path_factory.mktemp("sharding")
    program = place / "program.py"
    program.write_text(PROGRAM.format(tests=str(Path(__file__).parents[1]), out=str(place)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
               "2", str(program)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return place


def last(run):
    return torch.load(run / "checkpoints" / "last.pt", weights_only=True)


@pytest.mark.slow
def test_weights_in_parts_learn_what_whole_ones_learn(runs):
    whole, parts = last(runs / "whole"), last(runs / "parts")
    for kind in ("model", "average"):
        assert whole[kind].keys() == parts[kind].keys()
        for name, weights in whole[kind].items():
            assert (weights - parts[kind][name]).abs().max() < 1e-6
    for one, other in zip(read_run(runs / "whole").metrics, read_run(runs / "parts").metrics,
                          strict=True):  # fmt: skip
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-6)
        assert (other.train_top1, other.test_top1) == (one.train_top1, one.test_top1)
    one, other = read_run(runs / "whole").summary, read_run(runs / "parts").summary
    assert one is not None
    assert other is not None
    assert other.macs == one.macs


@pytest.mark.slow
def test_single_numbers_stay_whole_and_are_learned(runs):
    start, parts = weighed_net().state_dict(), last(runs / "parts")["model"]
    singles = [name for name, weight in start.items() if weight.ndim == 0]
    assert len(singles) == 4
    for name in singles:
        assert parts[name].shape == ()
        assert parts[name] != start[name]


@pytest.mark.slow
def test_mean_weights_in_parts_go_with_running_statistics(runs):
    found = last(runs / "norms")
    name = next(name for name in found["average"] if name.endswith("running_mean"))
    assert found["average"][name].any()
    assert not torch.equal(found["average"][name], found["model"][name])


@pytest.mark.slow
def test_gates_are_read_off_weights_in_parts(runs):
    network = highway()
    network.load_state_dict(last(runs / "gates")["model"])
    found = weighing(network, shown()).written
    logged = json.loads((runs / "gates" / "gates.jsonl").read_text().splitlines()[-1])["written"]
    for told in (logged, *(json.loads((runs / f"gates_{n}.json").read_text()) for n in range(2))):
        assert list(told) == list(found)
        for name, stood in found.items():
            assert told[name] == pytest.approx(stood, abs=1e-5)


@pytest.mark.slow
def test_a_run_in_parts_goes_on_from_a_checkpoint(runs):
    parts, resumed = last(runs / "parts"), last(runs / "resumed")
    for kind in ("model", "average"):
        assert all(torch.equal(parts[kind][name], resumed[kind][name]) for name in parts[kind])


@pytest.mark.slow
def test_one_process_goes_on_with_what_was_in_parts(runs, tmp_path):
    checkpoint = runs / "parts" / "checkpoints" / "last-1.pt"
    train_small(weighed_net(), few(), tmp_path / "alone", recipe=RICH, resume=checkpoint)
    alone, whole = last(tmp_path / "alone"), last(runs / "whole")
    for name, weights in whole["model"].items():
        assert (weights - alone["model"][name]).abs().max() < 1e-6
    assert read_run(runs / "parts").config["device"]["sharded"]


def test_one_process_has_nobody_to_deal_weights_to(tmp_path):
    with pytest.raises(UserError) as caught:
        train_small(small_net(), few(), tmp_path / "run", sharded=True)
    assert caught.value.code == "bad-argument"
    assert "torchrun" in caught.value.diagnostics[0].hint
    assert not (tmp_path / "run").exists()
