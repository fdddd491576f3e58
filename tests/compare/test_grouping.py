"""What is one row, what one model, and what is noted."""

import json
from dataclasses import asdict

import pytest

from recform.compare import read_runs
from recform.compare.grouping import PLAN
from recform.errors import UserError
from recform.network.architecture import Plan
from recform.training.record import _local_shards

CATS = ("cat", "dog")


def write_run(folder, formula="a", seed=0, *, data=None, recipe=None, **others):
    folder.mkdir(parents=True)
    data = {"name": "digits", "directory": None, "num_train": 9, "num_test": 3, "image_size": 32,
            "classes": CATS, **(data or {})}  # fmt: skip
    config = {"formula": formula, "backbone": "net", "seed": seed, "data": data,
              "num_parameters": 100, "recipe": {"name": "r", "epochs": 1, **(recipe or {})},
              "plan": dict(PLAN), "matched": {}, **others}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    summary = {"final_top1": 90.0 + seed, "best_top1": 91.0, "final_top5": 100}
    (folder / "summary.json").write_text(json.dumps(summary))


def of_data(folder, *sets):
    """The rows of two formulas on each of these data sets."""
    for place, data in enumerate(sets):
        for formula in "ab":
            write_run(folder / f"{place}{formula}", formula, data=data)
    return read_runs([folder])


def own(directory, classes=CATS):
    return {"name": "folder", "directory": directory, "classes": classes}


def test_folders_of_images_are_rows_of_their_own(tmp_path):
    table, notes = of_data(tmp_path, own("/data/birds"), own("/data/fish"))
    assert table.datasets == ("folder (birds) net", "folder (fish) net")
    assert table.cell("a", "folder (birds) net").num_runs == 1
    assert notes == ()


def test_folders_of_one_last_name_are_told_by_more_of_it(tmp_path):
    table, _ = of_data(tmp_path, own("/x/birds/224"), own("/x/fish/224"))
    assert table.datasets == ("folder (birds/224) net", "folder (fish/224) net")


def test_one_folder_is_one_row_without_its_path(tmp_path):
    assert of_data(tmp_path, own("/data/birds"))[0].datasets == ("folder net",)


def test_shards_of_one_relative_name_are_told_by_where_they_lie(tmp_path, monkeypatch):
    places = [{"name": "wds:shards", "shards": f"/data/{place}/shards"} for place in ("a", "b")]
    table, _ = of_data(tmp_path / "runs", *places)
    assert table.datasets == ("wds:shards (a/shards) net", "wds:shards (b/shards) net")
    monkeypatch.chdir(tmp_path)
    assert _local_shards("wds:shards") == str(tmp_path / "shards")
    assert _local_shards("wds:s3://bucket/shards") is _local_shards("digits") is None


def test_where_a_named_set_lies_does_not_matter(tmp_path):
    write_run(tmp_path / "a", "a", data={"name": "cifar10", "directory": "/home/one"})
    write_run(tmp_path / "b", "b", data={"name": "cifar10", "directory": "/home/two"})
    assert read_runs([tmp_path])[0].datasets == ("cifar10 net",)


def test_sets_of_one_name_with_other_classes_are_two(tmp_path):
    table, _ = of_data(tmp_path, {"name": "wds:s"}, {"name": "wds:s", "classes": ("cat",)})
    assert table.datasets == ("wds:s (2 classes) net", "wds:s (1 class) net")


def test_sets_that_nothing_short_tells_apart_are_numbered(tmp_path):
    table, _ = of_data(tmp_path, {"name": "wds:s"}, {"name": "wds:s", "classes": ("cow", "dog")})
    assert table.datasets == ("wds:s (no. 1) net", "wds:s (no. 2) net")


def test_a_formula_built_in_two_ways_in_one_row_is_two_models(tmp_path):
    write_run(tmp_path / "conv", plan={**PLAN, "project": "conv"})
    write_run(tmp_path / "pad", plan={**PLAN, "project": "pad"})
    table, notes = read_runs([tmp_path])
    assert table.models == ("a (project conv)", "a (project pad)")
    assert len(notes) == 1
    assert notes[0].startswith("runs on digits net differ in project: conv (")


def test_matched_widths_make_another_model(tmp_path):
    write_run(tmp_path / "as_it_is")
    write_run(tmp_path / "matched", matched={"channels": [5, 10, 19]})
    assert read_runs([tmp_path])[0].models == ("a (widths the backbone's)", "a (widths matched)")


def test_a_formula_built_in_another_way_in_another_row_is_one_model_and_is_noted(tmp_path):
    for formula in "ab":
        write_run(tmp_path / f"0{formula}", formula)
        write_run(tmp_path / f"1{formula}", formula, backbone="other",
                  plan={**PLAN, "unit": "add"})  # fmt: skip
    table, notes = read_runs([tmp_path])
    assert table.models == ("a", "b")
    assert [note.split(": ")[0] for note in notes] == [
        "a was not built alike in all rows, by unit", "b was not built alike in all rows, by unit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"recipe": {"amp": "bf16"}}, None),
        ({"recipe": {"epochs": 2}}, "recipe.epochs: 1 ("),
        ({"data": {"num_train": 8}}, "num_train: 9 ("),
        ({"plan": {**PLAN, "gate_reduction": 4}}, "gate_reduction: 8 ("),
        ({"memory": {"recompute": True, "reversible": False}}, "recompute: false ("),
        ({"memory": {"recompute": False, "reversible": True}}, "reversible: false ("),
        ({"device": {"name": "cpu", "compiled": True}}, "compiled: false ("),
    ],
    ids=["unsaid", "epochs", "images", "gates", "recompute", "reversible", "compiled"],
)
def test_what_differs_in_a_row_is_noted(tmp_path, others, told):
    usual = {"memory": {"recompute": False, "reversible": False},
             "device": {"name": "cpu", "compiled": False}}  # fmt: skip
    write_run(tmp_path / "a", "a", **usual)
    write_run(tmp_path / "b", "b", **{**usual, **others})
    notes = read_runs([tmp_path])[1]
    if told is None:
        # An older run does not say in which precision it was computed.
        assert notes == ()
    else:
        (note,) = notes
        assert note.startswith(f"runs on digits net differ in {told}")


def test_a_run_that_does_not_say_how_it_was_built_was_built_as_usual(tmp_path):
    assert asdict(Plan()) == {"image_size": None, **PLAN}
    write_run(tmp_path / "old", "a", plan={})
    write_run(tmp_path / "new", "b")
    assert read_runs([tmp_path])[1] == ()


def test_seeds_of_one_model_with_other_parameters_are_noted(tmp_path):
    write_run(tmp_path / "0", "a")
    write_run(tmp_path / "1", "a", seed=1, num_parameters=101)
    write_run(tmp_path / "2", "b")
    (note,) = read_runs([tmp_path])[1]
    assert note.startswith("runs of a on digits net differ in their parameters: 100 (")


def test_a_run_whose_seed_is_no_number_is_damaged(tmp_path):
    write_run(tmp_path / "0", "a", seed=0)
    path = tmp_path / "0" / "config.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": []'))
    with pytest.raises(UserError, match="does not describe a finished run"):
        read_runs([tmp_path])
