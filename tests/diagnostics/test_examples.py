"""What docs/errors.md shows of a command is what the command says."""

import re
import shlex
import sys

import pytest

from recform.cli.main import main
from tests.diagnostics.test_codes import DOCS

SHOWN = re.findall(
    r"^```text\n\$ recform (.*)\n(error\[([a-z-]+)\].*\n.*\n)```$", DOCS, re.MULTILINE
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The files that the page's examples name."""
    for name in ("folder.rf", "empty", "clothes"):
        (tmp_path / name).mkdir()
    (tmp_path / "clothes" / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    (tmp_path / "picture.rf").write_bytes(b"\xff\xfe")
    (tmp_path / "code.rf").write_text("block T = torch.nn:Nothing\nx[l+1] = x[l] + T(x[l])\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("line", "told", "code"), SHOWN, ids=[code for _, _, code in SHOWN])
def test_an_example_gives_the_message(here, capsys, monkeypatch, line, told, code):
    monkeypatch.setattr(sys, "argv", ["recform", *shlex.split(line)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == told
    assert DOCS.split(f"$ recform {line}\n")[0].rpartition("\n### ")[2].startswith(f"`{code}`")


def test_there_are_examples():
    assert len(SHOWN) >= 13
