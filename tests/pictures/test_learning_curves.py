"""Curves of runs, read from what they left on disk."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from recform.errors import UserError
from recform.pictures import curves
from recform.pictures.run_files import formula_name, names_of, read_recorded_run

FORMULA = "# ResNet-s (Liao et al. 2021): one path of each length\nx[l+1] = F(x[l])"


def make_run(folder: Path, losses=(1.0, 0.5, 0.4), **settings) -> Path:
    folder.mkdir()
    rows = [
        {"epoch": epoch, "train_loss": loss, "test_loss": loss, "test_top1": 90.0 + epoch,
         "test_top5": 99.0, "seconds": 2.5, "learning_rate": 0.1}
        for epoch, loss in enumerate(losses, start=1)
    ]  # fmt: skip
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {"formula": FORMULA, "backbone": "resnet20_cifar", "data": {"name": "digits"}}
    (folder / "config.json").write_text(json.dumps({**config, "seed": 0, **settings}))
    return folder


def lines_of(axes: Axes) -> list[list[float]]:
    return [list(line.get_ydata()) for line in axes.lines]


def legend_of(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def read_names(runs: list[Path]) -> list[str]:
    """The names beside the settings that all runs share."""
    return names_of([read_recorded_run(run) for run in runs])[1]


def test_a_run_has_two_lines_of_accuracy_and_two_of_loss(tmp_path):
    figure = curves([make_run(tmp_path / "run")])
    accuracy, loss = figure.axes
    assert lines_of(accuracy) == [[91, 92, 93], [99, 99, 99]]
    assert lines_of(loss) == [[1, 0.5, 0.4], [1, 0.5, 0.4]]


def test_a_run_alone_is_named_by_its_settings(tmp_path):
    figure = curves([make_run(tmp_path / "run")])
    assert legend_of(figure) == ["ResNet-s, resnet20_cifar, digits, seed 0"]


def test_runs_together_are_named_by_what_differs(tmp_path):
    runs = [make_run(tmp_path / str(seed), seed=seed) for seed in range(4)]
    figure = curves(runs)
    assert legend_of(figure) == ["seed 0", "seed 1", "seed 2", "seed 3"]
    assert figure.get_suptitle() == "ResNet-s, resnet20_cifar, digits"


def test_runs_that_are_alike_are_named_by_their_folders(tmp_path):
    figure = curves([make_run(tmp_path / "first"), make_run(tmp_path / "second")])
    assert legend_of(figure) == ["(first)", "(second)"]


def test_runs_in_folders_of_one_name_are_named_by_their_paths(tmp_path):
    places = [tmp_path / "one", tmp_path / "two"]
    runs = []
    for place in places:
        place.mkdir()
        runs.append(make_run(place / "run"))
    assert read_names(runs) == [f"({place / 'run'})" for place in places]


def test_the_highest_loss_stays_below_the_end_of_the_axis(tmp_path):
    _, loss = curves([make_run(tmp_path / "run", losses=(2.30, 2.29))]).axes
    assert loss.get_ylim() == pytest.approx((0, 1.05 * 2.30))


def test_every_run_has_another_look(tmp_path):
    accuracy, _ = curves([make_run(tmp_path / str(i), seed=i) for i in range(20)]).axes
    looks = {(line.get_color(), line.get_marker()) for line in accuracy.lines}
    assert len(looks) == 20


def test_losses_far_apart_are_drawn_on_a_logarithmic_scale(tmp_path):
    _, loss = curves([make_run(tmp_path / "run", losses=(2.0, 0.2, 0.02))]).axes
    assert loss.get_yscale() == "log"
    assert loss.get_ylabel() == "loss (log scale)"


@pytest.mark.parametrize("losses", [(1.0,), (1.0, None), (None, None), (0.0, 0.0), (1.0, 1e30)])
def test_short_and_diverged_runs_are_drawn(tmp_path, losses):
    figure = curves([make_run(tmp_path / "run", losses=losses)])
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=30)
    assert picture.getvalue().startswith(b"\x89PNG")


def test_a_run_without_settings_is_named_by_its_folder(tmp_path):
    (make_run(tmp_path / "mine") / "config.json").unlink()
    assert legend_of(curves([tmp_path / "mine"])) == ["mine"]


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no run") as refused:
        curves([tmp_path])
    assert refused.value.code == "bad-run"


def test_no_run_at_all_is_refused():
    with pytest.raises(UserError, match="curves need a run"):
        curves([])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"epoch": 4, "train_lo', "is not a JSON object"),
        ("[1, 2]", "is not a JSON object"),
        ("[" * 100_000, "is not a JSON object"),
        ("", "is not a JSON object"),
        ('{"epoch": 4, "train_loss": 1}', "`test_loss` is missing"),
        ('{"epoch": 4, "train_loss": "low"}', "`train_loss` is not a number"),
        ('{"epoch": null, "train_loss": 1}', "`epoch` is not a number"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, fault):
    metrics = make_run(tmp_path / "run") / "metrics.jsonl"
    metrics.write_text(metrics.read_text() + line + "\n")
    with pytest.raises(UserError) as refused:
        read_recorded_run(tmp_path / "run")
    assert refused.value.code == "bad-run"
    assert f"{metrics}, line 4 is damaged" in str(refused.value)
    assert fault in str(refused.value)


def test_an_unfinished_first_epoch_is_said(tmp_path):
    (make_run(tmp_path / "run") / "metrics.jsonl").write_text("")
    with pytest.raises(UserError, match="no epoch was finished"):
        read_recorded_run(tmp_path / "run")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{", b"[]"])
def test_damaged_settings_are_named(tmp_path, content):
    config = make_run(tmp_path / "run") / "config.json"
    config.write_bytes(content)
    with pytest.raises(UserError, match=f"{config} is damaged"):
        read_recorded_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("resnet_s", "resnet_s"),
        ("mine/deep.rf", "deep"),
        (FORMULA, "ResNet-s"),
        ("x[l+1]=x[l]+F(x[l])", "x[l+1] = x[l] + F(x[l])"),
        ("x[l+1] = from the future", "x[l+1] = from the future"),
    ],
)
def test_a_formula_has_a_short_name(formula, name):
    assert formula_name(formula) == name
