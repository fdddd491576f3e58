"""recform export: a network in the form that other programs take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import (
    ActOption,
    AllowCodeOption,
    BackboneOption,
    ClassesOption,
    GateOption,
    ImageSizeOption,
    MatchOption,
    PretrainedOption,
    ProjectOption,
    UnitOption,
    parameters_to_match,
)
from recform.cli.output import talk
from recform.cli.user_code import find_code
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.network import FormulaNetwork
    from recform.network.exported import Exported

SubjectArgument = Annotated[
    str,
    typer.Argument(metavar="DIR|CHECKPOINT|FORMULA", show_default=False,
                   help="The folder of a run or of a saved network, a checkpoint of a run, or a "
                   "formula."),
]  # fmt: skip
FormOption = Annotated[
    str,
    typer.Option("--format", "-f", metavar="onnx|torch|torchscript|source|timm",
                 help="The form to write.",
                 show_default=False),
]  # fmt: skip
# What a formula needs to become a network, and a folder has.
CHOICES = ("backbone", "num_classes", "act", "project", "unit", "gate_reduction", "match_params",
           "pretrained")  # fmt: skip
ToOption = Annotated[
    Path, typer.Option("-o", "--output", help="The file to write; for timm a folder.")
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS|all", show_default=False,
                 help="Hand on states at stage borders instead of logits: 1,2,3,4, as timm's "
                 "features_only numbers them."),
]  # fmt: skip


def export(
    context: typer.Context,
    subject: SubjectArgument,
    form: FormOption,
    output: ToOption,
    backbone: BackboneOption = "resnet50",
    num_classes: ClassesOption = None,
    image_size: ImageSizeOption = None,
    act: ActOption = None,
    project: ProjectOption = None,
    unit: UnitOption = "sum",
    gate_reduction: GateOption = 8,
    match_params: MatchOption = None,
    pretrained: PretrainedOption = False,
    allow_code: AllowCodeOption = False,
    features: FeaturesOption = None,
) -> None:
    """Write a network for other programs.

    \b
    Example:  recform export runs/mine --format onnx -o mine.onnx
              recform export skip_resnet --backbone resnet50 --format source -o skip.py

    Of a run it is the network of its best checkpoint; of a formula a fresh one. onnx, torch
    (torch.export, .pt2) and torchscript hold it in evaluation mode, for batches of any size. source
    is readable PyTorch that runs without recform, and takes the weights that timm's folder has in
    model.safetensors. timm is that folder: timm.create_model("local-dir:DIR", pretrained=True),
    after import recform.network.
    """
    from recform.network import build, check_export
    from recform.network import export as write

    # Before minutes of work.
    check_export(output, form)
    folder = Path(subject)
    # A file may be a checkpoint of a run.
    if folder.is_dir() or (folder.is_file() and folder.suffix == ".pt"):
        _refuse_choices(context, folder)
        network, image_size = _trained(folder, image_size, allow_code)
    else:
        find_code(allow_code, subject)
        network = build(subject, backbone, num_classes, pretrained=pretrained, act=act,
                        image_size=image_size, project=project, unit=unit,
                        gate_reduction=gate_reduction, allow_code=allow_code,
                        match_params=parameters_to_match(match_params))  # fmt: skip
    write(network if features is None else _extractor(network, features), output, form, image_size)
    talk(f"wrote {output}")


def _refuse_choices(context: typer.Context, folder: Path) -> None:
    """Raise UserError `bad-argument` for choices that a folder has made already."""
    sources = {name: context.get_parameter_source(name) for name in CHOICES}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        told = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UserError("bad-argument", f"{folder} holds a network, and {told} would build another",
                        f"leave out {told}, or give a formula instead of {folder}")  # fmt: skip


def _extractor(network: FormulaNetwork, features: str) -> Exported:
    """The network as an extractor of the features that were asked for."""
    from recform.network import feature_extractor

    if features == "all":
        return feature_extractor(network)
    try:
        numbers = [int(number) for number in features.split(",")]
    except ValueError:
        raise UserError("bad-argument", f"`{features}` is no list of numbers",
                        "--features 1,2,3,4, or --features all") from None  # fmt: skip
    return feature_extractor(network, numbers)


def _trained(
    folder: Path, image_size: int | None, allow_code: bool
) -> tuple[FormulaNetwork, int | None]:
    """The network in a folder with its weights, and the side of the images it was trained on."""
    from recform.cli.weights import load_weights

    network, trained_on = load_weights(folder, allow_code)
    return network, image_size or (trained_on.image_size if trained_on is not None else None)
