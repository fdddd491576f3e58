"""Stopping where a run can be taken up again.

Ctrl-C (SIGINT) and SIGTERM leave a note; the loop reads it after each step. A second one acts at
once, as if nobody listened.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class StopRequest:
    """The signal that asked for a stop, if one did; filled in by the handler, hence mutable."""

    signum: int | None = None


class Interrupted(Exception):  # noqa: N818 (nothing went wrong)
    """The run was stopped by a signal after it wrote `checkpoint`, at this epoch and step."""

    def __init__(self, checkpoint: Path, epoch: int, step: int, signum: int) -> None:
        super().__init__(f"interrupted in epoch {epoch} after step {step}; see {checkpoint}")
        self.checkpoint = checkpoint
        self.epoch = epoch
        self.step = step
        self.signum = signum


@contextmanager
def listening() -> Iterator[StopRequest]:
    """A request that the signals fill in. Only a main thread can listen; others go on unstopped."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(signum: int, _frame: object) -> None:
        request.signum = signum
        signal.signal(signum, previous[signum])

    previous: dict[int, Any] = {
        number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
