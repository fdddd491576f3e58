"""recform train: from a formula to a run on disk."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "recform.cli.main", "train", "resnet_s"]
SMALL = ["--limit-train", "64", "--limit-test", "32", "--batch-size", "16", "--device", "cpu"]


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments), *SMALL], capture_output=True, text=True,
                          timeout=300)  # fmt: skip


def test_a_run_leaves_all_that_is_needed_to_repeat_it(tmp_path):
    out = tmp_path / "run"
    done = train("--epochs", 2, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 2
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    keys = {"epoch", "train_loss", "test_loss", "test_top1", "test_top5", "seconds"}
    assert keys <= set(rows[0])
    assert all(0 <= row["test_top1"] <= row["test_top5"] <= 100 for row in rows)
    names = {path.name for path in out.iterdir()}
    assert names == {"config.json", "formula.rf", "metrics.jsonl", "summary.json", "checkpoints"}
    assert "F(x[l-1])" in (out / "formula.rf").read_text()


def test_a_second_run_in_the_same_folder_is_refused_and_resumed_on_request(tmp_path):
    out = tmp_path / "run"
    assert train("--epochs", 1, "--out", out).returncode == 0
    refused = train("--epochs", 1, "--out", out)
    assert refused.returncode == 1
    assert "error[run-exists]" in refused.stderr
    assert "--resume auto" in refused.stderr
    assert train("--epochs", 1, "--out", out, "--resume", "auto").returncode == 0


def test_a_damaged_checkpoint_is_named(tmp_path):
    out = tmp_path / "run"
    assert train("--epochs", 1, "--out", out).returncode == 0
    (out / "checkpoints" / "last.pt").write_bytes(b"damaged")
    done = train("--epochs", 1, "--out", out, "--resume", "auto")
    assert done.returncode == 1
    assert "error[damaged-checkpoint]" in done.stderr
    assert "last.pt" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_data_set_is_named(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        (folder / name).write_bytes(b"\0" * 100)
    done = train("--data", "cifar10", "--data-dir", tmp_path, "--out", tmp_path / "run")
    assert done.returncode == 1
    assert "error[damaged-data]" in done.stderr
    assert ".bin" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_that_resumes(tmp_path):
    out = tmp_path / "run"
    command = [*COMMAND, "--epochs", "100", "--out", str(out), *SMALL]
    going = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(out / "checkpoints" / "last.pt")
    time.sleep(1)
    going.send_signal(signal.SIGINT)
    _, talk = going.communicate(timeout=120)
    assert going.returncode == 130, talk
    assert "--resume auto" in talk
    assert "Traceback" not in talk
    # as many epochs as were planned: the schedule belongs to the run
    last = (out / "checkpoints" / "last.pt").stat().st_mtime_ns
    going = subprocess.Popen([*command, "--resume", "auto"], stderr=subprocess.PIPE, text=True)
    wait_for_change(out / "checkpoints" / "last.pt", last)
    going.send_signal(signal.SIGTERM)
    going.communicate(timeout=120)
    assert going.returncode == 143


def wait_for(path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.05)


def wait_for_change(path: Path, changed_ns: int) -> None:
    until = time.monotonic() + 120
    while path.stat().st_mtime_ns == changed_ns:
        assert time.monotonic() < until, f"{path} did not change"
        time.sleep(0.05)
