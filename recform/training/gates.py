"""gates.jsonl: how a network weighs its paths, epoch by epoch.

One object a line, for a formula with learned coefficients or gates:

    epoch           0 is the network before training, and has no gates
    depth, borders  the number of blocks, and those at which a stage begins
    coefficients    a[3]: the number it stands at; over channels the mean
    gates           gate.7: the mean weight of each of its sources, on one batch of test images
    written         T.7: mean and deviation, there, of a gate that the formula writes out as a
                    product, T(x[l])*F(x[l])

It is read off once an epoch, after the evaluation; a number that has run away is null. A line is
written before the checkpoint of its epoch, so that a run that goes on from one misses none.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.network import FormulaNetwork, is_weighing, weighing
from recform.training.batches import normalized
from recform.training.dataset import balanced_order
from recform.training.loop import Task
from recform.training.run import RunFolder, write_text


def begin_gates(
    task: Task, folder: RunFolder, num_epochs_done: int, checkpoint: Path | None
) -> None:
    """The lines up to the epoch that a run goes on from; of a new run, that of epoch 0.

    `checkpoint` is the one it goes on from, which may lie in another folder.
    """
    if not is_weighing(task.model):
        return
    if checkpoint is None:
        line = _line(task, 0)
        if task.team.leads:
            write_text(folder.gates, line)
    elif task.team.leads:
        _keep(RunFolder(checkpoint.parents[1]).gates, folder.gates, num_epochs_done)


def log_gates(task: Task, folder: RunFolder, epoch: int) -> None:
    """Adds the line of an epoch that was trained and judged."""
    if not is_weighing(task.model):
        return
    # Every process of a team computes it: parts of the network may lie with each.
    line = _line(task, epoch)
    if task.team.leads:
        before = folder.gates.read_text(encoding="utf-8") if folder.gates.is_file() else ""
        write_text(folder.gates, before + line)


def _line(task: Task, epoch: int) -> str:
    network = task.judged
    assert isinstance(network, FormulaNetwork), "what weighs is a formula's network"
    with task.precision():
        found = weighing(network, _images(task) if epoch else None)
    tape = network.architecture.tape
    content = {
        "epoch": epoch,
        "depth": tape.depth,
        "borders": list(tape.borders),
        "coefficients": {name: _finite(value) for name, value in found.coefficients.items()},
        "gates": {name: [*map(_finite, weights)] for name, weights in found.gates.items()},
        "written": {name: [*map(_finite, stood)] for name, stood in found.written.items()},
    }
    return json.dumps(content, allow_nan=False) + "\n"


def _images(task: Task) -> Any:
    """The same test images in every epoch, a batch with its classes in balance, B C S S."""
    data = task.data
    numbers = balanced_order(data.test.labels.cpu())[: task.recipe.batch_size]
    images = data.test.middle(task.recipe.test_crop).fetch(numbers)
    return normalized(images.to(task.device.place), data)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _keep(source: Path, target: Path, num_epochs: int) -> None:
    """The lines of the epochs up to this one. Raises UserError `bad-run`."""
    if not source.is_file():
        return
    try:
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["epoch"] <= num_epochs]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError("bad-run", f"{source} is damaged",
                        f"go on without what it holds: rm {source}") from error  # fmt: skip
    write_text(target, "".join(kept))
