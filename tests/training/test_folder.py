import shutil

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.training import inspect, load_data


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


def no_classes(folder):
    write_images(folder)
    shutil.rmtree(folder / "train")
    (folder / "train").mkdir()


def other_classes(folder):
    write_images(folder)
    (folder / "val" / "ant").rename(folder / "val" / "wasp")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "has no folder val or test"),
        (no_test_part, "has no folder val or test"),
        (no_images, "there is no image in {folder}/train/ant"),
        (no_classes, "train holds no folders of images"),
        (other_classes, "differ in their classes: ant is in train alone"),
    ],
)
def test_a_folder_of_another_form_is_no_data(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(UserError) as caught:
        load_data("folder", tmp_path)
    assert caught.value.code == "no-data"
    assert message.format(folder=tmp_path) in str(caught.value)
    assert "Found no" not in str(caught.value)


def test_kinds_that_are_read_are_told_where_a_class_has_none(tmp_path):
    write_images(tmp_path)
    for path in (tmp_path / "val" / "bee").iterdir():
        path.rename(path.with_suffix(".gif"))
    with pytest.raises(UserError, match=f"no image in {tmp_path}/val/bee") as caught:
        load_data("folder", tmp_path)
    assert ".jpg, .jpeg, .png" in caught.value.diagnostics[0].hint


@pytest.mark.parametrize("content", [b"", b"a text", None])
def test_what_is_wrong_with_a_file_is_told_without_names_of_python(tmp_path, content):
    path = write_images(tmp_path) / "train" / "bee" / "1.png"
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    data = load_data("folder", tmp_path, image_size=8)
    with pytest.raises(UserError) as caught:
        data.train.fetch(torch.tensor([3]))
    message = caught.value.diagnostics[0].message
    assert message.startswith(f"{path} is no image that can be read: ")
    assert "_io" not in message
    assert message.count(str(tmp_path)) == 1


def test_files_that_nobody_looks_at_are_counted(tmp_path):
    write_images(tmp_path)
    for name in ("2.GIF", "3.gif", "notes", "deeper/4.txt"):
        path = tmp_path / "train" / "ant" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    report = inspect(load_data("folder", tmp_path, image_size=8))
    assert report.passed_over == {"": 1, ".gif": 2, ".txt": 1}
    done = CliRunner().invoke(app, ["data", "check", "folder", "--data-dir", str(tmp_path),
                                    "--image-size", "8"])  # fmt: skip
    assert "4 files beside the images, passed over" in done.stdout
    assert "2 .gif" in done.stdout


def test_a_folder_must_be_given():
    with pytest.raises(UserError, match="--data-dir"):
        load_data("folder")


@pytest.mark.parametrize("name", ["folder", "imagenet", "cub200"])
def test_a_folder_that_is_not_there_is_told_as_such(tmp_path, name):
    with pytest.raises(UserError, match=r"there is no folder .*missing"):
        load_data(name, tmp_path / "missing")
