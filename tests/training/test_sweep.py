"""Sweeps: where runs go, that they end with the sweep, and that it goes on where it stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from recform.cli import jobs as jobs_file
from recform.cli import sweep as sweep_file
from recform.cli.jobs import Job, Stopped, work_off
from recform.training import RunFolder
from recform.training.run import held


@pytest.mark.parametrize(
    ("visible", "count", "names"),
    [
        (None, 2, ["0", "1"]),
        ("2,3", 2, ["2", "3"]),
        # Of what is listed after a name that there is not CUDA sees nothing.
        ("1,9,0", 1, ["1"]),
        ("", 0, []),
        ("GPU-8932f937", 1, ["GPU-8932f937"]),
    ],
)
def test_a_sweep_keeps_to_the_gpus_it_may_use(monkeypatch, visible, count, names):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr("recform.training.num_cuda_devices", lambda: count)
    assert sweep_file._graphics_processors() == names


# Stands for `python -m recform NAME FOLDER ...`: a run that ends at once, or goes on until told.
RUN = """
import os, pathlib, signal, sys, time
from recform.cli.jobs import end_with_sweep
end_with_sweep()
kind, folder = sys.argv[3], pathlib.Path(sys.argv[4])
folder.mkdir(parents=True, exist_ok=True)

def checkpoint(signum, frame):
    (folder / "checkpoint").touch()
    sys.exit(128 + signum)

if kind == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "wrong":
    sys.exit(1)
if kind == "long":
    signal.signal(signal.SIGTERM, checkpoint)
    (folder / "pid").write_text(str(os.getpid()))
    time.sleep(60)
(folder / "summary.json").touch()
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Makes a job of this kind of run."""
    program, python = tmp_path / "python", sys.executable
    (tmp_path / "run.py").write_text(RUN)
    program.write_text(f'#!/bin/sh\nexec {python} {tmp_path}/run.py "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

    def made(kind: str, name: str = "") -> Job:
        folder = tmp_path / "runs" / (name or kind)
        return Job(folder, (kind, str(folder)))

    return made


def eventually(holds, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def after(path: Path, act) -> threading.Thread:
    """Acts when the file is there."""
    thread = threading.Thread(target=lambda: eventually(path.exists) and act())
    thread.start()
    return thread


def test_every_run_is_done_once_and_what_fails_is_told(job, capfd):
    done = [job("short", "a"), job("short", "b")]
    bad = [job("wrong"), job("killed")]
    assert work_off([done[0], *bad, done[1]], [None, "7"]) == bad
    assert all(each.is_finished for each in done)
    said = capfd.readouterr().err
    assert said.count(f"recform short {done[0].folder}\n") == 1
    assert f"note: the run in {bad[1].folder} was ended by SIGKILL" in said


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_sweep_that_is_asked_to_stop_lets_its_runs_write_checkpoints(job, signum):
    going, later = job("long"), job("short")
    asking = after(going.folder / "pid", lambda: os.kill(os.getpid(), signum))
    with pytest.raises(Stopped) as stopped:
        work_off([going, later], [None])
    asking.join()
    assert stopped.value.signum == signum
    assert (going.folder / "checkpoint").exists()
    assert not later.folder.exists()


def test_a_run_that_was_asked_to_stop_stops_the_sweep(job):
    going, later = job("long"), job("short")
    pid = going.folder / "pid"
    asking = after(pid, lambda: eventually(pid.read_text) and os.kill(int(pid.read_text()), 15))
    with pytest.raises(Stopped):
        work_off([going, later], [None])
    asking.join()
    assert not later.folder.exists()


def test_a_run_does_not_outlive_a_sweep_that_is_killed(job):
    going = job("long")
    # Forked, so that it has torch already; killed as kill -9 does, without a last word.
    sweep = os.fork()
    if sweep == 0:
        with suppress(BaseException):
            work_off([going], [None])
        os._exit(1)
    assert eventually((going.folder / "pid").exists)
    os.kill(sweep, signal.SIGKILL)
    os.waitpid(sweep, 0)
    assert eventually((going.folder / "checkpoint").exists), "it trains on with nobody waiting"


def test_a_run_of_another_process_is_waited_for_and_not_done_again(job, capfd):
    theirs = job("short")
    with held(RunFolder(theirs.folder)):
        ending = threading.Timer(0.5, (theirs.folder / "summary.json").touch)
        ending.start()
        assert work_off([theirs], [None]) == []
    ending.join()
    assert "recform short" not in capfd.readouterr().err


def test_a_variable_that_leaked_ends_nothing(monkeypatch):
    monkeypatch.setenv(jobs_file.VARIABLE, "987")
    words = (
        "import time; from recform.cli.jobs import end_with_sweep; end_with_sweep(); time.sleep(.5)"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0
