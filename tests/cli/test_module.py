"""`python -m recform` is the command."""

import subprocess
import sys


def module(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "recform", *words], capture_output=True, text=True,
                          timeout=60)  # fmt: skip


def test_python_runs_recform_as_a_module():
    done = module("check", "resnet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("resnet.rf: ok")


def test_as_a_module_it_tells_mistakes_without_a_traceback():
    done = module("check", "x[l+1] = F(x[l+2])")
    assert done.returncode == 1
    assert "error[future-read]" in done.stderr
    assert "Traceback" not in done.stderr
