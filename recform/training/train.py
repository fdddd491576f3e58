"""A training run from its first step, or from a checkpoint, to its summary.

Everything of a run that can be replayed is in its folder before the first step is taken: its
configuration, its formula and a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import nn
from torch.amp.grad_scaler import GradScaler

from recform.errors import UserError
from recform.training.batches import num_training_batches
from recform.training.checkpoint import (
    copy_checkpoint,
    load_checkpoint,
    save_checkpoint,
    save_last,
)
from recform.training.crew import Crew
from recform.training.dataset import DataSet, check_trainable
from recform.training.descent import mean_weights, optimizer, schedule
from recform.training.device import Device, pick_device
from recform.training.gates import begin_gates, log_gates
from recform.training.loop import (
    Point,
    Task,
    check_sound,
    evaluate,
    finish_epoch,
    judging_batches,
    starting_point,
    train_epoch,
)
from recform.training.memory import memory_told
from recform.training.progress import Plan, Progress, Silent
from recform.training.randomness import check_seed, seed_everything
from recform.training.recipe import Recipe
from recform.training.record import (
    Identity,
    configuration,
    git_commit,
    identity_of,
    macs_of,
    named,
    num_parameters,
    summary_of,
)
from recform.training.run import (
    RunFolder,
    Summary,
    held,
    read_config,
    unfinish,
    write_json,
    write_metrics,
    write_text,
)
from recform.training.sharding import deal_out
from recform.training.stop import Interrupted, StopRequest, listening
from recform.training.team import Team, check_batch, team_on

AUTO = "auto"
NUM_KEPT = 2


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    out: Path | str,
    formula_text: str | None = None,
    backbone: str | None = None,
    seed: int = 0,
    device: str = AUTO,
    resume: Path | str | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    compiled: bool = False,
    sharded: bool = False,
    keep: int = NUM_KEPT,
) -> Summary:
    """Trains `model` in place and leaves the run in the folder `out`.

    The run is known by `formula_text` and `backbone`, by default those that the network was built
    with.

    `resume` is a checkpoint, a run folder, or "auto": the last checkpoint in `out`, or a new run
    where there is none. A run that goes on computes, on the same machine, what it would have
    without the stop. Ctrl-C, SIGTERM, SIGHUP end the step, write a checkpoint, raise `Interrupted`.
    `command` is what the user typed, kept in config.json. `compiled` runs the network through
    torch.compile. The last `keep` checkpoints are kept, beside the best one. Processes that
    torchrun started train together, each on its part of every batch; `sharded` leaves each of them
    its part of the weights only.

    Raises UserError `run-exists`, `no-such-file`, `damaged-checkpoint`, `bad-run`, `bad-argument`,
    `no-device`, `diverged`, `damaged-data`, `unwritable`, `out-of-memory`.
    """
    formula_text, backbone = named(model, formula_text, backbone)
    _check_asked(data, seed, keep)
    place = pick_device(device)
    folder = RunFolder(Path(out))
    # Of the start: files may change while hours go by.
    source = git_commit()
    with (
        team_on(place) as team,
        _memory_told(recipe),
        held(folder) if team.leads else nullcontext(),
    ):
        check_batch(team, place, recipe.batch_size)
        checkpoint = checkpoint_to_resume(folder, resume)
        team.wait()
        speaker = (progress if team.leads else None) or Silent()
        task = _task(model, data, recipe, seed, place, team, speaker, compiled, sharded)
        identity = identity_of(task, formula_text, backbone)
        point = _beginning(task, folder, identity, checkpoint)
        if team.leads and (checkpoint is None or not folder.config.exists()):
            write_json(folder.config, configuration(task, formula_text, backbone, command, source))
            write_text(folder.formula, formula_text)
        with listening() as stop:
            point = _run(task, point, folder, identity, stop, keep, checkpoint)
        summary = summary_of(task, point, formula_text, backbone, source)
        if team.leads:
            write_json(folder.summary, asdict(summary))
    return summary


def _check_asked(data: DataSet, seed: int, keep: int) -> None:
    check_seed(seed)
    check_trainable(data)
    if keep < 1:
        raise UserError("bad-argument", f"one checkpoint or more must be kept, not {keep}",
                        "--keep 2")  # fmt: skip


def _beginning(task: Task, folder: RunFolder, identity: Identity, checkpoint: Path | None) -> Point:
    """The first point of a new run, or the one that a checkpoint was written at."""
    if checkpoint is None:
        # Dropout differs between the processes of a team; the network is made before.
        seed_everything((task.seed + task.team.rank) % 2**32)
        task.device.seed(task.seed)
        return starting_point(task.device)
    if folder.config.exists():
        read_config(folder)
    point = load_checkpoint(checkpoint, task, identity)
    if task.team.leads:
        _take_best_along(checkpoint, folder)
    task.team.wait()
    return point


def _memory_told(recipe: Recipe) -> AbstractContextManager[None]:
    counted = "1 image" if recipe.batch_size == 1 else f"{recipe.batch_size} images"
    return memory_told(
        f"a batch of {counted}",
        f"the same steps in more pieces: --set accumulate={2 * recipe.accumulate}; or smaller "
        f"ones: --batch-size {max(1, recipe.batch_size // 2)}",
    )


def checkpoint_to_resume(folder: RunFolder, resume: Path | str | None) -> Path | None:
    """The checkpoint that a run in `folder` goes on from; None for a new run.

    Raises UserError `run-exists`, `no-such-file`, `bad-argument`.
    """
    if resume == AUTO:
        return folder.newest()
    if resume == "":
        raise UserError("bad-argument", "--resume names nothing", "--resume auto")
    path = None if resume is None else Path(resume)
    if path is not None and path.is_dir():
        path = RunFolder(path).newest() or RunFolder(path).last
    if path is not None and not path.is_file():
        raise UserError("no-such-file", f"there is no checkpoint {path}",
                        "name a run, or a file such as RUN/checkpoints/last.pt")  # fmt: skip
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
    team: Team,
    progress: Progress,
    compiled: bool,
    sharded: bool,
) -> Task:
    _check_precision(recipe, device, sharded)
    macs = macs_of(model, data) if sharded else None
    average = _placed(model, recipe, device, team, sharded)
    descent = optimizer(recipe, model)
    steps_per_epoch = num_training_batches(data.num_train, recipe)
    forward = model if sharded else team.joined(model)
    placed = replace(data, train=data.train.to(device.place), test=data.test.to(device.place))
    cut = replace(placed, test=placed.test.middle(recipe.test_crop))
    tests = judging_batches(cut, recipe.batch_size, device, team)
    return Task(
        model=model,
        forward=torch.compile(forward) if compiled else forward,  # type: ignore[arg-type]
        average=average,
        optimizer=descent,
        schedule=schedule(recipe, descent, recipe.epochs * steps_per_epoch),
        scaler=GradScaler(device.place.type, enabled=recipe.amp == "fp16"),
        data=placed,
        crew=Crew(placed.train, recipe, seed, device, team.part, tests),
        recipe=recipe,
        seed=seed,
        device=device,
        team=team,
        progress=progress,
        macs=macs,
        sharded=sharded,
    )


def _placed(
    model: nn.Module, recipe: Recipe, device: Device, team: Team, sharded: bool
) -> ModelEmaV3 | None:
    """Puts the weights where they are trained, whole or in parts; the running mean of them."""
    if not sharded:
        # Channels last is the layout convolutions are fastest in, on processors and on GPUs.
        layout = torch.channels_last
        model.to(device.place, memory_format=layout)  # type: ignore[call-overload]
        return mean_weights(recipe, model)
    if team.size == 1:
        raise UserError("bad-argument", "one process alone has nobody to deal weights out to",
                        "torchrun --nproc-per-node 8 -m recform train ... --shard; or "
                        "leave out --shard")  # fmt: skip
    # In parts, weights keep torch's own layout: FSDP takes no other.
    model.to(device.place)
    average = mean_weights(recipe, model, sharded=True)
    for network in (model, *([] if average is None else [average.module])):
        deal_out(network, device.place)
    return average


def _check_precision(recipe: Recipe, device: Device, sharded: bool) -> None:
    if recipe.amp == "fp16" and device.name == "cpu":
        raise UserError("bad-argument", "a processor does not train in fp16", "--amp bf16")
    if recipe.amp == "fp16" and sharded:
        raise UserError("bad-argument", "weights in parts are not trained in fp16", "--amp bf16")


def _run(
    task: Task,
    point: Point,
    folder: RunFolder,
    identity: Identity,
    stop: StopRequest,
    keep: int,
    checkpoint: Path | None,
) -> Point:
    """All epochs that are left; what the folder holds is true after each of them."""
    task.progress.begin(_plan(task, point))
    if task.team.leads:
        unfinish(folder)
        write_metrics(folder, point.history)
    begin_gates(task, folder, len(point.history), checkpoint)
    if checkpoint is None or checkpoint.resolve() != folder.last.resolve():
        save_last(folder, task, point, identity, keep)
    # Where the best network so far is lost, the best is that of the epochs still to come.
    first = 0 if folder.best.exists() else len(point.history)
    while point.epoch <= task.recipe.epochs:
        began = time.perf_counter() - point.seconds
        point = train_epoch(task, point, stop)
        is_whole = point.step == task.steps_per_epoch
        score = evaluate(task, stop) if is_whole else None
        check_sound(task, point)
        if stop.signum or score is None:
            save_last(folder, task, point, identity, keep)
            if stop.signum:
                raise Interrupted(folder.last, point.epoch, point.step, stop.signum)
            continue
        log_gates(task, folder, point.epoch)
        point = finish_epoch(task, point, score, time.perf_counter() - began)
        *past, latest = point.history
        if latest.standing > max((epoch.standing for epoch in past[first:]), default=-1):
            save_checkpoint(folder.best, task, point, identity)
        save_last(folder, task, point, identity, keep)
        if task.team.leads:
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
