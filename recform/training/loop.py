"""The training loop.

An epoch goes through all batches, then the test images are classified. Where training stands is a
value, `Point`: it is what a checkpoint holds beside the network, and what the loop starts from, at
the first step of a run as at any later one.
"""

# B batch, C channels, S side of an image, K classes

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from timm.scheduler.scheduler import Scheduler
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from recform.errors import UserError
from recform.training.batches import (
    NOBODY,
    Batch,
    EvaluationBatches,
    load,
    normalized,
    num_training_batches,
)
from recform.training.crew import Crew
from recform.training.dataset import DataSet
from recform.training.descent import loss_of, mixed
from recform.training.device import Device
from recform.training.progress import EpochMetrics, Progress, StepReport
from recform.training.randomness import seed_of
from recform.training.recipe import Recipe
from recform.training.sharding import own_part
from recform.training.stop import StopRequest
from recform.training.team import Team, apart

# Reading a number back from the device makes it wait: done every so many steps.
STEPS_PER_REPORT = 10
# An epoch may take hours: it pauses for a checkpoint after so long.
SECONDS_PER_CHECKPOINT = 600.0
TOP = 5
# Sets the seeds of mixed batches apart from those of single images.
MIXING = 0
# XLA knows no other kind than bfloat16, and complains of others even where autocast is off.
PRECISIONS = {"none": torch.bfloat16, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Task:
    """What a run works with. Network, optimizer and schedule change as it trains.

    `forward` is the network as it is run, compiled or shared by a team; `average` the running mean
    of its weights, if one is kept; `scaler` keeps small gradients alive in fp16; `crew` hands out
    the batches. Where the network is `sharded` each process has a part of the weights, and all must
    run it together; its multiply-accumulates for an image cannot be counted any more, and are in
    `macs`.
    """

    model: nn.Module
    forward: nn.Module
    average: ModelEmaV3 | None
    optimizer: Optimizer
    schedule: Scheduler
    scaler: GradScaler
    data: DataSet
    crew: Crew
    recipe: Recipe
    seed: int
    device: Device
    team: Team
    progress: Progress
    macs: int | None
    sharded: bool

    @property
    def steps_per_epoch(self) -> int:
        return num_training_batches(self.data.num_train, self.recipe)

    @property
    def num_steps(self) -> int:
        return self.recipe.epochs * self.steps_per_epoch

    @property
    def judged(self) -> nn.Module:
        """The network whose accuracy counts: that of the mean weights, if there are such."""
        return self.model if self.average is None else self.average.module

    def precision(self) -> torch.autocast:
        kind = PRECISIONS[self.recipe.amp]
        return torch.autocast(self.device.place.type, kind, enabled=self.recipe.amp != "none")


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over the images seen in an epoch, kept on the device."""

    loss: Tensor
    correct: Tensor
    num_images: int

    def add(self, loss: Tensor, logits_BK: Tensor, labels_B: Tensor) -> Tally:
        """With one more batch, of this mean loss."""
        correct = (logits_BK.argmax(1) == labels_B).sum()
        num_images = self.num_images + len(labels_B)
        return Tally(self.loss + loss * len(labels_B), self.correct + correct, num_images)

    def together(self, team: Team) -> Tally:
        """The sums over the whole team."""
        if team.size == 1:
            return self
        count = team.sum(torch.tensor(self.num_images, device=self.loss.device))
        return Tally(team.sum(self.loss), team.sum(self.correct), int(count))

    def mean_loss(self) -> float:
        return self.loss.item() / max(1, self.num_images)

    def top1(self) -> float:
        return 100 * self.correct.item() / max(1, self.num_images)


def empty_tally(place: torch.device) -> Tally:
    return Tally(torch.zeros((), device=place), torch.zeros((), device=place, dtype=torch.long), 0)


@dataclass(frozen=True, eq=False)
class Point:
    """Where training stands: the epochs behind it, and what it has done of the present one."""

    history: tuple[EpochMetrics, ...]
    step: int
    tally: Tally
    seconds: float

    @property
    def epoch(self) -> int:
        """The epoch it is in, from 1."""
        return len(self.history) + 1


@dataclass(frozen=True)
class Score:
    """Mean loss and accuracies (percent) on the test images."""

    loss: float
    top1: float
    top5: float


def starting_point(device: Device) -> Point:
    return Point((), 0, empty_tally(device.place), 0.0)


def train_epoch(task: Task, start: Point, stop: StopRequest) -> Point:
    """The rest of the epoch, or a part of it when a signal comes or a checkpoint is due.

    Raises UserError `diverged`.
    """
    task.forward.train()
    began = time.perf_counter()
    point = start
    for images_BCSS, labels_B in task.crew.load(start.epoch, first=start.step):
        loss, logits_BK = _step(task, point, images_BCSS, labels_B)
        tally = point.tally.add(loss, logits_BK, labels_B)
        task.device.end_step()
        point = replace(point, step=point.step + 1, tally=tally)
        reports = point.step % STEPS_PER_REPORT == 0 or point.step == task.steps_per_epoch
        reached = point.tally.together(task.team) if reports else None
        if reached:
            # Reads a number, and so waits for all steps so far: only then their time is known.
            _check_loss(task, point, reached)
        seconds = time.perf_counter() - began
        point = replace(point, seconds=start.seconds + seconds)
        if reached:
            task.progress.step(_report(task, point, reached))
        if _is_to_stop(task, stop, reports) or (
            reports and task.team.highest(int(seconds > SECONDS_PER_CHECKPOINT), task.device.place)
        ):
            break
    _check_loss(task, point, point.tally.together(task.team))
    return point


@torch.no_grad()
def evaluate(task: Task, stop: StopRequest) -> Score:
    """The network on the test images; on a part of them when a signal comes."""
    task.team.share_buffers(task.judged)
    with task.precision():
        batches = task.crew.load_tests()
        return _score(task.judged, task.data, batches, task.device, task.team, stop)


@torch.no_grad()
def score(model: nn.Module, data: DataSet, batch_size: int, device: Device) -> Score:
    """A network on the test images of a data set."""
    team = Team()
    return _score(
        model, data, load(judging_batches(data, batch_size, device, team), device), device, team
    )


def judging_batches(
    data: DataSet, batch_size: int, device: Device, team: Team
) -> EvaluationBatches:
    """The test images, of each batch this process's part, in sizes that suit the device."""
    multiple = batch_size if device.one_shape else team.size
    return EvaluationBatches(data.test, batch_size, team.part, multiple)


def _score(
    model: nn.Module,
    data: DataSet,
    batches: Iterable[Batch],
    device: Device,
    team: Team,
    stop: StopRequest | None = None,
) -> Score:
    model.eval()
    # Counts are exact in 32 bits up to 16 million images.
    sums = torch.zeros(4, device=device.place)
    num_guesses = min(TOP, data.num_classes)
    for images_BCSS, labels_B in batches:
        logits_BK = model(normalized(images_BCSS, data))
        loss = cross_entropy(logits_BK.float(), labels_B, reduction="sum")
        hits_BK = logits_BK.topk(num_guesses).indices == labels_B[:, None]
        counts = (hits_BK[:, 0].sum(), hits_BK.sum(), (labels_B != NOBODY).sum())
        sums = sums + torch.stack([loss, *(count.to(loss.dtype) for count in counts)])
        device.end_step()
        if stop is not None and stop.signum and team.size == 1:
            break
    loss, num_hits, num_near, num_images = team.sum(sums).tolist()
    return Score(loss / num_images, 100 * num_hits / num_images, 100 * num_near / num_images)


@torch.no_grad()
def check_sound(task: Task, point: Point) -> None:
    """Refuses what no checkpoint may hold: weights that are no finite numbers.

    A step's loss is that of the weights before it, so that the last step may have broken them. To
    be called where numbers are read back anyway; of a team, by all. Raises UserError `diverged`.
    """
    are_finite = [own_part(weight).isfinite().all() for weight in task.model.parameters()]
    is_broken = bool(are_finite) and not torch.stack(are_finite).all().item()
    if task.team.highest(int(is_broken), task.device.place):
        raise _diverged(task, point, "a weight is not a finite number")


def finish_epoch(task: Task, point: Point, score: Score, seconds: float) -> Point:
    """The start of the next epoch, with this one in its history; it took `seconds` in all."""
    tally = point.tally.together(task.team)
    metrics = EpochMetrics(
        epoch=point.epoch,
        train_loss=tally.mean_loss(),
        train_top1=tally.top1(),
        test_loss=score.loss if math.isfinite(score.loss) else None,
        test_top1=score.top1,
        test_top5=score.top5,
        learning_rate=task.optimizer.param_groups[0]["lr"],
        images_per_second=tally.num_images / point.seconds,
        seconds=seconds,
        peak_memory=task.device.peak_memory(),
    )
    return replace(starting_point(task.device), history=(*point.history, metrics))


def _step(task: Task, point: Point, images_BCSS: Tensor, labels_B: Tensor) -> tuple[Tensor, Tensor]:
    """One step down; the mean loss of the batch and its logits, neither of them waited for."""
    recipe = task.recipe
    batch_BCSS, targets = normalized(images_BCSS, task.data), labels_B
    if recipe.mixes:
        seed = seed_of(task.seed, point.epoch, point.step, 0, MIXING)
        batch_BCSS, targets = mixed(batch_BCSS, labels_B, task.data.num_classes, recipe, seed)
    task.optimizer.zero_grad()
    loss, logits_BK = _gradients(task, batch_BCSS, targets)
    if recipe.clip_norm > 0:
        task.scaler.unscale_(task.optimizer)
        nn.utils.clip_grad_norm_(task.model.parameters(), recipe.clip_norm)
    task.scaler.step(task.optimizer)
    task.scaler.update()
    task.schedule.step_update(_num_steps_done(task, point) + 1)
    if task.average is not None:
        task.average.update(task.model, step=_num_steps_done(task, point))
    return loss, logits_BK


def _gradients(task: Task, batch_BCSS: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean gradients of the batch, in as many pieces as the recipe says."""
    num_images, num_pieces = len(batch_BCSS), task.recipe.accumulate
    pieces = zip(batch_BCSS.chunk(num_pieces), targets.chunk(num_pieces), strict=True)
    total, logits, num_left = None, [], num_images
    for piece_BCSS, piece_targets in pieces:
        num_left -= len(piece_BCSS)
        with apart(task.forward) if num_left else nullcontext():
            with task.precision():
                logits_BK = task.forward(piece_BCSS)
                loss = loss_of(task.recipe, logits_BK, piece_targets)
            if num_pieces > 1:
                loss = loss * (len(piece_BCSS) / num_images)
            task.scaler.scale(loss).backward()
        total = loss.detach() if total is None else total + loss.detach()
        logits.append(logits_BK.detach())
    assert total is not None, "a batch has images"
    return total, logits[0] if num_pieces == 1 else torch.cat(logits)


def _is_to_stop(task: Task, stop: StopRequest, reports: bool) -> bool:
    """Whether a signal came; in a team, to any of its processes, asked only now and then."""
    if task.team.size > 1 and reports:
        stop.signum = task.team.highest(stop.signum or 0, task.device.place) or None
    return bool(stop.signum) and (task.team.size == 1 or reports)


def _num_steps_done(task: Task, point: Point) -> int:
    return len(point.history) * task.steps_per_epoch + point.step


def _report(task: Task, point: Point, tally: Tally) -> StepReport:
    num_done = _num_steps_done(task, point)
    return StepReport(
        epoch=point.epoch,
        step=point.step,
        num_steps_done=num_done,
        loss=tally.mean_loss(),
        top1=tally.top1(),
        images_per_second=tally.num_images / point.seconds,
        seconds_left=(task.num_steps - num_done) * point.seconds / point.step,
    )


def _check_loss(task: Task, point: Point, tally: Tally) -> None:
    if not math.isfinite(tally.mean_loss()):
        raise _diverged(task, point, "the loss is not a number")


def _diverged(task: Task, point: Point, fact: str) -> UserError:
    kept = "the last checkpoint is from before" if point.history else "no epoch was finished before"
    return UserError(
        "diverged",
        f"{fact} in epoch {point.epoch}, by step {point.step}",
        f"a lower rate is another run: --lr {task.recipe.learning_rate / 10:g} --out DIR; {kept}",
    )
