"""recform build: a formula on a real backbone, and what it costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import ActOption, BackboneOption, FormulaArgument, JsonOption
from recform.cli.output import print_json, table, talk

if TYPE_CHECKING:
    from recform.network import FormulaNetwork, Size


def build(
    formula: FormulaArgument,
    backbone: BackboneOption = "resnet50",
    num_classes: Annotated[
        int | None, typer.Option(help="Classes; by default the backbone's own.", show_default=False)
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of an image in pixels, for the costs.", show_default=False),
    ] = None,
    act: ActOption = None,
    project: Annotated[
        str | None,
        typer.Option(help="How older values pass a stage border: by default conv for images, "
                     "pool-conv for channels last and tokens.", metavar="conv|pad|pool-conv",
                     show_default=False),
    ] = None,
    unit: Annotated[
        str,
        typer.Option(help="Attention and MLP as units of their own (sum), or together (block).",
                     metavar="sum|block"),
    ] = "sum",
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Start from timm's published weights.")
    ] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Run Python code that the formula names.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the network into this folder.",
                     show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Build the network of a formula on a backbone and print its size beside the plain backbone's.

    \b
    Example:  recform build resnet_s_net --backbone resnet50 --num-classes 100

    With -o DIR the weights (safetensors), the formula and the backbone are written to a folder that
    recform.load_network(DIR) reads. With --json: one object with params, baseline_params, macs,
    baseline_macs, blocks, projections (numbers), and more.
    """
    from recform.network import build as make
    from recform.network import save_network, size

    # A module beside the formula is found, as a script's neighbours are.
    sys.path[:0] = [""] if allow_code else []
    network = make(formula, backbone, num_classes, pretrained=pretrained, act=act,
                   image_size=image_size, project=project, unit=unit,
                   allow_code=allow_code)  # fmt: skip
    sizes = size(network, image_size)
    if as_json:
        print_json(_to_json(network, sizes))
    else:
        _print(network, sizes)
    if output is not None:
        save_network(network, output)
        talk(f"wrote {output}")


def _to_json(network: FormulaNetwork, sizes: Size) -> dict[str, object]:
    architecture = network.architecture
    assert architecture.spec is not None, "the command line names the backbone"
    return {
        "formula": str(architecture.formula),
        "backbone": architecture.spec.name,
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
    assert sizes.baseline_params is not None, "the command line names the backbone"
    assert sizes.baseline_macs is not None, "the command line names the backbone"
    side = f"{sizes.image_size[1]}x{sizes.image_size[2]}"
    print(f"{architecture.formula}\n")
    print(table(
        ("", "by the formula", architecture.spec.name, "difference"),
        (
            ("parameters", *_beside(sizes.params, sizes.baseline_params)),
            (f"MACs at {side}", *_beside(sizes.macs, sizes.baseline_macs)),
        ),
    ))  # fmt: skip
    print(f"\n{sizes.blocks} blocks, {sizes.projections} projections of older values "
          f"({sizes.projection_params:,} parameters)")  # fmt: skip
    for name in architecture.projections:
        print(f"  {name}")
    print(f"{architecture.coverage:.0%} of the backbone's parameters lie in branches and shortcuts")
    removed = [path for path in architecture.removed if not path.rsplit(".")[-1].startswith("act")]
    if removed:
        print(f"not built, since nothing reads it: {', '.join(removed)}")
    for note in architecture.notes:
        talk(f"note: {note}")


def _beside(count: int, baseline: int) -> tuple[str, str, str]:
    return f"{count:,}", f"{baseline:,}", f"{count - baseline:+,}"
