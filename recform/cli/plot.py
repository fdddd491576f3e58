"""recform plot: pictures of formulas and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import DepthOption, FormulasArgument, OutOption, StartOption
from recform.cli.output import talk

plot = typer.Typer(
    help="Draw a formula's paths, wiring and growth, or the curves of training runs.\n\n\b\n"
    "Example:  recform plot histogram resnet resnet_s --depth 12 -o paths.png",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="RUN", help="One or more folders of `recform train`.",
                   show_default=False),
]  # fmt: skip
RunArgument = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Folder of `recform train`.", show_default=False),
]


@plot.command()
def histogram(
    formulas: FormulasArgument,
    output: OutOption,
    depth: DepthOption = 16,
    depths: Annotated[
        str | None,
        typer.Option(help="Several depths beside each other, such as 4,8,16.", show_default=False),
    ] = None,
    start: StartOption = 0,
    scale: Annotated[
        str, typer.Option(metavar="auto|linear|log", help="The axis of counts.")
    ] = "auto",
) -> None:
    """Draw the paths of one or more formulas by length.

    \b
    Example:  recform plot histogram resnet resnet_s --depth 12 -o paths.png
    """
    from recform.paths import analyze, notes_of
    from recform.pictures import histogram as draw
    from recform.pictures import save

    all_depths = _whole_numbers(depths) if depths is not None else [depth]
    analyses = [analyze(formula, each, start) for formula in formulas for each in all_depths]
    figure = draw(analyses, scale, len(all_depths) if len(all_depths) > 1 else None)
    save(figure, output)
    for analysis in analyses:
        for note in notes_of(analysis):
            talk(f"note: at depth {analysis.depth} {note}")
    talk(f"wrote {output}")


@plot.command()
def routes(
    formulas: FormulasArgument, output: OutOption, depth: DepthOption = 16, start: StartOption = 0
) -> None:
    """Draw which blocks the paths go through: a map of blocks by path length.

    \b
    Example:  recform plot routes resnet resnet_s --depth 16 -o routes.png

    Paths are counted as drawn, before cancellation; colours have a logarithmic scale.
    """
    from recform.pictures import routes as draw
    from recform.pictures import save

    save(draw(formulas, depth, start), output)
    talk(f"wrote {output}")


@plot.command()
def wiring(
    formulas: FormulasArgument,
    output: OutOption,
    depth: DepthOption = 4,
    highlight: Annotated[
        int | None,
        typer.Option(
            help="Draw the paths through so many blocks that survive cancellation in colour.",
            show_default=False,
        ),
    ] = None,
    unrolled: Annotated[
        bool, typer.Option("--unrolled", help="The unrolled network alone.")
    ] = False,
    recursion: Annotated[
        bool, typer.Option("--recursion", help="One step of the recursion alone.")
    ] = False,
) -> None:
    """Draw one step of the recursion and the unrolled network, with boxes and wires.

    \b
    Example:  recform plot wiring resnet_s --depth 4 --highlight 2 -o wiring.svg
    """
    from recform.pictures import save
    from recform.pictures import wiring as draw

    asked = [name for name, is_asked in (("recursion", recursion), ("unrolled", unrolled))
             if is_asked]  # fmt: skip
    save(draw(formulas, depth, highlight, asked or ("recursion", "unrolled")), output)
    talk(f"wrote {output}")


@plot.command()
def growth(
    formulas: FormulasArgument,
    output: OutOption,
    gains: Annotated[
        str, typer.Option(metavar="LOW,HIGH", help="The range of gains of a block.")
    ] = "-2.5,1",
) -> None:
    """Draw how fast the signal grows per layer if every block multiplies by a gain.

    \b
    Example:  recform plot growth resnet resnet_s plain leapfrog -o growth.png

    Where the growth is at most 1, the ground is coloured: there the signal does not explode.
    """
    from recform.pictures import growth as draw
    from recform.pictures import save

    low, high = _range(gains)
    save(draw(formulas, low, high), output)
    talk(f"wrote {output}")


@plot.command()
def curves(
    runs: RunsArgument,
    output: OutOption,
) -> None:
    """Draw accuracy and loss of one or more training runs.

    \b
    Example:  recform plot curves runs/demo/digits -o curves.png
    """
    from recform.pictures import curves as draw
    from recform.pictures import save

    save(draw(runs), output)
    talk(f"wrote {output}")


@plot.command()
def gates(
    run: RunArgument,
    output: OutOption,
) -> None:
    """Draw how a run's learned coefficients and gates went, and where they stand.

    \b
    Example:  recform plot gates runs/skip -o gates.png
    """
    from recform.pictures import gates as draw
    from recform.pictures import save

    save(draw(run), output)
    talk(f"wrote {output}")


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of depths such as 4,8,16",
                                 param_hint="--depths") from None  # fmt: skip


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no range of gains such as -2,1",
                                 param_hint="--gains") from None  # fmt: skip
    return low, high
