"""recform design on the command line: what is printed where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import recform

EQ_12 = "sum(prod(F'[i] for i in L-k..L-1) for k in 0..L-l)"
EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recform.cli.main", "design", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
    )


def test_json_holds_candidates_best_first_and_no_refusal():
    done = run("--derivative", EQ_12, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["refused"] is None
    assert [c["formula"] for c in answer["candidates"]][:2] == [EQ_20, "x[l+1] = x[0] + F(x[l])"]


def test_a_refusal_is_an_answer():
    done = run("--lengths", "1 if k*k <= n else 0", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["candidates"] == []
    assert answer["refused"].startswith("proved: ")


def test_the_page_says_what_differs_between_equations_20_and_21():
    done = run("--lengths", 1, "--depth", 4)
    assert done.returncode == 0
    assert f"1.  {EQ_20}" in done.stdout
    assert "2.  x[l+1] = x[0] + F(x[l])" in done.stdout
    assert "the path 1 has the coefficient 1 in the first formula and 0 in the second" in (
        done.stdout
    )
    assert "some paths cancel" in done.stdout


def test_a_formula_is_saved_and_can_be_analyzed(tmp_path: Path):
    done = run("--routes", "s* F s* F s*", "-o", tmp_path / "two.rf")
    assert done.returncode == 0
    assert done.stderr == f"wrote {tmp_path / 'two.rf'}\n"
    formula = recform.load(tmp_path / "two.rf")
    assert recform.analyze(formula, depth=6).net == (0, 0, 15)
    assert formula.title.startswith("Designed for s* F s* F s*")


def test_another_candidate_is_saved_by_its_number(tmp_path: Path):
    assert run("--lengths", 1, "--pick", 2, "-o", tmp_path / "one.rf").returncode == 0
    assert recform.load(tmp_path / "one.rf") == recform.parse("x[l+1] = x[0] + F(x[l])")


def test_what_is_saved_builds_and_what_no_stage_border_lets_through_is_told(tmp_path: Path):
    wish = ("--lengths", "fibonacci(n + 1) if k == n else 0", "-o", tmp_path / "all.rf")
    first = run(*wish)
    assert first.stderr == f"wrote {tmp_path / 'all.rf'}\n"
    assert "F(F(" not in (tmp_path / "all.rf").read_text()
    other = run(*wish, "--pick", 2)
    assert "F(F(" in (tmp_path / "all.rf").read_text()
    assert other.stderr.endswith("can read its own output; --pick 1 builds on several\n")
    assert first.stdout == other.stdout
    assert first.stdout.count("builds on a backbone of several stages") == 1


def test_nothing_is_saved_for_a_refusal(tmp_path: Path):
    done = run("--routes", "s* F s* F s*", "--calls", 1, "-o", tmp_path / "two.rf")
    assert done.returncode == 1
    assert "proved: the rank" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "0 wishes are given, and one is asked for"),
        (["--lengths", "1", "--routes", "F"], "2 wishes are given, and one is asked for"),
        (["--lengths", "1 if k"], "`else` is expected before the end"),
        (["--routes", "(F"], "a bracket is opened and not closed"),
        (["--lengths", "1", "-o", "one.txt"], "one.txt is no name for a formula"),
        (["--lengths", "1", "-o", "no/one.rf"], "no/one.rf cannot be written"),
        (["--lengths", "1", "-o", "."], ". is no name for a formula"),
        (
            ["--near", "resnet_s", "--where", "kept < 2", "--plot", "one.txt"],
            "not written as `.txt`",
        ),
        (["--lengths", "1", "--pick", "99", "-o", "one.rf"], "there is no candidate 99"),
        (["--lengths", "1", "--pick", "99"], "the last one is --pick"),
        (["--lengths", "rows.csv"], "there is no file rows.csv"),
        (["--lengths", "1", "--plot", "one.png"], "--plot belongs to a search"),
        (["--near", "resnet_s", "--where", "kept < 2", "--calls", "1"], "belong to a wish"),
        (["--near", "resnet_s", "--where", "kept < 2", "--no-minus"], "belong to a wish"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(tmp_path: Path, arguments, told):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not {"--plot", "-o"} & {*arguments} or "99" in arguments or done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_design_loads_neither_sympy_nor_torch():
    program = (
        "import sys; from recform.design import by_length; by_length('1'); "
        "print([n for n in ('sympy', 'torch', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_the_front_of_a_search_is_in_the_figures_that_are_named():
    asked = ("--near", "resnet_s", "--where", "shortest == 0", "--depth", 5, "--json")
    default, chosen = (json.loads(run(*asked, *more).stdout)["candidates"]
                       for more in ((), ("--front", "kept, distinct")))  # fmt: skip
    starred = [{one["formula"] for one in found if one["on_front"]} for found in (default, chosen)]
    assert starred[1] < starred[0]
    refused = run(*asked, "--front", "beauty")
    assert refused.returncode == 1
    assert "there is no figure `beauty`" in refused.stderr


def test_a_reader_that_leaves_early_loses_no_formula(tmp_path: Path):
    saved = tmp_path / "kept.rf"
    words = [sys.executable, "-m", "recform.cli.main", "design", "--routes", "F* s*", "-o", saved]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asked:
        assert asked.stdout is not None
        asked.stdout.close()
    assert saved.read_text().endswith("x[l+1] = x[l] + F(x[l]) - F(x[l-1])\n")
