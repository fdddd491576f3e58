"""gates.jsonl is true after every epoch, of whatever run it is, and changes nothing."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch

from recform.errors import UserError
from recform.network import build, weighing
from recform.training import (
    Interrupted,
    RunFolder,
    Silent,
    load_data,
    read_weights,
    seed_everything,
)
from recform.training import train as train_module
from recform.training.batches import normalized
from recform.training.dataset import balanced_order
from recform.training.gates import begin_gates, log_gates

from .small import Recorder, same_weights, small_net, small_recipe, train_small

FORMULA = """
param a[l] = 1/2
block T = sigmoid_pooled_scalar
x[l+1] = act(gate_static(a[l]*T(x[l])*F(x[l]), x[l], x[l-1]))
"""
RECIPE = replace(small_recipe(), epochs=2, batch_size=16)


@pytest.fixture(scope="module")
def few():
    return load_data("digits", image_size=8, limit_train=32, limit_test=20)


def network(formula=FORMULA):
    seed_everything(0)
    return build(formula, "resnet20_cifar", 10, image_size=8)


def lines(folder):
    return [json.loads(line) for line in (folder / "gates.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    """A run that nothing disturbed, and its network."""
    out = tmp_path_factory.mktemp("gates") / "run"
    model = network()
    train_small(model, few, out, recipe=RECIPE)
    return model, out


class Stopping(Silent):
    """Asks for a stop at the first step of the second epoch."""

    def step(self, report):
        if report.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)


def test_each_epoch_has_a_line_and_the_start_has_one(whole):
    told = lines(whole[1])
    assert [line["epoch"] for line in told] == [0, 1, 2]
    assert {(line["depth"], *line["borders"]) for line in told} == {(9, 3, 6)}
    assert told[0]["coefficients"] == {f"a[{block}]": 0.5 for block in range(9)}
    assert (told[0]["gates"], told[0]["written"]) == ({}, {})
    assert list(told[1]["written"]) == [f"T.{block}" for block in range(9)]


def test_the_last_line_is_the_network_that_was_trained(whole, few):
    model, out = whole
    # that gate looks at no image, the other at those that are noted: the test part of `few`
    last, found = lines(out)[-1], weighing(model, torch.zeros(1, 3, 8, 8))
    assert last["coefficients"] == found.coefficients
    order = balanced_order(few.test.labels)[: RECIPE.batch_size]
    shown = weighing(model, normalized(few.test.fetch(order), few)).written
    assert last["written"] == {name: [*stood] for name, stood in shown.items()}
    assert last["gates"] == {name: [*weights] for name, weights in found.gates.items()}
    assert last["coefficients"] != lines(out)[0]["coefficients"]


def test_a_run_that_was_stopped_has_the_lines_of_one_that_was_not(whole, few, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        train_small(network(), few, out, recipe=RECIPE, progress=Stopping())
    assert [line["epoch"] for line in lines(out)] == [0, 1]
    train_small(network(), few, out, recipe=RECIPE, resume="auto")
    assert (out / "gates.jsonl").read_bytes() == (whole[1] / "gates.jsonl").read_bytes()


def test_a_line_beyond_the_checkpoint_is_written_anew(whole, few, tmp_path):
    """A kill between the line and the checkpoint of an epoch leaves such a line."""
    out, beyond = tmp_path / "run", '{"epoch": 2, "coefficients": {}, "gates": {}}\n'
    with pytest.raises(Interrupted):
        train_small(network(), few, out, recipe=RECIPE, progress=Stopping())
    with (out / "gates.jsonl").open("a") as file:
        file.write(beyond)
    train_small(network(), few, out, recipe=RECIPE, resume="auto")
    assert (out / "gates.jsonl").read_bytes() == (whole[1] / "gates.jsonl").read_bytes()


def test_a_run_that_goes_on_elsewhere_takes_its_lines_along(whole, few, tmp_path):
    with pytest.raises(Interrupted):
        train_small(network(), few, tmp_path / "old", recipe=RECIPE, progress=Stopping())
    new = tmp_path / "new"
    train_small(network(), few, new, recipe=RECIPE, resume=tmp_path / "old")
    assert (new / "gates.jsonl").read_bytes() == (whole[1] / "gates.jsonl").read_bytes()


def test_damaged_lines_are_told_before_anything_is_trained(few, tmp_path):
    out, progress = tmp_path / "run", Recorder()
    with pytest.raises(Interrupted):
        train_small(network(), few, out, recipe=RECIPE, progress=Stopping())
    (out / "gates.jsonl").write_text('{"epoch": 0\n')
    with pytest.raises(UserError) as caught:
        train_small(network(), few, out, recipe=RECIPE, resume="auto", progress=progress)
    assert caught.value.code == "bad-run"
    assert f"rm {out / 'gates.jsonl'}" in str(caught.value)
    assert progress.steps == []


def test_reading_it_off_changes_no_bit_of_the_training(whole, few, tmp_path, monkeypatch):
    for name, function in (("begin_gates", begin_gates), ("log_gates", log_gates)):
        monkeypatch.setitem(
            train_module.__globals__, name, lambda *arguments, function=function: None
        )
    unwatched = network()
    train_small(unwatched, few, tmp_path / "run", recipe=RECIPE)
    assert not (tmp_path / "run" / "gates.jsonl").exists()
    assert same_weights(unwatched, whole[0])


def test_mean_weights_are_told_where_the_run_judges_them(few, tmp_path):
    model = network("param a[l] = 1/2\nx[l+1] = x[l] + a[l]*F(x[l])")
    recipe = replace(RECIPE, epochs=1, batch_size=4, ema_decay=0.9)
    train_small(model, few, tmp_path / "run", recipe=recipe)
    told = lines(tmp_path / "run")[-1]["coefficients"]["a[0]"]
    # of a run with mean weights they are what is read
    assert told == read_weights(RunFolder(tmp_path / "run").last)["formula.a.0"].item()
    assert told != weighing(model).coefficients["a[0]"]


def test_a_network_without_coefficients_and_gates_leaves_no_file(few, tmp_path):
    train_small(network("resnet"), few, tmp_path / "run", recipe=replace(RECIPE, epochs=1))
    assert not (tmp_path / "run" / "gates.jsonl").exists()
    data = load_data("digits", limit_train=32, limit_test=20)
    train_small(small_net(), data, tmp_path / "other", recipe=replace(RECIPE, epochs=1))
    assert not (tmp_path / "other" / "gates.jsonl").exists()
