"""Between processor and device: copies that are not waited for, and nothing read back in a step."""

import os
import signal
from collections import Counter
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from recform.network import build
from recform.probe import study_lesions, study_paths
from recform.training import (
    RECIPES,
    Interrupted,
    evaluate_on,
    extract,
    guesses,
    load_data,
    recipe_for,
    recipe_named,
)
from recform.training.augment import rand_augmented
from recform.training.dataset import Pixels
from recform.training.device import sent

from .ghost import META, haunt, watched
from .small import Recorder, small_net, train_small

# Where a run may wait: before its first step, at reports, between epochs.
PLACES = ("_task", "_check_loss", "_report", "check_sound", "finish_epoch", "save_checkpoint",
          "begin_gates", "log_gates", "load_checkpoint")  # fmt: skip
EVERYTHING = replace(
    recipe_for("digits"), name="everything", ema_decay=0.9, clip_norm=1.0, accumulate=3,
    cutout=0.25, crop_padding=0.1, flip=True, color_jitter=0.4, lighting=0.1, mixup=0.2, cutmix=1.0,
    label_smoothing=0.1, drop_path=0.1,
)  # fmt: skip


@pytest.fixture
def few():
    return load_data("digits", limit_train=64, limit_test=36)


@pytest.fixture(autouse=True)
def ghost(monkeypatch):
    haunt(monkeypatch)


def scaling_net():
    """`small_net` for images of any size."""
    model = small_net()
    model[0] = nn.AdaptiveAvgPool2d(8)
    return model


def contacts_of(model, data, out, recipe, **changes):
    recipe = replace(recipe, epochs=2, batch_size=32)
    with watched() as watch:
        train_small(model, data, out, recipe=recipe, device="ghost", **changes)
    return watch


@pytest.mark.parametrize("name", [*RECIPES, "everything"])
def test_a_run_waits_at_reports_and_between_epochs_only(few, tmp_path, name):
    recipe = EVERYTHING if name == "everything" else recipe_named(name)
    watch = contacts_of(scaling_net(), few, tmp_path / "run", recipe)
    # RandAugment works on the processor: it is meant for pictures that are decoded there.
    waits = watch.outside(*PLACES, rand_augmented.__name__)
    # One evaluation an epoch, whose sums are read once.
    assert Counter((contact.kind, contact.within[-1]) for contact in waits) == {
        ("read", "_score"): 2
    }
    assert any("_report" in contact.within for contact in watch.contacts), "reports are seen"


@dataclass(frozen=True, eq=False)
class OnDisk(Pixels):
    on_disk: bool = True

    def to(self, place):
        return self


def test_pictures_from_disk_are_not_waited_for(few, tmp_path):
    far = replace(few, train=OnDisk(few.train.pixels, few.train.labels),
                  test=OnDisk(few.test.pixels, few.test.labels))  # fmt: skip
    watch = contacts_of(scaling_net(), far, tmp_path / "run", recipe_named("rsb-a2"))
    assert Counter(c.within[-1] for c in watch.outside(*PLACES)) == {"_score": 2}


def test_a_run_goes_on_where_its_weights_lie(few, tmp_path):
    class Stopping(Recorder):
        def step(self, report):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        contacts_of(scaling_net(), few, tmp_path, EVERYTHING, progress=Stopping())
    model = scaling_net()
    watch = contacts_of(model, few, tmp_path, EVERYTHING, resume="auto")
    assert {weight.device for weight in model.parameters()} == {META}
    assert not [contact for contact in watch.contacts if contact.kind == "mixed"]
    # The second epoch's only: the first was read off, and its checkpoint written, before the stop.
    assert Counter(c.within[-1] for c in watch.outside(*PLACES)) == {"_score": 2}


FORMULAS = {
    "gates and coefficients": "param a[l] = 0\nx[l+1] = gate(x[l], a[l]*F(x[l]))",
    "attention": "x[l+1] = attend(x[l], F(x[l]))",
    "highway": "highway",
    "differences": "resnet_s_net",
    "skips": "skip_resnet",
    "momentum": "momentum",
}
SAVING = [("momentum", "reversible"), ("skips", "recompute"), *((name, "") for name in FORMULAS)]


@pytest.mark.parametrize(("name", "saving"), SAVING)
def test_a_formulas_network_stays_on_its_device(name, saving):
    model = build(FORMULAS[name], "resnet20_cifar", 10, **({saving: True} if saving else {}))
    images = torch.zeros(2, 3, 32, 32, device=META)
    with watched() as watch:
        model.to(META).train()(images).sum().backward()
    assert watch.outside("none") == [
        c for c in watch.contacts if c.operation == "aten._to_copy.default"
    ]
    assert all(weight.grad.device == META for weight in model.parameters())


def test_coefficients_and_gates_are_read_between_epochs(few, tmp_path):
    model = build(FORMULAS["gates and coefficients"], "resnet20_cifar", 10)
    with watched() as watch:
        train_small(model, few, tmp_path, device="ghost", recipe=replace(EVERYTHING, epochs=1))
    assert Counter(c.within[-1] for c in watch.outside(*PLACES)) == {"_score": 1}
    assert any("log_gates" in contact.within for contact in watch.contacts)


def test_a_network_is_asked_on_its_device(few, tmp_path):
    model = build("resnet", "resnet20_cifar", 10)
    from PIL import Image

    Image.new("RGB", (32, 32)).save(tmp_path / "picture.png")
    with watched() as watch:
        evaluate_on(model, few, device="ghost", batch_size=10)
        extract(model, few, device="ghost", layer="stages")
        guesses(model, [tmp_path / "picture.png"], few, device="ghost")
    kinds = Counter((contact.kind, contact.within[0]) for contact in watch.contacts)
    assert {within for kind, within in kinds if kind == "mixed"} == set()
    assert kinds["read", "evaluate_on"] == 1


def test_a_network_is_probed_on_its_device():
    network = build("resnet_s_net", "resnet20_cifar", 10).to(META)
    images, labels = torch.zeros(4, 3, 32, 32, device=META), torch.zeros(4, device=META).long()
    with watched() as watch:
        study_paths(network, images, labels, samples=2)
        study_lesions(network, images, labels, num_sets=1)
    assert {contact.kind for contact in watch.contacts} == {"read"}


class Noting:
    """A tensor that tells how it is sent."""

    device = torch.device("cpu")

    def __init__(self):
        self.calls = []

    def pin_memory(self):
        self.calls.append("pinned")
        return self

    def to(self, place, non_blocking):
        self.calls.append((place.type, non_blocking))
        return self


@pytest.mark.parametrize(("place", "calls"), [
    ("cuda", ["pinned", ("cuda", True)]), ("cpu", [("cpu", True)]), ("meta", [("meta", True)]),
])  # fmt: skip
def test_what_is_sent_to_a_graphics_processor_is_pinned(place, calls):
    assert sent(Noting(), torch.device(place)).calls == calls
