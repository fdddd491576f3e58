"""Shards from strangers: labels that are none, an index that lies, parts without pictures."""

import io
import json
import math
import shutil
import sys
import tarfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

from recform.errors import UserError
from recform.training import inspect, load_data, write_shards
from tests.training.test_folder import write_images
from tests.training.test_hostile_data import refused


@pytest.fixture
def photos(tmp_path):
    return write_images(tmp_path / "photos")


def image_bytes(number=0):
    written = io.BytesIO()
    Image.new("RGB", (8, 8), (number, 0, 0)).save(written, "PNG")
    return written.getvalue()


def pack(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def shards(tmp_path):
    """Two shards without an index."""
    (tmp_path / "shards").mkdir()
    for number, part in enumerate(("train", "val")):
        pack(tmp_path / "shards" / f"{part}-0.tar", ("0.png", image_bytes(number)), ("0.cls", b"0"))
    return tmp_path / "shards"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("0.cls", b"ant", "a label is 'ant', and no number from 0"),
        ("0.cls", b"-1", "a label is '-1', and no number from 0"),
        ("0.cls", b"9" * 30, "the label in 0.cls is not from 0 to 999,999"),
        ("0.json", b'{"label": 1000000}', "the label in 0.json is not from 0 to 999,999"),
        ("0.json", b"[" * 100_000, "a label is no JSON"),
    ],
)
def test_a_label_that_is_none_is_told(shards, name, content, message):
    pack(shards / "train-0.tar", ("0.png", image_bytes()), (name, content))
    told = refused(f"wds:{shards}", None, image_size=8)
    assert told.code == "damaged-data"
    assert told.message == f"the shard train-0.tar cannot be read: {message}"


def test_true_is_no_label(shards):
    pack(shards / "train-0.tar", ("0.png", image_bytes()), ("0.json", b'{"label": true}'))
    assert "no picture with a label" in refused(f"wds:{shards}", None).message


def test_a_shard_cut_between_two_members_is_not_whole(shards):
    pack(shards / "train-0.tar", ("0.png", image_bytes()), ("0.cls", b"0"),
         ("1.png", image_bytes()), ("1.cls", b"0"))  # fmt: skip
    path = shards / "train-0.tar"
    with tarfile.open(path) as tar:
        third = tar.getmembers()[2].offset
    path.write_bytes(path.read_bytes()[:third])
    assert refused(f"wds:{shards}", None).message.endswith("cannot be read: it ends early")


def test_each_shard_has_a_picture(shards):
    (shards / "train-1.tar").write_bytes(b"\0" * 10240)
    assert refused(f"wds:{shards}", None).message == (
        "there is no picture with a label in train-1.tar"
    )


def test_a_shard_that_may_not_be_read_is_no_damage(shards, monkeypatch):
    data = load_data(f"wds:{shards}", image_size=8)

    def open_(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", open_)
    with pytest.raises(UserError, match="cannot be read: Permission denied") as caught:
        inspect(data)
    assert caught.value.code == "unreadable"


def test_what_a_web_server_says_is_told(monkeypatch):
    class ClientError(Exception):
        pass

    def refuse(*_, **__):
        raise ClientError("403, Forbidden")

    monkeypatch.setitem(sys.modules, "aiohttp", SimpleNamespace(ClientError=ClientError))
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", refuse)
    told = refused("wds:memory://bucket", None)
    assert (told.code, told.message.rpartition(": ")[2]) == ("unreadable", "403, Forbidden")


def test_a_file_is_no_folder_of_shards(shards):
    told = refused(f"wds:{shards}/train-0.tar", None)
    assert told.hint == f"--data wds:{shards}"


def part(key, value):
    def change(info):
        info["splits"]["train"][key] = value

    return change


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Four pictures to train by, in two shards, with an index."""
    place = tmp_path_factory.mktemp("packed")
    data = load_data("folder", write_images(place / "photos"), image_size=8)
    write_shards(data, place / "shards", 2)
    return place / "shards"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (part("labels", [0, 0, 0, 2]), "it has labels that are of none of its classes"),
        (part("labels", [0, 0, 0, -1]), "it has labels other than from 0 to 999,999"),
        (part("labels", [0, 0.5, 0, 1]), "its labels are no list of counts"),
        (part("labels", "0001"), "its labels are no list"),
        (part("labels", [0, 0, 1]), "its columns differ in length"),
        (part("offsets", [0, 2, 4, 6]), "it has a picture outside of its shard"),
        (part("sizes", [10**15] * 4), "it has a picture outside of its shard"),
        (part("sizes", [10**30] * 4), "its sizes are no list of counts"),
        (part("checksums", [2**32] * 4), "its checksums are no CRC-32"),
        (part("filenames", ["../train-000000.tar"] * 2), "its filenames are no names of files"),
        (part("filenames", ["/etc/passwd"] * 2), "its filenames are no names of files"),
        (lambda info: info.pop("splits"), "it lacks splits"),
        (lambda info: info.update(splits={}), "it has no parts"),
        (lambda info: info.update(splits={"train": {}}), "it lacks filenames"),
        (lambda info: info.update(classes=3), "its classes are no list"),
        (lambda info: info.update(classes=[1, 2]), "its classes are no list of names"),
        (lambda info: info.update(image_size="x"), "its image_size is not from 1 to 10,000"),
        (lambda info: info.update(image_size=0), "its image_size is not from 1 to 10,000"),
        (lambda info: info.update(mean="abc"), "its mean is no list of 3 numbers"),
        (lambda info: info.update(mean=[0, 0, math.nan]), "its mean is no list of 3 numbers"),
        (lambda info: info.update(deviation=[0, 0, 0]), "its deviation is not above 0"),
    ],
)
def test_an_index_is_believed_in_nothing(packed, tmp_path, change, reason):
    folder = shutil.copytree(packed, tmp_path / "shards")
    info = json.loads((folder / "_info.json").read_text())
    change(info)
    (folder / "_info.json").write_text(json.dumps(info))
    told = refused(f"wds:{folder}", None)
    assert told.code == "damaged-data"
    assert told.message.startswith(f"the index of the shards is damaged: {reason}")
    assert "recform data shard NAME" in told.hint


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_an_index_that_is_no_json_is_damaged(packed, tmp_path, text):
    folder = shutil.copytree(packed, tmp_path / "shards")
    (folder / "_info.json").write_text(text)
    assert refused(f"wds:{folder}", None).message.endswith("_info.json is damaged: it is no JSON")


def test_classes_without_names_are_numbered(tmp_path, photos):
    data = load_data("folder", photos, image_size=8, limit_train=1)
    write_shards(replace(data, classes=()), tmp_path / "shards")
    assert load_data(f"wds:{tmp_path}/shards").classes == ("0", "1")


@pytest.mark.parametrize(
    ("part_name", "classes", "message"),
    [
        ("train", ["ant", "bee"], "no training image in folder can be read"),
        ("val", ["ant", "bee"], "no test image in folder can be read"),
        ("train", ["bee"], "no training image of class bee in folder can be read"),
    ],
)
def test_what_loses_all_its_pictures_is_not_packed(tmp_path, photos, part_name, classes, message):
    for name in classes:
        for path in (photos / part_name / name).iterdir():
            path.write_bytes(b"no picture")
    data = load_data("folder", photos, image_size=8)
    with pytest.raises(UserError) as caught:
        write_shards(data, tmp_path / "shards", skip_damaged=True)
    assert caught.value.diagnostics[0].message.startswith(f"{message}: {photos}/{part_name}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_a_shard_larger_than_any_number_holds_all(tmp_path, photos):
    write_shards(load_data("folder", photos, image_size=8), tmp_path / "shards", 10**30)
    assert load_data(f"wds:{tmp_path}/shards").num_train == 4


def test_a_link_to_nowhere_is_not_written_through(tmp_path, photos):
    (tmp_path / "shards").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is there already"):
        write_shards(load_data("folder", photos, image_size=8), tmp_path / "shards")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "shards"]
