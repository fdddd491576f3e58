"""Run folders as rows of a comparison: model = formula, row = data set and backbone, run = seed.

They are read as files, for a comparison must not need what made the runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recform.compare.table import ScoreTable, table_of
from recform.errors import UserError

# The figures of summary.json that can be compared, in percent.
METRICS = ("final_top1", "best_top1", "final_top5")
# Settings that should be the same in all runs of a row, by what differs otherwise.
SETTINGS = ("recipe", "num_train", "num_test", "image_size")

DAMAGED = "copy the run again, or leave it out"


@dataclass(frozen=True)
class FinishedRun:
    """One observation of a comparison; `score` is in percent, `settings` has those of SETTINGS."""

    folder: Path
    formula: str
    row: str
    seed: int
    score: float
    settings: Mapping[str, Any]


def read_runs(
    folders: Sequence[str | Path],
    metric: str = METRICS[0],
    name_of: Callable[[str], str] = str.strip,
) -> tuple[ScoreTable, tuple[str, ...]]:
    """The table of finished runs, and notes on what makes them hard to compare.

    A folder is a run's, or holds those of runs. `name_of` gives a formula's text a short name;
    formulas whose short names agree keep their texts. Raises UserError `bad-run`, `bad-table`, and
    `bad-argument` where one run stands there twice.
    """
    if metric not in METRICS:
        raise UserError("bad-argument", f"runs have no figure {metric}",
                        f"--metric {', '.join(METRICS)}")  # fmt: skip
    found = [_read(folder, metric) for given in folders for folder in _expanded(Path(given))]
    _check_twins(found)
    names = _names([run.formula for run in found], name_of)
    rows = [(names[run.formula], run.row, run.score) for run in found]
    return table_of(rows, "these runs"), tuple(_notes(found))


def _expanded(folder: Path) -> list[Path]:
    if (folder / "config.json").is_file() or not folder.is_dir():
        return [folder]
    inside = sorted(path.parent for path in folder.glob("*/config.json"))
    if not inside:
        raise UserError("bad-run", f"{folder} holds no run",
                        "name folders that `recform train` wrote")  # fmt: skip
    return inside


def _read(folder: Path, metric: str) -> FinishedRun:
    if not (folder / "config.json").is_file():
        raise UserError("bad-run", f"{folder} holds no run: it has no config.json",
                        "name folders that `recform train` wrote")  # fmt: skip
    if not (folder / "summary.json").is_file():
        raise UserError("bad-run", f"{folder} is not finished: it has no summary.json",
                        "finish it by --resume auto, or leave it out")  # fmt: skip
    config, summary = _object(folder / "config.json"), _object(folder / "summary.json")
    try:
        data = config["data"]
        settings = {"recipe": config["recipe"], **{key: data[key] for key in SETTINGS[1:]}}
        row = f"{data['name']} {config['backbone']}"
        score = float(summary[metric])
        run = FinishedRun(folder, config["formula"], row, config["seed"], score, settings)
    except KeyError as error:
        raise UserError("bad-run", f"{folder} does not describe a finished run: there is no "
                        f"`{error.args[0]}`", DAMAGED) from error  # fmt: skip
    except (TypeError, ValueError) as error:
        raise UserError("bad-run", f"{folder} does not describe a finished run: {error}",
                        DAMAGED) from error  # fmt: skip
    if not math.isfinite(score):
        raise UserError("bad-run", f"{folder / 'summary.json'}: {metric} is not a number",
                        "leave the run out: its training diverged")  # fmt: skip
    return run


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


def _check_twins(runs: Sequence[FinishedRun]) -> None:
    """Two runs of one seed are one observation, not two."""
    seen: dict[tuple[str, str, int], Path] = {}
    for run in runs:
        twin = seen.setdefault((run.formula, run.row, run.seed), run.folder)
        if twin is not run.folder:
            raise UserError("bad-argument", f"{twin} and {run.folder} are of one formula, data "
                            f"set, backbone and seed ({run.seed})",
                            "leave one of them out")  # fmt: skip


def _names(formulas: Sequence[str], name_of: Callable[[str], str]) -> dict[str, str]:
    short = {text: name_of(text) for text in formulas}
    names = list(short.values())
    return {
        text: name if names.count(name) == 1 else "; ".join(text.strip().splitlines())
        for text, name in short.items()
    }


def _notes(runs: Sequence[FinishedRun]) -> list[str]:
    notes = []
    for row in dict.fromkeys(run.row for run in runs):
        group = [run for run in runs if run.row == row]
        for key in SETTINGS:
            if any(run.settings[key] != group[0].settings[key] for run in group):
                other = next(r for r in group if r.settings[key] != group[0].settings[key])
                notes.append(f"runs on {row} differ in {key}: {group[0].folder}, {other.folder}")
    return notes
