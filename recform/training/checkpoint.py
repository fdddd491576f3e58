"""Checkpoints: all that training needs to go on as if it had never stopped.

Network, mean weights, optimizer, random states and the point reached; the schedule and the place in
the data are functions of that. A file
is written beside the old one and then renamed, so there is a whole one at any moment. It is read as
data: nothing in it runs.
"""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recform.errors import UserError
from recform.training.disk import unreadable
from recform.training.loop import Point, Tally, Task, empty_tally
from recform.training.progress import EpochMetrics
from recform.training.recipe import Recipe
from recform.training.record import Identity
from recform.training.run import RunFolder, remove, unwritable
from recform.training.sharding import dealt_memory, dealt_weights, whole

FORMAT = "recform checkpoint 2"
# Settings of a run by the option that chooses each; what differs in another way is another run.
OPTIONS = {
    "num_train": "--limit-train",
    "num_test": "--limit-test",
    "image_size": "--image-size",
    "seed": "--seed",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--lr",
    "name": "--recipe",
    "amp": "--amp",
    "reversible": "--reversible",
}
# What older checkpoints do not say.
UNSAID = {"reversible": False}
RECIPE_FIELDS = frozenset(field.name for field in fields(Recipe))
MISFITS = (AttributeError, EOFError, LookupError, RuntimeError, TypeError, ValueError)


def save_checkpoint(path: Path, task: Task, point: Point, identity: Identity) -> None:
    """Replaces the file in one go; of a team, all must call it. Raises UserError `unwritable`."""
    tally, random = point.tally.together(task.team), task.team.gather(task.device.random_states())
    if task.team.leads or task.sharded:
        learned = whole(_learned(task))
        if task.team.leads:
            reached = {
                "history": [asdict(metrics) for metrics in point.history],
                "step": point.step,
                "loss": tally.loss,
                "correct": tally.correct,
                "num_images": tally.num_images,
                "seconds": point.seconds,
            }
            content = {"random": random, "point": reached}
            about = {"format": FORMAT, "identity": dict(identity)}
            _write(path, {**about, **learned, **whole(content)})
    task.team.wait()


def _learned(task: Task) -> dict[str, Any]:
    return {
        "model": task.model.state_dict(),
        "average": None if task.average is None else task.average.module.state_dict(),
        "optimizer": task.optimizer.state_dict(),
        "scaler": task.scaler.state_dict(),
    }


def save_last(folder: RunFolder, task: Task, point: Point, identity: Identity, keep: int) -> None:
    """The last checkpoint, with `keep` - 1 of those before it kept beside it.

    A kill at any moment leaves a whole checkpoint: `last.pt`, or `last-1.pt` between two renames.
    """
    beside = folder.last.with_name("next.pt")
    save_checkpoint(beside, task, point, identity)
    if task.team.leads:
        try:
            for age in reversed(range(keep - 1)):
                if folder.earlier(age).exists():
                    folder.earlier(age).replace(folder.earlier(age + 1))
            beside.replace(folder.last)
        except OSError as error:
            raise unwritable(folder.last, error) from error
    task.team.wait()


def _write(path: Path, content: Mapping[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:
        raise unwritable(path, error) from error
    finally:
        # Also where a second Ctrl-C comes in between.
        remove(part)


def load_checkpoint(path: Path, task: Task, identity: Identity) -> Point:
    """Puts network, optimizer and random states back; returns the point reached.

    Raises UserError `damaged-checkpoint`, also when it belongs to a run of another identity, and
    `bad-argument` when that run differs in a setting alone.
    """
    content = _read(path)
    try:
        _check_identity(path, content["identity"], identity)
        task.model.load_state_dict(dealt_weights(content["model"], task.model))
        if task.average is not None:
            average = task.average.module
            average.load_state_dict(dealt_weights(content["average"], average))
        task.optimizer.load_state_dict(dealt_memory(content["optimizer"], task.optimizer))
        task.scaler.load_state_dict(content["scaler"])
        states = content["random"]
        task.device.set_random_states(states[task.team.rank % len(states)])
        return _point(content["point"], task)
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
        remove(part)
        raise unwritable(target, error) from error


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """The parameters and buffers of the network in a checkpoint: the mean ones, if it has such.

    Raises UserError `damaged-checkpoint`, `unreadable`.
    """
    return read_learned(path).weights


@dataclass(frozen=True, eq=False)
class Learned:
    """A network's parameters and buffers, after so many epochs, and steps of one more."""

    weights: Mapping[str, Tensor]
    epoch: int
    step: int


def read_learned(path: Path) -> Learned:
    """What a checkpoint has for those who do not train on; see `read_weights`."""
    content = _read(path)
    weights, point = content.get("average") or content.get("model"), content.get("point", {})
    if not isinstance(weights, dict):
        raise _damaged(path, "holds no network")
    return Learned(weights, len(point.get("history", ())), point.get("step", 0))


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
        raise unreadable(path, error) from error
    except (*MISFITS, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _damaged(path, "holds other things than a checkpoint does") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _damaged(path, "is no checkpoint of recform, or one of another version")
    return content


def _check_identity(path: Path, found: Identity, wanted: Identity) -> None:
    for name, value in wanted.items():
        own = found[name] if name not in UNSAID else found.get(name, UNSAID[name])
        if own != value:
            reason = f"is of a run with {name} {own!r}, not {value!r}"
            if name in RECIPE_FIELDS or name in OPTIONS:
                raise _other_setting(path, reason, _option(name, own))
            raise _foreign(path, reason)


def _option(name: str, value: object) -> str:
    """How a setting is chosen on the command line, after `go on`."""
    if isinstance(value, bool) and name in OPTIONS:
        return f"{'with' if value else 'without'} {OPTIONS[name]}"
    return f"with {OPTIONS[name]} {value}" if name in OPTIONS else f"with --set {name}={value}"


def _point(content: Mapping[str, Any], task: Task) -> Point:
    place = task.device.place
    # The sums are those of the whole team; one of it goes on from them, the others from nothing.
    tally = empty_tally(place)
    if task.team.leads:
        loss: Tensor = content["loss"].to(place)
        correct: Tensor = content["correct"].to(place)
        tally = Tally(loss, correct, content["num_images"])
    return Point(
        history=tuple(EpochMetrics(**metrics) for metrics in content["history"]),
        step=content["step"],
        tally=tally,
        seconds=content["seconds"],
    )


def _other_setting(path: Path, reason: str, option: str) -> UserError:
    return UserError(
        "bad-argument",
        f"{path} {reason}",
        f"go on {option}, or begin a new run: --out DIR",
    )


def _foreign(path: Path, reason: str) -> UserError:
    return UserError(
        "damaged-checkpoint",
        f"{path} {reason}",
        "give the settings in that run's config.json, or begin a new run: --out DIR",
    )


def _damaged(path: Path, reason: str) -> UserError:
    others = [path.with_name(name) for name in ("last.pt", "last-1.pt", "best.pt")]
    whole = next((other for other in others if other.is_file() and other.name != path.name),
                 "RUN/checkpoints/best.pt")  # fmt: skip
    return UserError(
        "damaged-checkpoint",
        f"{path} {reason}",
        f"go on from another one (--resume {whole}), or begin a new run: --out DIR",
    )
