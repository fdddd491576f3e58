import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from recform.errors import UserError
from recform.training import DATA_SETS, recipe_for
from recform.training.recipe import liao_cifar, optimizer, schedule


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


@pytest.mark.parametrize("name", DATA_SETS)
def test_one_step_of_every_recipe_changes_the_weights(name):
    recipe = recipe_for(name)
    model = nn.Linear(2, 2)
    before = model.weight.clone()
    descent = optimizer(recipe, model)
    falling = schedule(recipe, descent, num_steps=1)
    model(torch.ones(1, 2)).sum().backward()
    descent.step()
    falling.step_update(1)
    assert not torch.equal(model.weight, before)


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
