"""Signals as users send them: a run ends where it can be taken up again."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recform.training import listening, read_run
from recform.training import stop as stop_file

from .small import same_weights, small_net, train_small, untimed

# Trains slowly enough to be stopped in the middle; says when it has begun.
SCRIPT = """
import sys, time, torch
from recform.training import Interrupted, Silent, load_data
from training.small import small_net, train_small

class Slow(Silent):
    def step(self, report):
        print("step", flush=True)
        time.sleep(0.2)

torch.set_num_threads(1)
try:
    data = load_data("digits", limit_train=200, limit_test=50)
    train_small(small_net(), data, sys.argv[1], progress=Slow())
except Interrupted as stopped:
    print(stopped.checkpoint)
    sys.exit(128 + stopped.signum)
"""


def test_ctrl_c_leaves_a_checkpoint_from_which_the_run_ends_as_if_it_had_gone_on(data, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run")],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "step\n"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == str(tmp_path / "run" / "checkpoints" / "last.pt")
    assert read_run(tmp_path / "run").summary is None

    resumed, undisturbed = small_net(), small_net()
    train_small(resumed, data, tmp_path / "run", resume="auto")
    train_small(undisturbed, data, tmp_path / "other")
    assert same_weights(resumed, undisturbed)
    both = [read_run(tmp_path / name).metrics for name in ("run", "other")]
    assert [untimed(m) for m in both[0]] == [untimed(m) for m in both[1]]


# Reads the file alone, which spares it torch; writes where the terminal was.
HUNG_UP = """
import importlib.util, os, sys, time
spec = importlib.util.spec_from_file_location("stop", sys.argv[1])
stop = sys.modules["stop"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stop)
with stop.listening() as request:
    print("listening", flush=True)
    while not request.signum:
        time.sleep(0.01)
    print("for nobody", flush=True)
    print("nor here", file=sys.stderr, flush=True)
os._exit(128 + request.signum)
"""


def test_a_closed_terminal_leaves_time_for_a_checkpoint():
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", HUNG_UP, stop_file.__file__])
    assert os.read(terminal, 9) == b"listening"
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP


@pytest.fixture
def asked():
    """Sends this process a signal; afterwards its handlers are as they were."""
    before = {number: signal.getsignal(number) for number in stop_file.STOPPING}
    yield lambda number: os.kill(os.getpid(), number)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_terminal_may_hang_up_twice(asked):
    with listening() as request:
        asked(signal.SIGHUP)
        asked(signal.SIGHUP)
        assert request.signum == signal.SIGHUP


def test_a_second_ctrl_c_acts_at_once(asked):
    with listening() as request:
        asked(signal.SIGINT)
        assert request.signum == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            asked(signal.SIGINT)


def test_a_signal_that_nohup_ignores_stays_ignored(asked):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with listening() as request:
        asked(signal.SIGHUP)
        assert request.signum is None
