"""Ctrl-C ends every command in one line, also while it is being read."""

import signal
import subprocess
import sys

import pytest

# Presses Ctrl-C while a module is imported, and takes it amiss as numpy does.
PRESSED = """
import os, signal, sys
from recform.cli.main import main

class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[0]:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise RecursionError("halfway") from None

sys.meta_path.insert(0, Pressing())
sys.argv = sys.argv[1:]
main()
"""
# Presses it while a command works, where it has something to tidy.
WORKING = """
import os, signal, sys
from recform.cli import output
from recform.cli.main import main

def press(value):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("tidy")

output.print_json = press
sys.argv = ["recform", "list", "--json"]
main()
"""


def python(text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", text, *words], capture_output=True, text=True,
                          timeout=60)  # fmt: skip


@pytest.mark.parametrize("module", ["typer", "recform.formula", "recform.cli.check"])
def test_an_interrupt_during_imports_is_one_line(module):
    done = python(PRESSED, module, "check", "resnet")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_an_interrupt_later_lets_a_command_tidy_up():
    done = python(WORKING)
    assert (done.returncode, done.stdout, done.stderr) == (130, "tidy\n", "interrupted\n")


def test_the_command_listens_before_it_reads_much():
    done = python("import sys, recform.cli.main; print(*sys.modules)")
    assert not {"typer", "lark", "recform.formula"} & set(done.stdout.split())


def test_who_is_told_to_ignore_interrupts_does():
    ignoring = f"import signal; signal.signal({signal.SIGINT:d}, signal.SIG_IGN)\n{WORKING}"
    done = python(ignoring)
    assert (done.returncode, done.stdout, done.stderr) == (0, "tidy\n", "")
