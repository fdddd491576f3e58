"""One step: pieces, clipping, mean weights, precision, compiling."""

import time
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter

from recform.errors import UserError
from recform.training import loop, read_run, seed_everything
from recform.training.descent import mixed
from recform.training.loop import Tally
from recform.training.randomness import drawing_from

from .small import Recorder, same_weights, small_net, small_recipe, train_small


def group_net():
    """Without batch normalisation a gradient is a mean over images."""
    seed_everything(0)
    return nn.Sequential(
        nn.AvgPool2d(4), nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Flatten(),
        nn.Linear(512, 10),
    )  # fmt: skip


ONE_STEP = replace(small_recipe(), epochs=1, batch_size=200, warmup_share=0)


def trained(data, out, recipe, model=None, **changes):
    model = model or group_net()
    train_small(model, data, out, recipe=recipe, **changes)
    return model


@pytest.mark.parametrize("pieces", [2, 3, 7])
def test_a_batch_in_pieces_takes_the_step_of_the_whole(data, tmp_path, pieces):
    recipe = replace(small_recipe(), batch_size=50)
    whole = trained(data, tmp_path / "whole", recipe)
    parts = trained(data, tmp_path / "parts", replace(recipe, accumulate=pieces))
    for mine, theirs in zip(whole.parameters(), parts.parameters(), strict=True):
        # 12 steps, each off by the rounding of sums of 50 terms in another order.
        assert torch.allclose(mine, theirs, atol=1e-5)
    one, other = (read_run(tmp_path / name).metrics[0] for name in ("whole", "parts"))
    assert one.train_loss == pytest.approx(other.train_loss, abs=1e-5)
    assert one.train_top1 == other.train_top1


def test_a_step_is_no_longer_than_the_clipped_gradient(data, tmp_path):
    recipe = replace(ONE_STEP, momentum=0, weight_decay=0, learning_rate=1.0)
    steps = []
    for norm in (0.0, 0.01):
        model = trained(data, tmp_path / str(norm), replace(recipe, clip_norm=norm))
        moved = [
            (new - old).flatten()
            for new, old in zip(model.parameters(), group_net().parameters(), strict=True)
        ]
        steps.append(torch.cat(moved).norm().item())
    assert steps[0] > 0.1
    assert steps[1] == pytest.approx(0.01, rel=1e-3)


def test_mean_weights_follow_the_weights(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "STEPS_PER_REPORT", 1)
    model, seen = group_net(), []

    class Watching(Recorder):
        def step(self, report):
            seen.append(model[5].weight.detach().clone())

    recipe = replace(ONE_STEP, batch_size=50, ema_decay=0.75)
    trained(data, tmp_path, recipe, model, progress=Watching())
    content = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    # timm's mean begins with the weights of the second step: the first ones say nothing yet.
    _, mean, *later = seen
    for weights in later:
        mean = 0.75 * mean + 0.25 * weights
    assert len(later) == 2
    assert torch.allclose(content["average"]["5.weight"], mean, atol=1e-6)


def test_mixing_leaves_the_generators_of_devices_alone(monkeypatch):
    # Seeded anew in each step, dropout on a GPU would draw the same in every one.
    seeds = []
    recipe = replace(ONE_STEP, mixup=0.5)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    with drawing_from(3):
        pass
    mixed(torch.zeros(4, 3, 8, 8), torch.arange(4), 10, recipe, seed=3)
    assert seeds == []


def test_the_time_of_an_epoch_ends_when_its_steps_are_done(data, tmp_path, monkeypatch):
    read = Tally.mean_loss

    def late(tally):
        # A device that is asked for a number has steps to do first.
        time.sleep(0.2)
        return read(tally)

    monkeypatch.setattr(Tally, "mean_loss", late)
    trained(data, tmp_path, ONE_STEP)
    assert read_run(tmp_path).metrics[0].images_per_second < 200 / 0.2


def test_half_precision_computes_other_bits_and_learns(data, tmp_path):
    recipe = replace(small_recipe(), epochs=6)
    single = trained(data, tmp_path / "single", recipe)
    half = trained(data, tmp_path / "half", replace(recipe, amp="bf16"))
    assert not same_weights(single, half)
    assert half[5].weight.dtype is torch.float32
    first, *_, last = read_run(tmp_path / "half").metrics
    assert last.train_loss < first.train_loss


def test_a_processor_does_not_train_in_fp16(data, tmp_path):
    with pytest.raises(UserError) as caught:
        trained(data, tmp_path, replace(ONE_STEP, amp="fp16"))
    assert caught.value.diagnostics[0].hint == "--amp bf16"
    assert not (tmp_path / "config.json").exists()


def test_a_compiled_network_keeps_its_names(data, tmp_path, monkeypatch):
    seen = []

    class Compiled(nn.Module):
        def __init__(self, model):
            super().__init__()
            self._orig_mod = model
            seen.append(model)

        def forward(self, images):
            return self._orig_mod(images)

    monkeypatch.setattr(torch, "compile", Compiled)
    plain, compiled = small_net(), small_net()
    train_small(plain, data, tmp_path / "plain")
    train_small(compiled, data, tmp_path / "compiled", compiled=True)
    assert seen == [compiled]
    assert same_weights(plain, compiled)
    content = torch.load(tmp_path / "compiled" / "checkpoints" / "last.pt", weights_only=True)
    assert list(content["model"]) == list(plain.state_dict())
    assert read_run(tmp_path / "compiled").config["device"]["compiled"] is True


def test_a_compiled_network_is_compiled_once(data, tmp_path, monkeypatch):
    counter, compile = CompileCounter(), torch.compile
    monkeypatch.setattr(torch, "compile", lambda model: compile(model, backend=counter))
    torch._dynamo.reset()
    # Reports, tests with a smaller last batch, mean weights, a second epoch.
    recipe = replace(small_recipe(), epochs=2, ema_decay=0.9)
    train_small(small_net(), data, tmp_path, compiled=True, recipe=recipe)
    assert counter.frame_count == 1


def test_a_summary_has_what_a_comparison_needs(data, tmp_path):
    model = trained(data, tmp_path, ONE_STEP)
    summary = read_run(tmp_path).summary
    assert summary is not None
    assert summary.params == sum(weight.numel() for weight in model.parameters())
    # The convolution: 8 outputs of 3 * 9 inputs at 64 places; the head: 512 inputs, 10 outputs.
    assert summary.macs == 8 * 27 * 64 + 512 * 10
    assert summary.images_per_second > 0
    assert summary.versions["torch"] == torch.__version__
    assert summary.git is None or len(summary.git.removesuffix("-dirty")) == 40
    assert read_run(tmp_path).metrics[0].peak_memory > 1e6
