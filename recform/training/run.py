"""What a run leaves on disk: all that is needed to repeat it, and what came of it.

config.json      formula, backbone, recipe, data, seed, device, versions, command
formula.rf       the formula's text
metrics.jsonl    one object an epoch, the fields of `EpochMetrics`
gates.jsonl      one object an epoch, learned coefficients and weights of gates (training/gates.py)
checkpoints/     last.pt, last-1.pt before it, and best.pt: that of the highest test accuracy
summary.json     the fields of `Summary`; absent until the run is finished
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.training.description import fault_in
from recform.training.progress import EpochMetrics


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run lie."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def formula(self) -> Path:
        return self.path / "formula.rf"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def gates(self) -> Path:
        return self.path / "gates.jsonl"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def last(self) -> Path:
        return self.path / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        return self.path / "checkpoints" / "best.pt"

    def earlier(self, age: int) -> Path:
        """The checkpoint that was the last one, `age` checkpoints ago."""
        return self.last if age == 0 else self.last.with_name(f"last-{age}.pt")

    def newest(self) -> Path | None:
        """The last checkpoint; a kill between two renames may have left only the one before."""
        return next((path for path in map(self.earlier, range(2)) if path.exists()), None)

    def holds_run(self) -> bool:
        return self.config.exists() or self.newest() is not None


@dataclass(frozen=True)
class Summary:
    """What came of a run: accuracies in percent on the test images, after the last epoch and best.

    `params` are the weights that are trained; `macs` multiply-accumulates for one image, None where
    the network cannot be counted. `seconds` are those of all epochs, evaluations included,
    `images_per_second` those of training, over the whole run. `git` is the commit of recform's
    source when the process that finished the run began, with -dirty where files were changed since
    that commit, None where it is installed without.
    """

    formula: str
    backbone: str
    data: str
    seed: int
    epochs: int
    final_top1: float
    final_top5: float
    final_test_loss: float | None
    best_top1: float
    best_epoch: int
    params: int
    macs: int | None
    seconds: float
    images_per_second: float
    versions: dict[str, str]
    git: str | None


@dataclass(frozen=True)
class Run:
    """A run as it was read: `summary` is None while it is not finished."""

    path: Path
    config: Mapping[str, Any]
    metrics: tuple[EpochMetrics, ...]
    summary: Summary | None


@contextmanager
def held(folder: RunFolder) -> Iterator[None]:
    """The folder of a run for this process alone; a kill gives it back, and nothing is left in it.

    Raises UserError `run-exists` where another process trains in it, `unwritable`.
    """
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.path, os.O_RDONLY)
    except OSError as error:
        raise UserError("unwritable", f"{folder.path} cannot be written: {_reason(error)}",
                        "make room, or name another folder: --out DIR") from error  # fmt: skip
    try:
        _lock(folder, handle)
        try:
            yield
        finally:
            # A run that was refused leaves no empty folder.
            with suppress(OSError):
                folder.path.rmdir()
    finally:
        os.close(handle)


def _lock(folder: RunFolder, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError("run-exists", f"another process trains in {folder.path} at this moment",
                        "wait for it, or name another folder: --out DIR") from None  # fmt: skip
    except OSError:
        # Some network file systems know no locks.
        return


def is_held(folder: Path) -> bool:
    """Whether a process trains in the folder of a run at this moment, as far as can be told."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # Some network file systems know no locks.
        return False
    finally:
        os.close(handle)
    return False


def read_run(path: Path) -> Run:
    """The run in this folder. Raises UserError `bad-run`, with the file at fault."""
    folder = RunFolder(Path(path))
    config = read_config(folder)
    lines = _text(folder.metrics).splitlines() if folder.metrics.is_file() else []
    return Run(
        path=folder.path,
        config=config,
        metrics=tuple(_value(EpochMetrics, folder.metrics, line) for line in lines),
        summary=(
            _value(Summary, folder.summary, _text(folder.summary))
            if folder.summary.is_file()
            else None
        ),
    )


def read_config(folder: RunFolder) -> dict[str, Any]:
    """The content of config.json. Raises UserError `bad-run` if it is not there, or damaged."""
    if not folder.config.is_file():
        raise UserError("bad-run", f"{folder.path} holds no run: it has no config.json",
                        "name a folder that `recform train` wrote")  # fmt: skip
    config = _object(folder.config, _text(folder.config))
    if fault := fault_in(config):
        raise UserError("bad-run", f"{folder.config} is damaged: {fault}", ANEW)
    return config


def write_metrics(folder: RunFolder, history: Sequence[EpochMetrics]) -> None:
    """All epochs anew, so that no line is there twice or in part whenever a run was stopped."""
    lines = [json.dumps(asdict(metrics), allow_nan=False) + "\n" for metrics in history]
    write_text(folder.metrics, "".join(lines))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replaces the file in one go. Raises UserError `unwritable`."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        remove(part)


def unfinish(folder: RunFolder) -> None:
    """A run that goes on has no summary. Raises UserError `unwritable`."""
    try:
        folder.summary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder.summary, error) from error


def unwritable(path: Path, error: OSError | RuntimeError) -> UserError:
    """What a user is told when a file of a run cannot be written."""
    hint = "make room, or name another folder: --out DIR"
    if _holds_checkpoint(path):
        hint += "; --resume auto goes on from the last whole checkpoint"
    return UserError("unwritable", f"{path} cannot be written: {_reason(error)}", hint)


def _reason(error: OSError | RuntimeError) -> str:
    """The system's words. torch tells of its own trouble, and has them as what went before."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or cause.__context__
    system = cause.strerror if isinstance(cause, OSError) else None
    return system or str(error).partition("\n")[0]


def _holds_checkpoint(path: Path) -> bool:
    """Whether the run that this file belongs to, or would, has a whole one."""
    return any(RunFolder(place).newest() for place in (path.parent, path.parent.parent))


def remove(part: Path) -> None:
    """A file that was not finished, if there is one."""
    with suppress(OSError):
        part.unlink()


# What `--resume auto` makes again from a checkpoint.
ANEW = "remove it and go on with the run: --resume auto writes it anew"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError("bad-run", f"{path} cannot be read: {error.strerror}", ANEW) from error
    except ValueError as error:
        raise UserError("bad-run", f"{path} is damaged: {error}", ANEW) from error


def _value(kind: type, path: Path, text: str) -> Any:
    try:
        return kind(**_object(path, text))
    except TypeError as error:
        raise UserError("bad-run", f"{path} has other fields than a run of this version",
                        ANEW) from error  # fmt: skip


def _object(path: Path, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("bad-run", f"{path} is damaged: {error}", ANEW) from error
    if not isinstance(content, dict):
        raise UserError("bad-run", f"{path} is damaged: it holds no object", ANEW)
    return content
