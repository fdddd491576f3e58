"""Checkpoints: all that training needs to go on as if it had never stopped.

Network, optimizer, random states and the point reached; the schedule is a function of that. A file
is written beside the old one and then renamed, so there is a whole one at any moment. It is read as
data: nothing in it runs.
"""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recform.errors import UserError
from recform.training.loop import Point, Tally, Task
from recform.training.progress import EpochMetrics
from recform.training.record import Identity

FORMAT = "recform checkpoint 1"
# Settings of a run by the option that chooses each; what differs in another way is another run.
OPTIONS = {
    "num_train": "--limit-train",
    "num_test": "--limit-test",
    "image_size": "--image-size",
    "seed": "--seed",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--lr",
}
MISFITS = (AttributeError, EOFError, LookupError, RuntimeError, TypeError, ValueError)


def save_checkpoint(path: Path, task: Task, point: Point, identity: Identity) -> None:
    """Replaces the file in one go. Raises UserError `unwritable`."""
    content = {
        "format": FORMAT,
        "identity": dict(identity),
        "model": task.model.state_dict(),
        "optimizer": task.optimizer.state_dict(),
        "random": task.device.random_states(),
        "point": {
            "history": [asdict(metrics) for metrics in point.history],
            "step": point.step,
            "loss": point.tally.loss,
            "correct": point.tally.correct,
            "num_images": point.tally.num_images,
            "seconds": point.seconds,
        },
    }
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:
        raise UserError("unwritable", f"{path} cannot be written: {error}") from error


def load_checkpoint(path: Path, task: Task, identity: Identity) -> Point:
    """Puts network, optimizer and random states back; returns the point reached.

    Raises UserError `damaged-checkpoint`, also when it belongs to a run of another identity, and
    `bad-argument` when that run differs in a setting alone.
    """
    content = _read(path)
    try:
        _check_identity(path, content["identity"], identity)
        task.model.load_state_dict(content["model"])
        task.optimizer.load_state_dict(content["optimizer"])
        task.device.set_random_states(content["random"])
        return _point(content["point"], task.device.place)
    except MISFITS as error:
        reason = str(error).partition("\n")[0].rstrip(": ")
        raise _foreign(path, f"does not fit this run: {reason}") from error


def copy_checkpoint(source: Path, target: Path) -> None:
    """A second copy of a checkpoint, whole at any moment. Raises UserError `unwritable`."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part)
        part.replace(target)
    except OSError as error:
        raise UserError("unwritable", f"{target} cannot be written: {error}") from error


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """The parameters and buffers of the network in a checkpoint.

    Raises UserError `damaged-checkpoint`, `unreadable`.
    """
    weights = _read(path).get("model")
    if not isinstance(weights, dict):
        raise _damaged(path, "holds no network")
    return weights


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if not zipfile.is_zipfile(path):
            raise _damaged(path, "is cut short, or is no checkpoint")
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise _damaged(path, f"is damaged inside ({damaged})")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}") from error
    except (*MISFITS, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _damaged(path, "holds other things than a checkpoint does") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _damaged(path, "is no checkpoint of recform, or one of another version")
    return content


def _check_identity(path: Path, found: Identity, wanted: Identity) -> None:
    for name, value in wanted.items():
        if found[name] != value:
            reason = f"is of a run with {name} {found[name]!r}, not {value!r}"
            if name in OPTIONS:
                raise _other_setting(path, reason, f"{OPTIONS[name]} {found[name]}")
            raise _foreign(path, reason)


def _point(content: Mapping[str, Any], place: torch.device) -> Point:
    loss: Tensor = content["loss"].to(place)
    correct: Tensor = content["correct"].to(place)
    return Point(
        history=tuple(EpochMetrics(**metrics) for metrics in content["history"]),
        step=content["step"],
        tally=Tally(loss, correct, content["num_images"]),
        seconds=content["seconds"],
    )


def _other_setting(path: Path, reason: str, option: str) -> UserError:
    return UserError(
        "bad-argument",
        f"{path} {reason}",
        f"go on with {option}, or begin a new run: --out DIR",
    )


def _foreign(path: Path, reason: str) -> UserError:
    return UserError(
        "damaged-checkpoint",
        f"{path} {reason}",
        "give the settings in that run's config.json, or begin a new run: --out DIR",
    )


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        "damaged-checkpoint",
        f"{path} {reason}",
        "go on from another one (--resume RUN/checkpoints/best.pt), or begin a new run: --out DIR",
    )
