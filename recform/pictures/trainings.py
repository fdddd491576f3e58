"""What a report tells of training runs: a row for each, curves, gates, and what scores support."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure

from recform.compare import Cell, Comparison, compare, read_runs
from recform.errors import UserError
from recform.pictures.drawn import Embedded, embed
from recform.pictures.learning import curves
from recform.pictures.ranks import draw
from recform.pictures.run_files import (
    RecordedRun,
    formula_name,
    has_epochs,
    names_of,
    read_recorded_run,
)
from recform.pictures.weighing import gates

HEADER = ("run", "backbone", "data", "seed", "parameters", "MACs", "epochs", "top-1", "best",
          "images/s", "minutes")  # fmt: skip
SCORES = "Scores, mean and spread over seeds"
RANKS = "Mean ranks; a bar joins models that cannot be told apart"


@dataclass(frozen=True)
class Training:
    """Runs on the page: a row of cells for each, pictures, and what they support together.

    `scores` has a row for each model, best first; its columns are named by `rows_compared`, the
    data sets and backbones that are rows to the tests.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Embedded, ...]
    rows_compared: tuple[str, ...] = ()
    scores: tuple[tuple[str, ...], ...] = ()
    verdicts: tuple[str, ...] = ()


def training(folders: Sequence[Path]) -> Training:
    """Raises UserError `bad-run` for a folder without a run, or with a damaged one."""
    begun = [folder for folder in folders if has_epochs(folder)]
    # What has not come to the end of an epoch has nothing to show, unless nothing else is there.
    runs = [read_recorded_run(folder) for folder in begun or folders]
    _, names = names_of(runs)
    alone = Training(
        header=HEADER,
        rows=tuple(_row(run) for run in runs),
        pictures=(
            embed("Accuracy and loss by epoch", lambda: curves([run.folder for run in runs])),
            *(_gates(run, name) for run, name in zip(runs, names, strict=True) if _weighs(run)),
        ),
    )
    finished = [run.folder for run in runs if run.is_finished]
    left_out = tuple(f"left out, for it is not finished: {folder}"
                     for folder in folders if folder not in finished)  # fmt: skip
    compared = _compared(alone, finished) if len(finished) > 1 else alone
    return replace(compared, verdicts=(*compared.verdicts, *left_out))


def _row(run: RecordedRun) -> tuple[str, ...]:
    final, best = run.measures["test_top1"][-1], max(run.measures["test_top1"])
    told = [run.settings.get(key, "") for key in ("formula", "backbone", "data", "seed")]
    return (
        *told,
        _figure(run, "params", "{:,.0f}"),
        _figure(run, "macs", "{:,.1f} M", 1e-6),
        _epochs(run),
        f"{final:.2f} %",
        f"{best:.2f} %",
        _figure(run, "images_per_second", "{:,.0f}"),
        _figure(run, "seconds", "{:.1f}", 1 / 60),
    )


def _epochs(run: RecordedRun) -> str:
    """How many were finished, and of how many where more are to come."""
    done = run.epochs[-1]
    return f"{done}" if run.is_finished or run.num_epochs is None else f"{done} of {run.num_epochs}"


def _figure(run: RecordedRun, name: str, form: str, factor: float = 1) -> str:
    """A figure of the run; a dash where it is not known."""
    return form.format(run.figures[name] * factor) if name in run.figures else "–"


def _weighs(run: RecordedRun) -> bool:
    return (run.folder / "gates.jsonl").is_file()


def _gates(run: RecordedRun, name: str) -> Embedded:
    return embed(f"Learned coefficients and gates of {name}", lambda: gates(run.folder))


def _compared(runs: Training, folders: Sequence[Path]) -> Training:
    """With what `recform compare` says of the runs and draws; or why they do not compare."""
    try:
        scores, notes = read_runs(folders, name_of=formula_name)
        comparison = compare(scores)
    except UserError as error:
        return replace(runs, verdicts=(f"not compared: {error.diagnostics[0].message}",))
    # One row (a data set and a backbone) has no ranks worth drawing: the scores themselves are.
    kind, caption = ("scores", SCORES) if len(scores.datasets) == 1 else ("differences", RANKS)
    return replace(
        runs,
        pictures=(*runs.pictures, embed(caption, _drawing(comparison, kind))),
        rows_compared=("mean ± spread over seeds", *scores.datasets, "mean rank"),
        scores=tuple(_scores(comparison)),
        verdicts=(*comparison.says, *notes),
    )


def _scores(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    for model in comparison.by_rank:
        cells = [comparison.table.cell(model, dataset) for dataset in comparison.table.datasets]
        yield model, *map(_cell, cells), f"{comparison.ranks[model]:.2f}"


def _cell(cell: Cell) -> str:
    spread = "" if cell.deviation is None else f" ± {cell.deviation:.2f}"
    return f"{cell.mean:.2f}{spread}"


def _drawing(comparison: Comparison, kind: str) -> Callable[[], Figure]:
    return lambda: draw(comparison, kind)
