"""recform probe: a network measured against its formula's paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import AllowCodeOption, FormulaArgument, JsonOption
from recform.cli.output import print_json, talk
from recform.cli.place import picture_place
from recform.cli.probe_tables import lesion_tables, path_table
from recform.cli.subject import BACKBONE, DATA, NO_LESIONS, Subject, WantedData, choose

if TYPE_CHECKING:
    from recform.probe import LesionStudy, PathStudy

BackboneOption = Annotated[
    str | None,
    typer.Option("--backbone", "-b", help=f"That of the weights by default, else {BACKBONE}.",
                 show_default=False),
]  # fmt: skip
WeightsOption = Annotated[
    Path | None,
    typer.Option(help="Folder of `recform train` or `recform build -o`; without, the network is "
                 "fresh.", show_default=False),
]  # fmt: skip
DataOption = Annotated[
    str | None,
    typer.Option(help=f"Data set; what the weights were trained on by default, else {DATA}.",
                 show_default=False),
]  # fmt: skip
ImagesOption = Annotated[int, typer.Option(min=1, help="Test images whose gradients are measured.")]
SamplesOption = Annotated[
    int, typer.Option(min=1, help="Paths of each length that are measured, at most.")
]
SetsOption = Annotated[
    int, typer.Option(min=1, help="Random sets of each number of dropped blocks, at most.")
]
PictureOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="Draw it too: .png, .svg or .pdf.",
        show_default=False,
        callback=picture_place,
    ),
]


def probe(
    formula: FormulaArgument,
    backbone: BackboneOption = None,
    weights: WeightsOption = None,
    data: DataOption = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the data lies.", show_default=False)
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Side of an image in pixels; by default the data's own.", show_default=False
        ),
    ] = None,
    images: ImagesOption = 32,
    samples: SamplesOption = 30,
    sets: SetsOption = 5,
    limit_test: Annotated[
        int, typer.Option(min=1, help="Test images of the lesion study, at most.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Of the fresh weights, the paths and sets.")] = 0,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
    output: PictureOption = None,
) -> None:
    """Measure a network's gradients by path length, and what it loses with some of its blocks.

    \b
    Example:  recform probe resnet --backbone resnet20_cifar

    After Veit et al. (2016). Paths are drawn uniformly among those of a length; the gradient that
    flows along one path alone is measured, and compared with how many there are. Blocks are
    dropped one by one and in random sets, and loss and error measured on the test images: this
    needs --weights. With --json: one object with formula, backbone, depth, weights, data, seed,
    mode, images, gradient, lengths, lesions (or null and lesions_reason) and notes.
    """
    from recform.probe import study_lesions, study_paths

    wanted = WantedData(data, data_dir, image_size, limit_test)
    subject = choose(formula, backbone, weights, wanted, images, seed, allow_code)
    network, batch = subject.network, subject.batch
    few = batch[0][:images], batch[1][:images]
    paths = study_paths(network, *few, samples=samples, seed=seed)
    lesions = None
    if weights is not None:
        lesions = study_lesions(network, *batch, num_sets=sets, seed=seed)
    if as_json:
        print_json(_to_json(subject, seed, paths, lesions))
    else:
        _print(subject, paths, lesions)
    if output is not None:
        _draw(subject, paths, lesions, output)


def _to_json(
    subject: Subject, seed: int, paths: PathStudy, lesions: LesionStudy | None
) -> dict[str, object]:
    architecture = subject.network.architecture
    return {
        "formula": str(architecture.formula),
        "backbone": subject.backbone,
        "depth": architecture.num_blocks,
        "weights": None if subject.weights is None else str(subject.weights),
        "data": subject.data,
        "seed": seed,
        "mode": "eval",
        "images": paths.num_images,
        "gradient": paths.gradient,
        "lengths": [row.to_json() for row in paths.lengths],
        "lesions": None if lesions is None else lesions.to_json(),
        "lesions_reason": NO_LESIONS if lesions is None else None,
        "notes": list(subject.notes),
    }


def _print(subject: Subject, paths: PathStudy, lesions: LesionStudy | None) -> None:
    origin = "fresh" if subject.weights is None else f"weights of {subject.weights}"
    print(f"{subject.network.architecture.formula}\non {subject.backbone}, {origin}\n")
    print(f"Gradient of the loss by x[0], along single paths: {paths.num_images} test images of "
          f"{subject.data}\n")  # fmt: skip
    print(path_table(paths))
    if lesions is not None:
        print(f"\nBlocks dropped: {lesions.num_images} test images of {subject.data}\n")
        print(lesion_tables(lesions))
    for note in subject.notes:
        talk(f"note: {note}")


def _draw(subject: Subject, paths: PathStudy, lesions: LesionStudy | None, output: Path) -> None:
    from recform.pictures import save
    from recform.pictures.probes import probe as draw

    architecture = subject.network.architecture
    name = architecture.formula.title or str(architecture.formula)
    save(draw(paths, lesions, f"{name}\non {subject.backbone}, {subject.data}"), output)
    talk(f"wrote {output}")
