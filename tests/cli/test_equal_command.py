"""recform equal: what is printed, and the exit code."""

import json
import subprocess
import sys

import pytest

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recform.cli.main", "equal", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_verdict_the_witness_and_what_breaks_it_are_told():
    done = run(EQ_20, "injection")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "from_start: the same paths from x[0] at every depth, not from every later one",
        "  at depth 2, from x[1], the path 1 has the coefficient 1 in the first formula and 0 in "
        "the second",
        "  as networks they differ with: a projection at a stage border",
    ]


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("resnet", "y[l+1] = y[l] + F(y[l])", "always"),
        ("resnet_s", "injection", "from_start"),
        ("resnet", "plain", "no"),
        ("x[l+1] = x[l]/(l+1)", "x[l+1] = x[l]/(1+l)", "undecided"),
    ],
)
def test_json_has_the_keys_of_the_contract_and_every_answer_exits_0(
    left: str, right: str, verdict: str
):
    done = run(left, right, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["equal", "witness", "checked_depth", "breaks", "reason"]
    assert answer["equal"] == verdict


def test_formulas_with_products_are_said_to_be_compared_to_a_depth():
    done = run("x[l+1] = x[l]*F(x[l])", "x[l+1] = F(x[l])*x[l]")
    assert done.stdout.splitlines() == [
        "undecided: no difference down to depth 12",
        "  with products of values, learned coefficients or functions of several values formulas "
        "are compared to a depth, which proves nothing of deeper ones",
    ]


def test_a_law_that_a_function_obeys_is_no_difference():
    done = run("x[l+1] = max(x[l], F(x[l]))", "x[l+1] = max(F(x[l]), x[l])")
    assert done.stdout.splitlines() == [
        "undecided: no difference down to depth 0",
        "  at depth 1, max(x[0], F[0](x[0])) has the coefficient 1 in the first formula and 0 in "
        "the second, which may yet come to the same paths",
    ]


def test_the_witness_has_exact_coefficients():
    answer = json.loads(run("x[l+1] = 1/2*x[l] + F(x[l])", "resnet", "--json").stdout)
    witness = answer["witness"]
    assert (witness["word"], witness["a"], witness["b"]) == ("1", "1/2", 1)


def test_a_wrong_formula_is_told_without_a_traceback():
    done = run("x[l+1] = F(x[l]", "resnet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[unbalanced]")
    assert "Traceback" not in done.stderr


def test_nothing_heavy_is_loaded():
    program = (
        "import sys\n"
        "sys.argv = ['recform', 'equal', 'resnet_s', 'injection']\n"
        "from recform.cli.main import app\n"
        "app(standalone_mode=False)\n"
        "print([name for name in ('torch', 'sympy', 'matplotlib') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "[]"
