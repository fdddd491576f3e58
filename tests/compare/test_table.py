"""Files and run folders as tables, and the ways in which they are none."""

import json

import pytest

from recform.compare import Cell, read_csv, read_runs
from recform.errors import UserError


def written(folder, text, name="scores.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_pair_named_twice_was_run_twice(tmp_path):
    table = read_csv(written(tmp_path, "model,dataset,score\na,d,1\nb,d,2\na,d,3\n"))
    assert table.cell("a", "d") == Cell(mean=2, deviation=2**0.5, median=2, num_runs=2)
    assert table.cell("b", "d") == Cell(mean=2, deviation=None, median=2, num_runs=1)
    assert table.spread() == 2**0.5


def test_columns_stand_in_any_order_beside_others(tmp_path):
    text = "\ufeffscore, note ,dataset,model\r\n 1.5 ,x,d, a \r\n\r\n2,,d,b\r\n"
    table = read_csv(written(tmp_path, text))
    assert (table.models, table.means("a")) == (("a", "b"), (1.5,))


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "bad-table", "has no column model"),
        ("model,dataset\na,d\n", "bad-table", "has no column score"),
        ("model,dataset,score\na,d,high\nb,d,1\n", "bad-table", "line 2: the score high is not"),
        ("model,dataset,score\na,d,nan\nb,d,1\n", "bad-table", "line 2: the score nan is not"),
        ("model,dataset,score\na,d\n", "bad-table", "line 2: there is no score"),
        ("model,dataset,score\n,d,1\n", "bad-table", "line 2: there is no model"),
        ("model,dataset,score\na,d,1\n", "bad-table", "only one model in"),
        ("model,dataset,score\n", "bad-table", "there is no score in"),
        ("model,dataset,score\na,d,1\nb,e,1\n", "bad-table", "no score of b on d, a on e"),
        (b"model,dataset,score\n\xff,d,1\n", "not-text", "is not UTF-8 text"),
    ],
)
def test_another_form_of_file_is_refused(tmp_path, text, code, message):
    with pytest.raises(UserError) as caught:
        read_csv(written(tmp_path, text))
    assert caught.value.code == code
    assert message in caught.value.diagnostics[0].message
    assert caught.value.diagnostics[0].hint


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone\.csv"):
        read_csv(tmp_path / "gone.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_csv(tmp_path)


def write_run(folder, formula="x[l+1] = F(x[l])", seed=0, top1=90.0, backbone="net", **recipe):
    folder.mkdir(parents=True)
    data = {"name": "digits", "num_train": 9, "num_test": 3, "image_size": 32}
    config = {"formula": formula, "backbone": backbone, "seed": seed, "data": data,
              "recipe": {"epochs": 1, **recipe}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    summary = {"final_top1": top1, "best_top1": top1 + 1, "final_top5": 100}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_runs_are_rows_by_data_and_backbone_and_models_by_formula(tmp_path):
    for backbone in ("net", "other"):
        for formula in ("# A\nx", "# B\ny"):
            for seed in (0, 1):
                write_run(tmp_path / f"{backbone}{formula[2]}{seed}", formula, seed, 80 + seed,
                          backbone)  # fmt: skip
    table, notes = read_runs([tmp_path], name_of=lambda text: text.splitlines()[0][2:])
    assert (table.models, table.datasets) == (("A", "B"), ("digits net", "digits other"))
    assert table.runs["B", "digits net"] == (80, 81)
    assert notes == ()


def test_other_figures_can_be_compared(tmp_path):
    runs = [write_run(tmp_path / name, name) for name in ("a", "b")]
    assert read_runs(runs, "best_top1")[0].runs["a", "digits net"] == (91,)
    with pytest.raises(UserError, match="no figure loss"):
        read_runs(runs, "loss")


def test_formulas_of_one_name_keep_their_texts(tmp_path):
    runs = [write_run(tmp_path / name, f"# N\n{name}\n") for name in ("a", "b")]
    table, _ = read_runs(runs, name_of=lambda _: "N")
    assert table.models == ("# N; a", "# N; b")


def test_runs_trained_otherwise_are_noted(tmp_path):
    runs = [write_run(tmp_path / "a", "a"), write_run(tmp_path / "b", "b", epochs=2)]
    (note,) = read_runs(runs)[1]
    assert note.startswith("runs on digits net differ in recipe")


def test_one_run_is_not_two(tmp_path):
    runs = [write_run(tmp_path / "a", "a"), write_run(tmp_path / "b", "a")]
    with pytest.raises(UserError) as caught:
        read_runs(runs)
    assert caught.value.code == "bad-argument"
    assert "one formula, data set, backbone and seed (0)" in str(caught.value)


def without_summary(folder):
    (folder / "summary.json").unlink()


def with_a_damaged_summary(folder):
    (folder / "summary.json").write_text("{")


def with_another_summary(folder):
    (folder / "summary.json").write_text('{"final_top1": null}')


def without_a_configuration(folder):
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_summary, "is not finished"),
        (with_a_damaged_summary, "summary.json is damaged"),
        (with_another_summary, "does not describe a finished run"),
        (without_a_configuration, "holds no run"),
    ],
)
def test_a_folder_without_a_finished_run_is_named(tmp_path, change, message):
    runs = [write_run(tmp_path / name, name) for name in ("a", "b")]
    change(runs[1])
    with pytest.raises(UserError) as caught:
        read_runs(runs)
    assert caught.value.code == "bad-run"
    assert message in str(caught.value)
    assert str(runs[1]) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("model;dataset;score\na;d;1\n", "has no column model", "separate its columns by commas"),
        ("model,dataset,score\na,d,94,3\n", "line 2: there are 4 values for 3", "not 94,3"),
        ("model,score,dataset,score\na,1,d,2\n", "has more than one column score", "rename"),
    ],
)
def test_columns_that_are_not_told_apart_are_refused(tmp_path, text, message, hint):
    with pytest.raises(UserError, match=message) as caught:
        read_csv(written(tmp_path, text))
    assert hint in caught.value.diagnostics[0].hint
