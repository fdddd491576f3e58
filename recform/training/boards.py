"""A run's figures for TensorBoard and for Weights & Biases, where they are installed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from recform.errors import UserError
from recform.training.progress import EpochMetrics, Plan, StepReport
from recform.training.run import write_text


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


class Wandb:
    """Implements `Progress`: the same figures for Weights & Biases, by the step of the run.

    The run's identity there is kept in its folder, so that a run that goes on stays one. What else
    wandb wants to know it asks the environment for (WANDB_PROJECT, WANDB_MODE).
    """

    def __init__(self, folder: Path) -> None:
        try:
            import wandb  # type: ignore[import-not-found]
        except ImportError:
            hint = "pip install wandb, or leave out --wandb"
            raise UserError("bad-argument", "wandb is not installed", hint) from None
        # wandb begins nothing in a folder that is not there.
        mark = folder / "wandb" / "id.txt"
        if not mark.is_file():
            write_text(mark, uuid4().hex)
        try:
            self._run = wandb.init(
                name=folder.name, dir=folder, id=mark.read_text(), resume="allow"
            )
        except wandb.Error as error:
            reason = str(error).partition("\n")[0]
            raise UserError("bad-argument", f"wandb does not begin: {reason}",
                            "wandb login; or keep the figures here: WANDB_MODE=offline",
                            ) from error  # fmt: skip
        self._num_steps = 0

    def begin(self, plan: Plan) -> None:
        self._num_steps = plan.num_steps_done
        self._run.config.update(asdict(plan), allow_val_change=True)

    def step(self, report: StepReport) -> None:
        self._num_steps = report.num_steps_done
        figures = {"step/loss": report.loss, "step/top1": report.top1}
        self._run.log(figures, step=self._num_steps)

    def epoch(self, metrics: EpochMetrics) -> None:
        figures = {f"epoch/{name}": value for name, value in asdict(metrics).items()}
        self._run.log(figures, step=self._num_steps)
