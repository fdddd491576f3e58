"""Stopping where a run can be taken up again.

Ctrl-C (SIGINT), SIGTERM and a closed terminal (SIGHUP) leave a note; the loop reads it after each
step. A second Ctrl-C or SIGTERM acts at once, as if nobody listened. A signal that whoever started
the process chose to ignore, as nohup does, stays ignored.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Where a process prints: stdout and stderr.
PRINTING = (1, 2)


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
    terminals = [number for number in PRINTING if os.isatty(number)]

    def note(signum: int, _frame: object) -> None:
        request.signum = signum
        if signum == signal.SIGHUP:
            # The shell and the system may both send it: a second one means no more.
            _leave(terminals)
        else:
            signal.signal(signum, previous[signum])

    previous: dict[int, Any] = {
        number: signal.signal(number, note)
        for number in STOPPING
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _leave(terminals: Sequence[int]) -> None:
    """What would be printed on terminals that are closed goes nowhere; to write there is an error.

    After that the process can still write its checkpoint.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in terminals:
        os.dup2(nowhere, number)
    os.close(nowhere)
