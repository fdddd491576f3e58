import pytest
import torch
from PIL import Image

from recform.errors import UserError
from recform.training import load_data


def write_images(folder, test_name="val"):
    for part in ("train", test_name):
        for label, name in enumerate(("ant", "bee")):
            for number in range(2):
                path = folder / part / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (40, 20), (100 * label, number, 7)).save(path)
    return folder


@pytest.mark.parametrize("test_name", ["val", "test"])
def test_each_folder_is_a_class(tmp_path, test_name):
    data = load_data("folder", write_images(tmp_path, test_name), image_size=16)
    assert (data.num_classes, data.image_size) == (2, 16)
    assert data.train.labels.tolist() == [0, 0, 1, 1]
    images = data.test.fetch(torch.tensor([3, 0]))
    assert images.shape == (2, 3, 16, 16)
    assert images[:, :, 8, 8].tolist() == [[100, 1, 7], [0, 0, 7]]


def test_the_middle_of_the_picture_is_kept(tmp_path):
    picture = Image.new("RGB", (40, 20))
    picture.paste((255, 255, 255), (10, 0, 30, 20))
    picture.save(write_images(tmp_path) / "train" / "ant" / "0.png")
    data = load_data("folder", tmp_path, image_size=20)
    assert data.train.fetch(torch.tensor([0])).min() == 255


def test_limits_pick_files(tmp_path):
    data = load_data("folder", write_images(tmp_path), image_size=8, limit_train=2)
    assert sorted(data.train.labels.tolist()) == [0, 1]
    assert data.train.fetch(torch.tensor([0, 1])).shape == (2, 3, 8, 8)


def test_a_damaged_image_is_named_when_it_is_fetched(tmp_path):
    path = write_images(tmp_path) / "train" / "bee" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    data = load_data("folder", tmp_path, image_size=8)
    with pytest.raises(UserError) as caught:
        data.train.fetch(torch.tensor([3]))
    assert caught.value.code == "damaged-data"
    assert str(path) in str(caught.value)


def nothing(folder):
    pass


def no_test_part(folder):
    (folder / "train" / "ant").mkdir(parents=True)


def no_images(folder):
    for part in ("train", "val"):
        (folder / part / "ant").mkdir(parents=True)


def other_classes(folder):
    write_images(folder)
    (folder / "val" / "ant").rename(folder / "val" / "wasp")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "has no folder val or test"),
        (no_test_part, "has no folder val or test"),
        (no_images, "train holds no folders of images"),
        (other_classes, "differ in their classes: ant"),
    ],
)
def test_a_folder_of_another_form_is_no_data(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(UserError) as caught:
        load_data("folder", tmp_path)
    assert caught.value.code == "no-data"
    assert message in str(caught.value)


def test_a_folder_must_be_given():
    with pytest.raises(UserError, match="--data-dir"):
        load_data("folder")


@pytest.mark.parametrize("name", ["folder", "imagenet", "cub200"])
def test_a_folder_that_is_not_there_is_told_as_such(tmp_path, name):
    with pytest.raises(UserError, match=r"there is no folder .*missing"):
        load_data(name, tmp_path / "missing")
