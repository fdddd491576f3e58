"""Pictures on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from PIL import Image

from recform.errors import UserError
from recform.paths import analyze
from recform.pictures import histogram, save


@pytest.fixture(scope="module")
def figure():
    return histogram([analyze("resnet_s", depth=1)])


def test_png_decodes_and_is_wide_enough_for_a_page(figure, tmp_path):
    with Image.open(save(figure, tmp_path / "paths.png")) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width == int(7.2 * 220)


def test_svg_is_svg(figure, tmp_path):
    assert "<svg " in save(figure, tmp_path / "paths.svg").read_text()


def test_pdf_is_pdf_with_fonts_that_publishers_take(figure, tmp_path):
    content = save(figure, tmp_path / "paths.PDF").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_picture_is_the_same_file(suffix, tmp_path):
    files = [
        save(histogram([analyze("resnet_s", depth=1)]), tmp_path / f"{name}.{suffix}").read_bytes()
        for name in ("first", "second")
    ]
    assert files[0] == files[1]
    # A day in the file would make another file tomorrow.
    assert f"{date.today():%Y-}".encode() not in files[0]


def test_folders_are_made_and_nothing_is_left_beside(figure, tmp_path):
    path = save(figure, tmp_path / "new" / "deep" / "paths.svg")
    assert [entry.name for entry in path.parent.iterdir()] == ["paths.svg"]


@pytest.mark.parametrize("name", ["paths.gif", "paths", "paths.png.txt", ".png"])
def test_unknown_suffixes_are_refused_with_the_known_ones(figure, tmp_path, name):
    with pytest.raises(UserError, match="pictures are not written") as refused:
        save(figure, tmp_path / name)
    assert refused.value.code == "bad-argument"
    assert "end the file's name in .png, .svg or .pdf" in str(refused.value)


def test_a_file_where_a_folder_should_be_is_said(figure, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written") as refused:
        save(figure, tmp_path / "file" / "paths.png")
    assert refused.value.code == "unwritable"


def test_a_folder_in_the_place_of_the_file_is_said_and_left_alone(figure, tmp_path):
    (tmp_path / "paths.png").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        save(figure, tmp_path / "paths.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["paths.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_folder_is_said(figure, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        save(figure, tmp_path / "paths.png")


def test_pictures_are_drawn_in_threads(tmp_path):
    def draw(number: int) -> tuple[int, int]:
        figure = histogram([analyze("resnet_s", depth=1)])
        with Image.open(save(figure, tmp_path / f"{number}.png")) as image:
            image.load()
            return image.size

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(draw, range(3)))) == 1


def test_no_window_system_is_touched(tmp_path):
    program = (
        "import sys; from recform.paths import analyze; from matplotlib.figure import Figure;"
        "from recform.pictures import histogram, save;"
        f"save(histogram([analyze('resnet', depth=2)]), {str(tmp_path / 'a.png')!r});"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
