"""Sets in the formats of the Hugging Face hub whose columns hold something else."""

import pytest
from PIL import Image

from recform.errors import UserError
from recform.training import inspect, load_data

datasets = pytest.importorskip("datasets")


def written(folder, images, labels, kind):
    """Both parts as parquet: an image of each file, with a label of this kind."""
    features = datasets.Features({"image": datasets.Image(), "label": kind})
    rows = {"image": images, "label": labels}
    for part in ("train", "validation"):
        made = datasets.Dataset.from_dict(rows, features=features)
        made.to_parquet(str(folder / f"{part}-00000-of-00001.parquet"))
    return folder


@pytest.fixture
def sound(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "sound.png")
    return {"bytes": (tmp_path / "sound.png").read_bytes(), "path": None}


CLASSES = datasets.ClassLabel(names=["ant", "bee"])


@pytest.mark.parametrize(
    ("labels", "kind", "code", "message"),
    [
        ([0, 1], datasets.Value("int64"), "no-data", "no classes in its column label, but int64"),
        (["a", "b"], datasets.Value("string"), "no-data", "in its column label, but string"),
        ([0, None], CLASSES, "damaged-data", "row 1 of {folder} has no class"),
        ([0, -1], CLASSES, "damaged-data", "row 1 of {folder} has no class"),
    ],
)
def test_labels_that_are_no_classes_are_told(tmp_path, sound, labels, kind, code, message):
    folder = tmp_path / "set"
    folder.mkdir()
    written(folder, [sound, sound], labels, kind)
    with pytest.raises(UserError) as caught:
        load_data(f"hf:{folder}", tmp_path / "cache", image_size=8)
    assert caught.value.code == code
    assert message.format(folder=folder) in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (None, "no picture"),
        ({"bytes": b"no picture", "path": None},
         "no image that can be read: its content is of no known kind"),
    ],
)  # fmt: skip
def test_a_row_without_a_picture_is_damaged(tmp_path, sound, row, fault):
    folder = tmp_path / "set"
    folder.mkdir()
    written(folder, [sound, row], [0, 1], CLASSES)
    report = inspect(load_data(f"hf:{folder}", tmp_path / "cache", image_size=8))
    assert report.train.damaged == (f"row 1 of {folder} is {fault}",)


def test_a_file_cut_short_is_told_in_one_line(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"image": 1}\n{"image":')
    with pytest.raises(UserError, match="cannot be had") as caught:
        load_data(f"hf:{folder}", tmp_path / "cache")
    assert "\n" not in caught.value.diagnostics[0].message
