"""The scripts under examples/ run, on little."""

from __future__ import annotations

import ast
import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "examples"


def test_a_language_model_by_a_formula_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = SCRIPTS / "own_backbones" / "text_transformer.py"
    asked = ["hyper_connections", "pre_ln", "--steps", "3", "--out", str(tmp_path / "runs")]
    monkeypatch.setattr(sys, "argv", [str(script), *asked])
    runpy.run_path(str(script), run_name="__main__")
    losses = json.loads((tmp_path / "runs" / "losses.json").read_text())
    assert set(losses) == {"hyper_connections", "pre_ln"}
    for result in losses.values():
        assert result["curve"][-1][1] < result["curve"][0][1]
    assert (tmp_path / "runs" / "curves.png").stat().st_size > 10_000


class Shown:
    """What IPython hands to an object that shows itself as text."""

    def __init__(self) -> None:
        self.shown = ""

    def text(self, text: str) -> None:
        self.shown += text


def shown_by(value: object) -> str:
    """What a notebook would show of a value: HTML, or text."""
    if hasattr(value, "_repr_html_"):
        return value._repr_html_()
    if not hasattr(value, "_repr_pretty_"):
        return repr(value)
    printer = Shown()
    value._repr_pretty_(printer, cycle=False)
    return printer.shown


def test_the_notebook_runs_and_shows_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((SCRIPTS / "tour.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    compared = 0
    for cell in (cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        text = "".join(cell["source"]).removesuffix(";")
        short = text.replace('load_data("digits")', 'load_data("digits", None, limit_train=64)')
        *before, last = ast.parse(short).body
        exec(compile(ast.Module(before, []), "tour.ipynb", "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), "tour.ipynb", "exec"), names)
            continue
        value = eval(compile(ast.Expression(last.value), "tour.ipynb", "eval"), names)
        for output in cell["outputs"]:
            kept = output.get("data", {})
            told = kept.get("text/html") or ("image/png" not in kept and kept.get("text/plain"))
            if told:
                assert shown_by(value) == "".join(told)
                compared += 1
            elif kept:
                assert value._repr_png_()[1:4] == b"PNG"
    assert compared == 6
    assert (tmp_path / "tour.html").stat().st_size > 100_000
