"""The scripts under examples/ run, on little."""

from __future__ import annotations

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
