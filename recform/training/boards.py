"""A run's figures for TensorBoard, where it is installed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from recform.errors import UserError
from recform.training.progress import EpochMetrics, Plan, StepReport


class TensorBoard:
    """Implements `Progress`: every figure of an epoch, and the loss along it, into event files."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            hint = "pip install tensorboard, or leave out --tensorboard"
            raise UserError("bad-argument", "TensorBoard is not installed", hint) from None
        self._writer = SummaryWriter(str(folder))

    def begin(self, plan: Plan) -> None:
        pass

    def step(self, report: StepReport) -> None:
        self._writer.add_scalar("step/loss", report.loss, report.num_steps_done)
        self._writer.add_scalar("step/top1", report.top1, report.num_steps_done)

    def epoch(self, metrics: EpochMetrics) -> None:
        for name, value in asdict(metrics).items():
            if name != "epoch" and value is not None:
                self._writer.add_scalar(f"epoch/{name}", value, metrics.epoch)
        self._writer.flush()
