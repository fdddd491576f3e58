"""Ctrl-C as a user presses it: a signal to another process, which leaves a run that goes on."""

import signal
import subprocess
import sys
from pathlib import Path

from recform.training import read_run

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
