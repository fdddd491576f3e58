import pytest
import torch

from recform.errors import UserError
from recform.training import load_data, recipe_for
from recform.training.dataset import balanced_order


def test_digits_are_1437_and_360_colour_pictures_of_32_pixels():
    data = load_data("digits")
    assert (data.num_train, data.num_test, data.num_classes, data.image_size) == (1437, 360, 10, 32)
    first = data.train.fetch(torch.tensor([0]))
    assert (first.shape, first.dtype) == ((1, 3, 32, 32), torch.uint8)


def test_digits_of_each_class_are_split_in_proportion():
    data = load_data("digits")
    whole = torch.bincount(data.train.labels) + torch.bincount(data.test.labels)
    # A stratified split rounds each class to the nearest image or the one beyond.
    assert (torch.bincount(data.test.labels) - whole * 360 / 1797).abs().max() < 1


def test_digits_are_the_same_in_every_process():
    # A change of the split would make old runs incomparable.
    assert load_data("digits").test.labels[:12].tolist() == FIRST_TEST_LABELS


def test_mean_and_deviation_of_digits_are_those_of_the_training_images():
    data = load_data("digits")
    pixels = data.train.fetch(torch.arange(data.num_train)).float() / 255
    # The constants are written with four decimals.
    assert pixels.mean().item() == pytest.approx(data.mean[0], abs=5e-5)
    assert pixels.std().item() == pytest.approx(data.deviation[0], abs=5e-5)


def test_digits_come_in_any_size():
    data = load_data("digits", image_size=16)
    assert data.train.fetch(torch.tensor([3])).shape == (1, 3, 16, 16)
    assert data.image_size == 16


def test_limits_keep_the_classes_in_balance():
    data = load_data("digits", limit_train=25, limit_test=10)
    assert (data.num_train, data.num_test) == (25, 10)
    assert set(torch.bincount(data.train.labels, minlength=10).tolist()) == {2, 3}
    assert torch.bincount(data.test.labels, minlength=10).tolist() == [1] * 10


def test_limits_keep_images_and_labels_together():
    whole, part = load_data("digits"), load_data("digits", limit_train=40)
    images = whole.train.fetch(torch.arange(whole.num_train))
    for image, label in zip(part.train.fetch(torch.arange(40)), part.train.labels, strict=True):
        place = (images == image).flatten(1).all(1).nonzero()[0]
        assert whole.train.labels[place] == label


def test_a_limit_beyond_the_data_takes_all_of_it():
    assert load_data("digits", limit_test=10_000).num_test == 360


def test_the_balanced_order_is_a_permutation():
    labels = torch.tensor([2, 2, 2, 0, 2, 1, 1])
    order = balanced_order(labels)
    assert sorted(order.tolist()) == list(range(7))
    assert sorted(labels[order][:3].tolist()) == [0, 1, 2]
    assert sorted(labels[order][3:5].tolist()) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "digts"}, "there is no data set digts"),
        ({"name": "digits", "limit_train": 0}, "--limit-train must be 1 or more, not 0"),
        ({"name": "digits", "limit_test": -3}, "--limit-test must be 1 or more, not -3"),
        ({"name": "digits", "image_size": 0}, "the side of an image is 1 to 10,000 pixels, not 0"),
        ({"name": "cifar10", "image_size": 64}, "the images of cifar10 have 32 pixels a side"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(UserError) as caught:
        load_data(**arguments)
    assert caught.value.diagnostics[0].message == message


def test_a_misspelt_data_set_is_guessed():
    with pytest.raises(UserError, match=r"did you mean cifar10\?"):
        recipe_for("cifar-10")


FIRST_TEST_LABELS = [7, 6, 3, 7, 7, 3, 2, 8, 9, 3, 2, 6]
