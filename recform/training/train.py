"""A training run from its first step, or from a checkpoint, to its summary.

Everything of a run that can be replayed is in its folder before the first step is taken: its
configuration, its formula and a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from recform.errors import UserError
from recform.training.batches import num_training_batches
from recform.training.checkpoint import copy_checkpoint, load_checkpoint, save_checkpoint
from recform.training.dataset import DataSet
from recform.training.device import Device, pick_device
from recform.training.loop import (
    Point,
    Task,
    evaluate,
    finish_epoch,
    starting_point,
    train_epoch,
)
from recform.training.progress import Plan, Progress, Silent
from recform.training.randomness import check_seed, seed_everything
from recform.training.recipe import Recipe, optimizer, schedule
from recform.training.record import (
    Identity,
    configuration,
    identity_of,
    num_parameters,
    summary_of,
)
from recform.training.run import (
    RunFolder,
    Summary,
    read_config,
    write_json,
    write_metrics,
    write_text,
)
from recform.training.stop import Interrupted, StopRequest, listening

AUTO = "auto"


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    formula_text: str,
    backbone: str,
    out: Path,
    seed: int = 0,
    device: str = AUTO,
    resume: Path | str | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Summary:
    """Trains `model` in place and leaves the run in the folder `out`.

    `resume` is a checkpoint, a run folder, or "auto": the last checkpoint in `out`, or a new run
    where there is none. A run that goes on computes, on the same machine, what it would have
    without the stop. Ctrl-C and SIGTERM end the step, write a checkpoint and raise `Interrupted`.
    `command` is what the user typed, kept in config.json.

    Raises UserError `run-exists`, `no-such-file`, `damaged-checkpoint`, `bad-run`, `bad-argument`,
    `no-device`, `diverged`, `damaged-data`, `unwritable`.
    """
    check_seed(seed)
    place = pick_device(device)
    folder = RunFolder(Path(out))
    checkpoint = _checkpoint_to_resume(folder, resume)
    task = _task(model, data, recipe, seed, place, progress or Silent())
    identity = identity_of(task, formula_text, backbone)
    if checkpoint is None:
        seed_everything(seed)
        point = starting_point(place)
    else:
        if folder.config.exists():
            read_config(folder)
        point = load_checkpoint(checkpoint, task, identity)
        _take_best_along(checkpoint, folder)
    if checkpoint is None or not folder.config.exists():
        write_json(folder.config, configuration(task, formula_text, backbone, command))
        write_text(folder.formula, formula_text)
    with listening() as stop:
        point = _run(task, point, folder, identity, stop)
    summary = summary_of(task, point, formula_text, backbone)
    write_json(folder.summary, asdict(summary))
    return summary


def _checkpoint_to_resume(folder: RunFolder, resume: Path | str | None) -> Path | None:
    if resume == AUTO:
        return folder.last if folder.last.exists() else None
    path = None if resume is None else Path(resume)
    if path is not None and path.is_dir():
        path = RunFolder(path).last
    if path is not None and not path.is_file():
        raise UserError("no-such-file", f"there is no checkpoint {path}")
    if folder.holds_run() and (path is None or folder.path.resolve() not in path.resolve().parents):
        raise UserError(
            "run-exists",
            f"{folder.path} holds a run already",
            "go on with it: --resume auto; or name another folder: --out DIR",
        )
    return path


def _take_best_along(checkpoint: Path, folder: RunFolder) -> None:
    """The best network of a run that goes on in another folder is copied there."""
    best = checkpoint.with_name(folder.best.name)
    if checkpoint.name == folder.last.name and best.is_file() and not folder.best.exists():
        copy_checkpoint(best, folder.best)


def _task(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    seed: int,
    device: Device,
    progress: Progress,
) -> Task:
    # Channels last is the layout that convolutions are fastest in, on processors and on GPUs.
    model.to(device.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    descent = optimizer(recipe, model)
    steps_per_epoch = num_training_batches(data.num_train, recipe)
    falling = schedule(recipe, descent, recipe.epochs * steps_per_epoch)
    return Task(model, descent, falling, data, recipe, seed, device, progress)


def _run(
    task: Task, point: Point, folder: RunFolder, identity: Identity, stop: StopRequest
) -> Point:
    """All epochs that are left; what the folder holds is true after each of them."""
    task.progress.begin(_plan(task, point))
    folder.summary.unlink(missing_ok=True)
    write_metrics(folder, point.history)
    save_checkpoint(folder.last, task, point, identity)
    # Where the best network so far is lost, the best is that of the epochs still to come.
    first = 0 if folder.best.exists() else len(point.history)
    while point.epoch <= task.recipe.epochs:
        began = time.perf_counter() - point.seconds
        point = train_epoch(task, point, stop)
        score = evaluate(task, stop)
        if stop.signum:
            save_checkpoint(folder.last, task, point, identity)
            raise Interrupted(folder.last, point.epoch, point.step, stop.signum)
        is_best = score.top1 > max((past.test_top1 for past in point.history[first:]), default=-1)
        point = finish_epoch(task, point, score, time.perf_counter() - began)
        if is_best:
            save_checkpoint(folder.best, task, point, identity)
        save_checkpoint(folder.last, task, point, identity)
        write_metrics(folder, point.history)
        task.progress.epoch(point.history[-1])
    return point


def _plan(task: Task, point: Point) -> Plan:
    return Plan(
        num_epochs=task.recipe.epochs,
        steps_per_epoch=task.steps_per_epoch,
        num_steps_done=len(point.history) * task.steps_per_epoch + point.step,
        num_train=task.data.num_train,
        num_test=task.data.num_test,
        num_parameters=num_parameters(task.model),
        device=task.device.describe(),
    )
