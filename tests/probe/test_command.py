"""recform probe, as scripts and people use it."""

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

import recform
from recform.cli.main import main

FEW = ("--images", 2, "--samples", 2, "--sets", 1, "--limit-test", 20)


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def recform_(*arguments: object) -> Done:
    """The command in this process: to import torch anew each time takes longer than to probe."""
    out, err = StringIO(), StringIO()
    command = ["recform", *map(str, arguments)]
    with patch.object(sys, "argv", command), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one short epoch."""
    folder = tmp_path_factory.mktemp("probe") / "run"
    few = ("--epochs", 1, "--limit-train", 64, "--limit-test", 20)
    done = recform_("train", "resnet_s_net", "--backbone", "resnet20_cifar", "--data", "digits",
                    *few, "--out", folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def probed(run: Path) -> dict:
    done = recform_("probe", "resnet_s_net", "--weights", run, *FEW, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_json_says_what_was_probed(probed: dict, run: Path):
    assert recform.parse(probed["formula"]) == recform.resolve("resnet_s_net")
    assert (probed["backbone"], probed["depth"]) == ("resnet20_cifar", 9)
    assert (probed["weights"], probed["data"], probed["seed"]) == (str(run), "digits", 0)
    assert (probed["mode"], probed["images"]) == ("eval", 2)


def test_json_has_gradients_by_length(probed: dict):
    assert [row["length"] for row in probed["lengths"]] == list(range(10))
    assert [row["paths"] for row in probed["lengths"]] == [1] * 10
    for row in probed["lengths"]:
        assert row["mean_gradient"] == row["contribution"] > 0
        assert (row["sampled"], row["std_gradient"]) == (1, 0)
    assert probed["lengths"][4]["cancelled_paths"] == 125
    assert probed["lengths"][4]["cancelled_sampled"] == 2
    assert probed["gradient"] > 0


def test_json_has_lesions(probed: dict):
    lesions = probed["lesions"]
    assert probed["lesions_reason"] is None
    assert [lesion["block"] for lesion in lesions["blocks"]] == [f"F[{j}]" for j in range(9)]
    assert [lesion["dropped"] for lesion in lesions["sets"]] == list(range(1, 10))
    assert 0 <= lesions["intact"]["error"] <= 100
    assert lesions["images"] == 20


def test_the_best_weights_of_a_run_are_probed(run: Path, probed: dict):
    best = json.loads((run / "summary.json").read_text())["best_top1"]
    assert probed["lesions"]["intact"]["error"] == pytest.approx(100 - best)


def test_a_saved_network_is_probed(tmp_path: Path):
    recform.save_network(recform.build("resnet", "resnet20_cifar"), tmp_path / "net")
    done = recform_("probe", "resnet", "--weights", tmp_path / "net", *FEW)
    assert done.returncode == 0, done.stderr
    assert "Blocks dropped: 20 test images of digits" in done.stdout


def test_a_fresh_network_has_gradients_only_and_a_picture(tmp_path: Path):
    picture = tmp_path / "probe.svg"
    done = recform_("probe", "resnet", *FEW, "-o", picture)
    assert done.returncode == 0, done.stderr
    assert "Nine tenths of the paths are 2 to 7 blocks long" in done.stdout
    assert "Blocks dropped" not in done.stdout
    assert "give --weights for the lesion study" in done.stderr
    assert picture.read_text().startswith("<?xml")


def test_a_fresh_network_is_the_same_each_time():
    one, other = (recform_("probe", "resnet", *FEW, "--json").stdout for _ in range(2))
    assert json.loads(one) == json.loads(other)
    assert json.loads(one)["lesions"] is None


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("resnet", "--weights", "{run}"), "the weights in {run} are of another formula",
         "recform probe {run}/formula.rf --weights {run}"),
        (("resnet_s_net", "--backbone", "resnet32_cifar", "--weights", "{run}"),
         "of resnet20_cifar, not resnet32_cifar", "leave --backbone out"),
        (("resnet", "--weights", "{empty}"), "holds neither a network nor a run", "recform train"),
        (("resnet", "--data", "digit"), "there is no data set digit", "digits"),
        (("resnet", "-o", "{empty}/a.txt"), "pictures are not written as `.txt`", ".png"),
        (("x[l+1] = F(x[l-1])",), "the output is absent", "start"),
    ],
)  # fmt: skip
def test_what_cannot_be_probed_is_told(arguments, message, hint, run: Path, tmp_path: Path):
    places = {"run": run, "empty": tmp_path}
    done = recform_("probe", *(word.format_map(places) for word in arguments), *FEW)
    assert (done.returncode, done.stdout) == (1, "")
    assert message.format_map(places) in done.stderr
    assert hint.format_map(places) in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["config.json", "checkpoints/best.pt"])
def test_a_damaged_run_is_told(damage: str, run: Path, tmp_path: Path):
    copy = tmp_path / "run"
    for path in run.rglob("*.*"):
        (copy / path.relative_to(run)).parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            (copy / path.relative_to(run)).write_bytes(path.read_bytes())
    (copy / damage).write_bytes(b"{}")
    done = recform_("probe", "resnet_s_net", "--weights", copy, *FEW)
    assert done.returncode == 1
    assert Path(damage).name in done.stderr
    assert "Traceback" not in done.stderr


def test_data_of_other_classes_is_refused(tmp_path: Path):
    recform.save_network(recform.build("resnet", "resnet20_cifar", 7), tmp_path / "net")
    done = recform_("probe", "resnet", "--weights", tmp_path / "net", *FEW)
    assert done.returncode == 1
    assert "the network has 7 classes and 3 channels, digits has 10 and 3" in done.stderr
