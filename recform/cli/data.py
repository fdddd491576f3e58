"""recform data: what can be trained on, and whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import counted, print_json, table, talk
from recform.cli.train import CacheOption, DataDirOption, LimitOption, SideOption
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.training import DataReport, PartReport

NameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A data set: digits, cifar10, folder, hf:OWNER/NAME, "
                   "wds:FOLDER, ...; see recform data list.", show_default=False),
]  # fmt: skip

data = typer.Typer(
    help="List the data sets, and look one over before hours are spent on it.\n\n\b\n"
    "Example:  recform data check folder --data-dir photos",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@data.command("list")
def list_sets() -> None:
    """List the data sets, each with the recipe that goes with it.

    \b
    Example:  recform data list
    """
    from recform.training import DATA_SETS

    print(table(
        ("name", "recipe", "what"),
        [(name, source.recipe().name, source.title) for name, source in DATA_SETS.items()],
    ))  # fmt: skip


@data.command()
def check(
    name: NameArgument,
    data_dir: DataDirOption = None,
    cache_gb: CacheOption = None,
    image_size: SideOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every image of a data set: counts, classes, pixels, damaged files.

    \b
    Example:  recform data check folder --data-dir photos

    Exits with 1 where an image is damaged or a class has none.
    """
    from recform.training import inspect, load_data

    images = load_data(name, data_dir, image_size=image_size, cache_gb=cache_gb)
    report = inspect(images)
    if as_json:
        print_json({"num_classes": images.num_classes, "image_size": images.image_size,
                    **asdict(report)})  # fmt: skip
    else:
        side = images.image_size
        classes = counted(images.num_classes, "class", "classes")
        print(f"{name}: {classes}, images of {side} x {side} pixels\n")
        _print(report)
    _raise_faults(name, report)


@data.command()
def shard(
    name: NameArgument,
    out: Annotated[
        Path, typer.Option(help="The folder to write, which must be new.", show_default=False)
    ],
    size: Annotated[int, typer.Option(help="Pictures in a shard.")] = 1000,
    data_dir: DataDirOption = None,
    limit_train: LimitOption = None,
    limit_test: LimitOption = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave out pictures that cannot be read.")
    ] = False,
) -> None:
    """Write a data set as WebDataset shards: tar files, and an index of what is in them.

    \b
    Example:  recform data shard folder --data-dir photos --out shards --size 1000
              recform train resnet -b resnet50 --data wds:shards

    Files stay byte for byte what they are, and each is read before. The folder appears
    when all of it is written.
    """
    from recform.training import load_data, write_shards

    images = load_data(name, data_dir, limit_train=limit_train, limit_test=limit_test)
    index = write_shards(images, out, size, talk, skip_damaged)
    counts = ", ".join(
        f"{counted(part['num_samples'], 'picture')} to {what} in "
        f"{counted(len(part['filenames']), 'shard')}"
        for what, part in zip(("train", "test"), index["splits"].values(), strict=False)
    )
    print(f"{out}: {counted(len(images.classes), 'class', 'classes')}; {counts}")


def _print(report: DataReport) -> None:
    header = ("part", "images", "a class has", "mean", "deviation", "damaged")
    print(table(header, [_row("train", report.train), _row("test", report.test)]))
    if report.num_shared:
        print(f"\n{report.num_shared:,} of the test images are training images too")
    if report.passed_over:
        words = {"": "without an ending", ".": "hidden"}
        kinds = ", ".join(f"{number:,} {words.get(suffix, suffix)}"
                          for suffix, number in report.passed_over.items())  # fmt: skip
        files = counted(sum(report.passed_over.values()), "file")
        print(f"\n{files} beside the images, passed over for their names: {kinds}")


def _row(name: str, part: PartReport) -> tuple[str, ...]:
    return (
        name,
        f"{part.num_images:,}",
        f"{part.smallest_class:,} to {part.largest_class:,}",
        f"{part.mean:.4f}",
        f"{part.deviation:.4f}",
        f"{len(part.damaged):,}",
    )


def _raise_faults(name: str, report: DataReport) -> None:
    from recform.training import damage

    if report.damaged:
        raise damage(name, report.damaged, "get these files anew, or remove them")
    for part, found in (("training", report.train), ("test", report.test)):
        # What is there to judge by alone has no training part.
        if found.num_images and found.empty_classes:
            raise UserError("damaged-data", f"{name} has no {part} image of class "
                            f"{found.empty_classes[0]}",
                            "get the missing images, or remove the class")  # fmt: skip
