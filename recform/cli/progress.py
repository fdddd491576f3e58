"""The progress of a training run, drawn with rich; in a log, one plain line an epoch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from recform.cli.output import counted
from recform.training import EpochMetrics, Plan, StepReport


class Bar:
    """Implements the training's `Progress`: a bar on a terminal, lines everywhere."""

    def __init__(self, title: str, folder: Path) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._title = title
        self._folder = folder
        self._plan: Plan | None = None
        self._task: TaskID | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, plan: Plan) -> None:
        self._plan = plan
        self._console.print(self._title, markup=False, soft_wrap=True)
        self._console.print(
            f"{plan.num_parameters:,} parameters, {plan.num_train:,} training and "
            f"{plan.num_test:,} test images, {counted(plan.num_epochs, 'epoch')} on {plan.device}; "
            f"run in {self._folder}",
            markup=False,
            soft_wrap=True,
        )
        self._task = self._bar.add_task("", total=plan.num_steps, figures="")
        self._bar.update(self._task, completed=plan.num_steps_done)

    def step(self, report: StepReport) -> None:
        assert self._task is not None, "begin comes first"
        assert self._plan is not None, "begin comes first"
        self._bar.update(
            self._task,
            completed=report.num_steps_done,
            description=f"epoch {report.epoch}/{self._plan.num_epochs}",
            figures=f"loss {report.loss:.3f}  acc {report.top1:.1f} %  "
            f"{report.images_per_second:,.0f} img/s  {_clock(report.seconds_left)} left",
        )

    def epoch(self, metrics: EpochMetrics) -> None:
        assert self._plan is not None, "begin comes first"
        num_left = self._plan.num_epochs - metrics.epoch
        left = f"  {_clock(num_left * metrics.seconds)} left" if num_left else ""
        test_loss = "nan" if metrics.test_loss is None else f"{metrics.test_loss:.3f}"
        self._console.print(
            f"epoch {metrics.epoch:>{len(str(self._plan.num_epochs))}}/{self._plan.num_epochs}  "
            f"train loss {metrics.train_loss:.3f}  test loss {test_loss}  "
            f"top-1 {metrics.test_top1:6.2f} %  top-5 {metrics.test_top5:6.2f} %  "
            f"{metrics.images_per_second:,.0f} img/s  {metrics.seconds:.1f} s{left}",
            markup=False,
            soft_wrap=True,
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
