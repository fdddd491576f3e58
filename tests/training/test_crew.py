"""Processes that stay: the same batches, epoch after epoch, from the same processes."""

import os
from dataclasses import dataclass, replace
from multiprocessing import active_children

import pytest
import torch

from recform.errors import UserError
from recform.training import recipe_for
from recform.training.batches import EvaluationBatches, load, training_batches
from recform.training.crew import Crew
from recform.training.dataset import Pixels
from recform.training.device import Cpu

RECIPE = replace(recipe_for("digits"), batch_size=2, flip=True, crop_padding=0.25)
WORKERS = replace(Cpu(), num_workers=2)


@dataclass(frozen=True, eq=False)
class Signed(Pixels):
    """Images on disk, so to say; each is signed with the process that fetched it."""

    on_disk: bool = True
    signs: bool = False

    def fetch_changed(self, indices, changes, recipe):
        found = super().fetch_changed(indices, changes, recipe)
        if self.signs:
            found[:, 0, 0, :4] = torch.tensor([*os.getpid().to_bytes(4, "big")], dtype=torch.uint8)
        return found


class Broken(Signed):
    def fetch(self, indices):
        raise UserError("damaged-data", "a.png is no image")


def images(kind=Signed, **changes):
    pixels = torch.arange(8 * 3 * 16, dtype=torch.uint8).reshape(8, 3, 4, 4)
    return kind(pixels, torch.arange(8), **changes)


def signatures(batches):
    return {tuple(image[0, 0].tolist()) for batch, _ in batches for image in batch}


def test_the_batches_are_those_of_one_process_from_any_step_on():
    crew = Crew(images(), RECIPE, 3, WORKERS)
    for epoch, first in ((1, 0), (2, 0), (2, 3), (1, 1)):
        alone = load(training_batches(images(), RECIPE, 3, epoch), Cpu(), first)
        for (mine, my_labels), (theirs, their_labels) in zip(
            crew.load(epoch, first), alone, strict=True
        ):
            assert torch.equal(mine, theirs)
            assert torch.equal(my_labels, their_labels)


def test_the_processes_stay_from_epoch_to_epoch_also_when_one_is_broken_off():
    crew = Crew(images(signs=True), RECIPE, 0, WORKERS)
    first = signatures(crew.load(1))
    assert len(first) == 2
    next(iter(crew.load(2)))
    assert signatures(crew.load(3)) == first


def test_the_same_processes_fetch_the_test_images_between_epochs():
    signed, tests = images(signs=True), EvaluationBatches(images(), 3)
    crew = Crew(signed, RECIPE, 0, WORKERS, tests=tests)
    first = signatures(crew.load(1))
    for _ in range(2):
        for (mine, my_labels), (theirs, their_labels) in zip(
            crew.load_tests(), load(tests, Cpu()), strict=True
        ):
            assert torch.equal(mine, theirs)
            assert torch.equal(my_labels, their_labels)
    # one that a signal broke off leaves nothing in the next epoch
    next(iter(crew.load_tests()))
    assert signatures(crew.load(2)) == first
    assert len(active_children()) == 2


def test_each_process_of_a_team_has_its_part():
    labels = [[labels.tolist() for _, labels in Crew(images(), RECIPE, 0, WORKERS, part).load(1)]
              for part in (slice(0, 1), slice(1, 2))]  # fmt: skip
    seen = [label for both in labels for batch in both for label in batch]
    assert sorted(seen) == list(range(8))


def test_a_damaged_image_is_told_across_processes():
    with pytest.raises(UserError, match="is no image"):
        list(Crew(images(Broken), RECIPE, 0, WORKERS).load(1))


def test_images_in_memory_need_no_processes():
    crew = Crew(Pixels(images().pixels, torch.arange(8)), RECIPE, 0, WORKERS)
    assert len(list(crew.load(1))) == 4
    assert crew._started == []
