"""Several processes train as one on the joint batch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recform.errors import UserError
from recform.training import load_data, read_run
from recform.training.device import Cpu
from recform.training.team import Team, check_batch, is_leader

from .small import small_recipe, train_small, untimed
from .test_steps import group_net

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from training.test_team import RECIPE, few
from training.test_steps import group_net
from training.small import train_small
train_small(group_net(), few(), {out!r}, recipe=RECIPE)
"""
RECIPE = replace(small_recipe(), batch_size=20, cutout=0.25, flip=True, accumulate=2)


def few(image_size=None):
    return load_data("digits", image_size=image_size, limit_train=100, limit_test=45)


@pytest.mark.slow
def test_two_processes_are_one_on_the_joint_batch(tmp_path):
    program = tmp_path / "program.py"
    out = tmp_path / "two"
    program.write_text(PROGRAM.format(tests=str(Path(__file__).parents[1]), out=str(out)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
               "2", str(program)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    one = group_net()
    train_small(one, few(), tmp_path / "one", recipe=RECIPE)
    both = torch.load(out / "checkpoints" / "last.pt", weights_only=True)["model"]
    for name, tensor in one.state_dict().items():
        assert (tensor - both[name]).abs().max() < 1e-6
    mine, theirs = (
        [untimed(metrics) for metrics in read_run(tmp_path / name).metrics]
        for name in ("one", "two")
    )
    for alone, together in zip(mine, theirs, strict=True):
        assert together.train_loss == pytest.approx(alone.train_loss, abs=1e-5)
        assert (together.train_top1, together.test_top1) == (alone.train_top1, alone.test_top1)
    assert read_run(out).config["device"]["processes"] == 2


def test_a_process_alone_is_a_team_of_one():
    team, number = Team(), torch.tensor([3.0])
    assert team.leads
    assert team.sum(number) is number
    assert (team.highest(4, torch.device("cpu")), team.gather("a")) == (4, ["a"])
    assert list(range(5))[team.part] == [0, 1, 2, 3, 4]
    assert list(range(5))[Team(1, 2).part] == [1, 3]


def test_a_batch_is_dealt_out_evenly_or_not_at_all():
    check_batch(Team(0, 4), Cpu(), 128)
    with pytest.raises(UserError) as caught:
        check_batch(Team(0, 3), Cpu(), 128)
    assert caught.value.diagnostics[0].hint == "--batch-size 126"


@pytest.mark.parametrize(("rank", "local"), [("0", "0"), ("1", "1"), ("8", "0")])
def test_of_all_machines_one_process_talks(monkeypatch, rank, local):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("LOCAL_RANK", local)
    assert is_leader() == (rank == "0")


def test_a_process_alone_talks(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert is_leader()
