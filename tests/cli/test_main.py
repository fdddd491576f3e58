"""The command line as a whole: its version, its usage, what it says of an empty list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recform.cli.main import app

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_version_is_the_projects():
    done = CliRunner().invoke(app, ["--version"])
    (version,) = re.findall(r'^version = "(.*)"$', PROJECT.read_text(), re.MULTILINE)
    assert (done.exit_code, done.stdout) == (0, f"recform {version}\n")


@pytest.mark.parametrize("command", ["plot histogram", "plot routes", "plot curves", "compare"])
def test_usage_names_what_may_be_repeated_once(command):
    help_text = CliRunner().invoke(app, [*command.split(), "--help"]).stdout
    usage = help_text.splitlines()[0]
    assert usage.endswith(("FORMULA}...", "RUN}...", "RUN]..."))
    assert "......" not in usage.replace("}", "").replace("]", "")


def test_a_list_of_nothing_is_empty_and_said_on_stderr():
    done = CliRunner().invoke(app, ["list", "zzzz"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no formula has `zzzz` in its name, title or source" in done.stderr
