import pytest

from recform.errors import UserError
from recform.training import RunFolder, read_run
from recform.training.run import held

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
