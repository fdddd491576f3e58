"""What a run says of itself: enough to repeat it, to tell it from others, and to compare it.

Every setting is taken from the values that the training itself uses; nothing is recorded that was
decided elsewhere.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from recform.training.loop import Point, Task
from recform.training.run import Summary

# What makes two runs the same run; where one of these differs, a checkpoint cannot be taken over.
Identity = Mapping[str, str | int | float]


def identity_of(task: Task, formula_text: str, backbone: str) -> Identity:
    return {
        "formula": formula_text,
        "backbone": backbone,
        "data": task.data.name,
        "num_train": task.data.num_train,
        "num_test": task.data.num_test,
        "image_size": task.data.image_size,
        "seed": task.seed,
        **asdict(task.recipe),
    }


def configuration(
    task: Task, formula_text: str, backbone: str, command: Sequence[str]
) -> dict[str, Any]:
    """The content of config.json."""
    data = task.data
    return {
        "formula": formula_text,
        "backbone": backbone,
        "num_parameters": num_parameters(task.model),
        "data": {
            "name": data.name,
            "directory": str(data.directory.resolve()) if data.directory else None,
            "num_train": data.num_train,
            "num_test": data.num_test,
            "num_classes": data.num_classes,
            "image_size": data.image_size,
        },
        "recipe": asdict(task.recipe),
        "seed": task.seed,
        "device": {"name": task.device.name, "hardware": task.device.describe()},
        "versions": {
            "recform": version("recform"),
            "torch": torch.__version__,
            "timm": version("timm"),
            "torchvision": version("torchvision"),
            "python": platform.python_version(),
        },
        "command": list(command),
    }


def summary_of(task: Task, point: Point, formula_text: str, backbone: str) -> Summary:
    """The content of summary.json, from the history of a finished run."""
    final = point.history[-1]
    best = max(point.history, key=lambda metrics: metrics.test_top1)
    return Summary(
        formula=formula_text,
        backbone=backbone,
        data=task.data.name,
        seed=task.seed,
        epochs=final.epoch,
        final_top1=final.test_top1,
        final_top5=final.test_top5,
        final_test_loss=final.test_loss,
        best_top1=best.test_top1,
        best_epoch=best.epoch,
        num_parameters=num_parameters(task.model),
        seconds=sum(metrics.seconds for metrics in point.history),
    )


def num_parameters(model: nn.Module) -> int:
    """Weights that are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
