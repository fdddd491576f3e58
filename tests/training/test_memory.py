"""What a run saves memory by is told, and a run goes on as it began where that matters."""

import os
import signal
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.network import build, save_network
from recform.training import Interrupted, Silent, load_data, read_run, seed_everything

from .small import same_weights, small_recipe, train_small

RECIPE = replace(small_recipe(), epochs=1, batch_size=16)


@pytest.fixture(scope="module")
def few():
    return load_data("digits", image_size=8, limit_train=48, limit_test=10)


def leapfrog(recompute=False, reversible=False):
    seed_everything(0)
    return build("leapfrog", "resnet20_cifar", 10, image_size=8, recompute=recompute,
                 reversible=reversible)  # fmt: skip


class Stopping(Silent):
    def begin(self, plan):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def stopped(few, tmp_path_factory):
    """A run that computes blocks once and keeps all states, stopped after a step."""
    out = tmp_path_factory.mktemp("memory") / "run"
    with pytest.raises(Interrupted):
        train_small(leapfrog(), few, out, recipe=RECIPE, progress=Stopping())
    return out


@pytest.fixture(scope="module")
def stopped_reversible(few, tmp_path_factory):
    out = tmp_path_factory.mktemp("memory") / "run"
    with pytest.raises(Interrupted):
        train_small(leapfrog(reversible=True), few, out, recipe=RECIPE, progress=Stopping())
    return out


def test_the_configuration_tells_it(stopped, stopped_reversible):
    assert read_run(stopped).config["memory"] == {"recompute": False, "reversible": False}
    told = read_run(stopped_reversible).config["memory"]
    assert told == {"recompute": False, "reversible": True}


@pytest.mark.parametrize(
    ("is_reversible", "hint"), [(True, "go on with --reversible"), (False, "go on without")]
)
def test_states_are_kept_or_given_back_as_before(
    is_reversible, hint, few, stopped, stopped_reversible
):
    out = stopped_reversible if is_reversible else stopped
    with pytest.raises(UserError) as caught:
        train_small(leapfrog(reversible=not is_reversible), few, out, recipe=RECIPE, resume="auto")
    assert caught.value.code == "bad-argument"
    assert f"reversible {is_reversible}, not {not is_reversible}" in str(caught.value)
    assert hint in caught.value.diagnostics[0].hint


def test_it_may_go_on_in_less_memory_to_the_same_bits(few, stopped, tmp_path):
    plain, recomputed = leapfrog(), leapfrog(recompute=True)
    for name, model in (("plain", plain), ("recomputed", recomputed)):
        train_small(model, few, tmp_path / name, recipe=RECIPE, resume=stopped)
    assert same_weights(plain, recomputed)
    told = read_run(tmp_path / "recomputed").config["memory"]
    assert told == {"recompute": True, "reversible": False}


def test_a_checkpoint_from_before_it_was_told_is_of_a_run_that_kept_its_states(
    few, stopped, tmp_path
):
    path = stopped / "checkpoints" / "last.pt"
    content = torch.load(path, weights_only=True)
    del content["identity"]["reversible"]
    torch.save(content, tmp_path / "old.pt")
    train_small(leapfrog(), few, tmp_path / "new", recipe=RECIPE, resume=tmp_path / "old.pt")
    with pytest.raises(UserError, match="go on without --reversible"):
        train_small(leapfrog(reversible=True), few, tmp_path / "other", recipe=RECIPE,
                    resume=tmp_path / "old.pt")  # fmt: skip


def test_too_large_images_are_told_when_a_network_is_judged(monkeypatch, tmp_path):
    def full(*_arguments, **_named):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("recform.training.load_data", full)
    save_network(build("resnet", "resnet20_cifar", 10), tmp_path / "net")
    words = ["evaluate", str(tmp_path / "net"), "--data", "digits", "--resolutions", "9000"]
    with pytest.raises(
        UserError, match="does not hold the images of digits at a side of 9000 pixels"
    ):
        CliRunner().invoke(app, words, catch_exceptions=False)
