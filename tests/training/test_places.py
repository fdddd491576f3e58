"""Where runs are to lie: told at once where they cannot, before data and network are made."""

import pytest
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError

SMALL = ["--limit-train", "8", "--limit-test", "4", "--epochs", "1", "--device", "cpu"]
LONG = "x" * 300


def refused(*words) -> UserError:
    """What is told, with no data read."""
    done = CliRunner().invoke(app, [*map(str, words), "--data", "nosuch"])
    assert isinstance(done.exception, UserError), done.output
    assert done.exception.diagnostics[0].hint
    return done.exception


@pytest.mark.parametrize("command", ["train", "sweep"])
@pytest.mark.parametrize("name", ["file", "file/inside", LONG], ids=["file", "inside", "long"])
def test_a_folder_that_cannot_be_made_is_told_before_data_is_read(tmp_path, command, name):
    (tmp_path / "file").write_text("mine")
    told = refused(command, "resnet", "--out", tmp_path / name)
    assert told.code == "unwritable"
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_no_name_is_not_the_present_folder(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--out names no folder" in str(refused(command, "resnet", "--out", ""))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_there_is_told_before_data_is_read(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert refused("train", "resnet", "--out", tmp_path).code == "run-exists"


def test_a_checkpoint_that_is_not_there_is_told_before_data_is_read(tmp_path):
    told = refused("train", "resnet", "--out", tmp_path / "run", "--resume", tmp_path / "gone")
    assert told.code == "no-such-file"


@pytest.mark.parametrize("name", ["with space", "\u00fcn\u00efcode \u2207", "two\nlines", "a/b/c"])
def test_a_run_goes_into_any_folder_that_can_be_made(tmp_path, name):
    out = tmp_path / name
    done = CliRunner().invoke(app, ["train", "resnet", "--out", str(out), *SMALL])
    assert done.exit_code == 0, done.output
    assert (out / "summary.json").is_file()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--nosuch 3", "No such option: --nosuch"),
        ("--epochs many", "Invalid value for '--epochs'"),
        ("another", "unexpected extra argument"),
    ],
)
def test_a_sweep_tells_a_wrong_option_before_its_first_run(tmp_path, words, reason):
    words = ["sweep", "resnet", "--out", str(tmp_path / "sweep"), "--train", words]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert not (tmp_path / "sweep").exists()


def test_a_sweep_tells_a_seed_that_there_is_not(tmp_path):
    told = refused("sweep", "resnet", "--out", tmp_path / "sweep", "--seeds", "0,4294967296")
    assert "4294967296 is no seed" in str(told)
