from dataclasses import replace

import pytest
import torch
from torchvision.transforms import v2

from recform.training.augment import augment, changed, drawn
from recform.training.colors import Tints, drawn_tints, tinted
from recform.training.randomness import generator
from recform.training.recipe import Recipe

PLAIN = Recipe(name="plain", epochs=1, batch_size=8, learning_rate=0.1, flip=False)
COLORFUL = replace(PLAIN, color_jitter=0.4, lighting=0.1)


def pictures(num_images=8):
    return torch.randint(256, (num_images, 3, 6, 6), generator=generator(3)).to(torch.uint8)


def test_jitter_is_torchvisions_brightness_contrast_and_saturation():
    tints = drawn_tints(8, replace(PLAIN, color_jitter=0.4), generator(0))
    assert tints is not None
    found = tinted(pictures(), tints)
    for image, mine, factors in zip(pictures(), found, tints.factors.tolist(), strict=True):
        theirs = v2.functional.adjust_brightness(image, factors[0])
        theirs = v2.functional.adjust_contrast(theirs, factors[1])
        theirs = v2.functional.adjust_saturation(theirs, factors[2])
        # torchvision cuts to whole bytes after each of the three: up to 1 each, times 1.4 twice.
        assert (mine.int() - theirs.int()).abs().max() <= 4


def test_light_along_the_first_component_shifts_the_channels_by_its_deviation():
    light = 2 * torch.tensor([[-0.5675, -0.5808, -0.5836]]) * 0.2175
    gray = torch.full((1, 3, 2, 2), 128, dtype=torch.uint8)
    # 128 - 2 * 255 * 0.2175 * (0.5675, 0.5808, 0.5836)
    assert tinted(gray, Tints(None, light))[0, :, 0, 0].tolist() == [65, 64, 63]


def test_lights_have_the_deviations_of_the_components():
    tints = drawn_tints(20_000, replace(PLAIN, lighting=0.1), generator(0))
    assert tints is not None
    assert tints.lights is not None
    first, second = torch.tensor([[-0.5675, -0.5808, -0.5836], [0.7192, -0.0045, -0.6948]])
    # The standard error of a deviation from 20,000 draws is 0.5 %.
    assert (tints.lights @ first).std().item() == pytest.approx(0.02175, rel=0.025)
    assert (tints.lights @ second).std().item() == pytest.approx(0.00188, rel=0.025)


def test_a_part_of_a_batch_has_the_colors_it_has_in_the_whole():
    whole = drawn(8, 6, COLORFUL, generator(1))
    part = slice(1, None, 2)
    found = changed(pictures()[part], whole.of(part), COLORFUL)
    assert torch.equal(found, changed(pictures(), whole, COLORFUL)[part])


def test_colors_leave_the_other_draws_as_they_are():
    recipe = replace(PLAIN, crop_padding=0.5, flip=True, cutout=0.5)
    plain = drawn(8, 6, recipe, generator(1))
    colorful = drawn(8, 6, replace(recipe, color_jitter=0.4), generator(1))
    assert torch.equal(plain.shifts, colorful.shifts)
    assert torch.equal(plain.holes, colorful.holes)
    assert plain.tints is None


def test_a_hole_stays_black_under_any_light():
    white = torch.full((8, 3, 6, 6), 255, dtype=torch.uint8)
    holes = augment(white, replace(PLAIN, cutout=1.0), generator(0)) == 0
    colorful = replace(COLORFUL, cutout=1.0, lighting=9.0)
    assert holes.any()
    assert (augment(white, colorful, generator(0))[holes] == 0).all()
