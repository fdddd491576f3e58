"""recform build: a formula on a real backbone, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import (
    ActOption,
    AllowCodeOption,
    BackboneOption,
    ClassesOption,
    FormulaArgument,
    GateOption,
    ImageSizeOption,
    JsonOption,
    MatchOption,
    PretrainedOption,
    ProjectOption,
    UnitOption,
    WeightsOption,
    parameters_to_match,
)
from recform.cli.output import print_json, table, talk
from recform.cli.place import check_place
from recform.cli.user_code import find_code

if TYPE_CHECKING:
    from recform.network import FormulaNetwork, Size


OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write the network into this folder.", show_default=False),
]
SourceOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False,
                 help="Write the network into this file as PyTorch that runs without recform."),
]  # fmt: skip


def build(
    formula: FormulaArgument,
    backbone: BackboneOption = "resnet50",
    num_classes: ClassesOption = None,
    image_size: ImageSizeOption = None,
    act: ActOption = None,
    project: ProjectOption = None,
    unit: UnitOption = "sum",
    gate_reduction: GateOption = 8,
    match_params: MatchOption = None,
    pretrained: PretrainedOption = False,
    weights: WeightsOption = None,
    allow_code: AllowCodeOption = False,
    output: OutputOption = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the network of a formula on a backbone and print its size beside the plain backbone's.

    \b
    Example:  recform build resnet_s_net --backbone resnet50 --num-classes 100

    Multiply-accumulates (MACs) and the bytes that training keeps for the backward pass are those of
    one image. With -o DIR the weights (safetensors), the formula and the backbone are written to a
    folder that recform.load_network(DIR) reads. With --json: one object with params, macs and
    activation_bytes, each with its baseline_ and its ratio, stages, blocks, projections (numbers),
    and more.
    """
    from recform.network import build as make
    from recform.network import check_export, save_network, size, write_source

    # Before minutes of work.
    if source is not None:
        check_export(source, "source")
    if output is not None:
        check_place(output / "network.json")
    find_code(allow_code, formula)
    network = make(formula, backbone, num_classes, pretrained=pretrained, act=act,
                   image_size=image_size, project=project, unit=unit,
                   gate_reduction=gate_reduction, allow_code=allow_code,
                   match_params=parameters_to_match(match_params), weights=weights)  # fmt: skip
    sizes = size(network, image_size)
    if as_json:
        print_json(_to_json(network, sizes))
    else:
        _print(network, sizes)
    if output is not None:
        save_network(network, output)
        talk(f"wrote {output}")
    if source is not None:
        write_source(network, source, image_size)
        talk(f"wrote {source}")


def _to_json(network: FormulaNetwork, sizes: Size) -> dict[str, object]:
    architecture = network.architecture
    assert architecture.spec is not None, "the command line names the backbone"
    return {
        "formula": str(architecture.formula),
        "backbone": architecture.spec.name,
        "matched": dict(architecture.spec.matched),
        **sizes.to_json(),
        "projection_names": list(architecture.projections),
        "removed": list(architecture.removed),
        "plain_borders": list(architecture.plain_borders),
        "notes": list(architecture.notes),
        "coverage": architecture.coverage,
    }


def _print(network: FormulaNetwork, sizes: Size) -> None:
    architecture = network.architecture
    assert architecture.spec is not None, "the command line names the backbone"
    print(f"{architecture.formula}\n")
    print(table(("", "by the formula", architecture.spec.name, "difference", "ratio"),
                list(_beside_the_plain(sizes))))  # fmt: skip
    if architecture.spec.matched:
        widths = ", ".join(f"{name}={value}" for name, value in architecture.spec.matched)
        print(f"\nthe backbone by the formula has {widths}")
    print(f"\n{_counted(sizes.blocks, 'unit')} in {_counted(len(sizes.stages), 'stage')}: "
          + ", ".join(f"{stage.num_units} x {stage.shape}" for stage in sizes.stages))  # fmt: skip
    print(f"{_counted(sizes.projections, 'projection')} of older values "
          f"({sizes.projection_params:,} parameters)")  # fmt: skip
    for name in architecture.projections:
        print(f"  {name}")
    print(f"{architecture.coverage:.0%} of the backbone's parameters lie in branches and shortcuts")
    removed = [path for path in architecture.removed if not path.rsplit(".")[-1].startswith("act")]
    if removed:
        print(f"not built, since nothing reads it: {', '.join(removed)}")
    for note in architecture.notes:
        talk(f"note: {note}")


def _beside_the_plain(sizes: Size) -> Iterator[tuple[str, ...]]:
    """Rows of the table: what is counted, the two counts, their difference and ratio."""
    side = f"{sizes.image_size[1]}x{sizes.image_size[2]}"
    for name, count, plain, ratio in (
        ("parameters", sizes.params, sizes.baseline_params, sizes.params_ratio),
        (f"MACs at {side}", sizes.macs, sizes.baseline_macs, sizes.macs_ratio),
        ("bytes kept for backward", sizes.activation_bytes, sizes.baseline_activation_bytes,
         sizes.activation_ratio),
    ):  # fmt: skip
        assert plain is not None, "the command line names the backbone"
        shown = "-" if ratio is None else f"{ratio:.3f}"
        yield name, f"{count:,}", f"{plain:,}", f"{count - plain:+,}", shown


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
