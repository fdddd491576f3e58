"""Data as people have them: hidden files, links in circles, wrong permissions, cut files."""

import gzip
import os
import pickle
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.training import Files, inspect, load_data
from tests.training.test_folder import write_images


def refused(name, directory, **options):
    """The one mistake that is told of the data."""
    with pytest.raises(UserError) as caught:
        inspect(load_data(name, directory, **options))
    [diagnostic] = caught.value.diagnostics
    return diagnostic


def empty_png(width, height):
    """A PNG of this size, with pixels for none of it."""
    pieces = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in pieces
    )


@pytest.fixture
def photos(tmp_path):
    return write_images(tmp_path / "photos")


def test_what_is_hidden_is_neither_a_class_nor_an_image(photos):
    picture = (photos / "train" / "ant" / "0.png").read_bytes()
    for part in ("train", "val"):
        (photos / part / ".ipynb_checkpoints").mkdir()
        (photos / part / ".ipynb_checkpoints" / "0.png").write_bytes(picture)
    (photos / "train" / "ant" / "._0.png").write_bytes(b"a Mac's notes on 0.png")
    report = inspect(data := load_data("folder", photos, image_size=8))
    assert (data.classes, report.train.num_images, report.damaged) == (("ant", "bee"), 4, ())
    assert report.passed_over == {".": 1}
    done = CliRunner().invoke(app, ["data", "check", "folder", "--data-dir", str(photos),
                                    "--image-size", "8"])  # fmt: skip
    assert "passed over for their names: 1 hidden" in done.stdout


def test_pictures_come_in_the_order_of_torchvision(photos):
    deep = photos / "train" / "ant" / "b" / "a"
    deep.mkdir(parents=True)
    for path in (deep / "z.PNG", deep.parent / "9.jpeg", photos / "train" / "ant" / "c.png"):
        Image.new("RGB", (8, 8)).save(path)
    (photos / "train" / "wasp").symlink_to(photos / "train" / "bee")
    (photos / "val" / "wasp").symlink_to(photos / "val" / "bee")
    theirs = ImageFolder(str(photos / "train"))
    ours = load_data("folder", photos, image_size=8)
    assert list(ours.classes) == theirs.classes
    assert isinstance(ours.train, Files)
    assert [*zip(ours.train.paths, ours.train.labels.tolist(), strict=True)] == theirs.samples


@pytest.mark.parametrize("target", [".", "..", "../..", "../bee"])
def test_links_in_a_circle_are_told(photos, target):
    (photos / "train" / "ant" / "loop").symlink_to(target)
    (photos / "train" / "bee" / "loop").symlink_to("../ant")
    told = refused("folder", photos, image_size=8)
    assert told.code == "unreadable"
    assert told.message.endswith("leads back to a folder that it lies in")
    assert told.hint.startswith("remove the link: rm ")


def test_a_pipe_is_no_picture(photos):
    os.mkfifo(photos / "train" / "ant" / "2.png")
    assert inspect(load_data("folder", photos, image_size=8)).train.num_images == 4


def test_a_picture_that_would_be_drawn_by_another_program_is_not_opened(photos):
    path = photos / "train" / "ant" / "0.png"
    Image.new("RGB", (8, 8)).save(path, "EPS")
    [message] = inspect(load_data("folder", photos, image_size=8)).damaged
    assert message == f"{path} is no image that can be read: its content is of no known kind"


@pytest.mark.parametrize(
    ("side", "fault"), [(60_000, "Image size (3600000000 pixels) exceeds limit"), (10_000, "cut")]
)
def test_huge_pictures_are_told_in_one_line(photos, side, fault):
    (photos / "train" / "ant" / "0.png").write_bytes(empty_png(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [message] = inspect(load_data("folder", photos, image_size=8)).damaged
    assert fault in message or fault == "cut"
    assert "DOS attack" not in message


def test_a_picture_that_is_a_line_is_cut_before_it_is_scaled(photos):
    picture = Image.new("RGB", (100_000, 1))
    picture.paste((255, 255, 255), (49_990, 0, 50_010, 1))
    picture.save(photos / "train" / "ant" / "0.png")
    # whole, and scaled to this side, it would take 30 GB
    [image] = load_data("folder", photos, image_size=300).train.fetch(torch.tensor([0]))
    assert image.shape == (3, 300, 300)
    assert image.min() == 255


def test_a_data_set_one_folder_deeper_is_found_for_the_hint(photos):
    told = refused("folder", photos.parent)
    assert told.hint == f"--data-dir {photos}"


def test_an_image_larger_than_any_memory_is_not_asked_for(photos):
    told = refused("folder", photos, image_size=100_000)
    assert told.message == "the side of an image is 1 to 10,000 pixels, not 100,000"


def cifar(folder, content):
    """CIFAR-10 in Python's layout, every file with this content."""
    (folder / "cifar-10-batches-py").mkdir(parents=True)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / "cifar-10-batches-py" / name).write_bytes(content)
    return folder


def records(labels):
    pixels = np.zeros((4, 3072), np.uint8)
    return pickle.dumps({b"\xff": 1, b"data": pixels, b"labels": labels})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (records([[1], [1, 2], 3, 4]), "it holds 4 images and other labels than one for each"),
        (b"\x80\x02" + b"}K\x00" * 3000 + b"}" + b"s" * 3000 + b".", "recursion"),
    ],
)
def test_a_pickle_of_another_form_is_damaged(tmp_path, content, message):
    told = refused("cifar10", cifar(tmp_path, content))
    assert told.code == "damaged-data"
    assert message in told.message
    assert "--data-dir" in told.hint


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    cifar(tmp_path, records([0, 1, 2, 3]))

    def stat(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.stat", stat)
    told = refused("cifar10", tmp_path)
    assert (told.code, told.message.rpartition(": ")[2]) == ("unreadable", "Permission denied")
    assert told.hint.startswith("chmod u+rX ")


def test_a_class_that_may_not_be_read_is_told(photos, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("bee"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    told = refused("folder", photos)
    assert told.code == "unreadable"
    assert told.message == f"{photos}/train/bee cannot be read: Permission denied"


@pytest.mark.parametrize("content", [b"\0\0\x08\x03\0\0", b"\0\0\x08\xff" + b"\xff" * 1020])
def test_a_header_cut_short_is_damaged(tmp_path, content):
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (tmp_path / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    told = refused("fashion-mnist", tmp_path)
    assert told.message.endswith(f"is damaged: it is no array of {len(content):,} bytes")


BIRDS = {
    "images": "1 a/1.jpg\n2 a/2.jpg\n",
    "classes": "1 a\n",
    "image_class_labels": "1 1\n2 1\n",
    "train_test_split": "1 1\n2 0\n",
}


def birds(folder, **changed):
    (folder / "images" / "a").mkdir(parents=True)
    for number in (1, 2):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / "images" / "a" / f"{number}.jpg")
    for name, text in {**BIRDS, **changed}.items():
        (folder / f"{name}.txt").write_text(text, encoding="latin-1")
    return folder


def test_pictures_of_the_other_part_are_not_passed_over(tmp_path):
    assert inspect(load_data("cub200", birds(tmp_path), image_size=8)).passed_over == {}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"classes": "1 \xff\n"}, "classes.txt is damaged: it is no text"),
        ({"train_test_split": "1 1\n2 1\n"}, "does not part the pictures by 1 and 0"),
        ({"train_test_split": "1 1\n2 x\n"}, "does not part the pictures by 1 and 0"),
        ({"images": "1 a/1.jpg\n1 a/2.jpg\n2 a/2.jpg\n"}, "has a number twice"),
    ],
)
def test_lists_of_birds_that_say_nothing_sensible_are_damaged(tmp_path, changed, message):
    told = refused("cub200", birds(tmp_path, **changed))
    assert told.code == "damaged-data"
    assert told.message.endswith(message)
    assert "CUB_200_2011.tgz" in told.hint
