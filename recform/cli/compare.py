"""recform compare: which of several models are better, as far as their scores can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.compare_page import print_comparison, print_plan
from recform.cli.output import print_json, talk
from recform.cli.place import picture_place
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.compare import Comparison, ScoreTable

DrawOption = Annotated[
    str | None,
    typer.Option(metavar="differences|intervals|scores", show_default=False,
                 help="What -o draws; differences by default."),
]  # fmt: skip
CsvOption = Annotated[
    Path | None,
    typer.Option(help="A file with the columns model,dataset,score.", show_default=False),
]
MetricOption = Annotated[
    str | None,
    typer.Option(metavar="final_top1|best_top1|final_top5", show_default=False,
                 help="The figure of runs, in percent; final_top1 by default."),
]  # fmt: skip
# Of a design: what --plan asks about.
ModelsOption = Annotated[
    int | None, typer.Option(help="Models of a design (--plan), else 4.", show_default=False)
]
RowsOption = Annotated[
    int | None, typer.Option(help="Its rows, data set x backbone, else 6.", show_default=False)
]
SeedsOption = Annotated[
    int | None, typer.Option(help="Its runs of each model in a row, else 1.", show_default=False)
]
SpreadOption = Annotated[
    float | None,
    typer.Option(help="Deviation of one run about its mean, in the scores' unit.",
                 show_default=False),
]  # fmt: skip
DifferenceOption = Annotated[
    float | None,
    typer.Option(help="The difference to be found, in the scores' unit; else several are tried.",
                 show_default=False),
]  # fmt: skip


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN", help="Run folders, or folders of runs.",
                       show_default=False),
    ] = None,
    csv: CsvOption = None,
    alpha: Annotated[float, typer.Option(help="The level of the tests.")] = 0.05,
    metric: MetricOption = None,
    as_plan: Annotated[
        bool, typer.Option("--plan", help="The power of a design; nothing needs to have run.")
    ] = False,
    models: ModelsOption = None,
    rows: RowsOption = None,
    seeds: SeedsOption = None,
    spread: SpreadOption = None,
    difference: DifferenceOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Draw it: .png, .svg or .pdf.", show_default=False,
                     callback=picture_place),
    ] = None,
    draw: DrawOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Rank models over data sets, test whether they differ, and say what that supports.

    \b
    Example:  recform compare --csv scores.csv -o ranks.png
              recform compare runs/sweep
              recform compare --plan --models 4 --rows 6 --seeds 3 --spread 0.2 --difference 0.5

    A row is a data set and a backbone; runs of other seeds are averaged inside it. --plan tells,
    before anyone trains, how large a difference such a design would find. The spread is that of
    one run about its mean, in the scores' unit; both come from the runs or the file where given.
    """
    of_a_design = {"--models": models, "--rows": rows, "--seeds": seeds, "--spread": spread,
                   "--difference": difference}  # fmt: skip
    _refuse_unused(as_plan, of_a_design, {"-o": output, "--draw": draw})
    if not runs:
        _refuse_given({"--metric": metric}, "there are no runs", "leave it out")
    scores = _given(runs, csv, metric)
    if as_plan:
        _plan(scores, models, rows, seeds, spread, difference, alpha, as_json)
        return
    if scores is None:
        raise UserError("bad-argument", "there is nothing to compare",
                        "name run folders, or a file: --csv FILE")  # fmt: skip
    from recform.compare import compare as compare_scores

    comparison = compare_scores(scores, alpha)
    # Saved first, so that what cannot be drawn is told before anything is printed.
    if output is not None:
        _save(comparison, draw or "differences", output)
    if as_json:
        print_json(comparison.to_json())
    else:
        print_comparison(comparison)


def _refuse_unused(
    as_plan: bool, of_a_design: Mapping[str, object], of_a_picture: Mapping[str, object]
) -> None:
    """Options that would say nothing: those of the other half, or --draw without a file."""
    if as_plan:
        _refuse_given(of_a_picture, "a plan is not drawn", "leave it out")
    else:
        _refuse_given(of_a_design, "it is of a design that nobody has run yet", "add --plan")
        if of_a_picture["-o"] is None:
            _refuse_given(of_a_picture, "there is no file to draw in", "-o ranks.png")


def _refuse_given(options: Mapping[str, object], reason: str, hint: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise UserError("bad-argument", f"{name} says nothing here: {reason}", hint)


def _save(comparison: Comparison, kind: str, output: Path) -> None:
    from recform.pictures import save
    from recform.pictures.ranks import draw

    save(draw(comparison, kind), output)
    talk(f"wrote {output}")


def _given(runs: list[Path] | None, csv: Path | None, metric: str | None) -> ScoreTable | None:
    if runs and csv is not None:
        raise UserError("bad-argument", "runs and a file are both given",
                        "compare either of them")  # fmt: skip
    if csv is not None:
        from recform.compare import read_csv

        return read_csv(csv)
    if not runs:
        return None
    from recform.compare import METRICS, read_runs
    from recform.pictures.run_files import formula_name

    found, notes = read_runs(runs, metric or METRICS[0], formula_name)
    for note in notes:
        talk(f"note: {note}")
    return found


def _plan(
    pilot: ScoreTable | None,
    models: int | None,
    rows: int | None,
    seeds: int | None,
    spread: float | None,
    difference: float | None,
    alpha: float,
    as_json: bool,
) -> None:
    from recform.compare import plan

    if pilot is not None:
        models = len(pilot.models) if models is None else models
        rows = len(pilot.datasets) if rows is None else rows
        seeds = min(map(len, pilot.runs.values())) if seeds is None else seeds
        spread = pilot.spread() if spread is None else spread
    design = plan(4 if models is None else models, 6 if rows is None else rows,
                  1 if seeds is None else seeds, spread=1.0 if spread is None else spread,
                  difference=difference, alpha=alpha)  # fmt: skip
    if as_json:
        print_json(asdict(design))
    else:
        print_plan(design, spread is None)
