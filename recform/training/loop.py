"""The training loop.

An epoch goes through all batches, then the test images are classified. Where training stands is a
value, `Point`: it is what a checkpoint holds beside the network, and what the loop starts from, at
the first step of a run as at any later one.
"""

# B batch, C channels, S side of an image, K classes

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import torch
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from recform.errors import UserError
from recform.training.batches import (
    EvaluationBatches,
    load,
    normalized,
    num_training_batches,
    training_batches,
)
from recform.training.dataset import DataSet
from recform.training.device import Device
from recform.training.progress import EpochMetrics, Progress, StepReport
from recform.training.recipe import Recipe
from recform.training.stop import StopRequest

# Reading a number back from the device makes it wait: done every so many steps.
STEPS_PER_REPORT = 10
TOP = 5


@dataclass(frozen=True)
class Task:
    """What a run works with. Network, optimizer and schedule change as it trains."""

    model: nn.Module
    optimizer: Optimizer
    schedule: CosineLRScheduler
    data: DataSet
    recipe: Recipe
    seed: int
    device: Device
    progress: Progress

    @property
    def steps_per_epoch(self) -> int:
        return num_training_batches(self.data.num_train, self.recipe)

    @property
    def num_steps(self) -> int:
        return self.recipe.epochs * self.steps_per_epoch


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
    """The rest of the epoch, or a part of it when a signal comes.

    Raises UserError `diverged`.
    """
    task.model.train()
    began = time.perf_counter()
    batches = training_batches(task.data.train, task.recipe, task.seed, start.epoch)
    point = start
    for images_BCSS, labels_B in load(batches, task.device, first=start.step):
        logits_BK = task.model(normalized(images_BCSS, task.data))
        loss = cross_entropy(logits_BK, labels_B)
        task.optimizer.zero_grad()
        loss.backward()
        task.optimizer.step()
        task.schedule.step_update(_num_steps_done(task, point) + 1)

        tally = point.tally.add(loss.detach(), logits_BK.detach(), labels_B)
        seconds = start.seconds + time.perf_counter() - began
        point = replace(point, step=point.step + 1, tally=tally, seconds=seconds)
        if point.step % STEPS_PER_REPORT == 0 or point.step == len(batches):
            task.progress.step(_report(task, point))
        if stop.signum:
            break
    _check_finite(point)
    return point


@torch.inference_mode()
def evaluate(task: Task, stop: StopRequest) -> Score:
    """The network on the test images; on a part of them when a signal comes."""
    task.model.eval()
    place = task.device.place
    loss, num_hits, num_near, num_images = torch.zeros((), device=place), 0, 0, 0
    num_guesses = min(TOP, task.data.num_classes)
    for images_BCSS, labels_B in load(
        EvaluationBatches(task.data.test, task.recipe.batch_size), task.device
    ):
        logits_BK = task.model(normalized(images_BCSS, task.data))
        loss = loss + cross_entropy(logits_BK, labels_B, reduction="sum")
        hits_BK = logits_BK.topk(num_guesses).indices == labels_B[:, None]
        num_hits = num_hits + hits_BK[:, 0].sum()
        num_near = num_near + hits_BK.sum()
        num_images += len(labels_B)
        if stop.signum:
            break
    percent = 100 / num_images
    return Score(loss.item() / num_images, percent * int(num_hits), percent * int(num_near))


def finish_epoch(task: Task, point: Point, score: Score, seconds: float) -> Point:
    """The start of the next epoch, with this one in its history; it took `seconds` in all."""
    metrics = EpochMetrics(
        epoch=point.epoch,
        train_loss=point.tally.mean_loss(),
        train_top1=point.tally.top1(),
        test_loss=score.loss if math.isfinite(score.loss) else None,
        test_top1=score.top1,
        test_top5=score.top5,
        learning_rate=task.optimizer.param_groups[0]["lr"],
        images_per_second=point.tally.num_images / point.seconds,
        seconds=seconds,
    )
    return replace(starting_point(task.device), history=(*point.history, metrics))


def _num_steps_done(task: Task, point: Point) -> int:
    return len(point.history) * task.steps_per_epoch + point.step


def _report(task: Task, point: Point) -> StepReport:
    _check_finite(point)
    num_done = _num_steps_done(task, point)
    return StepReport(
        epoch=point.epoch,
        step=point.step,
        num_steps_done=num_done,
        loss=point.tally.mean_loss(),
        top1=point.tally.top1(),
        images_per_second=point.tally.num_images / point.seconds,
        seconds_left=(task.num_steps - num_done) * point.seconds / point.step,
    )


def _check_finite(point: Point) -> None:
    if not math.isfinite(point.tally.mean_loss()):
        raise UserError(
            "diverged",
            f"the loss is not a number in epoch {point.epoch}, by step {point.step}",
            "try a lower learning rate: --lr ...",
        )
