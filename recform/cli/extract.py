"""recform extract: what a trained network sees in images, as arrays for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import AllowCodeOption
from recform.cli.evaluate import (
    AnyTrainedArgument,
    BatchOption,
    OwnDataOption,
    TestCropOption,
    asked_for,
)
from recform.cli.output import talk
from recform.cli.train import CacheOption, DataDirOption, DeviceOption, LimitOption, SideOption

FeaturesOption = Annotated[
    Path, typer.Option("-o", "--output", help="The file to write, .npz.", show_default=False)
]
LayerOption = Annotated[
    str, typer.Option(metavar="pooled|stages", help="What the classifier reads, or each stage.")
]
PartOption = Annotated[
    str | None,
    typer.Option(metavar="train|test", help="One part; both, if left out.", show_default=False),
]


def extract(
    trained: AnyTrainedArgument,
    output: FeaturesOption,
    data: OwnDataOption = None,
    data_dir: DataDirOption = None,
    cache_gb: CacheOption = None,
    layer: LayerOption = "pooled",
    part: PartOption = None,
    image_size: SideOption = None,
    test_crop: TestCropOption = None,
    batch_size: BatchOption = 128,
    limit_train: LimitOption = None,
    limit_test: LimitOption = None,
    device: DeviceOption = "auto",
    allow_code: AllowCodeOption = False,
) -> None:
    """Write a network's features of a data set's images, with labels and class names.

    \b
    Example:  recform extract runs/demo/digits -o features.npz
              recform extract resnet50 --data folder --data-dir photos -o features.npz

    The file holds NumPy arrays: features (or stage_0, stage_1, ...), labels, part and classes.
    Images are not augmented. Of a run the best checkpoint is taken.
    """
    from recform.training import check_features_file, load_data, save_features
    from recform.training import extract as features_of

    # Before minutes of work.
    check_features_file(output)
    asked = asked_for(trained, data, data_dir, test_crop, allow_code)
    side = asked.image_size if image_size is None else image_size
    images = load_data(asked.data, asked.directory, image_size=side,
                       limit_train=limit_train, limit_test=limit_test,
                       cache_gb=cache_gb)  # fmt: skip
    arrays = features_of(
        asked.network,
        asked.as_it_sees(images),
        layer=layer,
        parts=("train", "test") if part is None else (part,),
        device=device,
        batch_size=batch_size,
        test_crop=asked.test_crop,
    )
    save_features(arrays, output)
    shapes = ", ".join(f"{name} {' x '.join(map(str, array.shape))}"
                       for name, array in arrays.items())  # fmt: skip
    talk(f"wrote {output}: {shapes}")
