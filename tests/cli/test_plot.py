"""recform plot: every kind writes its picture, or one message and nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

WORKING = [
    ("histogram", "resnet", "resnet_s", "--depths", "2,4"),
    ("histogram", "resnet", "--depth", 6, "--start", 2, "--scale", "linear"),
    ("routes", "resnet", "revnet", "--depth", 4),
    ("wiring", "resnet_s", "--highlight", 2),
    ("wiring", "revnet", "--unrolled", "--depth", 2),
    ("wiring", "revnet", "leapfrog", "--recursion"),
    ("growth", "resnet", "plain", "--gains=-2,1"),
]


def plot(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recform.cli.main", "plot", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )


@pytest.mark.parametrize("arguments", WORKING, ids=lambda words: " ".join(map(str, words)))
def test_a_picture_is_written(tmp_path, arguments):
    done = plot(tmp_path, *arguments, "-o", "picture.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote picture.svg\n")
    assert ElementTree.parse(tmp_path / "picture.svg").getroot().tag.endswith("svg")


def test_a_histogram_of_an_absent_output_says_so(tmp_path):
    done = plot(tmp_path, "histogram", "x[l+1] = F(x[l-1])", "--depth", 3, "-o", "paths.png")
    assert done.returncode == 0
    assert "note: at depth 3 the output is absent: no path reaches it" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("wiring", "resnet", "-o", "wiring.gif"), "bad-argument"),
        (("wiring", "resnet", "--depth", 60, "-o", "wiring.png"), "too-deep"),
        (("wiring", "x[l+1] = F(x[l-1])", "--depth", 3, "-o", "wiring.png"), "absent-output"),
        (("wiring", "resnet", "-o", "/proc/nowhere/wiring.png"), "unwritable"),
        (("routes", "resnet", "--depth", 2000, "-o", "routes.png"), "too-deep"),
        (("routes", "resnet", "--start", 99, "-o", "routes.png"), "bad-argument"),
        (("histogram", "resnet", "--scale", "cubic", "-o", "paths.png"), "bad-argument"),
        (
            ("histogram", "resnet", "--depth", 99, "--scale", "linear", "-o", "a.png"),
            "bad-argument",
        ),
        (("growth", "resnet", "--gains", "1,1", "-o", "growth.png"), "bad-argument"),
    ],
)
def test_a_bad_argument_gives_one_message_and_no_file(tmp_path, arguments, code):
    done = plot(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[{code}]")
    assert "= hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_list_or_range_is_wrong_usage(tmp_path):
    for option in (("histogram", "--depths", "4,x"), ("growth", "--gains", "1")):
        done = plot(tmp_path, option[0], "resnet", *option[1:], "-o", "a.png")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["histogram", "routes", "wiring", "growth", "curves"])
def test_help_opens_with_an_example(tmp_path, kind):
    done = plot(tmp_path, kind, "--help")
    assert done.returncode == 0
    assert f"Example:  recform plot {kind} " in done.stdout
