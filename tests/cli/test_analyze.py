"""`recform analyze` and `compare-formulas`: the contract of the JSON, and a page worth reading."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import sympy

import recform


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recform.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def json_of(*words: object) -> dict:
    done = run("analyze", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


KEYS = {
    "formula", "depth", "start", "net", "gross", "distinct", "generating_function", "recurrence",
    "growth", "mean_length", "std_length", "words", "parameter_gradients", "through_block",
    "warnings", "telescopes_to", "reversible",
}  # fmt: skip


@pytest.fixture(scope="module")
def resnet_s() -> dict:
    return json_of("resnet_s")


def test_every_key_of_the_contract_is_there(resnet_s: dict):
    assert set(resnet_s) >= KEYS


def test_resnet_s_as_the_paper_has_it(resnet_s: dict):
    assert resnet_s["net"] == resnet_s["distinct"] == [1] * 17
    assert resnet_s["generating_function"]["net"] == "1/((1 - z)*(1 - t*z))"
    assert resnet_s["recurrence"]["net"] == {
        "coefficients": ["1 + t", "-t"], "from": 2, "first": [[1], [1, 1]],
    }  # fmt: skip
    assert resnet_s["growth"]["gross"]["exact"] == "1 + sqrt(2)"
    assert resnet_s["growth"]["net"] == {"exact": "1", "value": 1.0, "multiplicity": 2}
    assert resnet_s["mean_length"] == {"distinct": 8, "gross": 8}
    assert resnet_s["std_length"]["distinct"] == "2*sqrt(6)"
    assert resnet_s["parameter_gradients"]["F[3]"] == [0] * 12 + [1]
    assert resnet_s["words"]["3"] == "1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0]"
    assert {"one-path", "telescopes"} <= {w["code"] for w in resnet_s["warnings"]}


def test_what_it_telescopes_to_has_the_same_paths(resnet_s: dict):
    assert recform.equal("resnet_s", resnet_s["telescopes_to"]).equal == "from_start"


def test_strings_are_read_by_sympy(resnet_s: dict):
    x, z, t = sympy.symbols("x z t")
    for text in resnet_s["generating_function"].values():
        assert sympy.sympify(text).free_symbols <= {z, t}
    found = json_of("x[l+1] = x[l] + F(x[l-2])", "--depth", 8)
    growth = found["growth"]["net"]
    exact = sympy.sympify(growth["exact"], locals={"x": x})
    assert abs(exact.evalf() - growth["value"]) < 1e-12


def test_through_block_counts_paths_as_drawn():
    found = json_of("resnet", "--depth", 3)
    assert found["through_block"]["F[1]"] == [0, 1, 2, 1]


def test_what_has_no_closed_form_has_nulls_and_the_reason():
    found = json_of("x[l+1] = sum(x[l - 2^k + 1] for k in 0..) + F(x[l])", "--depth", 5)
    assert found["generating_function"] == {"net": None, "gross": None}
    assert found["recurrence"] == {"net": None, "gross": None}
    assert "open range" in found["closed_form_reason"]


def test_tables_by_block_stop_at_depth_64_unless_asked_for():
    found = json_of("resnet_s", "--depth", 65)
    assert found["words"] is found["through_block"] is found["parameter_gradients"] is None
    assert "--full" in found["through_block_reason"]
    assert json_of("resnet_s", "--depth", 65, "--full")["through_block"]["F[64]"]


def test_at_depth_a_million_the_closed_form_stands_and_the_tables_are_left_out():
    found = json_of("resnet_s", "--depth", 10**6)
    assert found["gross"] is None
    assert "1,000,001 numbers" in found["counts_reason"]
    assert found["growth"]["gross"]["exact"] == "1 + sqrt(2)"
    assert found["length_law"]["gross"]["variance_per_block"] == "sqrt(2)/8"


def test_activations_may_be_kept():
    assert json_of("resnet_s_net", "--depth", 3)["distinct"] == [1, 1, 1, 1]
    kept = json_of("resnet_s_net", "--depth", 3, "--activations", "keep")
    assert kept["net"] == [1, 1, 1, 1]
    assert kept["distinct"] != [1, 1, 1, 1]


def test_widths_of_the_blocks_on_the_paths():
    found = json_of("resnet_s", "--depth", 3, "--widths", "1,2,4")
    assert found["widths"] == {"mean": [None, 4, 3, "7/3"], "least": [None, 4, 2, 1]}


def test_depth_and_stages_must_agree():
    done = run("analyze", "resnet", "--depth", 3, "--stages", "2,2")
    assert done.returncode == 1
    assert "the stages have 4 blocks, the depth is 3" in done.stderr
    assert json_of("resnet", "--depth", 4, "--stages", "2,2")["depth"] == 4


@pytest.mark.parametrize(
    "words",
    [
        ("--activations", "drop"),
        ("--widths", "1,2"),
        ("--start", 17),
        ("--depth", -1),
        ("--depth", 10**12),
    ],
)
def test_a_wrong_argument_is_one_message(words: tuple):
    done = run("analyze", "resnet_s", *words)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert "Traceback" not in done.stderr
    assert "hint" in done.stderr


def test_the_page_has_all_sections():
    page = run("analyze", "resnet_s").stdout
    for part in ("d x[4] / d x[0]", "In total", "G(z, t) = 1/((1 - z)*(1 - t*z))", "Delannoy",
                 "of order (1 + sqrt(2))^n", "blocks behind", "warning[one-path]"):  # fmt: skip
        assert part in page, part


def test_formulas_stand_side_by_side():
    page = run("compare-formulas", "resnet", "resnet_s", "x[l+1] = F(x[l])").stdout
    assert page.splitlines()[2].startswith("C: x[l+1] = F(x[l])")
    assert "of order 2^n" in page
    done = run("compare-formulas", "resnet", "resnet_s", "--depth", 4, "--json")
    assert [found["depth"] for found in json.loads(done.stdout)] == [4, 4]


def test_the_page_of_a_reversible_formula_says_how_its_states_come_back():
    page = run("analyze", "leapfrog", "--depth", 6).stdout
    assert "Reversible, so that training need not keep its states" in page
    assert "  x[l-1] = 2*x[l] - x[l+1] + F(x[l])\n" in page
    assert "eversible" not in run("analyze", "resnet", "--depth", 6).stdout


def test_behind_stopgrad_only_the_gradient_is_said_to_be_bounded():
    """The signal of this one is ResNet's, and grows at g = 1; its gradient does not."""
    page = run("analyze", "x[l+1] = stopgrad(x[l]) + F(x[l])", "--depth", 2).stdout
    assert "The gradient stays bounded, every block multiplying by g, for -1 <= g <= 1\n" in page
    page = run("analyze", "x[l+1] = x[l] + F(x[l])", "--depth", 2).stdout
    assert "Signal and gradient stay bounded, every block multiplying by g, for -2 <= g" in page
