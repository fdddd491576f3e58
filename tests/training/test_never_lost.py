"""Whatever happens to a run, what it has learned is there, and it goes on to the same bits."""

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from recform.errors import UserError
from recform.training import loop as training_loop
from recform.training import read_run, read_weights, recipe_named

from .small import Recorder, same_weights, small_net, small_recipe, train_small, untimed
from .test_train import Interrupting, interrupted_run

# All that a step can depend on: mixed images, pieces, clipped gradients, a mean of the weights.
RICH = replace(
    small_recipe(), mixup=0.5, cutmix=1.0, accumulate=2, clip_norm=1.0, ema_decay=0.9, flip=True,
    alternate_flip=True, cutout=0.25, label_smoothing=0.1, optimizer="adamw", learning_rate=1e-3,
)  # fmt: skip

KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from training.small import small_net, train_small
from training.test_never_lost import LONG, digits
train_small(small_net(), digits(), sys.argv[2], recipe=LONG, resume="auto")
"""
LONG = replace(RICH, epochs=25)


def digits():
    from recform.training import load_data

    return load_data("digits", limit_train=200, limit_test=50)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(tmp_path):
    model = small_net()
    train_small(model, digits(), tmp_path / "whole", recipe=LONG)
    seed = 20
    chance = random.Random(seed)
    print(f"seed {seed}")
    out = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parents[1]), str(out)]
    num_kills = 0
    while num_kills < 3:
        going = subprocess.Popen(command)
        wait_for_checkpoints(out, chance.randint(1, 6), going)
        time.sleep(chance.random() * 0.3)
        going.send_signal(signal.SIGKILL)
        assert going.wait(60) == -signal.SIGKILL, "it ended before it could be killed"
        num_kills += 1
    subprocess.run(command, check=True, timeout=300)
    for name in ("model", "average"):
        theirs = checkpoint(out)[name]
        mine = checkpoint(tmp_path / "whole")[name]
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    assert [untimed(metrics) for metrics in read_run(out).metrics] == [
        untimed(metrics) for metrics in read_run(tmp_path / "whole").metrics
    ]


def wait_for_checkpoints(out, number, going):
    """Until the last checkpoint was written so many times more."""
    path, until, seen = out / "checkpoints" / "last.pt", time.monotonic() + 120, set()
    while len(seen) <= number and going.poll() is None:
        assert time.monotonic() < until, "no checkpoint appears"
        if path.exists():
            try:
                seen.add(path.stat().st_mtime_ns)
            except FileNotFoundError:
                continue
        time.sleep(0.002)


def checkpoint(out):
    return torch.load(out / "checkpoints" / "last.pt", weights_only=True)


@pytest.fixture(scope="module")
def rich(data, tmp_path_factory):
    """An uninterrupted run by the rich recipe."""
    model, out = small_net(), tmp_path_factory.mktemp("rich") / "run"
    train_small(model, data, out, recipe=RICH)
    return model, out


@pytest.mark.parametrize("step", [1, 5, 6, 11])
def test_every_part_of_a_recipe_is_taken_up_again(rich, data, tmp_path, step):
    model, out = rich
    with pytest.raises(Exception, match="interrupted"):
        # Two pieces a step.
        train_small(Interrupting(small_net(), 2 * step), data, tmp_path, recipe=RICH)
    resumed = small_net(seed=4)
    train_small(resumed, data, tmp_path, recipe=RICH, resume="auto")
    assert same_weights(model, resumed)
    mine, theirs = checkpoint(out)["average"], checkpoint(tmp_path)["average"]
    mine, theirs = (
        {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        for weights in (mine, theirs)
    )
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_the_mean_weights_are_judged_and_kept(rich, data):
    model, out = rich
    average = read_weights(out / "checkpoints" / "last.pt")
    assert not torch.equal(average["6.weight"], model.state_dict()["6.weight"])
    again = small_net()
    again.load_state_dict(average)
    again.eval()
    from recform.training import evaluation_batch

    images, labels = evaluation_batch(data)
    with torch.no_grad():
        top1 = 100 * (again(images).argmax(1) == labels).float().mean().item()
    assert read_run(out).metrics[-1].test_top1 == pytest.approx(top1)


def test_a_long_epoch_pauses_for_checkpoints(data, tmp_path, monkeypatch):
    whole, paused = small_net(), small_net()
    train_small(whole, data, tmp_path / "whole")
    monkeypatch.setattr(training_loop, "SECONDS_PER_CHECKPOINT", -1)
    monkeypatch.setattr(training_loop, "STEPS_PER_REPORT", 2)
    steps = []

    class Watching(Recorder):
        def step(self, report):
            last = tmp_path / "run" / "checkpoints" / "last.pt"
            steps.append(torch.load(last, weights_only=True)["point"]["step"])

    train_small(paused, data, tmp_path / "run", progress=Watching())
    assert same_weights(whole, paused)
    assert {0, 2, 4} <= set(steps)


def test_the_last_checkpoints_are_kept(data, tmp_path):
    train_small(small_net(), data, tmp_path, keep=3)
    folder = tmp_path / "checkpoints"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["best.pt", "last-1.pt", "last-2.pt", "last.pt"]
    epochs = [
        len(torch.load(folder / name, weights_only=True)["point"]["history"])
        for name in ("last.pt", "last-1.pt", "last-2.pt")
    ]
    assert epochs == [3, 2, 1]


def test_one_checkpoint_is_enough(data, tmp_path):
    train_small(small_net(), data, tmp_path, keep=1)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "best.pt", "last.pt",
    ]  # fmt: skip
    with pytest.raises(UserError, match="one checkpoint or more"):
        train_small(small_net(), data, tmp_path / "none", keep=0)


def test_a_kill_between_two_renames_leaves_the_checkpoint_before(data, tmp_path):
    whole = small_net()
    train_small(whole, data, tmp_path / "whole")
    out = interrupted_run(data, tmp_path / "run")
    (out / "checkpoints" / "last.pt").unlink()
    assert (out / "checkpoints" / "last-1.pt").exists()
    resumed = small_net(seed=8)
    train_small(resumed, data, out, resume="auto")
    assert same_weights(whole, resumed)


def test_a_damaged_checkpoint_names_the_one_before_it(data, tmp_path):
    out = interrupted_run(data, tmp_path / "run")
    (out / "checkpoints" / "last.pt").write_bytes(b"half")
    with pytest.raises(UserError) as caught:
        train_small(small_net(), data, out, resume="auto")
    assert caught.value.code == "damaged-checkpoint"
    assert f"--resume {out / 'checkpoints' / 'last-1.pt'}" in caught.value.diagnostics[0].hint


class FillingTheDisk(Recorder):
    """After the first epoch, no file may grow beyond some kilobytes."""

    def epoch(self, metrics):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))


def test_a_full_disk_is_told_and_the_last_checkpoint_kept(data, tmp_path):
    whole = small_net()
    train_small(whole, data, tmp_path / "whole")
    out = tmp_path / "run"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(UserError) as caught:
            train_small(small_net(), data, out, progress=FillingTheDisk())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.code == "unwritable"
    assert "checkpoints" in str(caught.value)
    assert "cannot be written: File too large" in str(caught.value)
    assert "make room" in caught.value.diagnostics[0].hint
    assert "the last whole checkpoint" in caught.value.diagnostics[0].hint
    assert [path.name for path in out.rglob("*.part")] == []
    assert len(checkpoint(out)["point"]["history"]) == 1
    resumed = small_net()
    train_small(resumed, data, out, resume="auto")
    assert same_weights(whole, resumed)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from recform.cli.main import main
sys.argv = ["recform", *sys.argv[1:]]
main()
"""


def test_a_disk_that_is_full_from_the_start_has_no_checkpoint_to_go_on_from(tmp_path):
    words = ["train", "resnet", "--limit-train", "32", "--limit-test", "16", "--epochs", "1",
             "--device", "cpu", "--out", str(tmp_path / "run")]  # fmt: skip
    done = subprocess.run([sys.executable, "-c", LIMITED, *words], capture_output=True, text=True,
                          timeout=120)  # fmt: skip
    assert done.returncode == 1
    assert "next.pt cannot be written: File too large" in done.stderr
    assert "make room, or name another folder" in done.stderr
    assert "whole checkpoint" not in done.stderr


def test_no_space_left_is_told_in_those_words(data, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        train_small(small_net(), data, tmp_path / "run")
    assert list((tmp_path / "run").rglob("*.part")) == []


class Greedy(nn.Module):
    """A network that needs 2^46 numbers."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images) + torch.empty(2**46).sum()


class Full(Greedy):
    def forward(self, images):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


class FullXla(Greedy):
    def forward(self, images):
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory while trying to allocate 20 GiB")


@pytest.mark.parametrize("kind", [Greedy, Full, FullXla])
def test_too_little_memory_is_told_with_a_smaller_batch(data, tmp_path, kind):
    with pytest.raises(UserError) as caught:
        train_small(kind(small_net()), data, tmp_path / "run")
    assert caught.value.code == "out-of-memory"
    assert "--set accumulate=2" in caught.value.diagnostics[0].hint
    assert "--batch-size 16" in caught.value.diagnostics[0].hint
    assert checkpoint(tmp_path / "run")["point"]["step"] == 0


def test_another_mistake_of_a_network_is_no_lack_of_memory(data, tmp_path):
    with pytest.raises(RuntimeError, match="shapes"):
        train_small(nn.Sequential(nn.Flatten(), nn.Linear(3, 10)), data, tmp_path / "run")


class Exploding(nn.Module):
    """A network whose loss is no number after so many steps."""

    def __init__(self, model, step):
        super().__init__()
        self.model = model
        self.steps_left = step

    def forward(self, images):
        self.steps_left -= self.training
        return self.model(images) * (torch.nan if self.steps_left < 0 else 1)


def test_a_loss_that_is_no_number_leaves_the_last_good_checkpoint(data, tmp_path):
    with pytest.raises(UserError) as caught:
        train_small(Exploding(small_net(), 8), data, tmp_path)
    assert caught.value.code == "diverged"
    assert "the last checkpoint is from before" in caught.value.diagnostics[0].hint
    kept = checkpoint(tmp_path)
    assert len(kept["point"]["history"]) == 1
    assert all(tensor.isfinite().all() for tensor in kept["model"].values())


class Breaking(Exploding):
    """A network whose steps before the last one of an epoch look sound."""

    def __init__(self, model, step):
        super().__init__(model, step)
        model[6].bias.register_hook(self.gradient)

    def gradient(self, gradient):
        return gradient * (torch.nan if self.steps_left == 0 else 1)

    def forward(self, images):
        self.steps_left -= self.training
        return self.model(images)


@pytest.mark.parametrize("step", [12, 10])
def test_weights_broken_by_the_last_step_are_not_kept(data, tmp_path, monkeypatch, step):
    # Before the end of an epoch it is a pause for a checkpoint that would keep them.
    monkeypatch.setattr(training_loop, "STEPS_PER_REPORT", 2)
    monkeypatch.setattr(training_loop, "SECONDS_PER_CHECKPOINT", -1)
    with pytest.raises(UserError, match="a weight is not a finite number in epoch 2") as caught:
        train_small(Breaking(small_net(), step), data, tmp_path)
    assert caught.value.code == "diverged"
    kept = checkpoint(tmp_path)
    assert len(kept["point"]["history"]) == 1
    assert all(tensor.isfinite().all() for tensor in kept["model"].values())


def test_a_run_by_another_recipe_is_told_which_setting_differs(data, tmp_path):
    interrupted_run(data, tmp_path)
    for change, option in (
        ({"label_smoothing": 0.1}, "--set label_smoothing=0.0"),
        ({"amp": "bf16"}, "--amp none"),
    ):
        with pytest.raises(UserError) as caught:
            train_small(small_net(), data, tmp_path, recipe=replace(small_recipe(), **change),
                        resume="auto")  # fmt: skip
        assert caught.value.code == "bad-argument"
        assert option in caught.value.diagnostics[0].hint
    assert recipe_named("digits").name == small_recipe().name
