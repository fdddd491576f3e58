"""Run folders as the scores of a comparison.

They are read as files, for a comparison must not need what made the runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from recform.compare.grouping import (
    FinishedRun,
    built_of,
    data_of,
    model_names,
    notes_of,
    row_names,
    settings_of,
)
from recform.compare.table import ScoreTable, table_of
from recform.errors import UserError

# The figures of summary.json that can be compared, in percent.
METRICS = ("final_top1", "best_top1", "final_top5")

DAMAGED = "copy the run again, or leave it out"


def read_runs(
    folders: Sequence[str | Path],
    metric: str = METRICS[0],
    name_of: Callable[[str], str] = str.strip,
) -> tuple[ScoreTable, tuple[str, ...]]:
    """The table of finished runs, and notes on what makes them hard to compare.

    A folder is a run's, or holds those of runs. A row is a data set and a backbone, a model a
    formula (or one built in one of several ways: see `grouping`). `name_of` gives a formula's text
    a short name; formulas whose short names agree keep their texts. Raises UserError `bad-run`,
    `bad-table`, and `bad-argument` where one run stands there twice.
    """
    if metric not in METRICS:
        raise UserError("bad-argument", f"runs have no figure {metric}",
                        f"--metric {', '.join(METRICS)}")  # fmt: skip
    found = [_read(folder, metric) for given in folders for folder in run_folders(given)]
    rows = row_names(found)
    models = model_names(found, rows, name_of)
    _check_twins(found, list(zip(models, rows, strict=True)))
    scores = zip(models, rows, (run.score for run in found), strict=True)
    return table_of(scores, "these runs"), tuple(notes_of(found, rows, models))


def run_folders(given: str | Path) -> list[Path]:
    """The folder itself if it is a run's, or those of all runs in it, however deep.

    Raises UserError `bad-run` for a folder that holds none.
    """
    folder = Path(given)
    if (folder / "config.json").is_file() or not folder.is_dir():
        return [folder]
    inside = sorted(path.parent for path in folder.rglob("config.json") if _is_run(path.parent))
    if not inside:
        raise UserError("bad-run", f"{folder} holds no run",
                        "name folders that `recform train` wrote")  # fmt: skip
    return inside


def _is_run(folder: Path) -> bool:
    """A network's folder may have a config.json as well, and none of these files."""
    return any((folder / name).is_file() for name in ("metrics.jsonl", "summary.json"))


def _read(folder: Path, metric: str) -> FinishedRun:
    if not (folder / "config.json").is_file():
        raise UserError("bad-run", f"{folder} holds no run: it has no config.json",
                        "name folders that `recform train` wrote")  # fmt: skip
    if not (folder / "summary.json").is_file():
        raise UserError("bad-run", f"{folder} is not finished: it has no summary.json",
                        "finish it by --resume auto, or leave it out")  # fmt: skip
    config, summary = _object(folder / "config.json"), _object(folder / "summary.json")
    try:
        score = float(summary[metric])
        run = FinishedRun(
            folder=folder,
            formula=_text_of(config, "formula"),
            backbone=_text_of(config, "backbone"),
            seed=int(config["seed"]),
            score=score,
            num_parameters=config.get("num_parameters"),
            data=data_of(config["data"]),
            built=built_of(config),
            settings=settings_of(config),
        )
    except KeyError as error:
        raise UserError("bad-run", f"{folder} does not describe a finished run: there is no "
                        f"`{error.args[0]}`", DAMAGED) from error  # fmt: skip
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError("bad-run", f"{folder} does not describe a finished run: {error}",
                        DAMAGED) from error  # fmt: skip
    if not math.isfinite(score):
        raise UserError("bad-run", f"{folder / 'summary.json'}: {metric} is not a number",
                        "leave the run out: its training diverged")  # fmt: skip
    return run


def _text_of(config: dict[str, Any], name: str) -> str:
    text = config[name]
    if not isinstance(text, str):
        raise TypeError(f"its `{name}` is no text")
    return text


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from error  # fmt: skip
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError("bad-run", f"{path} is damaged: it is not a JSON object", DAMAGED)
    return content


def _check_twins(runs: Sequence[FinishedRun], places: Sequence[tuple[str, str]]) -> None:
    """Two runs of one seed are one observation, not two."""
    seen: dict[tuple[tuple[str, str], int], Path] = {}
    for run, place in zip(runs, places, strict=True):
        twin = seen.setdefault((place, run.seed), run.folder)
        if twin is not run.folder:
            raise UserError("bad-argument", f"{twin} and {run.folder} are of one formula, data "
                            f"set, backbone and seed ({run.seed})",
                            "leave one of them out")  # fmt: skip
