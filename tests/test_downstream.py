"""Detection and segmentation under networks by formulas: one epoch on a few drawn images."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parents[1] / "examples" / "downstream"
SIDE = 64


def run(script: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.syspath_prepend(str(FOLDER))
    runpy.run_path(str(FOLDER / script), run_name="__main__")


def rectangle(number: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A bright rectangle on grey noise, and where it lies: left, top, width, height."""
    random = np.random.default_rng(number)
    picture = random.integers(90, 130, (SIDE, SIDE, 3), dtype=np.uint8)
    left, top = (int(place) for place in random.integers(4, 24, 2))
    width, height = (int(size) for size in random.integers(20, 36, 2))
    picture[top : top + height, left : left + width] = (250, 20, 20 + 40 * (number % 2))
    return picture, (left, top, width, height)


def write_coco(folder: Path, count: int) -> Path:
    images, annotations = [], []
    for number in range(1, count + 1):
        picture, (left, top, width, height) = rectangle(number)
        name = f"{number:012d}.jpg"
        Image.fromarray(picture).save(folder / name)
        images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        corners = [left, top, left + width, top, left + width, top + height, left, top + height]
        annotations.append({"id": number, "image_id": number, "category_id": 1 + number % 2,
                            "bbox": [left, top, width, height], "area": width * height,
                            "iscrowd": 0, "segmentation": [corners]})  # fmt: skip
    categories = [{"id": 1, "name": "red"}, {"id": 2, "name": "pink"}]
    path = folder / "instances.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations,
                                "categories": categories}))  # fmt: skip
    return path


def write_ade(folder: Path, count: int) -> None:
    for part in ("training", "validation"):
        for kind in ("images", "annotations"):
            (folder / kind / part).mkdir(parents=True)
        for number in range(count):
            picture, (left, top, width, height) = rectangle(number)
            labels = np.zeros((SIDE, SIDE), dtype=np.uint8)
            labels[top : top + height, left : left + width] = 1 + number % 2
            name = f"ADE_{part}_{number:08d}"
            Image.fromarray(picture).save(folder / "images" / part / f"{name}.jpg")
            Image.fromarray(labels).save(folder / "annotations" / part / f"{name}.png")


def test_a_detector_takes_steps_on_data_in_cocos_layout(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pycocotools")
    annotations = str(write_coco(tmp_path, 4))
    where = ["--images", str(tmp_path), "--annotations", annotations]
    kept = ["--test-images", str(tmp_path), "--test-annotations", annotations]
    run("detection.py", ["resnet_s_net", "--backbone", "resnet18", *where, *kept, "--image-size",
                         "64", "--epochs", "1", "--workers", "0"], monkeypatch)  # fmt: skip
    said = capsys.readouterr().out
    assert "epoch 1  loss " in said
    assert "nothing found" in said or "IoU=0.50:0.95" in said


def test_a_segmenter_takes_steps_on_data_in_ade20ks_layout(tmp_path, monkeypatch, capsys):
    pytest.importorskip("segmentation_models_pytorch")
    write_ade(tmp_path, 4)
    arguments = ["--data", str(tmp_path), "--classes", "2", "--image-size", "64", "--batch-size",
                 "4", "--epochs", "8", "--workers", "0", "-o", str(tmp_path / "w.pt")]  # fmt: skip
    run("segmentation.py", ["skip_resnet", "--backbone", "resnet18", *arguments], monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    losses = [float(line.split()[3]) for line in lines if line.startswith("epoch")]
    assert min(losses[-3:]) < losses[0]
    assert lines[-1].startswith("mean IoU")
    assert (tmp_path / "w.pt").exists()


@pytest.mark.parametrize(
    ("backbone", "side", "told"),
    [
        ("vit_tiny_patch16_224", 800, "does(n't| not)"),
        ("vit_tiny_patch16_224", 224, "states at strides 16; this needs 4, 8, 16, 32"),
        ("swin_tiny_patch4_window7_224", 224, "takes images of one size only"),
    ],
)
def test_a_backbone_that_makes_no_pyramid_is_told_with_those_that_do(
    tmp_path, monkeypatch, backbone, side, told
):
    pytest.importorskip("pycocotools")
    where = ["--images", str(tmp_path), "--annotations", str(write_coco(tmp_path, 1))]
    arguments = ["resnet", "--backbone", backbone, "--image-size", str(side), *where]
    with pytest.raises(SystemExit, match=told) as stop:
        run("detection.py", arguments, monkeypatch)
    assert "convolutional backbones with four stages work" in str(stop.value)


def test_data_that_is_not_there_is_told_before_anything_is_built(tmp_path, monkeypatch):
    pytest.importorskip("pycocotools")
    where = ["--images", str(tmp_path), "--annotations", str(tmp_path / "none.json")]
    with pytest.raises(SystemExit, match=r"there is no .*none\.json"):
        run("detection.py", ["resnet", *where], monkeypatch)
