"""The command line as scripts use it: what is printed where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import recform

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recform.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


def result_of(*arguments: object) -> object:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_analyze_prints_formula_words_counts_and_bars():
    done = run("analyze", EQ_20, "--depth", 4)
    assert done.returncode == 0
    assert EQ_20 in done.stdout
    assert "d x[4] / d x[0]  =  1 + F'[3] + F'[3]F'[2] + F'[3]F'[2]F'[1]" in done.stdout
    assert "In total: net 5, gross 29, distinct 5" in done.stdout
    assert "█" in done.stdout


def test_analyze_json_has_exact_arrays_by_length():
    counts = result_of("analyze", "resnet_s", "--depth", 3)
    assert (counts["depth"], counts["start"]) == (3, 0)
    assert counts["net"] == [1, 1, 1, 1]
    assert counts["gross"] == [1, 5, 5, 1]
    assert counts["distinct"] == [1, 1, 1, 1]
    assert counts["formula"] == EQ_20
    assert counts["title"] == recform.resolve("resnet_s").title


def test_rationals_are_strings_and_integers_are_not():
    counts = result_of("analyze", "x[l+1] = x[l] + 1/2*F(x[l])", "--depth", 2)
    assert counts["net"] == [1, 1, "1/4"]


def test_integers_past_4300_digits_are_strings_of_digits():
    counts = result_of("analyze", "x[l+1] = 10^50*F(x[l])", "--depth", 100)
    assert counts["net"][-1] == "1" + "0" * 5000


def test_analyze_from_a_later_start_and_with_stages():
    assert result_of("analyze", "resnet", "--depth", 5, "--start", 2)["net"] == [1, 3, 3, 1]
    nested = "x[l+1] = x[l] + F(F(x[l]))"
    assert result_of("analyze", nested, "--stages", "1,1")["plain_borders"] == [1]


@pytest.mark.parametrize("name", recform.example_names())
def test_distinct_is_never_null_for_an_example(name):
    assert recform.analyze(name, depth=12).distinct is not None


def test_an_absent_output_is_net_zero_with_a_warning():
    done = run("analyze", "x[l+1] = F(x[l-1])", "--depth", 3, "--json")
    assert json.loads(done.stdout)["net"] == [0]
    assert "absent" in json.loads(done.stdout)["warnings"][0]["text"]


def test_check_says_ok_in_one_line():
    done = run("check", EQ_20)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


def test_check_tells_mistakes_on_stderr():
    done = run("check", "x[l+1] = x[l] + F(x[l+2])")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[future-read]" in done.stderr
    assert "^^^^^^" in done.stderr


def test_check_json_is_a_list_of_diagnostics():
    done = run("check", "x[l+1] = x[l] + F(x[l+2])", "--json")
    assert done.returncode == 1
    (mistake,) = json.loads(done.stdout)
    assert mistake["code"] == "future-read"
    assert (mistake["line"], mistake["column"], mistake["end_column"]) == (1, 19, 25)
    assert set(mistake) == {"code", "message", "line", "column", "end_column", "hint"}
    assert result_of("check", EQ_20) == []


def test_a_formula_is_text_or_a_file_or_an_example(tmp_path):
    (tmp_path / "mine.rf").write_text(EQ_20 + "\n")
    for formula in (EQ_20, tmp_path / "mine.rf", "resnet_s"):
        assert result_of("analyze", formula, "--depth", 2)["gross"] == [1, 3, 1]


def bad_files(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}.rf" for name in ("missing", "binary", "large", "folder")}
    files["binary"].write_bytes(bytes(range(256)))
    files["large"].write_text("x" * 10_000_000)
    files["folder"].mkdir()
    return files


@pytest.mark.parametrize("name", ["missing", "binary", "large", "folder"])
def test_a_bad_file_gives_one_diagnostic_and_no_traceback(tmp_path, name):
    path = bad_files(tmp_path)[name]
    done = run("analyze", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("error[") == 1
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_a_file_name_is_no_file():
    for name in ("a" * 300, "a" * 300 + ".rf"):
        done = run("check", name)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


def test_an_endless_file_is_refused():
    done = run("check", "/dev/zero")
    assert done.returncode == 1
    assert "error[too-large]" in done.stderr


def test_words_and_counts_are_of_the_same_stages():
    counts = result_of("analyze", "revnet", "--stages", "2,2")
    assert counts["words"]["4"].count(" + ") + 1 == sum(counts["distinct"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_gives_one_diagnostic(tmp_path):
    path = tmp_path / "closed.rf"
    path.write_text(EQ_20)
    path.chmod(0)
    done = run("analyze", path)
    assert done.returncode == 1
    assert "error[unreadable]" in done.stderr


def test_show_prints_one_form():
    refused = run("show", "resnet", "--latex", "--mathml")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--latex and --mathml are two forms" in refused.stderr


def test_show_prints_normal_form_latex_and_tape():
    assert run("show", "x[l+1]=x[l]+0.5*F(x[l])").stdout == "x[l+1] = x[l] + 1/2*F(x[l])\n"
    latex = run("show", "x[l+1]=x[l]+F(x[l])", "--latex").stdout
    assert r"x_{l+1} &= x_{l} + F_{l}(x_{l})" in latex
    assert "v1 = F[0](v0)" in run("show", "resnet", "--unrolled", "--depth", 1).stdout


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_plot_writes_a_picture(tmp_path, suffix):
    picture = tmp_path / "new" / f"paths.{suffix}"
    done = run("plot", "histogram", "resnet", "resnet_s", "--depth", 6, "-o", picture)
    assert (done.returncode, done.stdout) == (0, "")
    assert picture.stat().st_size > 1000
    assert [path.name for path in picture.parent.iterdir()] == [picture.name]


def test_build_json_has_the_sizes(tmp_path):
    sizes = result_of("build", "resnet_s_net", "--backbone", "resnet18_cifar", "--num-classes", 100,
                      "-o", tmp_path / "net")  # fmt: skip
    assert (sizes["params"], sizes["baseline_params"]) == (11_393_956, 11_220_132)
    assert (sizes["blocks"], sizes["projections"]) == (8, 3)
    assert sizes["macs"] > sizes["baseline_macs"] > 0
    assert recform.load_network(tmp_path / "net").num_classes == 100


def test_build_notes_a_missing_act_on_stderr():
    done = run("build", "resnet_s", "--backbone", "resnet20_cifar")
    assert done.returncode == 0
    assert "--act sum" in done.stderr
    assert "272,474" in done.stdout
    again = run("build", "resnet_s", "--backbone", "resnet20_cifar", "--act", "sum")
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("build", "resnet", "--backbone", "resnet5O"), "unknown-backbone"),
        (("build", "resnet", "--backbone", "vgg11"), "no-units"),
        (("build", "resnet", "--backbone", "resnet20_cifar", "--act", "sum"), "act-rewrite"),
        (("analyze", "resnet", "--depth", -1), "bad-argument"),
        (("show", "resnet", "--unrolled", "--depth", 10_001), "too-deep"),
        (("analyze", "resnet", "--start", 99), "bad-argument"),
        (("analyze", "resnett"), "unknown-example"),
        (("plot", "histogram", "resnet", "-o", "paths.jpeg"), "bad-argument"),
        (("plot", "curves", "nowhere", "-o", "curves.png"), "bad-run"),
        (("train", "resnet", "--data", "cifar11"), "bad-argument"),
        (("train", "resnet", "--epochs", 0), "bad-argument"),
        (("train", "resnet", "--device", "tpux"), "bad-argument"),
    ],
)
def test_a_bad_argument_gives_one_message_and_exit_code_1(tmp_path, arguments, code):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"error[{code}]" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_is_exit_code_2():
    assert run("analyze").returncode == 2
    assert run("analyze", "resnet", "--no-such-option").returncode == 2
    assert run("analyze", "resnet", "--stages", "3,x").returncode == 2


COMMANDS = ("check", "show", "analyze", "plot histogram", "plot curves", "build", "train")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_of_the_command(command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert f"Example:  recform {command} " in done.stdout


def test_a_reader_that_goes_away_leaves_no_traceback():
    command = f"{sys.executable} -m recform.cli.main analyze resnet --depth 900 | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_check_of_a_folder_tells_every_mistake(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "right.rf").write_text("x[l+1] = x[l] + F(x[l])\n")
    (tmp_path / "inner" / "wrong.rf").write_text("x[l+1] = F(x[l+2])\n")
    done = run("check", tmp_path)
    assert done.returncode == 1
    assert "1 of 2 files ok" in done.stdout
    assert "error[future-read]" in done.stderr
    mistakes = json.loads(run("check", tmp_path, "--json").stdout)
    assert [Path(m["file"]).name for m in mistakes] == ["wrong.rf"]


def test_check_of_a_folder_without_formulas_is_refused(tmp_path: Path):
    done = run("check", tmp_path)
    assert done.returncode == 1
    assert "error[no-such-file]" in done.stderr


def test_list_shows_names_with_titles():
    done = run("list", "highway")
    assert "highway" in done.stdout
    assert "a gate decides between block and skip" in done.stdout
    rows = result_of("list")
    assert {row["group"] for row in rows} == {"examples", "gallery"}
    assert len(rows) == len(recform.example_names()) + len(recform.gallery_names())


def test_show_prints_one_of_the_gallery_as_mathml():
    done = run("show", "highway", "--mathml")
    assert done.stdout.startswith("<math ")
    assert run("show", "highway").stdout.startswith("# Highway network")
