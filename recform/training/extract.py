"""What a network sees in images: its features, as arrays for other programs.

features  N D  the pooled features that the classifier reads; or one array a stage
labels    N    the class of each image
part      N    "train" or "test"
classes   K    the names of the classes
"""

# B batch, C channels, D features, N images, S side of an image

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recform.errors import UserError
from recform.training.batches import EvaluationBatches, load, normalized
from recform.training.dataset import DataSet
from recform.training.device import Device, pick_device
from recform.writing import check_writable, write_beside

LAYERS = ("pooled", "stages")
PARTS = ("train", "test")


@torch.no_grad()
def extract(
    model: nn.Module,
    data: DataSet,
    *,
    layer: str = "pooled",
    parts: Sequence[str] = PARTS,
    device: str = "auto",
    batch_size: int = 128,
    test_crop: float = 1.0,
) -> dict[str, np.ndarray]:
    """The features of these parts of a data set, float32, in evaluation mode and not augmented.

    `layer` is "pooled", or "stages": the mean over places of what each stage hands on, as
    stage_0, stage_1, ..., counted as timm's forward_intermediates does.

    Raises UserError `bad-argument`, `no-data`, `damaged-data`.
    """
    for name, chosen, known in (("layer", [layer], LAYERS), ("part", parts, PARTS)):
        strange = [each for each in chosen if each not in known]
        if strange:
            raise UserError("bad-argument", f"there is no {name} {strange[0]}",
                            f"--{name} {known[0]}; there are {', '.join(known)}")  # fmt: skip
    place = pick_device(device)
    model.eval().to(place.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    look = _pooled(model) if layer == "pooled" else _stages(model)
    found: list[Mapping[str, np.ndarray]] = []
    for part in parts:
        images = data.train if part == "train" else data.test
        cut = images.middle(test_crop).to(place.place)
        found += [
            {**seen, "part": np.full(len(seen["labels"]), part)}
            for seen in _seen(look, cut, data, place, batch_size)
        ]
    if not found:
        raise UserError("no-data", f"{data.name} has no images in the part {' or '.join(parts)}",
                        "--part test")  # fmt: skip
    arrays = {name: np.concatenate([seen[name] for seen in found]) for name in found[0]}
    return {**arrays, "classes": np.array(data.classes)}


def check_features_file(path: Path) -> None:
    """Before minutes of work: raises UserError `bad-argument` for another name than one of .npz,
    and `unwritable`.
    """
    if path.suffix != ".npz":
        named = path.with_suffix(".npz") if path.name else "features.npz"
        raise UserError("bad-argument", f"features are written as .npz, not as {path.name or path}",
                        f"-o {named}")  # fmt: skip
    if path.is_dir():
        raise UserError("unwritable", f"{path} is a folder", f"-o {path / 'features.npz'}")
    check_writable(path)


def save_features(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Writes them as .npz, whole or not at all. Raises UserError `bad-argument`, `unwritable`."""
    check_features_file(path)
    write_beside(path, lambda part: np.savez(part, allow_pickle=False, **arrays))


Look = Callable[[Tensor], Mapping[str, Tensor]]


def _seen(look: Look, images: Any, data: DataSet, device: Device, batch_size: int) -> Any:
    for images_BCSS, labels_B in load(EvaluationBatches(images, batch_size), device):
        if len(labels_B):
            values = look(normalized(images_BCSS, replace(data, test=images)))
            seen = {name: value.float().cpu().numpy() for name, value in values.items()}
            yield {**seen, "labels": labels_B.cpu().numpy()}


def _pooled(model: nn.Module) -> Look:
    features, head = (getattr(model, name, None) for name in ("forward_features", "forward_head"))
    if features is None or head is None:
        raise UserError("bad-argument", f"{type(model).__name__} has no features apart from its "
                        "classes", "name a network on a timm model")  # fmt: skip
    return lambda images_BCSS: {"features": head(features(images_BCSS), pre_logits=True)}


def _stages(model: nn.Module) -> Look:
    intermediates = getattr(model, "forward_intermediates", None)
    if intermediates is None:
        raise UserError("bad-argument", f"{type(model).__name__} does not hand out its stages",
                        "--layer pooled")  # fmt: skip

    def look(images_BCSS: Tensor) -> Mapping[str, Tensor]:
        stages = intermediates(images_BCSS, intermediates_only=True, output_fmt="NCHW")
        return {f"stage_{number}": stage.mean((2, 3)) for number, stage in enumerate(stages)}

    return look
