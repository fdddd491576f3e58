"""recform backbones: which models a formula can be built on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json, table, talk

if TYPE_CHECKING:
    from recform.network import Description


def backbones(
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="PATTERN", help="A name, or a pattern with * and ?.",
                       show_default=False),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option("--check", metavar="NAME", help="Test the identity law on this backbone.",
                     show_default=False),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of an image in pixels; by default the backbone's own.",
                     show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List backbones, with their residual units, stages and coverage; or the named nets.

    \b
    Example:  recform backbones 'convnext_*'
              recform backbones 'recform_*'

    Without PATTERN: the families, at once. With one: each match is taken apart, about a second
    each, and printed as it is done; `in F and S` is the share of its parameters in branches and
    shortcuts. 'recform_*' lists the named nets instead: formulas on backbones, which timm knows by
    these names once recform.network is imported. --check builds one backbone by its own formula,
    x[l+1] = act(x[l] + F(x[l])), and compares it with itself bit for bit. With --json: one list of
    objects, or one object.
    """
    if check is not None:
        _check(check, image_size, as_json)
    elif pattern is None:
        _list_families(as_json)
    elif pattern.startswith("recform_"):
        _list_named(pattern, as_json)
    else:
        _list_matches(pattern, image_size, as_json)


def _check(name: str, image_size: int | None, as_json: bool) -> None:
    from dataclasses import asdict

    from recform.network import check_identity

    found = check_identity(name, image_size)
    if as_json:
        print_json({**asdict(found), "holds": found.holds})
    elif found.holds:
        side = f"{found.image_size[1]}x{found.image_size[2]}"
        print(f"{name} is its own formula to the last bit: {found.num_units} units, at {side};\n"
              "output, gradients, buffers and keys; in training and evaluation; "
              "weights as made and perturbed")  # fmt: skip
    else:
        print(f"{name} by its own formula is another network: " + "; ".join(found.differences))
    if not found.holds:
        raise typer.Exit(1)


def _list_families(as_json: bool) -> None:
    from dataclasses import asdict

    from recform.network import families

    found = families()
    if as_json:
        print_json([asdict(family) for family in found])
        return
    rows = [(family.name, str(family.num_models), family.example) for family in found]
    print(table(("family", "models", "for example"), rows))
    talk("take some apart: recform backbones 'convnext_*'")
    talk("the named nets: recform backbones 'recform_*'")


def _list_named(pattern: str, as_json: bool) -> None:
    from recform.network import find_named_nets

    found = find_named_nets(pattern)
    if as_json:
        print_json([net.to_json() for net in found])
        return
    width = max(len(net.name) for net in found)
    print(
        f"{'named net'.ljust(width)}   parameters  formula on backbone, and where it was published"
    )
    for net in found:
        what = f"{net.formula} on {net.backbone}"
        told = f"{what}: {net.published_as}" if net.published_as else what
        print(f"{net.name.ljust(width)}  {net.params:11,}  {told}")


def _list_matches(pattern: str, image_size: int | None, as_json: bool) -> None:
    from recform.network import describe, find_backbones

    names = find_backbones(pattern)
    width = max(len(name) for name in names)
    found = []
    for name in names:
        found.append(describe(name, image_size))
        if not as_json and len(found) == 1:
            print(f"{'backbone'.ljust(width)}  units  in F and S  stages: units x shape")
        if not as_json:
            print(_row(found[-1], width))
            sys.stdout.flush()
    if as_json:
        print_json([description.to_json() for description in found])


def _row(description: Description, width: int) -> str:
    name = description.backbone.ljust(width)
    if description.refusal:
        return f"{name}      -           -  {description.refusal}"
    stages = "  ".join(f"{stage.num_units} x {stage.shape}" for stage in description.stages)
    return f"{name}  {description.num_units:5}  {description.coverage:10.0%}  {stages}"
