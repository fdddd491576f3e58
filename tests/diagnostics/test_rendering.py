"""A message is one line on any terminal, whatever a file is called."""

import json
import os

from PIL import Image
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError


def test_names_of_files_move_no_cursor():
    error = UserError("no-such-file", "there is no file a\n\x1b[2Jb", "check a\rb")
    assert str(error) == (
        "error[no-such-file]: there is no file a\\n\\x1b[2Jb\n  = hint: check a\\rb"
    )


def test_words_of_any_language_stay():
    assert str(UserError("no-such-file", "there is no file größe/日本.rf", "")).endswith(
        "größe/日本.rf"
    )


def test_a_name_that_is_no_text_becomes_json(tmp_path):
    for part in (b"train", b"val"):
        place = os.path.join(os.fsencode(tmp_path), part, b"\xff")
        os.makedirs(place)
        with open(os.path.join(place, b"0.png"), "wb") as file:
            Image.new("RGB", (8, 8)).save(file, "PNG")
        with open(os.path.join(place, b"1.png"), "wb") as file:
            file.write(b"no picture")
    done = CliRunner().invoke(
        app, ["data", "check", "folder", "--data-dir", str(tmp_path), "--json"]
    )
    assert "\\udcff/1.png" in done.stdout
    assert len(json.loads(done.stdout)["train"]["damaged"]) == 1
