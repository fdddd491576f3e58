"""Which runs are one row, which are one model, and in what else they differ.

A row is a data set and a backbone. Data sets of one name are two if they have other classes; those
of a name that says no more than that they are the user's own, if they lie elsewhere. A model is a
formula; one that was built in two ways in one row is two models. Runs that agree in both and in the
seed are one observation. All else that should be the same in a row is noted where it is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

# Names of data sets that do not tell which images they are.
OWN = frozenset({"folder"})
# What `build` takes for what a run does not say, as `recform.network.Plan` has it.
PLAN: Mapping[str, Any] = {"project": None, "unit": "sum", "gate_reduction": 8}

Name = TypeVar("Name", str, tuple[str, str])


@dataclass(frozen=True)
class FinishedRun:
    """One observation of a comparison; `score` is in percent.

    `built` is how a network was made beside formula and backbone; `settings` is what else should
    be the same in a row, by its name.
    """

    folder: Path
    formula: str
    backbone: str
    seed: int
    score: float
    num_parameters: int | None
    data: DataName
    built: Mapping[str, Any]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class DataName:
    """What tells one data set from another: for those of OWN, and for shards, where they lie."""

    name: str
    directory: str | None
    classes: tuple[str, ...]


def data_of(data: Mapping[str, Any]) -> DataName:
    """The data set of a run's configuration. Raises KeyError, TypeError for one that is none."""
    name = str(data["name"])
    directory = str(data.get("directory")) if name in OWN else data.get("shards")
    return DataName(name, directory, tuple(map(str, data.get("classes") or ())))


def built_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """How a run's network was made: PLAN, and whether its widths were matched."""
    return {
        **PLAN,
        **{key: value for key, value in (config.get("plan") or {}).items() if key in PLAN},
        "widths": "matched" if config.get("matched") else "the backbone's",
    }


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What should be the same in a row, by its name; what a run does not say is left out."""
    data = config["data"]
    found = {f"recipe.{key}": value for key, value in config["recipe"].items() if key != "name"}
    found |= {key: data[key] for key in ("num_train", "num_test", "image_size")}
    found |= built_of(config)
    found |= dict(config.get("memory") or {})
    device = config.get("device") or {}
    return found | {key: device[key] for key in ("compiled",) if key in device}


def row_names(runs: Sequence[FinishedRun]) -> list[str]:
    """The row of each run, named by its data set and backbone."""
    sets = list(dict.fromkeys(run.data for run in runs))
    names = dict(zip(sets, _data_names(sets), strict=True))
    return [f"{names[run.data]} {run.backbone}" for run in runs]


def model_names(
    runs: Sequence[FinishedRun], rows: Sequence[str], name_of: Callable[[str], str]
) -> list[str]:
    """The model of each run: its formula's name, and how it was built where a row has two ways."""
    names = _formula_names([run.formula for run in runs], name_of)
    ways = {text: _two_ways(runs, rows, text) for text in names}
    return [
        _tagged(names[run.formula], [_told(key, run.built[key]) for key in ways[run.formula]])
        for run in runs
    ]


def notes_of(runs: Sequence[FinishedRun], rows: Sequence[str], models: Sequence[str]) -> list[str]:
    """Sentences on what should be the same and is not: in a row, for a model, and in both."""
    found = []
    for row, group in _groups(runs, rows):
        for key in dict.fromkeys(key for run in group for key in run.settings):
            told = [(run, run.settings[key]) for run in group if key in run.settings]
            found += _difference(f"runs on {row} differ in {key}", told)
    for model, group in _groups(runs, models):
        for key in group[0].built:
            told = [(run, run.built[key]) for run in group]
            found += _difference(f"{model} was not built alike in all rows, by {key}", told)
    for (model, row), group in _groups(runs, list(zip(models, rows, strict=True))):
        told = [(run, run.num_parameters) for run in group]
        found += _difference(f"runs of {model} on {row} differ in their parameters", told)
    return found


def _groups(
    runs: Sequence[FinishedRun], names: Sequence[Name]
) -> Iterable[tuple[Name, list[FinishedRun]]]:
    for wanted in dict.fromkeys(names):
        yield wanted, [run for run, name in zip(runs, names, strict=True) if name == wanted]


def _difference(claim: str, told: Sequence[tuple[FinishedRun, Any]]) -> list[str]:
    """The claim with the first two runs that bear it out, if any do."""
    (run, value), *others = told
    return [
        f"{claim}: {_plain(value)} ({run.folder}), {_plain(another)} ({other.folder})"
        for other, another in others
        if another != value
    ][:1]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _told(key: str, value: Any) -> str:
    return f"{key} {'by default' if value is None else _plain(value)}"


def _tagged(name: str, tags: Iterable[str]) -> str:
    told = ", ".join(tag for tag in tags if tag)
    return f"{name} ({told})" if told else name


def _two_ways(runs: Sequence[FinishedRun], rows: Sequence[str], formula: str) -> list[str]:
    """In what a formula was built in two ways within one row."""
    seen: dict[tuple[str, str], Any] = {}
    found: dict[str, None] = {}
    for run, row in zip(runs, rows, strict=True):
        if run.formula == formula:
            for key, value in run.built.items():
                if seen.setdefault((row, key), value) != value:
                    found[key] = None
    return list(found)


def _formula_names(formulas: Sequence[str], name_of: Callable[[str], str]) -> dict[str, str]:
    short = {text: name_of(text) for text in formulas}
    names = list(short.values())
    return {
        text: name if names.count(name) == 1 else "; ".join(text.strip().splitlines())
        for text, name in short.items()
    }


def _data_names(sets: Sequence[DataName]) -> list[str]:
    """Data sets of one name are told by where they lie, how many classes they have, or a number."""
    found = []
    for data in sets:
        alike = [other for other in sets if other.name == data.name]
        tags = [_place(data, alike), _classes(data, alike)]
        if sum(_tags(other, alike) == _tags(data, alike) for other in alike) > 1:
            tags.append(f"no. {alike.index(data) + 1}")
        found.append(_tagged(data.name, tags))
    return found


def _tags(data: DataName, alike: Sequence[DataName]) -> tuple[str, str]:
    return _place(data, alike), _classes(data, alike)


def _place(data: DataName, alike: Sequence[DataName]) -> str:
    """The end of the directory that none of the others has; nothing where all lie in one."""
    others = {other.directory for other in alike} - {data.directory}
    if not others or data.directory is None:
        return ""
    parts = Path(data.directory).parts
    ends = (str(Path(*parts[-length:])) for length in range(1, len(parts)))
    taken = [f"/{other or ''}" for other in others]
    return next(
        (end for end in ends if not any(other.endswith(f"/{end}") for other in taken)),
        data.directory,
    )


def _classes(data: DataName, alike: Sequence[DataName]) -> str:
    counts = {len(other.classes) for other in alike}
    if len(counts) == 1:
        return ""
    return f"{len(data.classes)} class{'' if len(data.classes) == 1 else 'es'}"
