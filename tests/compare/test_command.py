"""recform compare, from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from typer.testing import CliRunner

from recform.cli.main import app
from recform.compare import compare, read_csv
from recform.errors import UserError
from recform.pictures.ranks import KINDS, joined

DATA = Path(__file__).parents[1] / "data"
TABLE = str(DATA / "liao_table1_top1.csv")


def run(*arguments):
    done = CliRunner().invoke(app, ["compare", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_json_is_what_the_contract_says():
    found = json.loads(run("--csv", TABLE, "--json"))
    assert round(found["ranks"]["ResNet50s"], 2) == 1.67
    assert set(found["friedman"]) == {"chi2", "p", "F", "F_p", "chi2_ties", "p_ties"}
    assert (round(found["critical_difference"], 2), found["alpha"]) == (6.06, 0.05)
    assert len(found["pairs"]) == 28
    pair = found["pairs"][0]
    assert pair["models"] == ["ResNet18", "ResNet18s"]
    assert (round(pair["rank_difference"], 2), pair["significant"]) == (0.33, False)


def test_text_tells_ranks_tests_pairs_and_what_they_support():
    told = run("--csv", TABLE)
    assert "Iman-Davenport: F = 12.54" in told
    assert "ResNet18s - ResNet50s" in told
    assert "- none of 28 pairs differs by the critical difference 6.06 (Nemenyi)" in told


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_drawn(tmp_path, kind):
    run("--csv", TABLE, "-o", tmp_path / "a.png", "--draw", kind)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_comparison_of_one_row_is_drawn_as_scores_only(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("model,dataset,score\na,d,1\nb,d,2\nb,d,3\n")
    found = compare(read_csv(path))
    assert isinstance(KINDS["scores"](found), Figure)
    with pytest.raises(UserError, match="one row has no critical difference"):
        KINDS["differences"](found)


def test_one_row_that_has_no_diagram_is_told_before_its_json(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("model,dataset,score\na,d,1\nb,d,2\n")
    arguments = ["compare", "--csv", str(path), "--json", "-o", str(tmp_path / "a.png")]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, UserError)
    assert done.stdout == ""
    assert not (tmp_path / "a.png").exists()


def test_help_tells_what_a_plan_takes_for_granted():
    told = " ".join(run("--help").split())
    assert "else 4" in told
    assert "else 6" in told


def test_two_bars_leave_room_beside_them(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("model,dataset,score\na,d,1\nb,d,2\n")
    (axes,) = KINDS["scores"](compare(read_csv(path))).axes
    left, right = axes.get_xlim()
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert len(bars) == 2
    assert all(bar.get_width() <= 0.1 * (right - left) for bar in bars)
    # They stand in the middle, above the name of their row.
    assert sum(bar.get_x() + bar.get_width() / 2 for bar in bars) == pytest.approx(0)


def test_models_are_joined_that_are_nearer_than_the_critical_difference():
    assert joined([1.0, 2.0, 3.5], 1.0) == []
    assert joined([1.0, 1.9, 2.1, 4.0], 1.2) == [(0, 2)]


def test_a_plan_tells_how_many_rows_it_takes():
    told = run("--plan", "--models", 4, "--rows", 6, "--difference", 2)
    assert "critical difference 1.91 of at most 3" in told
    found = json.loads(run("--plan", "--difference", 2, "--json"))
    assert (found["num_models"], found["num_rows"]) == (4, 6)


def test_a_plan_takes_models_and_spread_from_what_has_run(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("model,dataset,score\n" + "".join(
        f"{model},{row},{score}\n" for model in "abc" for row in "de" for score in (1, 3)
    ))  # fmt: skip
    found = json.loads(run("--csv", path, "--plan", "--difference", 5, "--json"))
    assert (found["num_models"], found["num_rows"], found["num_seeds"]) == (3, 2, 2)
    assert found["spread"] == pytest.approx(2**0.5)


def test_a_bad_table_is_told_without_a_traceback(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n")
    done = subprocess.run([sys.executable, "-m", "recform.cli.main", "compare", "--csv", str(path)],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[bad-table]" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_compare_is_told():
    done = CliRunner().invoke(app, ["compare"])
    assert isinstance(done.exception, UserError)
    assert "--csv FILE" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", 3), "--models says nothing here"),
        (("--spread", 0.5), "--spread says nothing here"),
        (("--draw", "scores"), "--draw says nothing here: there is no file to draw in"),
        (("--plan", "-o", "a.png"), "-o says nothing here: a plan is not drawn"),
        (("--plan", "--draw", "scores"), "--draw says nothing here: a plan is not drawn"),
        (("-o", "a.png", "--draw", "pies"), "comparisons are not drawn as pies"),
        (("--metric", "best_top1"), "--metric says nothing here: there are no runs"),
    ],
)
def test_options_that_would_be_ignored_are_told_before_anything_is_printed(
    tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["compare", "--csv", TABLE, *map(str, arguments)])
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)
    assert "= hint: " in str(done.exception)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
