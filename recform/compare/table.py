"""Scores of models on data sets, several runs of a pair together; and the file they come from.

    model,dataset,score
    ResNet18,cifar10,94.32
    ResNet18s,cifar10,94.70

Higher is better. A pair that stands there more than once was run more than once.

Means are exact, so that a tie is a tie: as floats 0.1 and 0.2 do not average to 0.15.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from recform.errors import UserError

COLUMNS = ("model", "dataset", "score")
# What other programs write between columns.
OTHER_MARKS = (";", "\t", "|")
# Scores are decimals somebody wrote, or shares of at most so many images.
MOST_IMAGES = 100_000


@dataclass(frozen=True)
class Cell:
    """One model on one data set: mean, spread (sample deviation) and median over its runs.

    `deviation` is None for a single run.
    """

    mean: float
    deviation: float | None
    median: float
    num_runs: int


@dataclass(frozen=True)
class ScoreTable:
    """Every model has at least one run on every data set (or: on every data set and backbone).

    Models and data sets stand in the order in which they were first named.
    """

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    runs: Mapping[tuple[str, str], tuple[float, ...]]

    def cell(self, model: str, dataset: str) -> Cell:
        runs = self.runs[model, dataset]
        return Cell(
            mean=float(self.mean(model, dataset)),
            deviation=statistics.stdev(runs) if len(runs) > 1 else None,
            median=statistics.median(runs),
            num_runs=len(runs),
        )

    def mean(self, model: str, dataset: str) -> Fraction:
        """The exact mean of what the scores of a pair stand for."""
        runs = self.runs[model, dataset]
        return sum(map(meant, runs), Fraction(0)) / len(runs)

    def means(self, model: str) -> tuple[Fraction, ...]:
        """The mean score on each data set."""
        return tuple(self.mean(model, dataset) for dataset in self.datasets)

    def spread(self) -> float | None:
        """The deviation of one run from the mean of its pair, over all pairs run more than once."""
        groups = [runs for runs in self.runs.values() if len(runs) > 1]
        degrees = sum(len(runs) - 1 for runs in groups)
        squares = math.fsum(statistics.variance(runs) * (len(runs) - 1) for runs in groups)
        return math.sqrt(squares / degrees) if degrees else None


def meant(score: float) -> Fraction:
    """The fraction that a float stands for, if a simple one is a rounding or two away from it.

    >>> meant(0.1 + 0.2), meant(100 * 7 / 9), meant(94.32), meant(1e-12)
    (Fraction(3, 10), Fraction(700, 9), Fraction(2358, 25), Fraction(1, 1000000000000))
    """
    simple = Fraction(score).limit_denominator(MOST_IMAGES)
    # Compared exactly: a float of the difference would be 0 too often.
    is_near = abs(simple - Fraction(score)) <= 4 * Fraction(math.ulp(score))
    return simple if is_near else Fraction(repr(float(score)))


def table_of(rows: Iterable[tuple[str, str, float]], source: str) -> ScoreTable:
    """The table of these (model, data set, score). Raises UserError `bad-table` for one with gaps.

    `source` names where they come from, for the message.
    """
    runs: dict[tuple[str, str], tuple[float, ...]] = {}
    for model, dataset, score in rows:
        runs[model, dataset] = (*runs.get((model, dataset), ()), score)
    models = tuple(dict.fromkeys(model for model, _ in runs))
    datasets = tuple(dict.fromkeys(dataset for _, dataset in runs))
    if len(models) < 2:
        there = "only one model" if models else "no score"
        raise UserError("bad-table", f"there is {there} in {source}",
                        "give scores of two models or more, to compare them")  # fmt: skip
    gaps = [(model, data) for data in datasets for model in models if (model, data) not in runs]
    if gaps:
        raise UserError("bad-table", f"there is no score of {_listed(gaps)} in {source}",
                        "every model needs a score on every data set: add it, or leave out the "
                        "model or the data set everywhere")  # fmt: skip
    return ScoreTable(models, datasets, runs)


def read_csv(path: str | Path) -> ScoreTable:
    """The table in a CSV file with the columns model, dataset and score, in any order.

    Further columns are ignored. Raises UserError `no-such-file`, `unreadable`, `not-text`,
    `bad-table`, with the line at fault.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return table_of(_rows(path, file), str(path))
    except FileNotFoundError:
        raise UserError("no-such-file", f"there is no file {path}", "check the path") from None
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "name a CSV file that you may read") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise UserError("not-text", f"{path} is not UTF-8 text", "save it as UTF-8") from error
    except csv.Error as error:
        raise UserError("bad-table", f"{path} is no CSV file: {error}",
                        f"begin it with the line {','.join(COLUMNS)}") from error  # fmt: skip


def _rows(path: Path, lines: Iterable[str]) -> list[tuple[str, str, float]]:
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        wrong = next((mark for mark in OTHER_MARKS if mark in "".join(header)), None)
        hint = (f"begin it with the line {','.join(COLUMNS)}" if wrong is None
                else f"separate its columns by commas: {','.join(COLUMNS)}")  # fmt: skip
        raise UserError("bad-table", f"{path} has no column {missing[0]}", hint)
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise UserError("bad-table", f"{path} has more than one column {twice[0]}",
                        "rename or remove one of them")  # fmt: skip
    places = [header.index(name) for name in COLUMNS]
    return [
        _row(cells[: len(header)], places, _told_where(path, reader.line_num, cells, header))
        for cells in reader
        if any(cell.strip() for cell in cells)
    ]


def _told_where(path: Path, line: int, cells: Sequence[str], header: Sequence[str]) -> str:
    """The line in words. Raises UserError `bad-table` where it says more than the columns ask."""
    where = f"{path}, line {line}"
    if any(cell.strip() for cell in cells[len(header) :]):
        raise UserError("bad-table", f"{where}: there are {len(cells)} values for {len(header)} "
                        "columns", "write 94.3, not 94,3; a comma in a name goes into quotes: "
                        '"a, b"')  # fmt: skip
    return where


def _row(cells: Sequence[str], places: Sequence[int], where: str) -> tuple[str, str, float]:
    found = [cells[place].strip() if place < len(cells) else "" for place in places]
    for name, text in zip(COLUMNS, found, strict=True):
        if not text:
            raise UserError("bad-table", f"{where}: there is no {name}",
                            f"write {','.join(COLUMNS)} in every line")  # fmt: skip
    model, dataset, text = found
    try:
        score = math.nan if "_" in text else float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise UserError("bad-table", f"{where}: the score {text} is not a number",
                        "write a decimal number, such as 94.32")  # fmt: skip
    return model, dataset, score


def _listed(gaps: Sequence[tuple[str, str]]) -> str:
    named = [f"{model} on {dataset}" for model, dataset in gaps[:3]]
    more = [f"{len(gaps) - 3} more"] if len(gaps) > 3 else []
    return ", ".join([*named, *more])
