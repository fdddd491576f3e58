"""What a run tells of itself while it goes on.

The caller gives an object that draws, prints or stays silent; the training never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Plan:
    """The size of a run; `num_steps_done` is above 0 when it is taken up again."""

    num_epochs: int
    steps_per_epoch: int
    num_steps_done: int
    num_train: int
    num_test: int
    num_parameters: int
    device: str

    @property
    def num_steps(self) -> int:
        return self.num_epochs * self.steps_per_epoch


@dataclass(frozen=True)
class StepReport:
    """Loss and accuracy (percent) of the epoch so far; `step` and `epoch` count from 1.

    `seconds_left` are those of training to the end of the run, without the evaluations.
    """

    epoch: int
    step: int
    num_steps_done: int
    loss: float
    top1: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class EpochMetrics:
    """One line of metrics.jsonl. Percentages from 0 to 100; epochs count from 1.

    Training figures are means over the epoch, while the network changed. `test_loss` is None where
    it is no number although training goes on, which JSON could not hold: batch norms may know too
    little of a network as yet to judge it. `learning_rate` is the rate at the end of the epoch;
    `images_per_second` those of training; `peak_memory` the most bytes in use so far, of the
    device, or of the process where the device is the processor.
    """

    epoch: int
    train_loss: float
    train_top1: float
    test_loss: float | None
    test_top1: float
    test_top5: float
    learning_rate: float
    images_per_second: float
    seconds: float
    peak_memory: int

    @property
    def standing(self) -> float:
        """What the best epoch is chosen by: `test_top1`, or less than any where a loss is none."""
        return -1.0 if self.test_loss is None else self.test_top1


class Progress(Protocol):
    """Called by the training, in this order: once, every few steps, after each epoch."""

    def begin(self, plan: Plan) -> None: ...

    def step(self, report: StepReport) -> None: ...

    def epoch(self, metrics: EpochMetrics) -> None: ...


class Silent:
    """Shows nothing."""

    def begin(self, plan: Plan) -> None:
        pass

    def step(self, report: StepReport) -> None:
        pass

    def epoch(self, metrics: EpochMetrics) -> None:
        pass


class Several:
    """Tells several listeners, one after the other."""

    def __init__(self, *listeners: Progress) -> None:
        self._listeners = listeners

    def begin(self, plan: Plan) -> None:
        for listener in self._listeners:
            listener.begin(plan)

    def step(self, report: StepReport) -> None:
        for listener in self._listeners:
            listener.step(report)

    def epoch(self, metrics: EpochMetrics) -> None:
        for listener in self._listeners:
            listener.epoch(metrics)
