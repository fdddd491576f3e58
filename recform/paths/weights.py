"""What a run's coefficients and gates stood at, read back exactly: gates.jsonl.

A trained coefficient is a float, and so a rational number: `Fraction` has it to the last bit.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.formula import Formula, load
from recform.tape import Stages, Tape, place, unroll

LOG = "gates.jsonl"
# T.7, sigmoid(T).7, T.7_1: see `recform.tape.factors`.
_WRITTEN = re.compile(r"[^.]+\.\d+(_\d+)?")


@dataclass(frozen=True)
class Weights:
    """One epoch: coefficients by their names (`a[3]`), gates (`gate.7`) with a weight a source.

    `written` has mean and standard deviation of the gates that the formula writes out (`T.7`). A
    number that had run away is None. Epoch 0 is before training, and tells no gates: None for each
    of the written ones.
    """

    epoch: int
    coefficients: Mapping[str, Fraction | None]
    gates: Mapping[str, tuple[Fraction | None, ...]]
    written: Mapping[str, tuple[Fraction | None, ...] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class WeightsLog:
    """The epochs of a run, in order, with the formula and the stages that they are of."""

    run: Path
    formula: Formula
    depth: int
    borders: tuple[int, ...]
    epochs: tuple[Weights, ...]

    def tape(self) -> Tape:
        """The tape that the network was made from."""
        return place(unroll(self.formula, self.depth, Stages.between(self.borders, self.depth)))

    @property
    def written(self) -> tuple[str, ...]:
        """The gates that the formula writes out, by name."""
        return tuple(self.epochs[-1].written)

    def at(self, epoch: int | None) -> Weights:
        """The weights after an epoch, the last one for None. Raises UserError `bad-argument`."""
        if epoch is None:
            return self.epochs[-1]
        for weights in self.epochs:
            if weights.epoch == epoch:
                return weights
        known = f"{self.epochs[0].epoch} to {self.epochs[-1].epoch}"
        raise UserError("bad-argument", f"{self.run / LOG} has no epoch {epoch}",
                        f"choose one of {known}")  # fmt: skip


def read_weights_log(run: str | Path) -> WeightsLog:
    """What `recform train` left of the weights.

    Raises UserError `bad-run` with what is wrong, `unreadable`.
    """
    run = Path(run)
    path = run / LOG
    if not path.is_file():
        raise UserError("bad-run", f"{run} has no {LOG}: no run, or one of a formula without "
                        "learned coefficients and gates",
                        "name the folder that `recform train` wrote with --out")  # fmt: skip
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not rows:
            raise ValueError("no line")
        depth, borders = int(rows[-1]["depth"]), tuple(map(int, rows[-1]["borders"]))
        # Runs from before there were such have none.
        written = {name: None for row in rows for name in row.get("written", {})}
        if not all(map(_WRITTEN.fullmatch, written)):
            raise ValueError("no name of a gate")
        epochs = tuple(_weights(row, written) for row in rows)
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from error  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("bad-run", f"{path} is damaged",
                        "copy the run again, or train it anew") from error  # fmt: skip
    return WeightsLog(run, load(run / "formula.rf"), depth, borders, epochs)


def _weights(row: Mapping[str, Any], written: Mapping[str, None]) -> Weights:
    return Weights(
        int(row["epoch"]),
        {name: _exact(value) for name, value in row["coefficients"].items()},
        _exact_rows(row["gates"]),
        {**written, **_exact_rows(row.get("written", {}))},
    )


def _exact_rows(rows: Mapping[str, Any]) -> dict[str, tuple[Fraction | None, ...]]:
    return {name: tuple(map(_exact, numbers)) for name, numbers in rows.items()}


def _exact(value: object) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return Fraction(value)
