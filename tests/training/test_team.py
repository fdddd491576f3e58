"""Several processes train as one on the joint batch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist

from recform.errors import UserError
from recform.training import load_data, read_run
from recform.training.device import Cpu, Cuda
from recform.training.team import Team, apart, check_batch, is_leader, team_on

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


@pytest.fixture
def group_of_one():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_the_pieces_of_a_batch_are_one_message(group_of_one):
    sent = []

    def note(state, bucket):
        sent.append(bucket.index())
        future = torch.futures.Future()
        future.set_result(bucket.buffer())
        return future

    model = group_net()
    network = Team(0, 2).joined(model)
    network.register_comm_hook(None, note)
    for compiled in (network, SimpleNamespace(_orig_mod=network)):
        with apart(compiled):
            network(torch.rand(2, 3, 32, 32)).sum().backward()
        assert not sent
    network(torch.rand(2, 3, 32, 32)).sum().backward()
    assert sent == [0]
    with apart(model):
        assert model(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_each_process_takes_its_own_graphics_processor_before_it_joins(monkeypatch):
    done = []
    monkeypatch.setattr(dist, "is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "set_device", lambda own: done.append(("takes", own)))
    monkeypatch.setattr(dist, "init_process_group",
                        lambda backend, device_id: done.append((backend, device_id)))  # fmt: skip
    monkeypatch.setattr(dist, "destroy_process_group", lambda: done.append("left"))
    monkeypatch.setattr(dist, "get_rank", lambda: 3)
    monkeypatch.setattr(dist, "get_world_size", lambda: 8)
    with team_on(Cuda()) as team:
        done.append(team)
    own = torch.device("cuda", 3)
    assert done == [("takes", own), ("nccl", own), Team(3, 8), "left"]


def test_a_process_alone_talks(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert is_leader()
