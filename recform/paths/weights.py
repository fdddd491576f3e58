"""What a run's coefficients and gates stood at, read back exactly: gates.jsonl.

A trained coefficient is a float, and so a rational number: `Fraction` has it to the last bit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.formula import Formula, load
from recform.tape import Stages, Tape, place, unroll

LOG = "gates.jsonl"


@dataclass(frozen=True)
class Weights:
    """One epoch: coefficients by their names (`a[3]`), gates (`gate.7`) with a weight a source.

    A number that had run away is None. Epoch 0 is before training, and has no gates.
    """

    epoch: int
    coefficients: Mapping[str, Fraction | None]
    gates: Mapping[str, tuple[Fraction | None, ...]]


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
    """What `recform train` left of the weights. Raises UserError `bad-run` with what is wrong."""
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
        epochs = tuple(map(_weights, rows))
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from error  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("bad-run", f"{path} is damaged",
                        "copy the run again, or train it anew") from error  # fmt: skip
    return WeightsLog(run, load(run / "formula.rf"), depth, borders, epochs)


def _weights(row: Mapping[str, Any]) -> Weights:
    return Weights(
        int(row["epoch"]),
        {name: _exact(value) for name, value in row["coefficients"].items()},
        {name: tuple(map(_exact, weights)) for name, weights in row["gates"].items()},
    )


def _exact(value: object) -> Fraction | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return Fraction(value)
