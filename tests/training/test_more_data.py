"""Fashion-MNIST, birds and ImageNet in their published layouts, and a look over any of them."""

import gzip
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import ImageNetInfo

from recform.errors import UserError
from recform.training import inspect, load_data, recipe_named
from recform.training.batches import training_batches
from recform.training.dataset import Pixels

from .test_folder import write_images

RECIPE = recipe_named("liao-imagenet")


def idx(array):
    """An array of bytes in MNIST's format."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write_fashion(folder, pack=lambda content: content, suffix=""):
    folder.mkdir(parents=True, exist_ok=True)
    for part, num_images in (("train", 6), ("t10k", 3)):
        images = np.full((num_images, 28, 28), 200)
        images[:, 0, 0] = np.arange(num_images)
        labels = np.arange(num_images)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (folder / f"{part}-{kind}-ubyte{suffix}").write_bytes(pack(idx(array)))
    return folder


@pytest.mark.parametrize("inside", [".", "FashionMNIST/raw"])
@pytest.mark.parametrize(("pack", "suffix"), [(lambda c: c, ""), (gzip.compress, ".gz")])
def test_fashion_mnist_is_framed_in_black(tmp_path, inside, pack, suffix):
    write_fashion(tmp_path / inside, pack, suffix)
    data = load_data("fashion-mnist", tmp_path)
    assert (data.num_train, data.num_test, data.num_classes, data.image_size) == (6, 3, 10, 32)
    assert data.train.labels.tolist() == [0, 1, 2, 3, 4, 5]
    image = data.train.fetch(torch.tensor([4]))[0]
    assert image.shape == (3, 32, 32)
    assert image[:, 2, 2].tolist() == [4, 4, 4]
    assert image[0, :2].max() == image[0, :, 30:].max() == 0
    assert image[0, 15, 15] == 200
    assert data.classes[9] == "Ankle boot"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t10k-images-idx3-ubyte", b"\0\0\x08\x03", "is no array"),
        ("t10k-images-idx3-ubyte", b"", "is no array"),
        ("t10k-labels-idx1-ubyte", idx(np.array([1, 2])), "do not belong together"),
        ("t10k-labels-idx1-ubyte", idx(np.array([1, 2, 10])), "have label 10, of 10 classes"),
        ("train-images-idx3-ubyte", None, "lacks train-images-idx3-ubyte"),
    ],
)
def test_a_damaged_file_of_fashion_mnist_is_named(tmp_path, name, content, message):
    write_fashion(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_data("fashion-mnist", tmp_path)
    assert caught.value.code == "damaged-data"
    assert message in str(caught.value)


# The time a gzip header carries is left out: a test has one name in every process.
@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"abc", mtime=0)[:-3]])
def test_a_damaged_archive_of_fashion_mnist_is_named(tmp_path, content):
    write_fashion(tmp_path, gzip.compress, ".gz")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_data("fashion-mnist", tmp_path)
    assert caught.value.code == "damaged-data"
    assert "train-labels-idx1-ubyte.gz" in str(caught.value)


def write_birds(folder):
    pictures = [
        ("1", "001.Albatross/a.jpg", "1", "1"),
        ("2", "002.Finch/b.jpg", "2", "1"),
        ("3", "002.Finch/c.jpg", "2", "0"),
        ("4", "001.Albatross/d.jpg", "1", "0"),
    ]
    for number, path, *_ in pictures:
        (folder / "images" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (int(number) * 10,) * 3).save(folder / "images" / path)
    lists = {
        "images.txt": [f"{number} {path}" for number, path, *_ in pictures],
        "image_class_labels.txt": [f"{number} {label}" for number, _, label, _ in pictures],
        "train_test_split.txt": [f"{number} {part}" for number, *_, part in pictures],
        "classes.txt": ["1 001.Albatross", "2 002.Finch"],
    }
    for name, lines in lists.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("inside", [".", "CUB_200_2011"])
def test_birds_are_split_and_labelled_by_their_lists(tmp_path, inside):
    write_birds(tmp_path / inside)
    data = load_data("cub200", tmp_path, image_size=8)
    assert data.classes == ("001.Albatross", "002.Finch")
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([0, 1], [1, 0])
    pixels = data.test.fetch(torch.tensor([0, 1]))[:, 0, 4, 4]
    assert pixels.tolist() == pytest.approx([30, 40], abs=2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("images.txt", "1 a\n", "not of the same pictures"),
        ("images.txt", "1\n", "a line has other than two words"),
        ("classes.txt", "1 one\n", "labels of no class"),
        ("train_test_split.txt", None, "cannot be read"),
    ],
)
def test_lists_of_birds_that_do_not_agree_are_told(tmp_path, name, text, message):
    path = write_birds(tmp_path) / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_data("cub200", tmp_path)
    assert caught.value.code == "damaged-data"
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["cub200", "imagenet", "folder"])
def test_what_lies_on_disk_must_be_named(tmp_path, name):
    with pytest.raises(UserError, match="--data-dir"):
        load_data(name)
    with pytest.raises(UserError) as caught:
        load_data(name, tmp_path)
    assert caught.value.code == "no-data"


def test_imagenet_has_its_thousand_folders(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    for part in ("train", "val"):
        for synset in ImageNetInfo().label_names():
            (tmp_path / part / synset).mkdir(parents=True)
            (tmp_path / part / synset / "0.png").symlink_to(tmp_path / "one.png")
    data = load_data("imagenet", tmp_path, image_size=8)
    assert (data.num_classes, data.num_train, data.name) == (1000, 1000, "imagenet")
    assert data.classes[0].startswith("tench")


def test_other_folders_are_no_imagenet(tmp_path):
    with pytest.raises(UserError) as caught:
        load_data("imagenet", write_images(tmp_path))
    assert caught.value.code == "no-data"
    assert "has the folder ant, and is no ImageNet-1k" in str(caught.value)
    assert "--data folder" in caught.value.diagnostics[0].hint


def test_a_whole_set_has_nothing_to_complain_of(data):
    report = inspect(data)
    assert (report.train.num_images, report.test.num_images) == (200, 50)
    assert (report.train.smallest_class, report.train.largest_class) == (20, 20)
    pixels = data.train.pixels.double() / 255
    assert report.train.mean == pytest.approx(pixels.mean().item())
    assert report.train.deviation == pytest.approx(pixels.std(correction=0).item())
    assert (report.damaged, report.num_shared) == ((), 0)


def test_test_images_that_were_trained_on_are_counted(data):
    leaked = torch.cat((data.train.pixels[:3], data.test.pixels[:5]))
    report = inspect(replace(data, test=Pixels(leaked, torch.zeros(8, dtype=torch.long))))
    assert report.num_shared == 3
    assert report.test.empty_classes == tuple(range(1, 10))


def test_every_damaged_file_is_named(tmp_path):
    write_images(tmp_path)
    broken = [tmp_path / "train" / "ant" / "0.png", tmp_path / "train" / "bee" / "1.png"]
    for path in broken:
        path.write_bytes(b"no picture")
    report = inspect(load_data("folder", tmp_path, image_size=8))
    assert len(report.damaged) == 2
    assert all(str(path) in message for path, message in zip(broken, report.damaged, strict=True))
    assert report.train.num_images == 4


def test_a_set_of_the_hub_is_read_by_its_columns(tmp_path):
    pytest.importorskip("datasets")
    folder = write_images(tmp_path / "set", "validation")
    data = load_data(f"hf:{folder}", tmp_path / "cache", image_size=16)
    assert (data.classes, data.num_train, data.num_test) == (("ant", "bee"), 4, 4)
    number = data.train.labels.tolist().index(1)
    assert data.train.fetch(torch.tensor([number]))[0, 0, 8, 8] == 100
    few = load_data(f"hf:{folder}", tmp_path / "cache", image_size=16, limit_train=2)
    assert sorted(few.train.labels.tolist()) == [0, 1]
    batch, labels = training_batches(data.train, replace(RECIPE, batch_size=4), 0, 1)[0]
    assert batch.shape == (4, 3, 16, 16)
    assert (batch[:, 0].amax((1, 2)) == 100 * labels).all()


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("hf:", "bad-argument", "names no data set"),
        ("hf:a/b,image", "bad-argument", "names no data set"),
        ("hf:{folder}", "no-data", "cannot be had"),
        ("hf:{images},picture,label", "no-data", "has no images in a column picture"),
        ("hf:{images},image,image", "no-data", "has no classes in a column image"),
        ("hf:{images}", "no-data", "has no part validation or test or val"),
    ],
)
def test_a_set_of_the_hub_that_cannot_be_had_is_told(tmp_path, name, code, message):
    pytest.importorskip("datasets")
    images = write_images(tmp_path / "images", "nothing")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError) as caught:
        load_data(name.format(folder=tmp_path / "folder", images=images), tmp_path / "cache")
    assert caught.value.code == code
    assert message in str(caught.value)


def test_without_its_package_the_hub_is_closed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delitem(sys.modules, "timm.data.readers.reader_hfds", raising=False)
    with pytest.raises(UserError, match="the package datasets is not installed"):
        load_data("hf:a/b", tmp_path)
