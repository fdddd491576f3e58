"""recform check of a folder: every file in it, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A right and a wrong formula, one of them deeper; a folder that is named like a file."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "right.rf").write_bytes(b"\xef\xbb\xbfx[l+1] = x[l] + F(x[l])\r\n")
    (tmp_path / "inner" / "wrong.rf").write_text("x[l+1] = y[l]\n")
    (tmp_path / "named.rf").mkdir()
    return tmp_path


def test_all_mistakes_are_told_and_the_right_files_counted(folder: Path):
    done = CliRunner().invoke(app, ["check", str(folder)])
    assert done.exit_code == 1
    assert f"{folder}: 1 of 2 files ok" in done.stdout
    assert "error[unknown-name]" in done.stderr
    assert "wrong.rf:1:10" in done.stderr
    assert "named.rf" not in done.stderr


def test_json_names_the_file_of_each_mistake(folder: Path):
    done = CliRunner().invoke(app, ["check", str(folder), "--json"])
    (mistake,) = json.loads(done.stdout)
    assert mistake["file"] == str(folder / "inner" / "wrong.rf")
    assert mistake["code"] == "unknown-name"


def test_an_empty_name_is_not_the_present_folder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["check", ""])
    assert isinstance(done.exception, UserError)
    assert done.exception.code == "unknown-example"
