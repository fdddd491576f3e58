import math
from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from recform.errors import UserError
from recform.training import (
    DATA_SETS,
    RECIPES,
    Recipe,
    read_run,
    recipe_for,
    recipe_named,
    seed_everything,
    with_settings,
)
from recform.training.descent import loss_of, mixed, optimizer, schedule
from recform.training.recipes import liao_cifar

from .small import same_weights, train_small


def rates(recipe, num_steps):
    """The rate with which each step is taken."""
    descent = optimizer(recipe, nn.Linear(1, 1))
    falling = schedule(recipe, descent, num_steps)
    found = []
    for step in range(num_steps):
        found.append(descent.param_groups[0]["lr"])
        falling.step_update(step + 1)
    return found


def test_the_paper_trains_200_epochs_from_a_rate_of_a_tenth():
    recipe = liao_cifar()
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (200, 128, 0.1)
    assert (recipe.momentum, recipe.weight_decay) == (0.9, 5e-4)


def test_without_warmup_the_rate_is_half_a_cosine():
    found = rates(replace(liao_cifar(), warmup_share=0), num_steps=10)
    assert found == pytest.approx([0.05 * (1 + math.cos(math.pi * k / 10)) for k in range(10)])


def test_warmup_climbs_to_the_full_rate_and_no_further():
    recipe = replace(liao_cifar(), warmup_share=0.25)
    assert rates(recipe, num_steps=8)[:3] == pytest.approx([0.05, 0.075, 0.1])
    assert max(rates(recipe, num_steps=8)) == pytest.approx(0.1)


@pytest.mark.parametrize("name", RECIPES)
def test_one_step_of_every_recipe_changes_the_weights(name, data, tmp_path):
    whole = recipe_named(name)
    recipe = replace(whole, epochs=1, batch_size=20, repeats=1)
    few = replace(data, train=data.train.pick(torch.arange(20)))
    model, before = any_size_net(), any_size_net()
    summary = train_small(model, few, tmp_path / "run", recipe=recipe)
    assert not same_weights(model, before)
    assert summary.final_test_loss is not None
    # The whole recipe is in the run's folder, and can be had from there.
    assert Recipe(**read_run(tmp_path / "run").config["recipe"]) == recipe
    assert whole.name == name


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_has_a_recipe_with_a_name(name):
    assert RECIPES[recipe_for(name).name]() == recipe_for(name)


def any_size_net():
    """Training images may be smaller than test images, so it ends in a mean over space."""
    seed_everything(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 10),
    )  # fmt: skip


def test_the_rate_of_the_papers_imagenet_runs_drops_after_30_and_60_of_90_epochs():
    found = rates(recipe_named("liao-imagenet"), num_steps=90)
    assert found == pytest.approx([0.1] * 30 + [0.01] * 30 + [0.001] * 30)


def test_a_shortened_recipe_drops_at_the_same_shares():
    found = rates(replace(recipe_named("mmpretrain-imagenet"), epochs=10), num_steps=10)
    assert found == pytest.approx([0.1] * 3 + [0.01] * 3 + [0.001] * 3 + [0.0001])


def test_a_linear_schedule_is_a_triangle():
    found = rates(replace(recipe_named("fast-cifar"), learning_rate=1), num_steps=10)
    assert found == pytest.approx([0.5, 0.75, *[1 - k / 8 for k in range(8)]])


def test_a_constant_schedule_stays():
    assert rates(replace(liao_cifar(), schedule="constant"), num_steps=4) == [0.1] * 4


@pytest.mark.parametrize("falling", ["cosine", "linear"])
def test_a_run_of_one_step_takes_it_at_the_full_rate_and_nobody_complains(falling, caplog):
    assert rates(replace(liao_cifar(), schedule=falling), num_steps=1) == [0.1]
    assert caplog.text == ""


def test_norms_and_biases_may_stay_undecayed():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    groups = optimizer(recipe_named("rsb-a2"), model).param_groups
    decays = {id(weight): group["weight_decay"] for group in groups for weight in group["params"]}
    assert [decays[id(weight)] for weight in model.parameters()] == [0.02, 0, 0, 0]


def test_binary_targets_are_1_for_every_class_in_the_picture():
    recipe = recipe_named("rsb-a2")
    shares = torch.tensor([[0.7, 0.3, 0.0], [0.9, 0.1, 0.0]])
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.3, 0.2, -4.0]])
    wanted = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    expected = -(wanted * logits.sigmoid().log() + (1 - wanted) * (-logits).sigmoid().log()).mean()
    assert loss_of(recipe, logits, shares).item() == pytest.approx(expected.item())


def test_smoothing_deals_a_share_of_the_target_out():
    recipe = replace(liao_cifar(), label_smoothing=0.3)
    logits = torch.tensor([[1.0, 2.0, 4.0]])
    chances = logits.softmax(1).log()[0]
    expected = -(0.8 * chances[2] + 0.1 * chances[0] + 0.1 * chances[1])
    assert loss_of(recipe, logits, torch.tensor([2])).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("way", ["mixup", "cutmix"])
def test_a_mixed_batch_has_the_shares_of_its_targets(way):
    recipe = replace(liao_cifar(), **{way: 1.0})
    images = torch.eye(2).reshape(2, 2, 1, 1).repeat(1, 1, 8, 8)
    before = torch.get_rng_state()
    found, shares = mixed(images, torch.tensor([0, 1]), 2, recipe, seed=3)
    again, _ = mixed(images, torch.tensor([0, 1]), 2, recipe, seed=3)
    other, _ = mixed(images, torch.tensor([0, 1]), 2, recipe, seed=4)
    # Channel k is 1 where class k is: its mean is the share of the class.
    assert found.mean((2, 3)).flatten().tolist() == pytest.approx(shares.flatten().tolist())
    assert torch.equal(found, again)
    assert not torch.equal(found, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"batch_size": -1}, "the batch size must be 1 or more, not -1"),
        ({"learning_rate": 0}, "the learning rate must be a number above 0, not 0"),
        ({"learning_rate": math.nan}, "the learning rate must be a number above 0, not nan"),
        ({"momentum": 1}, "the momentum must be from 0 to below 1, not 1"),
        ({"weight_decay": -1}, "the weight decay must be 0 or more, not -1"),
        ({"warmup_share": 1}, "the warmup share must be from 0 to below 1, not 1"),
        ({"crop_padding": 2}, "the crop padding must be from 0 to 1, not 2"),
    ],
)
def test_a_recipe_out_of_range_is_refused(change, message):
    with pytest.raises(UserError) as caught:
        replace(liao_cifar(), **change)
    assert caught.value.diagnostics[0].message == message
    assert caught.value.code == "bad-argument"


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (["epochs=3", "flip=no"], {"epochs": 3, "flip": False}),
        (["crop_padding=1/16"], {"crop_padding": 1 / 16}),
        (["optimizer=adamw", "epochs = 7"], {"optimizer": "adamw", "epochs": 7}),
        (["schedule=drops", "drops=1/2, 3/4"], {"schedule": "drops", "drops": "1/2, 3/4"}),
    ],
)
def test_settings_are_read_by_the_kind_of_their_field(settings, changes):
    assert with_settings(liao_cifar(), settings) == replace(liao_cifar(), **changes)


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        (["epochs"], "'epochs' sets nothing", "--set epochs=30"),
        (["epoch=3"], "a recipe has no 'epoch'", "did you mean epochs?"),
        (["epochs=many"], "epochs cannot be 'many'", "it is a whole number: epochs=200"),
        (["epochs=1e3"], "epochs cannot be '1e3'", "epochs=200"),
        (["epochs="], "epochs cannot be ''", "epochs=200"),
        (["flip=perhaps"], "flip cannot be 'perhaps'", "it is yes or no: flip=true"),
        (["mixup=1/0"], "mixup cannot be '1/0'", "it is a number such as 0.1 or 1/8"),
        (["optimizer=sgdd"], "timm has no optimizer 'sgdd'", "did you mean sgd"),
        (["schedule=stairs"], "there is no schedule 'stairs'", "cosine, linear, drops, constant"),
        (["amp=fp8"], "there is no amp 'fp8'", "none, bf16, fp16"),
        (["drops=1/2"], "go together", "--set schedule=drops"),
        (["schedule=drops"], "go together", "--set schedule=drops"),
        (["schedule=drops", "drops=3/4,1/2"], "no list of shares", "--set drops=1/2,3/4"),
        (["schedule=drops", "drops=x"], "no list of shares", "--set drops=1/2,3/4"),
        (["rand_augment=strong"], "no RandAugment in timm's notation", "rand-m7"),
        (["accumulate=999"], "a batch of 128 has no 999 pieces", "--set accumulate=1"),
        (["name=liao-imagenet"], "does not change the name of a recipe", "--recipe NAME"),
        (
            ["drop_factor=0"],
            "the drop factor must be above 0 and up to 1, not 0",
            "--set drop_factor=0.1",
        ),
        (["repeats=0"], "the repeats of an image must be 1 or more, not 0", "--set repeats=1"),
        (["epochs=2000000000"], "epochs must be 1e+09 or less, not 2000000000", "--set epochs=30"),
        (
            ["weight_decay=1e300"],
            "the weight decay must be 1e+30 or less, not 1e+300",
            "--set weight_decay=0.0005",
        ),
        (["lighting=inf"], "the lighting must be 0 or more, not inf", "--set lighting=0.1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told(settings, message, hint):
    with pytest.raises(UserError) as caught:
        with_settings(liao_cifar(), settings)
    assert caught.value.code == "bad-argument"
    assert message in caught.value.diagnostics[0].message
    assert hint in caught.value.diagnostics[0].hint


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_every_number_of_a_recipe_has_bounds(name):
    if not isinstance(getattr(liao_cifar(), name), bool | str):
        for value in (-1, math.nan, math.inf, 1e300):
            with pytest.raises(UserError) as caught:
                replace(liao_cifar(), **{name: value})
            # What the hint says to type is taken.
            _, _, setting = caught.value.diagnostics[0].hint.partition("--set ")
            assert with_settings(liao_cifar(), [setting])


def test_a_recipe_of_no_name_is_told_the_nearest():
    with pytest.raises(UserError) as caught:
        recipe_named("rsb-a4")
    assert caught.value.diagnostics[0].hint.startswith("did you mean rsb-a")
