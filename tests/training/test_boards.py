"""What W&B is told, by a stand-in for its library."""

import sys
from types import ModuleType

import pytest

from recform.errors import UserError
from recform.training import Wandb

from .small import small_net, train_small


class StandIn(ModuleType):
    """The part of wandb that is used."""

    class Error(Exception):
        pass

    def __init__(self):
        super().__init__("wandb")
        self.begun, self.logged, self.config, self.fails = [], [], {}, False

    def init(self, **settings):
        if self.fails:
            raise self.Error("api_key not configured (no-tty)\nsee the docs")
        self.begun.append(settings)
        return Told(self)


class Told:
    def __init__(self, library):
        self.library = library
        self.config = self

    def update(self, values, allow_val_change):
        self.library.config.update(values)

    def log(self, figures, step):
        self.library.logged.append((step, figures))


@pytest.fixture
def wandb(monkeypatch):
    found = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", found)
    return found


def test_every_epoch_is_told_at_its_last_step(wandb, data, tmp_path):
    train_small(small_net(), data, tmp_path / "run", progress=Wandb(tmp_path / "run"))
    assert wandb.begun[0]["name"] == "run"
    assert wandb.config["num_epochs"] == 3
    # 200 images in batches of 32: 6 steps an epoch.
    epochs = [(step, told["epoch/epoch"]) for step, told in wandb.logged if "epoch/epoch" in told]
    assert epochs == [(6, 1), (12, 2), (18, 3)]
    assert wandb.logged[-1][1]["epoch/images_per_second"] > 0
    steps = [step for step, _ in wandb.logged]
    assert steps == sorted(steps)


def test_a_run_that_goes_on_is_the_same_run_there(wandb, tmp_path):
    Wandb(tmp_path / "run"), Wandb(tmp_path / "run"), Wandb(tmp_path / "other")
    first, again, other = (settings["id"] for settings in wandb.begun)
    assert first == again != other
    assert wandb.begun[0]["resume"] == "allow"


def test_wandb_that_does_not_begin_is_told(wandb, tmp_path):
    wandb.fails = True
    with pytest.raises(UserError, match="wandb does not begin: api_key not configured") as caught:
        Wandb(tmp_path)
    assert "WANDB_MODE=offline" in caught.value.diagnostics[0].hint


def test_wandb_that_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="wandb is not installed"):
        Wandb(tmp_path)
    assert list(tmp_path.iterdir()) == []
