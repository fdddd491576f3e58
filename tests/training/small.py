"""A network, a recipe and a run that take about a second."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from timm.models.resnet import BasicBlock
from torch import nn

from recform.training import (
    DataSet,
    EpochMetrics,
    Plan,
    Recipe,
    StepReport,
    Summary,
    recipe_for,
    seed_everything,
    train,
)


def small_net(seed: int = 0) -> nn.Module:
    """Two residual blocks with batch normalisation, and dropout, which draws at every step."""
    seed_everything(seed)
    return nn.Sequential(
        nn.AvgPool2d(4),
        nn.Conv2d(3, 8, 3, padding=1),
        BasicBlock(8, 8),
        BasicBlock(8, 8),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(8 * 8 * 8, 10),
    )


def small_recipe() -> Recipe:
    return replace(recipe_for("digits"), epochs=3, batch_size=32)


@dataclass
class Recorder:
    """Progress that keeps everything it is told."""

    plans: list[Plan] = field(default_factory=list)
    steps: list[StepReport] = field(default_factory=list)
    epochs: list[EpochMetrics] = field(default_factory=list)

    def begin(self, plan: Plan) -> None:
        self.plans.append(plan)

    def step(self, report: StepReport) -> None:
        self.steps.append(report)

    def epoch(self, metrics: EpochMetrics) -> None:
        self.epochs.append(metrics)


def train_small(model: nn.Module, data: DataSet, out: Path, **changes) -> Summary:
    """A run of three short epochs on the CPU."""
    arguments = {
        "recipe": small_recipe(),
        "formula_text": "x[l+1] = x[l] + F(x[l])\n",
        "backbone": "small",
        "device": "cpu",
        **changes,
    }
    return train(model, data, out=out, **arguments)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def untimed(metrics: EpochMetrics) -> EpochMetrics:
    """Without what differs from one day to the next."""
    return replace(metrics, seconds=0, images_per_second=0, peak_memory=0)
