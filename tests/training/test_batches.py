from dataclasses import dataclass, replace

import pytest
import torch

from recform.errors import UserError
from recform.training.batches import (
    NOBODY,
    EvaluationBatches,
    augment,
    load,
    normalized,
    training_batches,
)
from recform.training.dataset import Pixels
from recform.training.device import Cpu
from recform.training.loop import score
from recform.training.randomness import generator
from recform.training.recipes import liao_cifar

from .small import small_net


def numbered(num_images):
    """Images whose pixels and labels are their number."""
    labels = torch.arange(num_images)
    return Pixels(labels[:, None, None, None].expand(-1, 3, 8, 8).to(torch.uint8), labels)


PLAIN = replace(liao_cifar(), batch_size=4, crop_padding=0, flip=False)


def labels_of(batches, first=0):
    return [labels.tolist() for _, labels in load(batches, Cpu(), first)]


def test_an_epoch_shows_each_image_once_but_for_an_unfilled_batch():
    batches = labels_of(training_batches(numbered(10), PLAIN, seed=0, epoch=1))
    seen = [label for labels in batches for label in labels]
    assert len(seen) == len(set(seen)) == 8


def test_images_fewer_than_a_batch_are_one_batch():
    assert len(labels_of(training_batches(numbered(3), PLAIN, seed=0, epoch=1))[0]) == 3


def test_each_epoch_and_each_seed_has_its_own_order():
    orders = [
        labels_of(training_batches(numbered(8), PLAIN, seed, epoch))
        for seed, epoch in [(0, 1), (0, 2), (1, 1)]
    ]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] == labels_of(training_batches(numbered(8), PLAIN, 0, 1))


def test_an_epoch_taken_up_at_a_step_goes_on_as_it_would_have():
    batches = training_batches(numbered(12), replace(PLAIN, crop_padding=0.5, flip=True), 0, 1)
    whole = [images for images, _ in load(batches, Cpu())]
    rest = [images for images, _ in load(batches, Cpu(), first=2)]
    assert len(rest) == 1
    assert torch.equal(rest[0], whole[2])


def test_each_epoch_shifts_the_images_by_other_amounts():
    images = Pixels(torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8).repeat(20, 3, 1, 1),
                    torch.zeros(20, dtype=torch.long))  # fmt: skip
    recipe = replace(PLAIN, batch_size=20, crop_padding=0.5)
    first, second = (next(load(training_batches(images, recipe, 0, n), Cpu()))[0] for n in (1, 2))
    assert not torch.equal(first, second)


def test_loading_leaves_the_networks_own_generator_alone():
    before = torch.get_rng_state()
    labels_of(training_batches(numbered(8), liao_cifar(), seed=0, epoch=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_evaluation_sees_all_images_in_order():
    assert labels_of(EvaluationBatches(numbered(6), 4)) == [[0, 1, 2, 3], [4, 5]]


def test_the_last_batch_is_filled_up_with_nobody():
    assert labels_of(EvaluationBatches(numbered(6), 4, multiple=4)) == [
        [0, 1, 2, 3], [4, 5, NOBODY, NOBODY],
    ]  # fmt: skip
    parts = [EvaluationBatches(numbered(5), 4, slice(rank, None, 2), 2) for rank in (0, 1)]
    assert [labels_of(part) for part in parts] == [[[0, 2], [4]], [[1, 3], [NOBODY]]]


def test_nobody_counts_for_nothing(data):
    model = small_net()
    alone = score(model, data, 20, Cpu())
    filled = score(model, data, 20, replace(Cpu(), one_shape=True))
    assert filled.loss == pytest.approx(alone.loss, rel=1e-6)
    assert (filled.top1, filled.top5) == (alone.top1, alone.top5)


def test_every_augmented_image_is_a_piece_of_its_padded_self():
    recipe = replace(PLAIN, crop_padding=0.25)
    images = torch.arange(1, 65, dtype=torch.uint8).reshape(1, 1, 8, 8).repeat(20, 3, 1, 1)
    padded = torch.nn.functional.pad(images[0], (2, 2, 2, 2))
    pieces = [padded[:, y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    places = {
        next(place for place, piece in enumerate(pieces) if torch.equal(piece, image))
        for image in augment(images, recipe, generator(0))
    }
    assert len(places) > 5, "images of a batch are shifted each by itself"


def test_about_half_of_the_images_are_mirrored():
    images = torch.arange(8, dtype=torch.uint8).expand(200, 3, 8, 8)
    found = augment(images, replace(PLAIN, flip=True), generator(0))
    mirrored = (found == images.flip(3)).flatten(1).all(1)
    assert ((found == images).flatten(1).all(1) ^ mirrored).all()
    # Binomial(200, 1/2): more than 4.2 deviations of 7 from 100 happen once in 40,000 seeds.
    assert 70 < mirrored.sum() < 130


def test_normalized_pixels_have_mean_0_and_deviation_1(data):
    images = data.train.fetch(torch.arange(data.num_train))
    values = normalized(images, data)
    # 200 of the 1,437 images, whose mean and deviation the constants are.
    assert values.mean().item() == pytest.approx(0, abs=0.05)
    assert values.std().item() == pytest.approx(1, abs=0.05)


@dataclass(frozen=True)
class TwoWorkers(Cpu):
    num_workers: int = 2


@dataclass(frozen=True, eq=False)
class Slow(Pixels):
    on_disk: bool = True


class Broken(Slow):
    def fetch(self, indices):
        raise UserError("damaged-data", "a.png is no image")


def test_other_processes_prepare_the_same_batches():
    images = numbered(8)
    recipe = replace(PLAIN, crop_padding=0.5, flip=True)
    here = load(training_batches(images, recipe, 0, 1), Cpu())
    slow = training_batches(Slow(images.pixels, images.labels), recipe, 0, 1)
    there = load(slow, TwoWorkers())
    for (mine, my_labels), (theirs, their_labels) in zip(here, there, strict=True):
        assert torch.equal(mine, theirs)
        assert torch.equal(my_labels, their_labels)


def test_a_damaged_image_is_told_across_processes():
    images = numbered(8)
    batches = EvaluationBatches(Broken(images.pixels, images.labels), 4)
    with pytest.raises(UserError, match=r"a\.png is no image"):
        list(load(batches, TwoWorkers()))
