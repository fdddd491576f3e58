"""A picture that cannot be written is told of before any work, and nothing is printed or left."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recform.cli.application import application
from recform.cli.main import COMMANDS
from recform.cli.place import check_place, formula_place, picture_place
from recform.errors import UserError
from recform.pictures import saving, suffixes

# What a command does first would fail, too: the folder and the formula are not there.
DRAWING = [
    ("plot", "histogram", "no_example"),
    ("plot", "routes", "no_example"),
    ("plot", "wiring", "no_example"),
    ("plot", "growth", "no_example"),
    ("plot", "curves", "no_run"),
    ("plot", "gates", "no_run"),
    ("compare", "no_run"),
    ("spectrum", "no_run"),
    ("probe", "no_example"),
]


@pytest.mark.parametrize("words", DRAWING, ids=" ".join)
def test_a_suffix_that_no_picture_has_is_told_first(words, tmp_path: Path):
    command = {words[0]: COMMANDS[words[0]]}
    done = CliRunner().invoke(application(command), [*words, "-o", str(tmp_path / "a.txt")])
    assert isinstance(done.exception, UserError)
    assert done.exception.diagnostics[0].message == "pictures are not written as `.txt`"
    assert done.stdout == ""


def test_a_search_tells_of_its_picture_first():
    words = ["design", "--near", "no_example", "--where", "1", "--plot", "a.gif"]
    done = CliRunner().invoke(application({"design": COMMANDS["design"]}), words)
    assert isinstance(done.exception, UserError)
    assert done.exception.diagnostics[0].message == "pictures are not written as `.gif`"


def test_suffixes_are_those_that_are_written():
    assert set(suffixes.SUFFIXES) == set(saving._METADATA)


def test_a_place_is_fine_if_its_folders_can_be_made(tmp_path: Path):
    assert picture_place(tmp_path / "new" / "folder" / "a.PNG") == tmp_path / "new/folder/a.PNG"
    assert formula_place(tmp_path / "a.rf") == tmp_path / "a.rf"
    assert (picture_place(None), formula_place(None)) == (None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_what_lies_in_a_file_are_no_places(tmp_path: Path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "file").write_text("")
    for path, told in (
        (tmp_path / "a.png", "is a folder"),
        (tmp_path / "file" / "b.png", "cannot be written: Not a directory"),
        (tmp_path / ("b" * 300 + ".png"), "cannot be written: File name too long"),
    ):
        with pytest.raises(UserError) as error:
            check_place(path)
        assert error.value.code == "unwritable"
        assert told in error.value.diagnostics[0].message
