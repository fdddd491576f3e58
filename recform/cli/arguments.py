"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.place import picture_place

FormulaArgument = Annotated[
    str,
    typer.Argument(
        metavar="FORMULA",
        help="Text with an equals sign, a .rf file, or an example's name.",
        show_default=False,
    ),
]
FormulasArgument = Annotated[
    list[str],
    typer.Argument(metavar="FORMULA", help="One or more: text with an equals sign, a .rf file, or "
                   "an example's name.", show_default=False),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout.")]
DepthOption = Annotated[int, typer.Option("--depth", "-d", help="Number of blocks, L.")]
StartOption = Annotated[int, typer.Option(help="l0: paths from x[L] back to x[l0].")]
BackboneOption = Annotated[
    str, typer.Option("--backbone", "-b", help="A timm model, or one of recform's CIFAR nets.")
]
ActOption = Annotated[
    str | None,
    typer.Option(help="Put act into a formula without: around x[l] + F(x[l]) (sum), or the right "
                 "side (end).", metavar="sum|end", show_default=False),
]  # fmt: skip
OutOption = Annotated[
    Path,
    typer.Option("-o", "--output", help="The file to write: .png, .svg or .pdf.",
                 callback=picture_place),
]  # fmt: skip
# What `build`, `export` and `train` make a network with.
ClassesOption = Annotated[
    int | None, typer.Option(help="Classes; by default the backbone's own.", show_default=False)
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(help="Side of an image in pixels; by default the backbone's own.",
                 show_default=False),
]  # fmt: skip
ProjectOption = Annotated[
    str | None,
    typer.Option(help="How older values pass a stage border: by default conv for images, pool-conv "
                 "for channels last and tokens.", metavar="conv|pad|pool-conv",
                 show_default=False),
]  # fmt: skip
UnitOption = Annotated[
    str,
    typer.Option(help="Attention and MLP as units of their own (sum), or together (block).",
                 metavar="sum|block"),
]  # fmt: skip
GateOption = Annotated[
    int,
    typer.Option(help="What a gate divides the channels by, between its two maps; SkipResNet's "
                 "ResNet-110 has 2."),
]  # fmt: skip
PretrainedOption = Annotated[
    bool, typer.Option("--pretrained", help="Start from timm's published weights.")
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", show_default=False,
                 help="Start from the plain backbone's weights in this file (.safetensors, .pth)."),
]  # fmt: skip
AllowCodeOption = Annotated[
    bool, typer.Option("--allow-code", help="Run Python code that the formula names.")
]
MatchOption = Annotated[
    str | None,
    typer.Option(metavar="backbone|NUMBER", show_default=False,
                 help="Narrow or widen the backbone until the network has the plain backbone's "
                 "parameters, or so many."),
]  # fmt: skip


def parameters_to_match(text: str | None) -> str | int | None:
    """The number that was typed: 1000000, 1_000_000 or 1,000,000; other words as they are."""
    digits = "" if text is None else text.replace(",", "").replace("_", "")
    return int(digits) if digits.isdecimal() else text
