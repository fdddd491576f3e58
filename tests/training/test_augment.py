"""What happens to images, by hand and against torchvision."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from recform.training.augment import alternating, augment, box_in, changed, drawn, rand_augmented
from recform.training.batches import training_batches
from recform.training.dataset import Pixels
from recform.training.folder import Files
from recform.training.randomness import generator
from recform.training.recipes import liao_cifar

PLAIN = replace(liao_cifar(), batch_size=4, crop_padding=0, flip=False)


def squares(num_images=4, side=8):
    """Images in which every pixel of a channel is another number."""
    image = torch.arange(3 * side * side, dtype=torch.uint8).reshape(1, 3, side, side)
    return image.repeat(num_images, 1, 1, 1)


def test_reflected_padding_is_torchvisions():
    recipe = replace(PLAIN, crop_padding=0.25, reflect=True)
    padded = v2.functional.pad(squares(1), [2, 2, 2, 2], padding_mode="reflect")[0]
    pieces = [padded[:, y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    for image in augment(squares(30), recipe, generator(0)):
        assert any(torch.equal(piece, image) for piece in pieces)


def test_a_part_of_a_batch_is_changed_as_in_the_whole():
    recipe = replace(PLAIN, crop_padding=0.25, flip=True, cutout=0.5, smallest_crop=0.3)
    images = squares(6)
    changes = drawn(6, 8, recipe, generator(1))
    whole = changed(images, changes, recipe)
    for part in (slice(0, None, 2), slice(1, None, 2)):
        assert torch.equal(changed(images[part], changes.of(part), recipe), whole[part])


def test_a_hole_is_a_square_of_its_size_or_cut_by_the_edge():
    recipe = replace(PLAIN, cutout=0.5)
    white = torch.full((50, 3, 8, 8), 255, dtype=torch.uint8)
    black = augment(white, recipe, generator(0)) == 0
    assert torch.equal(black[:, 0], black[:, 2])
    sizes = black[:, 0].flatten(1).sum(1)
    heights, widths = black[:, 0].any(2).sum(1), black[:, 0].any(1).sum(1)
    assert torch.equal(sizes, heights * widths)
    # A square of 4 pixels, of which half may hang over the edge.
    assert (heights.min(), heights.max()) == (2, 4)


def test_images_are_mirrored_by_turns():
    changes = drawn(4, 8, replace(PLAIN, flip=True), generator(0))
    coins = torch.tensor([0, 1, 1, 0])
    first, second, third = (alternating(changes, coins, epoch).mirrored for epoch in (1, 2, 3))
    assert torch.equal(first, ~second)
    assert torch.equal(first, third)
    assert first.flatten().tolist() == [True, False, False, True]


def test_an_image_mirrored_in_one_epoch_is_not_in_the_next():
    images = Pixels(squares(8), torch.arange(8))
    recipe = replace(PLAIN, batch_size=8, flip=True, alternate_flip=True)
    seen = []
    for epoch in (1, 2):
        pixels, labels = training_batches(images, recipe, 0, epoch)[0]
        mirrored = (pixels == squares(8).flip(3)).flatten(1).all(1)
        seen.append(mirrored[labels.argsort()])
    assert torch.equal(seen[0], ~seen[1])


def test_a_crop_of_everything_is_the_image():
    recipe = replace(PLAIN, smallest_crop=1.0)
    changes = drawn(4, 8, recipe, generator(0))
    boxes = torch.tensor([[1.0, 1.0, 0.3, 0.7]]).repeat(4, 1)
    assert torch.equal(changed(squares(), replace(changes, boxes=boxes), recipe), squares())


def test_a_crop_is_that_of_torchvision():
    recipe = replace(PLAIN, smallest_crop=0.1)
    changes = drawn(1, 8, recipe, generator(0))
    # A quarter of the area, square, at the right of the upper edge.
    boxes = torch.tensor([[0.25, 1.0, 0.0, 1.0]])
    found = changed(squares(1), replace(changes, boxes=boxes), recipe)
    expected = v2.functional.resized_crop(squares(1), 0, 4, 4, 4, [8, 8], antialias=False)
    # torchvision repeats the crop's edge, grid_sample reads beyond it: inside they agree.
    assert (found[..., 1:-1, 1:-1].int() - expected[..., 1:-1, 1:-1].int()).abs().max() <= 1


def test_training_images_may_be_smaller_than_test_images():
    recipe = replace(PLAIN, smallest_crop=0.1, train_side=0.75)
    assert augment(squares(), recipe, generator(0)).shape == (4, 3, 6, 6)


def test_crops_that_are_smaller_are_shifted_within_their_own_padding():
    recipe = replace(liao_cifar(), smallest_crop=0.5, train_side=1 / 16, crop_padding=0.5)
    changes = drawn(1000, 32, recipe, generator(0))
    # 2 pixels a side, padded by 1.
    assert set(changes.shifts.unique().tolist()) == {0, 1, 2}
    images_BCSS = torch.zeros(1000, 3, 32, 32, dtype=torch.uint8)
    assert changed(images_BCSS, changes, recipe).shape == (1000, 3, 2, 2)


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (30, 30)])
def test_a_box_has_its_share_of_a_picture_and_lies_inside(size):
    width, height = size
    left, upper, right, lower = box_in([0.25, 1.0, 1.0, 0.5], height, width)
    assert (right - left) * (lower - upper) == pytest.approx(width * height / 4)
    assert lower == pytest.approx(height)
    assert (left + right) / 2 == pytest.approx(width / 2)
    wide = box_in([1.0, 4 / 3, 0.5, 0.5], height, width)
    assert min(wide) >= 0
    assert wide[2] <= width + 1e-9
    assert wide[3] <= height + 1e-9


def test_a_crop_is_cut_out_of_the_whole_picture_on_disk(tmp_path):
    picture = Image.new("RGB", (40, 20), (255, 0, 0))
    picture.paste((0, 0, 255), (36, 0, 40, 20))
    picture.save(tmp_path / "a.png")
    files = Files((str(tmp_path / "a.png"),), torch.tensor([0]), 10)
    recipe = replace(PLAIN, smallest_crop=0.05)
    changes = replace(drawn(1, 10, recipe, generator(0)), boxes=torch.tensor([[0.02, 1, 0.5, 1.0]]))
    found = files.fetch_changed(torch.tensor([0]), changes, recipe)
    # The blue edge is no part of the middle square.
    assert found[0, :, 5, 5].tolist() == [0, 0, 255]
    assert files.fetch(torch.tensor([0]))[0, 0].min() == 255


def test_test_images_are_the_middle_of_the_picture(tmp_path):
    picture = Image.new("RGB", (40, 40))
    picture.paste((255, 255, 255), (10, 10, 30, 30))
    picture.save(tmp_path / "a.png")
    files = Files((str(tmp_path / "a.png"),), torch.tensor([0]), 20)
    assert files.middle(0.5).fetch(torch.tensor([0])).float().mean() > 250
    assert files.fetch(torch.tensor([0])).float().mean() < 80


def test_rand_augment_is_drawn_from_the_seed_of_each_image():
    recipe = replace(PLAIN, rand_augment="rand-m9-n2")
    images = torch.randint(256, (3, 3, 16, 16), dtype=torch.uint8, generator=generator(0))
    before = torch.get_rng_state()
    one, again = (rand_augmented(images, recipe, [5, 6, 7]) for _ in range(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, rand_augmented(images, recipe, [8, 9, 10]))
    assert torch.equal(one[1:], rand_augmented(images[1:], recipe, [6, 7]))
    assert torch.equal(torch.get_rng_state(), before)


def test_repeated_images_stand_together():
    images = Pixels(squares(12), torch.arange(12))
    recipe = replace(PLAIN, batch_size=6, repeats=3)
    labels = training_batches(images, recipe, 0, 1)[0][1].tolist()
    assert [labels[i] == labels[i + 1] for i in range(5)] == [True, True, False, True, True]
