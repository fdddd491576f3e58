import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from recform.errors import UserError
from recform.network import build
from recform.training import Interrupted, load_data, read_run, train
from recform.training.batches import normalized
from recform.training.record import git_commit

from .small import (
    Recorder,
    same_weights,
    small_net,
    small_recipe,
    train_small,
    untimed,
)

STEPS_PER_EPOCH = 200 // 32


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """An uninterrupted run: its network, folder and record."""
    model, out, recorder = small_net(), tmp_path_factory.mktemp("whole") / "run", Recorder()
    train_small(model, data, out, progress=recorder, command=("recform", "train"))
    return model, out, recorder


def test_a_network_learns_digits(tmp_path):
    data = load_data("digits", limit_train=600, limit_test=100)
    summary = train_small(small_net(), data, tmp_path / "run")
    # Ten classes: guessing gives 10 %.
    assert summary.final_top1 > 70


def test_each_epoch_is_a_line_of_metrics(whole):
    _, out, recorder = whole
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines == [asdict(metrics) for metrics in recorder.epochs]
    assert {"train_loss", "test_loss", "test_top1", "test_top5", "seconds"} <= set(lines[0])


def test_accuracies_and_loss_are_those_of_the_final_network(whole, data):
    model, out, _ = whole
    model.eval()
    images = normalized(data.test.fetch(torch.arange(data.num_test)), data)
    with torch.no_grad():
        logits = model(images)
    labels = data.test.labels
    ranks = (logits > logits.gather(1, labels[:, None])).sum(1)
    final = read_run(out).metrics[-1]
    assert final.test_top1 == 100 * (ranks < 1).sum().item() / len(labels)
    assert final.test_top5 == 100 * (ranks < 5).sum().item() / len(labels)
    # Sums of 50 losses in two orders: 50 * 2^-24 relative, with room.
    assert final.test_loss == pytest.approx(cross_entropy(logits, labels).item(), rel=1e-5)


def test_fewer_than_five_classes_have_no_fifth_guess(tmp_path, data):
    labels = data.test.labels
    few = replace(data, test=data.test.pick((labels < 3).nonzero()[:, 0]), num_classes=3)
    few = replace(few, train=data.train.pick((data.train.labels < 3).nonzero()[:, 0]))
    summary = train_small(small_net(), few, tmp_path / "run")
    assert summary.final_top5 >= summary.final_top1


def test_a_built_network_says_its_formula_and_backbone(data, tmp_path):
    net = build("# Doubled: twice the branch\nx[l+1] = x[l] + 2*F(x[l])", "resnet20_cifar", 10)
    recipe = replace(small_recipe(), epochs=1)
    train(net, data, recipe, out=str(tmp_path / "run"), device="cpu")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["formula"] == "# Doubled: twice the branch\nx[l+1] = x[l] + 2*F(x[l])\n"
    assert config["backbone"] == "resnet20_cifar"


@pytest.mark.parametrize("missing", ["formula_text", "backbone"])
def test_a_network_that_does_not_say_what_it_is_must_be_named(data, tmp_path, missing):
    with pytest.raises(UserError, match=f"a Linear does not say its {missing}") as told:
        train_small(nn.Linear(2, 2), data, tmp_path / "run", **{missing: None})
    assert told.value.diagnostics[0].hint == f'train(..., {missing}="...")'
    assert not (tmp_path / "run").exists()


def test_the_configuration_repeats_the_run(whole, data):
    _, out, _ = whole
    config = read_run(out).config
    assert config["formula"] == (out / "formula.rf").read_text() == "x[l+1] = x[l] + F(x[l])\n"
    assert config["recipe"] == asdict(small_recipe())
    assert (config["backbone"], config["seed"]) == ("small", 0)
    assert config["data"]["num_train"] == data.num_train
    assert config["num_parameters"] == sum(weight.numel() for weight in small_net().parameters())
    assert config["versions"]["torch"] == torch.__version__
    assert config["command"] == ["recform", "train"]


def test_the_summary_tells_the_final_and_the_best_epoch(whole):
    _, out, recorder = whole
    summary = json.loads((out / "summary.json").read_text())
    accuracies = [metrics.test_top1 for metrics in recorder.epochs]
    assert (summary["final_top1"], summary["best_top1"]) == (accuracies[-1], max(accuracies))
    assert summary["best_epoch"] == accuracies.index(max(accuracies)) + 1
    assert summary["seconds"] == sum(metrics.seconds for metrics in recorder.epochs)


def test_the_best_checkpoint_is_that_of_the_best_epoch(whole):
    _, out, recorder = whole
    content = torch.load(out / "checkpoints" / "best.pt", weights_only=True)
    best = max(recorder.epochs, key=lambda metrics: metrics.test_top1)
    assert len(content["point"]["history"]) == best.epoch


class Worsening(nn.Module):
    """A network that takes the least likely class for the likeliest from its second epoch on."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.num_images_judged = 0

    def forward(self, images):
        self.num_images_judged += 0 if self.training else len(images)
        return self.model(images) * (-1 if self.num_images_judged > 50 else 1)


def test_the_best_checkpoint_stays_when_the_network_gets_worse(data, tmp_path):
    train_small(Worsening(small_net()), data, tmp_path / "run")
    content = torch.load(tmp_path / "run" / "checkpoints" / "best.pt", weights_only=True)
    accuracies = [metrics.test_top1 for metrics in read_run(tmp_path / "run").metrics]
    assert accuracies[0] > max(accuracies[1:])
    assert len(content["point"]["history"]) == 1


def test_progress_is_told_the_plan_and_every_epochs_end(whole, data):
    _, _, recorder = whole
    (plan,) = recorder.plans
    assert (plan.num_epochs, plan.steps_per_epoch, plan.num_steps_done) == (3, STEPS_PER_EPOCH, 0)
    assert (plan.num_train, plan.num_test) == (data.num_train, data.num_test)
    assert recorder.steps[-1].num_steps_done == plan.num_steps
    assert recorder.steps[-1].seconds_left == 0
    assert recorder.steps[-1].loss == recorder.epochs[-1].train_loss


def test_the_same_seed_gives_the_same_bits(whole, data, tmp_path):
    model, _, recorder = whole
    again, told = small_net(), Recorder()
    train_small(again, data, tmp_path / "run", progress=told)
    assert same_weights(model, again)
    assert [untimed(m) for m in told.epochs] == [untimed(m) for m in recorder.epochs]


def test_what_is_drawn_before_the_training_does_not_matter(whole, data, tmp_path):
    model = small_net()
    torch.rand(1)
    train_small(model, data, tmp_path / "run")
    assert same_weights(whole[0], model)


def test_another_seed_gives_other_bits(whole, data, tmp_path):
    other = small_net()
    train_small(other, data, tmp_path / "run", seed=1)
    assert not same_weights(whole[0], other)


class Interrupting(nn.Module):
    """A network in whose n-th training step Ctrl-C is pressed."""

    def __init__(self, model, step, signum=signal.SIGINT):
        super().__init__()
        self.model = model
        self.steps_left = step
        self.signum = signum

    def forward(self, images):
        self.steps_left -= self.training
        if self.steps_left == 0 and self.training:
            os.kill(os.getpid(), self.signum)
        return self.model(images)

    def state_dict(self, *args, **kwargs):
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, *args, **kwargs):
        return self.model.load_state_dict(*args, **kwargs)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 2, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 3, 3 * STEPS_PER_EPOCH])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_bits(whole, data, tmp_path, step, signum):
    model, _, recorder = whole
    out = tmp_path / "run"
    with pytest.raises(Interrupted) as caught:
        train_small(Interrupting(small_net(), step, signum), data, out)
    stopped = caught.value
    assert (stopped.epoch - 1) * STEPS_PER_EPOCH + stopped.step == step
    assert (stopped.checkpoint, stopped.signum) == (out / "checkpoints" / "last.pt", signum)

    resumed = small_net(seed=7)
    train_small(resumed, data, out, resume="auto")
    assert same_weights(model, resumed)
    assert [untimed(m) for m in read_run(out).metrics] == [untimed(m) for m in recorder.epochs]


def test_a_signal_during_evaluation_loses_no_step(whole, data, tmp_path):
    class SlowToJudge(Interrupting):
        def forward(self, images):
            if not self.training:
                os.kill(os.getpid(), signal.SIGINT)
            return self.model(images)

    out = tmp_path / "run"
    with pytest.raises(Interrupted) as caught:
        train_small(SlowToJudge(small_net(), 0), data, out)
    assert (caught.value.epoch, caught.value.step) == (1, STEPS_PER_EPOCH)
    assert (out / "metrics.jsonl").read_text() == ""
    resumed = small_net()
    train_small(resumed, data, out, resume="auto")
    assert same_weights(whole[0], resumed)


def test_the_signal_handlers_are_given_back(data, tmp_path):
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    train_small(small_net(), data, tmp_path / "run")
    assert [signal.getsignal(number) for number in numbers] == before


def interrupted_run(data, out, step=STEPS_PER_EPOCH + 1):
    with pytest.raises(Interrupted):
        train_small(Interrupting(small_net(), step), data, out)
    return out


def test_lines_that_a_crash_left_are_written_anew(data, tmp_path):
    out = interrupted_run(data, tmp_path / "run")
    with (out / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "train_lo')
    train_small(small_net(), data, out, resume="auto")
    assert [metrics.epoch for metrics in read_run(out).metrics] == [1, 2, 3]


def test_a_run_that_is_taken_up_again_has_no_summary_until_it_ends(data, tmp_path):
    out = interrupted_run(data, tmp_path / "run")
    (out / "summary.json").write_text("{}")
    with pytest.raises(Interrupted):
        train_small(Interrupting(small_net(), 1), data, out, resume="auto")
    assert read_run(out).summary is None


@pytest.mark.parametrize("named", ["checkpoints/last.pt", "."])
def test_a_run_goes_on_in_another_folder(whole, data, tmp_path, named):
    old = interrupted_run(data, tmp_path / "old")
    before = (old / "metrics.jsonl").read_text()
    resumed = small_net()
    train_small(resumed, data, tmp_path / "new", resume=old / named)
    assert same_weights(whole[0], resumed)
    assert [metrics.epoch for metrics in read_run(tmp_path / "new").metrics] == [1, 2, 3]
    assert (old / "metrics.jsonl").read_text() == before


def epochs_in(checkpoint):
    return len(torch.load(checkpoint, weights_only=True)["point"]["history"])


class Misjudging(Interrupting):
    """A network that takes the least likely class for the likeliest when it is judged."""

    def forward(self, images):
        return super().forward(images) * (1 if self.training else -1)


def test_the_best_network_comes_along_into_another_folder(data, tmp_path):
    old, new = interrupted_run(data, tmp_path / "old"), tmp_path / "new"
    train_small(Misjudging(small_net(), -1), data, new, resume=old)
    accuracies = [metrics.test_top1 for metrics in read_run(new).metrics]
    assert accuracies[0] > max(accuracies[1:])
    assert epochs_in(new / "checkpoints" / "best.pt") == 1


def test_without_the_best_network_the_best_of_what_follows_is_kept(data, tmp_path):
    old, new = interrupted_run(data, tmp_path / "old"), tmp_path / "new"
    (old / "checkpoints" / "best.pt").unlink()
    train_small(Misjudging(small_net(), -1), data, new, resume=old)
    accuracies = [metrics.test_top1 for metrics in read_run(new).metrics]
    assert accuracies[0] > max(accuracies[1:])
    best = 2 + (accuracies[2] > accuracies[1])
    assert epochs_in(new / "checkpoints" / "best.pt") == best


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe"])
def test_a_run_does_not_go_on_beside_a_damaged_configuration(data, tmp_path, content):
    out = interrupted_run(data, tmp_path / "run")
    (out / "config.json").write_bytes(content)
    error = refusal(small_net(), data, out, resume="auto")
    assert error.code == "bad-run"
    assert "config.json is damaged" in error.diagnostics[0].message
    (out / "config.json").unlink()
    train_small(small_net(), data, out, resume="auto")
    assert read_run(out).config["seed"] == 0


def test_auto_starts_anew_where_there_is_no_run(whole, data, tmp_path):
    model = small_net()
    train_small(model, data, tmp_path / "run", resume="auto")
    assert same_weights(whole[0], model)


def test_a_finished_run_has_nothing_left_to_do(whole, data):
    model, out, _ = whole
    before = (out / "metrics.jsonl").read_text()
    again = small_net(seed=5)
    summary = train_small(again, data, out, resume="auto")
    assert same_weights(model, again)
    assert summary == read_run(out).summary
    assert (out / "metrics.jsonl").read_text() == before


def refusal(*arguments, **changes):
    with pytest.raises(UserError) as caught:
        train_small(*arguments, **changes)
    return caught.value


def test_a_folder_that_holds_a_run_is_refused(whole, data):
    error = refusal(small_net(), data, whole[1])
    assert error.code == "run-exists"
    assert "--resume auto" in error.diagnostics[0].hint


def test_another_runs_checkpoint_does_not_overwrite_a_run(whole, data, tmp_path):
    old = interrupted_run(data, tmp_path / "old")
    assert refusal(small_net(), data, whole[1], resume=old).code == "run-exists"


def test_a_checkpoint_that_is_not_there_is_named(data, tmp_path):
    error = refusal(small_net(), data, tmp_path / "run", resume=tmp_path / "gone.pt")
    assert error.code == "no-such-file"
    assert f"{tmp_path}/gone.pt" in str(error)
    error = refusal(small_net(), data, tmp_path / "run", resume="")
    assert "--resume names nothing" in str(error)


@pytest.mark.parametrize(
    ("changes", "message", "option"),
    [
        (
            {"recipe": replace(small_recipe(), learning_rate=0.2)},
            "learning_rate 0.1, not 0.2",
            "--lr 0.1",
        ),
        ({"recipe": replace(small_recipe(), epochs=8)}, "epochs 3, not 8", "--epochs 3"),
        ({"seed": 3}, "seed 0, not 3", "--seed 0"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(whole, data, changes, message, option):
    error = refusal(small_net(), data, whole[1], resume="auto", **changes)
    assert error.code == "bad-argument"
    assert message in error.diagnostics[0].message
    assert option in error.diagnostics[0].hint
    assert "--out DIR" in error.diagnostics[0].hint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "other"}, "backbone 'small', not 'other'"),
        ({"formula_text": "x[l+1] = F(x[l])\n"}, "formula 'x[l+1] = x[l] + F(x[l])\\n', not"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(whole, data, changes, message):
    error = refusal(small_net(), data, whole[1], resume="auto", **changes)
    assert error.code == "damaged-checkpoint"
    assert message in error.diagnostics[0].message
    assert "--out DIR" in error.diagnostics[0].hint


def test_a_checkpoint_of_another_network_is_refused(whole, data):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    error = refusal(model, data, whole[1], resume="auto")
    assert error.code == "damaged-checkpoint"
    assert "does not fit this run" in str(error)
    assert "\n" not in error.diagnostics[0].message


class NotANumber(nn.Module):
    """Its loss stops being a number at the given step."""

    def __init__(self, step):
        super().__init__()
        self.linear = nn.Linear(3, 10)
        self.steps_left = step

    def forward(self, images):
        self.steps_left -= self.training
        return self.linear(images.mean((2, 3))) * (math.nan if self.steps_left == 0 else 1)


def test_a_loss_that_is_no_number_ends_the_run_with_its_checkpoint_sound(data, tmp_path):
    error = refusal(NotANumber(STEPS_PER_EPOCH + 2), data, tmp_path / "run")
    assert error.code == "diverged"
    assert "in epoch 2" in str(error)
    assert "--lr" in error.diagnostics[0].hint
    content = torch.load(tmp_path / "run" / "checkpoints" / "last.pt", weights_only=True)
    assert len(content["point"]["history"]) == 1
    assert all(weight.isfinite().all() for weight in content["model"].values())


def test_a_loss_that_is_no_number_is_not_written_when_a_signal_comes(data, tmp_path):
    model = Interrupting(NotANumber(2), 3)
    assert refusal(model, data, tmp_path / "run").code == "diverged"


class BadJudge(NotANumber):
    def forward(self, images):
        return super().forward(images) * (1 if self.training else math.nan)


def test_a_test_loss_that_is_no_number_is_null_and_never_the_best(data, tmp_path):
    train_small(BadJudge(-1), data, tmp_path / "run")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["test_loss"] for line in lines] == [None] * 3
    assert (tmp_path / "run" / "checkpoints" / "last.pt").exists()
    assert not (tmp_path / "run" / "checkpoints" / "best.pt").exists()


def test_the_commit_is_that_of_the_start(data, tmp_path, monkeypatch):
    commits = iter(("start", "changed meanwhile"))
    for module in ("recform.training.record", "recform.training.train"):
        monkeypatch.setattr(sys.modules[module], "git_commit", lambda: next(commits))
    summary = train_small(small_net(), data, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["git"], summary.git) == ("start", "start")


def test_the_source_is_only_looked_at(tmp_path):
    def git(*words):
        author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        return subprocess.run(["git", "-C", tmp_path, *author, *words], check=True,
                              capture_output=True, text=True).stdout.strip()  # fmt: skip

    assert git_commit(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("one")
    git("add", ".")
    git("commit", "-m", "first")
    os.utime(tmp_path / "file", (0, 0))
    before = (tmp_path / ".git" / "index").read_bytes()
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two, and longer")
    assert git_commit(tmp_path) == f"{git('rev-parse', 'HEAD')}-dirty"
    assert (tmp_path / ".git" / "index").read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(data, tmp_path):
    (tmp_path / "file").write_text("")
    error = refusal(small_net(), data, tmp_path / "file" / "run")
    assert error.code == "unwritable"
    assert f"{tmp_path}/file/run" in str(error)


def test_a_negative_seed_is_refused(data, tmp_path):
    assert refusal(small_net(), data, tmp_path / "run", seed=-1).code == "bad-argument"


def test_there_is_a_checkpoint_before_the_first_step(data, tmp_path):
    class Looking(Recorder):
        def step(self, report):
            assert Path(tmp_path / "run" / "checkpoints" / "last.pt").is_file()
            super().step(report)

    progress = Looking()
    train_small(small_net(), data, tmp_path / "run", progress=progress)
    assert progress.steps
