"""recform report: all about formulas and runs, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import DepthOption, StartOption
from recform.cli.output import talk
from recform.cli.place import page_place
from recform.errors import UserError


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
    from recform.formula import resolve
    from recform.paths import analyze
    from recform.pictures import report as write
    from recform.pictures.run_files import formula_text
    from recform.writing import write_beside

    found = {subject: _runs_in(subject) for subject in subjects}
    runs = [run for inside in found.values() for run in inside]
    formulas = [resolve(subject) for subject, inside in found.items() if not inside]
    formulas += [resolve(formula_text(run)) for run in runs]
    # Runs of other seeds are of one formula, told once.
    analyses = [analyze(formula, depth, start) for formula in dict.fromkeys(formulas)]
    page = write(analyses, runs)
    write_beside(output, lambda part: part.write_text(page, encoding="utf-8"))
    talk(f"wrote {output}")


def _runs_in(subject: str) -> list[Path]:
    """The runs of a folder; none of what is no folder, or is an example called like one."""
    from recform.compare import run_folders
    from recform.formula import example_names, gallery_names

    if not subject or "=" in subject or not Path(subject).is_dir():
        return []
    try:
        return run_folders(subject)
    except UserError:
        if subject in (*example_names(), *gallery_names()):
            return []
        raise
