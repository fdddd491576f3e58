"""Code that a formula names is run where the user says so, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from recform import load_network
from recform.cli.main import app
from recform.errors import UserError

CODE = """
from pathlib import Path
from torch import nn
Path(__file__).with_name("ran").touch()
def gate(channels, bias=0.0):
    return nn.Conv2d(channels, channels, 1)
"""
FORMULA = "block T = own_gates:gate(bias=1)\nx[l+1] = act(x[l] + F(x[l]) + T(x[l]))\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A formula and the module that it names beside it; commands run elsewhere."""
    (tmp_path / "own_gates.py").write_text(CODE)
    (tmp_path / "own.rf").write_text(FORMULA)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_gates", raising=False)
    return tmp_path


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output


@pytest.mark.parametrize(
    "words",
    [
        ("check", "own.rf"),
        ("show", "own.rf", "--unrolled"),
        ("analyze", "own.rf", "--depth", 3),
        ("equal", "own.rf", "resnet"),
        ("compare-formulas", "own.rf", "resnet", "--depth", 3),
        ("mutate", "own.rf", "--depth", 3),
    ],
    ids=lambda words: words[0],
)
def test_reading_a_formula_runs_no_code(folder: Path, words: tuple[str | int, ...]):
    run(*(folder / "own.rf" if word == "own.rf" else word for word in words))
    assert not (folder / "ran").exists()


def test_a_network_is_made_of_code_that_is_allowed_and_of_no_other(folder: Path):
    refused = CliRunner().invoke(app, ["build", str(folder / "own.rf"), "-b", "resnet20_cifar"])
    assert isinstance(refused.exception, UserError)
    assert refused.exception.code == "code-not-allowed"
    assert not (folder / "ran").exists()
    run("build", folder / "own.rf", "-b", "resnet20_cifar", "--allow-code", "-o", folder / "net")
    assert (folder / "ran").exists()

    with pytest.raises(UserError) as error:
        load_network(folder / "net")
    assert error.value.code == "code-not-allowed"
    network = load_network(folder / "net", allow_code=True)
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize("command", ["build", "train", "evaluate", "predict", "probe"])
def test_every_command_that_makes_networks_has_the_option(command: str):
    assert "--allow-code" in run(command, "--help")


def test_code_with_a_mistake_in_it_is_told(folder: Path):
    (folder / "own_gates.py").write_text("def gate(:\n")
    done = CliRunner().invoke(
        app, ["build", str(folder / "own.rf"), "-b", "resnet20_cifar", "--allow-code"]
    )
    assert isinstance(done.exception, UserError)
    assert done.exception.code == "bad-code"
    assert "own_gates:gate cannot be loaded" in str(done.exception)
