"""benchmarks/gpu.py, which nobody could run on a graphics processor yet: all its ways, on a CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
STAGES = ("facts", "speed", "fast", "fast-s", "speed-50", "resume", "identity", "liao")


def ran(out, *options):
    command = [sys.executable, str(SCRIPT), "--quick", "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_stages_that_no_time_is_left_for_are_told(tmp_path):
    done = ran(tmp_path, "--device", "cpu", "--seconds", "0")
    assert done.returncode == len(STAGES)
    assert [json.loads((tmp_path / f"{stage}.json").read_text()) for stage in STAGES] == [
        {"error": "no time was left"}
    ] * len(STAGES)
    assert '| liao | error | "no time was left" |' in (tmp_path / "results.md").read_text()


def test_an_unknown_stage_is_refused(tmp_path):
    done = ran(tmp_path / "results", "--stages", "facts,fats")
    assert done.returncode == 2
    assert "there is no stage fats" in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_stage_that_fails_is_told_and_the_next_begins(tmp_path):
    done = ran(tmp_path, "--device", "cuda", "--stages", "facts,identity")
    assert done.returncode == 2
    for stage in ("facts", "identity"):
        assert "hint: --device cpu" in json.loads((tmp_path / f"{stage}.json").read_text())["error"]


@pytest.mark.zoo
def test_stages_come_to_an_end_on_a_processor(tmp_path):
    stages = ("speed", "fast", "resume", "liao")
    done = ran(tmp_path, "--device", "cpu", "--seconds", "550", "--stages", ",".join(stages))
    assert done.returncode == 0, done.stdout
    found = {stage: json.loads((tmp_path / f"{stage}.json").read_text()) for stage in stages}
    assert found["resume"]["a_resumed_one_differs_by"] == 0.0
    assert found["speed"]["ratio"] > 0
    assert found["fast"]["epochs"] == found["liao"]["epochs_of_both"] == 1
