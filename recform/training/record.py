"""What a run says of itself: enough to repeat it, to tell it from others, and to compare it.

Every setting is taken from the values that the training itself uses; nothing is recorded that was
decided elsewhere.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from recform.errors import UserError
from recform.network import num_macs
from recform.training.dataset import RGB, DataSet
from recform.training.loop import Point, Task
from recform.training.run import Summary

# What makes two runs the same run; where one of these differs, a checkpoint cannot be taken over.
Identity = Mapping[str, str | int | float]
SOURCE = Path(__file__).parents[2]


def named(model: nn.Module, formula_text: str | None, backbone: str | None) -> tuple[str, str]:
    """Formula and backbone by which a run is known: as given, or as a built network says them.

    Raises UserError `bad-argument` where neither does.
    """
    architecture = getattr(model, "architecture", None)
    if formula_text is None and architecture is not None:
        formula_text = f"{architecture.formula}\n"
    if backbone is None and architecture is not None and architecture.spec is not None:
        backbone = architecture.spec.name
    if formula_text is None or backbone is None:
        missing = "formula_text" if formula_text is None else "backbone"
        raise UserError("bad-argument", f"a {type(model).__name__} does not say its {missing}",
                        f'train(..., {missing}="...")')  # fmt: skip
    return formula_text, backbone


def identity_of(task: Task, formula_text: str, backbone: str) -> Identity:
    return {
        "formula": formula_text,
        "backbone": backbone,
        "data": task.data.name,
        "num_train": task.data.num_train,
        "num_test": task.data.num_test,
        "image_size": task.data.image_size,
        "seed": task.seed,
        "reversible": _memory_of(task.model)["reversible"],
        **asdict(task.recipe),
    }


def configuration(
    task: Task, formula_text: str, backbone: str, command: Sequence[str], source: str | None
) -> dict[str, Any]:
    """The content of config.json; `source` is the commit that the process began with."""
    data = task.data
    return {
        "formula": formula_text,
        "backbone": backbone,
        **_made_with(task.model),
        "num_parameters": num_parameters(task.model),
        "data": {
            "name": data.name,
            "directory": str(data.directory.resolve()) if data.directory else None,
            "shards": _local_shards(data.name),
            "num_train": data.num_train,
            "num_test": data.num_test,
            "num_classes": data.num_classes,
            "image_size": data.image_size,
            "mean": list(data.mean),
            "deviation": list(data.deviation),
            "classes": list(data.classes),
        },
        "recipe": asdict(task.recipe),
        "seed": task.seed,
        "memory": _memory_of(task.model),
        "device": {
            "name": task.device.name,
            "hardware": task.device.describe(),
            "processes": task.team.size,
            "sharded": task.sharded,
            # torch.compile keeps what it was given there; a team's wrapper does not
            "compiled": hasattr(task.forward, "_orig_mod"),
        },
        "versions": versions(),
        "git": source,
        "command": list(command),
    }


def _local_shards(name: str) -> str | None:
    """Where shards lie that `wds:FOLDER` names on this machine: FOLDER may be relative."""
    kind, _, place = name.partition(":")
    return str(Path(place).resolve()) if kind == "wds" and "://" not in place else None


def _memory_of(model: nn.Module) -> dict[str, bool]:
    """How a step saves memory: by computing blocks twice, by solving for states."""
    return {
        "recompute": bool(getattr(model, "grad_checkpointing", False)),
        "reversible": getattr(model, "reversible_pieces", None) is not None,
    }


def _made_with(model: nn.Module) -> dict[str, Any]:
    """What `build` needs to make the network again, beside formula and backbone."""
    architecture = getattr(model, "architecture", None)
    if architecture is None or architecture.spec is None:
        return {}
    plan = asdict(architecture.plan)
    del plan["image_size"]  # The data says it.
    return {"matched": dict(architecture.spec.matched), "plan": plan}


def versions() -> dict[str, str]:
    """Of all that decides what a run computes."""
    return {
        "recform": version("recform"),
        "torch": str(torch.__version__),
        "timm": version("timm"),
        "torchvision": version("torchvision"),
        "python": platform.python_version(),
    }


def git_commit(root: Path = SOURCE) -> str | None:
    """The commit of recform's source, -dirty where it was changed; None where there is none.

    Only looked at: what git would note down meanwhile takes a lock, and a kill would leave it.
    """
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    if not commit or changes is None:
        return None
    return f"{commit}-dirty" if changes else commit


def _git(root: Path, *words: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def macs_of(model: nn.Module, data: DataSet) -> int | None:
    """Multiply-accumulates for one image; None where the network does not run without numbers."""
    try:
        return num_macs(model, (RGB, data.image_size, data.image_size))
    except (NotImplementedError, RuntimeError):
        return None


def summary_of(
    task: Task, point: Point, formula_text: str, backbone: str, source: str | None
) -> Summary:
    """The content of summary.json, from the history of a finished run.

    `source` is the commit that its last process began with.
    """
    final = point.history[-1]
    best = max(point.history, key=lambda metrics: metrics.standing)
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
        params=num_parameters(task.model),
        macs=task.macs if task.sharded else macs_of(task.model, task.data),
        seconds=sum(metrics.seconds for metrics in point.history),
        images_per_second=len(point.history)
        / sum(1 / metrics.images_per_second for metrics in point.history),
        versions=versions(),
        git=source,
    )


def num_parameters(model: nn.Module) -> int:
    """Weights that are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
