"""Shards hold what was put into them, are read in any order, and tell what is damaged."""

import io
import json
import tarfile
from dataclasses import replace

import fsspec
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.training import inspect, load_data, recipe_named, write_shards
from recform.training.augment import drawn
from recform.training.batches import load, training_batches
from recform.training.dataset import DataSet, Pixels
from recform.training.device import Cpu

RECIPE = replace(recipe_named("digits"), batch_size=3, flip=False, crop_padding=0)
NUM_TRAIN, NUM_TEST = 10, 5


def numbered(num_images):
    """Images of which each has its number for a colour."""
    numbers = torch.arange(num_images, dtype=torch.uint8)
    return Pixels(numbers[:, None, None, None].expand(-1, 3, 8, 8).contiguous(), numbers.long() % 3)


@pytest.fixture
def data():
    return DataSet(name="numbers", train=numbered(NUM_TRAIN), test=numbered(NUM_TEST),
                   num_classes=3, image_size=8, mean=(0.5, 0.25, 0.5), deviation=(1.0, 2.0, 1.0),
                   classes=("nought", "one", "two"))  # fmt: skip


@pytest.fixture
def folder(data, tmp_path):
    write_shards(data, tmp_path / "shards", size=4)
    return tmp_path / "shards"


def numbers_of(images, indices=None):
    indices = torch.arange(len(images.labels)) if indices is None else indices
    return images.fetch(indices)[:, 0, 0, 0].tolist()


def photos(folder):
    """A folder of JPEG and BMP pictures, and the bytes of the former."""
    for part in ("train", "val"):
        for name in ("ant", "bee"):
            (folder / part / name).mkdir(parents=True)
            photo = Image.linear_gradient("L").resize((20, 10)).rotate(90).convert("RGB")
            photo.save(folder / part / name / "a.JPEG")
            Image.new("RGB", (10, 20), (7, 90, 7)).save(folder / part / name / "b.bmp")
    return folder, (folder / "train" / "ant" / "a.JPEG").read_bytes()


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_what_was_written_is_read_again(data, folder):
    found = load_data(f"wds:{folder}")
    order = numbers_of(found.train)
    assert sorted(order) == list(range(NUM_TRAIN))
    assert order != sorted(order)
    assert found.train.labels.tolist() == [number % 3 for number in order]
    assert numbers_of(found.test) == list(range(NUM_TEST))
    assert (found.classes, found.mean, found.deviation) == (data.classes, data.mean, data.deviation)
    assert (found.num_classes, found.image_size) == (3, 8)


def test_a_folder_has_shards_of_the_size_asked_for_and_an_index(folder):
    names = sorted(path.name for path in folder.iterdir())
    train = [f"train-00000{number}.tar" for number in range(3)]
    assert names == ["_info.json", *train, "validation-000000.tar", "validation-000001.tar"]
    parts = json.loads((folder / "_info.json").read_text())["splits"]
    assert parts["train"]["shard_lengths"] == [4, 4, 2]
    assert parts["train"]["num_samples"] == NUM_TRAIN
    assert list(members(folder / train[0]))[:2] == ["00000000.png", "00000000.cls"]


def test_the_same_data_makes_the_same_bytes(data, folder, tmp_path):
    write_shards(data, tmp_path / "again", size=4)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_files_stay_as_they_are_and_rare_kinds_become_png(tmp_path):
    place, jpeg = photos(tmp_path / "photos")
    images = load_data("folder", place, image_size=8)
    write_shards(images, tmp_path / "shards")
    found = members(tmp_path / "shards" / "train-000000.tar")
    kinds = [name.rpartition(".")[2] for name in found]
    assert sorted(kinds) == ["cls"] * 4 + ["jpg"] * 2 + ["png"] * 2
    assert list(found.values()).count(jpeg) == 2
    again = load_data(f"wds:{tmp_path / 'shards'}", image_size=8)
    assert torch.equal(again.test.fetch(torch.arange(4)), images.test.fetch(torch.arange(4)))


def test_shards_are_written_from_shards(folder, tmp_path):
    write_shards(load_data(f"wds:{folder}"), tmp_path / "again", size=100)
    assert sorted(numbers_of(load_data(f"wds:{tmp_path / 'again'}").train)) == [*range(NUM_TRAIN)]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_workers_read_disjoint_pictures_in_an_order_of_seed_and_epoch(folder, num_workers):
    images = load_data(f"wds:{folder}").train
    device = replace(Cpu(), num_workers=num_workers)

    def epoch(seed, number):
        batches = training_batches(images, RECIPE, seed, number)
        return [int(colour) for batch, _ in load(batches, device) for colour in batch[:, 0, 0, 0]]

    first = epoch(0, 1)
    assert len(set(first)) == len(first) == 9
    # what workers deliver is what one process would
    batches = training_batches(images, RECIPE, 0, 1)
    assert first == [int(colour) for step in range(3) for colour in batches[step][0][:, 0, 0, 0]]
    if num_workers == 0:
        assert first == epoch(0, 1)
        assert len({tuple(epoch(seed, number)) for seed in (0, 1) for number in (1, 2)}) == 4


def test_random_crops_are_cut_out_of_the_whole_picture(tmp_path):
    images = load_data("folder", photos(tmp_path / "photos")[0], image_size=8)
    write_shards(images, tmp_path / "shards")
    recipe = replace(RECIPE, smallest_crop=0.1)
    changes = drawn(4, 8, recipe, torch.Generator().manual_seed(0))
    shards, numbers = load_data(f"wds:{tmp_path / 'shards'}", image_size=8), torch.arange(4)
    cut = [part.test.fetch_changed(numbers, changes, recipe) for part in (shards, images)]
    assert torch.equal(*cut)


def test_shards_elsewhere_are_fetched_once_and_kept(folder, tmp_path):
    elsewhere = fsspec.filesystem("memory")
    for path in folder.iterdir():
        elsewhere.pipe(f"/bucket/{path.name}", path.read_bytes())
    found = load_data("wds:memory://bucket", tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*.tar")) == []
    assert sorted(numbers_of(found.train)) == list(range(NUM_TRAIN))
    elsewhere.rm("/bucket", recursive=True)
    assert sorted(numbers_of(found.train)) == list(range(NUM_TRAIN))
    with pytest.raises(UserError, match="bucket cannot be read"):
        found.test.fetch(torch.tensor([0]))


@pytest.fixture
def bucket(folder):
    """The shards elsewhere, and the address of the folder."""
    elsewhere = fsspec.filesystem("memory")
    for path in folder.iterdir():
        elsewhere.pipe(f"/bucket/{path.name}", path.read_bytes())
    yield elsewhere
    elsewhere.rm("/bucket", recursive=True)


def kept(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize("num_kept", [0, 2, 5])
def test_of_shards_elsewhere_no_more_are_kept_than_the_cache_may_hold(
    folder, bucket, tmp_path, has_index, num_kept
):
    if not has_index:
        bucket.rm("/bucket/_info.json")
        (folder / "_info.json").unlink()
    shards = sorted(folder.glob("*.tar"))
    room = sum(path.stat().st_size for path in shards[:num_kept]) / 1e9
    here = load_data(f"wds:{folder}", image_size=8)
    found = load_data("wds:memory://bucket", tmp_path / "cache", image_size=8, cache_gb=room)
    for mine, theirs in ((found.train, here.train), (found.test, here.test)):
        numbers = torch.arange(len(theirs.labels))
        assert torch.equal(mine.labels, theirs.labels)
        assert torch.equal(mine.fetch(numbers), theirs.fetch(numbers))
    assert kept(tmp_path / "cache") == [path.name for path in shards[:num_kept]]


def test_what_is_read_where_it_lies_is_checked_too(folder, bucket, tmp_path):
    content = bytearray(bucket.cat_file("/bucket/train-000001.tar"))
    content[tarfile.BLOCKSIZE + 45] ^= 1
    bucket.pipe("/bucket/train-000001.tar", bytes(content))
    found = load_data("wds:memory://bucket", tmp_path / "cache", cache_gb=0)
    assert inspect(found).damaged == (
        "00000004.png in train-000001.tar is damaged: its checksum differs",
    )
    bucket.rm("/bucket/train-000002.tar")
    with pytest.raises(UserError, match=r"train-000002\.tar of memory://bucket cannot be read"):
        found.train.fetch(torch.tensor([9]))


def test_the_command_takes_the_size_of_the_cache(bucket, tmp_path):
    words = ["data", "check", "wds:memory://bucket", "--data-dir", str(tmp_path / "cache")]
    words.append("--cache-gb")
    assert CliRunner().invoke(app, [*words, "0"]).exit_code == 0
    assert kept(tmp_path / "cache") == []
    for size in ("-1", "nan", "inf"):
        refused = CliRunner().invoke(app, [*words, size])
        assert "a cache cannot hold" in str(refused.exception)


def test_shards_without_an_index_are_looked_through(folder):
    with_index = load_data(f"wds:{folder}", image_size=8)
    (folder / "_info.json").unlink()
    found = load_data(f"wds:{folder}", image_size=8)
    assert found.train.labels.tolist() == with_index.train.labels.tolist()
    assert numbers_of(found.train) == numbers_of(with_index.train)
    assert found.classes == ("0", "1", "2")


def test_timm_and_webdataset_read_the_shards(folder, tmp_path):
    pytest.importorskip("webdataset")
    from timm.data.readers import create_reader

    reader = create_reader("wds/", root=str(folder), split="validation", batch_size=5)
    assert len(reader) == NUM_TEST
    assert sorted(target for _, target in reader) == [0, 0, 1, 1, 2]


def test_a_damaged_member_is_named(folder):
    path = folder / "train-000001.tar"
    content = bytearray(path.read_bytes())
    # The pixels of the first picture: the header takes a block, the signature 8 bytes.
    content[tarfile.BLOCKSIZE + 45] ^= 1
    path.write_bytes(content)
    report = inspect(load_data(f"wds:{folder}"))
    assert report.damaged == ("00000004.png in train-000001.tar is damaged: its checksum differs",)
    answer = CliRunner().invoke(app, ["data", "check", f"wds:{folder}"])
    assert answer.exit_code == 1
    assert "00000004.png in train-000001.tar" in str(answer.exception)


def test_what_is_no_picture_is_named(folder):
    (folder / "_info.json").unlink()
    with tarfile.open(folder / "train-000000.tar", "w") as tar:
        for name, content in (("a.png", b"no picture"), ("a.cls", b"1")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    damaged = inspect(load_data(f"wds:{folder}", image_size=8)).damaged
    assert len(damaged) == 1
    assert "a.png in train-000000.tar is no image that can be read" in damaged[0]


def cut(folder):
    path = folder / "train-000000.tar"
    path.write_bytes(path.read_bytes()[:700])


def cut_without_index(folder):
    (folder / "_info.json").unlink()
    (folder / "train-000000.tar").write_bytes(b"no archive at all" * 100)


def without_pictures(folder):
    (folder / "_info.json").unlink()
    for number in range(3):
        with tarfile.open(folder / f"train-00000{number}.tar", "w"):
            pass


def with_index(change):
    def write(folder):
        info = json.loads((folder / "_info.json").read_text())
        change(info)
        (folder / "_info.json").write_text(json.dumps(info))

    return write


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (cut, "damaged-data", "train-000000.tar of {folder} has 700 of"),
        (lambda folder: (folder / "train-000002.tar").unlink(), "damaged-data", "is missing"),
        (cut_without_index, "damaged-data", "train-000000.tar cannot be read"),
        (without_pictures, "no-data", "no picture with a label in train-000000.tar"),
        (lambda folder: (folder / "_info.json").write_text("{"), "damaged-data", "_info.json"),
        (with_index(lambda info: info.update(splits=3)), "damaged-data", "index of the shards"),
        (with_index(lambda info: info["splits"]["train"]["labels"].pop()), "damaged-data",
         "its columns differ in length"),
        (with_index(lambda info: info["splits"].pop("train")), "no-data", "no shards of a train"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "no-data", "holds no shards"),
    ],
)  # fmt: skip
def test_shards_that_are_not_whole_are_told_at_once(folder, change, code, message):
    change(folder)
    with pytest.raises(UserError) as caught:
        load_data(f"wds:{folder}")
    assert caught.value.code == code
    assert message.format(folder=folder) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "code"),
    [("wds:", "bad-argument"), ("wds:/nowhere/at/all", "no-data"), ("wds:nosuch://x", "no-data")],
)
def test_an_address_of_nothing_is_told(name, code):
    with pytest.raises(UserError) as caught:
        load_data(name)
    assert caught.value.code == code


def test_a_folder_that_is_there_is_not_written_over(data, folder):
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(UserError, match="is there already"):
        write_shards(data, folder)
    with pytest.raises(UserError, match="1 picture or more"):
        write_shards(data, folder.with_name("new"), size=0)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert not folder.with_name("new").exists()


def test_a_full_disk_leaves_nothing_half_written(data, tmp_path, monkeypatch):
    def add(tar, place, images, index, rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recform.training.shard_writing._add", add)
    with pytest.raises(UserError, match="No space left on device") as caught:
        write_shards(data, tmp_path / "shards")
    assert caught.value.code == "unwritable"
    assert list(tmp_path.iterdir()) == []


def test_damaged_pictures_are_not_packed(tmp_path):
    place, _ = photos(tmp_path / "photos")
    damaged = place / "train" / "bee" / "b.bmp"
    damaged.write_bytes(b"no picture")
    words = ["data", "shard", "folder", "--data-dir", str(place), "--out", str(tmp_path / "shards")]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 1
    assert f"folder has 1 damaged image: {damaged} is no image" in str(refused.exception)
    assert not (tmp_path / "shards").exists()
    done = CliRunner().invoke(app, [*words, "--skip-damaged"])
    assert done.exit_code == 0
    assert f"left out: {damaged}" in done.stderr
    assert "3 pictures to train in 1 shard, 4 pictures to test in 1 shard" in done.stdout
    found = inspect(load_data(f"wds:{tmp_path / 'shards'}", image_size=8))
    assert (found.train.num_images, found.damaged) == (3, ())


def test_the_command_writes_shards_that_can_be_checked(tmp_path):
    def asked(*arguments):
        return CliRunner().invoke(app, ["data", *map(str, arguments)])

    wrote = asked("shard", "digits", "--out", tmp_path / "digits", "--size", 30,
                  "--limit-train", 50, "--limit-test", 20)  # fmt: skip
    assert wrote.exit_code == 0
    assert "10 classes; 50 pictures to train in 2 shards, 20 " in wrote.stdout
    assert "20 pictures to test in 1 shard\n" in wrote.stdout
    checked = asked("check", f"wds:{tmp_path / 'digits'}")
    assert checked.exit_code == 0
    assert "images of 32 x 32 pixels" in checked.stdout
