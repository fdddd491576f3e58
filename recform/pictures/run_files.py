"""What a training run left on disk, as far as a picture of it needs: its settings and its epochs.

A run is a folder with `metrics.jsonl`, one JSON object an epoch, and `config.json`, from which it
takes its name. They are read as files: a picture must not need what made the run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from recform.errors import FormulaError, UserError
from recform.formula import parse

# The settings that tell runs apart, in the order in which they are named.
SETTINGS = ("formula", "backbone", "data", "seed")
DAMAGED = "copy the run again, or delete what is damaged"
SPEEDS = ("images_per_second", "seconds")
MEASURES = ("train_loss", "test_loss", "test_top1", "test_top5")


@dataclass(frozen=True)
class RecordedRun:
    """A run as a picture shows it.

    `settings` has those of SETTINGS that the run tells. `measures` has each of MEASURES, one number
    for each of `epochs`: losses, and accuracies in percent; NaN where the run has none. `figures`
    has what else is known by name: params, macs, images_per_second and seconds so far. A run that
    `is_finished` has told its end; `num_epochs` are those that it is to have, None where untold.
    """

    folder: Path
    settings: Mapping[str, str]
    epochs: tuple[int, ...]
    measures: Mapping[str, tuple[float, ...]]
    figures: Mapping[str, float] = field(default_factory=dict)
    is_finished: bool = False
    num_epochs: int | None = None


def read_recorded_run(folder: str | Path) -> RecordedRun:
    """The run in this folder. Raises UserError `bad-run`, with the file and line at fault."""
    folder = Path(folder)
    metrics = folder / "metrics.jsonl"
    if not metrics.is_file():
        raise UserError("bad-run", f"{folder} holds no run: there is no {metrics}",
                        "name the folder that `recform train` wrote with --out")  # fmt: skip
    lines = _read(metrics).splitlines()
    rows = [_row(line, f"{metrics}, line {number}") for number, line in enumerate(lines, start=1)]
    if not rows:
        raise UserError("bad-run", f"{metrics} is empty: no epoch was finished",
                        "wait for the first epoch, or name another run")  # fmt: skip
    config = _content(folder / "config.json")
    summary = _content(folder / "summary.json")
    asked = (config.get("recipe") or {}).get("epochs")
    return RecordedRun(
        folder=folder,
        settings=_settings(config),
        epochs=tuple(int(row["epoch"]) for row in rows),
        measures={name: tuple(row[name] for row in rows) for name in MEASURES},
        figures=_figures(config, rows, summary),
        is_finished=bool(summary),
        num_epochs=asked if isinstance(asked, int) else None,
    )


def has_epochs(folder: str | Path) -> bool:
    """Whether a run has come to the end of an epoch."""
    metrics = Path(folder) / "metrics.jsonl"
    return metrics.is_file() and metrics.stat().st_size > 0


def formula_text(folder: str | Path) -> str:
    """The formula of the run in this folder. Raises UserError `bad-run`."""
    config = Path(folder) / "config.json"
    if not config.is_file():
        raise UserError("bad-run", f"{folder} holds no run: there is no {config}",
                        "name the folder that `recform train` wrote with --out")  # fmt: skip
    text = _object(_read(config), str(config)).get("formula")
    if not isinstance(text, str):
        raise UserError("bad-run", f"{config} is damaged: it has no formula", DAMAGED)
    return text


def names_of(runs: Sequence[RecordedRun]) -> tuple[str, list[str]]:
    """What all runs share, and what each is called beside the others.

    A run alone is named by all its settings, several by those in which they differ, and by their
    folders where the settings leave two alike; by the whole path where folders are called alike.
    """
    shared = [key for key in SETTINGS if len({run.settings.get(key) for run in runs}) == 1]
    different = [key for key in SETTINGS if key not in shared]
    if len(runs) == 1:
        return "", [_name(runs[0], shared) or runs[0].folder.name]
    names = [_name(run, different) for run in runs]
    folders = [run.folder.name for run in runs]
    if len(set(zip(names, folders, strict=True))) < len(runs):
        folders = [str(run.folder) for run in runs]
    told_apart = [
        name if names.count(name) == 1 else f"{name} ({folder})".lstrip()
        for name, folder in zip(names, folders, strict=True)
    ]
    return _name(runs[0], shared), told_apart


def _name(run: RecordedRun, keys: Sequence[str]) -> str:
    texts = {**run.settings, "seed": f"seed {run.settings.get('seed')}"}
    return ", ".join(texts[key] for key in keys if key in run.settings)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError("bad-run", f"{path} is damaged: it is not UTF-8 text", DAMAGED) from None
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from error  # fmt: skip


def _row(line: str, place: str) -> dict[str, float]:
    content = _object(line, place)
    told = {name: _number(content, name, place) for name in ("epoch", *MEASURES)}
    return told | {name: content[name] for name in SPEEDS if _is_number(content.get(name))}


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError("bad-run", f"{place} is damaged: it is not a JSON object", DAMAGED)
    return content


def _number(content: Mapping[str, Any], name: str, place: str) -> float:
    value = content.get(name, "missing")
    if value is None and name != "epoch":
        # JSON has no word for the loss of a network whose numbers have run away.
        return math.nan
    if not _is_number(value):
        fault = "is missing" if name not in content else "is not a number"
        raise UserError("bad-run", f"{place} is damaged: `{name}` {fault}", DAMAGED)
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _content(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one where there is none."""
    return _object(_read(path), str(path)) if path.is_file() else {}


def _figures(
    config: Mapping[str, Any], rows: Sequence[Mapping[str, float]], summary: Mapping[str, Any]
) -> dict[str, float]:
    """Of a run's end, where it has one; else of its epochs so far."""
    so_far = {
        "params": config.get("num_parameters"),
        "images_per_second": rows[-1].get("images_per_second"),
        "seconds": sum(row.get("seconds", 0) for row in rows),
    }
    told = {name: summary.get(name, so_far.get(name)) for name in (*so_far, "macs")}
    return {name: value for name, value in told.items() if _is_number(value)}


def _settings(config: Mapping[str, Any]) -> dict[str, str]:
    found = {key: config[key] for key in SETTINGS if config.get(key) is not None}
    return {key: _setting(key, value) for key, value in found.items()}


def _setting(key: str, value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name", "unnamed"))
    return formula_name(str(value)) if key == "formula" else str(value)


def formula_name(text: str) -> str:
    """A formula's title without its source and explanation, else its equations.

    >>> formula_name("# ResNet-s (Liao et al. 2021): one path of each length\\nx[l+1] = F(x[l])")
    'ResNet-s'
    """
    if "=" not in text:
        return Path(text).stem
    try:
        formula = parse(text)
    except FormulaError:
        # A later version may write what this one cannot read; the run is still worth a picture.
        return text.splitlines()[0]
    short = formula.title.partition(":")[0].partition(" (")[0]
    return short or "; ".join(str(formula).splitlines())
