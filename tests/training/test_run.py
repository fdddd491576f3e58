import json
import math

import pytest

from recform.errors import UserError
from recform.training import RunFolder, read_run
from recform.training.description import KINDS, fault_in
from recform.training.gates import _keep
from recform.training.run import held, unfinish

from .small import small_net, train_small


def write_run(folder, config="{}", metrics="", summary=None):
    folder.mkdir()
    (folder / "config.json").write_bytes(config.encode("latin1"))
    (folder / "metrics.jsonl").write_bytes(metrics.encode("latin1"))
    if summary is not None:
        (folder / "summary.json").write_bytes(summary.encode("latin1"))
    return folder


def test_a_run_without_an_epoch_has_no_metrics_and_no_summary(tmp_path):
    run = read_run(write_run(tmp_path / "run", config='{"seed": 3}'))
    assert (run.config["seed"], run.metrics, run.summary) == (3, (), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"config": "{"}, "config.json is damaged"),
        ({"config": "[]"}, "config.json is damaged: it holds no object"),
        ({"metrics": '{"epoch": 1}\n'}, "metrics.jsonl has other fields"),
        ({"metrics": '{"epoch"'}, "metrics.jsonl is damaged"),
        ({"summary": "3"}, "summary.json is damaged"),
        ({"config": '{"recipe": []}'}, "config.json is damaged: `recipe` is [], not an object"),
        (
            {"config": '{"data": {"image_size": "32"}}'},
            "config.json is damaged: `data.image_size` is '32', not a whole number from 1 up",
        ),
        # Bytes that are no UTF-8, and more brackets than a reader stands.
        ({"config": "\xff\xfe"}, "config.json is damaged"),
        ({"metrics": "\xff\xfe\n"}, "metrics.jsonl is damaged"),
        ({"summary": "\xff\xfe"}, "summary.json is damaged"),
        ({"summary": "[" * 100_000}, "summary.json is damaged"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        read_run(write_run(tmp_path / "run", **content))
    assert caught.value.code == "bad-run"
    assert message in str(caught.value)
    assert "--resume auto writes it anew" in caught.value.diagnostics[0].hint


# What JSON can hold, of every kind and size.
OTHERS = (None, True, "", "1", -1, 0, 0.5, 10**30, math.nan, [], [1], ["a"] * 3, {}, {"a": 1})


@pytest.mark.parametrize("path", sorted(KINDS))
def test_what_a_configuration_holds_is_of_its_kind_or_told(path):
    *places, name = path.split(".")
    told = [fault_in({places[0]: {name: other}} if places else {name: other}) for other in OTHERS]
    # No value but a few fits, and each of the others is named.
    assert len([fault for fault in told if fault is None]) <= 4
    assert all(fault.startswith(f"`{path}` is ") for fault in told if fault is not None)


def test_a_configuration_that_training_wrote_has_no_fault(data, tmp_path):
    train_small(small_net(), data, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert fault_in(config) is None


def test_a_folder_without_a_configuration_is_no_run(tmp_path):
    with pytest.raises(UserError, match=r"holds no run: it has no config\.json"):
        read_run(tmp_path)


def test_two_processes_do_not_train_in_one_folder(data, tmp_path):
    out = tmp_path / "run"
    with held(RunFolder(out)):
        for resume in (None, "auto"):
            with pytest.raises(UserError) as caught:
                train_small(small_net(), data, out, resume=resume)
            assert caught.value.code == "run-exists"
            assert f"another process trains in {out} at this moment" in str(caught.value)
        assert list(out.iterdir()) == []
    train_small(small_net(), data, out)
    with held(RunFolder(out)):
        assert read_run(out).summary is not None


def test_a_run_that_is_refused_leaves_no_folder(data, tmp_path):
    with pytest.raises(UserError, match="there is no checkpoint"):
        train_small(small_net(), data, tmp_path / "run", resume=tmp_path / "gone.pt")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file cannot be written: File exists"):
        train_small(small_net(), data, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_where_the_summary_goes_is_told(tmp_path):
    folder = RunFolder(tmp_path)
    folder.summary.mkdir()
    with pytest.raises(UserError, match=r"summary\.json cannot be written: Is a directory"):
        unfinish(folder)


def test_weights_of_paths_that_are_no_text_are_told(tmp_path):
    gates = RunFolder(tmp_path).gates
    gates.write_bytes(b"\xff\xfe\n")
    with pytest.raises(UserError, match=r"gates\.jsonl is damaged"):
        _keep(gates, tmp_path / "other.jsonl", 1)
