"""recform report: one page, or one message and no file."""

from __future__ import annotations

import pytest

from tests.pictures.test_learning_curves import make_run


def test_formulas_and_runs_come_on_one_page(tmp_path, here):
    sweep = tmp_path / "sweep"
    (sweep / "deeper").mkdir(parents=True)
    for seed, place in enumerate((sweep / "0", sweep / "deeper" / "1")):
        make_run(place, seed=seed)
    page = tmp_path / "new" / "page.html"
    done = here("report", "resnet", sweep, "-d", 5, "-o", page)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {page}\n")
    text = page.read_text(encoding="utf-8")
    # The runs' formula has its chapter once, beside the formula that was named.
    assert text.count("<h2>ResNet-s</h2>") == text.count("<h2>ResNet</h2>") == 1
    assert "<h2>Training</h2>" in text
    assert text.count("<td>ResNet-s</td>") == 2


def test_an_example_may_be_called_like_a_folder(tmp_path, monkeypatch, here):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet").mkdir()
    assert here("report", "resnet", "-d", 3, "-o", "page.html").returncode == 0
    assert "<h1>ResNet</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet", "-o", "page.pdf"], "error[bad-argument]: page.pdf is no name for a page\n"
         "  = hint: -o page.html\n"),
        (["nosuch", "-o", "page.html"], "error[unknown-example]: `nosuch` is no formula"),
        (["empty", "-o", "page.html"], "error[bad-run]: empty holds no run\n"),
        (["x[l+1] = x[l+2]", "-o", "page.html"], "error[future-read]: "),
        (["damaged", "-o", "page.html"], "error[bad-run]: damaged/config.json is damaged"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_and_writes_nothing(tmp_path, monkeypatch, here, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (make_run(tmp_path / "damaged") / "config.json").write_text("{}")
    done = here("report", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message)
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "damaged"}
