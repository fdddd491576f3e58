"""recform report: all about formulas and runs, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import DepthOption, StartOption
from recform.cli.output import talk
from recform.cli.place import page_place


def report(
    subjects: Annotated[
        list[str],
        typer.Argument(metavar="SUBJECT", show_default=False,
                       help="One or more: a formula's text, a .rf file, an example's name, a run's "
                       "folder, or a folder of runs."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file to write: .html.", callback=page_place)
    ],
    depth: DepthOption = 16,
    start: StartOption = 0,
) -> None:  # fmt: skip
    """Write one HTML page about formulas and runs: typeset, counted, drawn, trained, compared.

    \b
    Example:  recform report resnet resnet_s --depth 8 -o paths.html
              recform report runs/sweep -o sweep.html

    Runs bring their formulas with them. The page holds all its pictures and fetches nothing.
    """
    from recform.compare import run_folders
    from recform.formula import resolve
    from recform.paths import analyze
    from recform.pictures import report as write
    from recform.pictures.run_files import formula_text
    from recform.writing import write_beside

    runs = [run for subject in subjects if _holds_runs(subject) for run in run_folders(subject)]
    formulas = [resolve(subject) for subject in subjects if not _holds_runs(subject)]
    formulas += [resolve(formula_text(run)) for run in runs]
    # Runs of other seeds are of one formula, told once.
    analyses = [analyze(formula, depth, start) for formula in dict.fromkeys(formulas)]
    page = write(analyses, runs)
    write_beside(output, lambda part: part.write_text(page, encoding="utf-8"))
    talk(f"wrote {output}")


def _holds_runs(subject: str) -> bool:
    """Whether it is a folder of one run or of several; an example may be called like a folder."""
    if not subject or "=" in subject:
        return False
    places = ("config.json", "*/config.json")
    return any(any(Path(subject).glob(place)) for place in places)
