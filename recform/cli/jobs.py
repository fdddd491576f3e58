"""Runs as processes of their own: one a device, and none outlives the sweep that began it.

A pipe tells a run that its sweep is gone, however it went: the sweep holds the one end and never
writes, the run waits at the other, which comes to an end with the sweep. Then the run stops as on
SIGTERM, and writes its checkpoint.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from recform.cli.output import talk

# The variable that tells a run which descriptor to wait at.
VARIABLE = "RECFORM_SWEEP"
SECONDS_BETWEEN_LOOKS = 0.1
# How a run ends that was asked to stop: after its checkpoint, or before it could have one.
STOPPED = {code: signum for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
           for code in (128 + signum, -signum)}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A run of the sweep: where it goes, and the words after `recform`."""

    folder: Path
    words: tuple[str, ...]

    @property
    def is_finished(self) -> bool:
        return (self.folder / "summary.json").is_file()


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """A signal asked the sweep, or one of its runs, to stop; all its runs have ended."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum


def end_with_sweep() -> None:
    """Stops this process, as SIGTERM would, when the sweep that began it is gone; if one did."""
    text = os.environ.pop(VARIABLE, "")
    if text.isdecimal():
        Thread(target=_wait_for_the_end, args=(int(text),), daemon=True).start()


def _wait_for_the_end(descriptor: int) -> None:
    try:
        os.read(descriptor, 1)
    except OSError:
        # A variable that leaked into a process without the pipe.
        return
    os.kill(os.getpid(), signal.SIGTERM)


def work_off(jobs: Sequence[Job], places: Sequence[str | None]) -> list[Job]:
    """Runs the jobs, one after the other at each place (a GPU's name, or None); those that failed.

    A job in whose folder another process trains waits until that one ends, and is done if it has
    finished. Raises Stopped.
    """
    from recform.training import listening

    waiting, failed = list(jobs), []
    running: dict[str | None, tuple[Job, subprocess.Popen[bytes]]] = {}
    watched, held = os.pipe()
    with listening() as stop:
        try:
            while (waiting or running) and not stop.signum:
                for place in places:
                    if place not in running and (job := _next(waiting)) is not None:
                        running[place] = job, _start(job, place, watched)
                time.sleep(SECONDS_BETWEEN_LOOKS)
                for place, (job, process) in list(running.items()):
                    code = process.poll()
                    if code is None:
                        continue
                    del running[place]
                    if code in STOPPED:
                        stop.signum = STOPPED[code]
                    elif code:
                        _tell_kill(job, code)
                        failed.append(job)
        finally:
            # The runs that go on hear of it, and write their checkpoints.
            os.close(held)
            for _, process in running.values():
                process.wait()
            os.close(watched)
    if stop.signum:
        raise Stopped(stop.signum)
    return failed


def _next(waiting: list[Job]) -> Job | None:
    """Takes out the first job that can begin; what others have finished meanwhile is dropped."""
    from recform.training import is_held

    waiting[:] = [job for job in waiting if not job.is_finished]
    job = next((job for job in waiting if not is_held(job.folder)), None)
    if job is not None:
        waiting.remove(job)
    return job


def _start(job: Job, place: str | None, watched: int) -> subprocess.Popen[bytes]:
    talk(f"recform {shlex.join(job.words)}")
    environment = {**os.environ, VARIABLE: str(watched)}
    if place is not None:
        environment["CUDA_VISIBLE_DEVICES"] = place
    command = [sys.executable, "-m", "recform", *job.words]
    return subprocess.Popen(command, env=environment, pass_fds=(watched,))


def _tell_kill(job: Job, code: int) -> None:
    """Who is killed can say nothing of it."""
    if code < 0:
        talk(f"note: the run in {job.folder} was ended by {signal.Signals(-code).name}")
