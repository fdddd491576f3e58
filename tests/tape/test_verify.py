"""What `recform check` tries: the formula at a depth, and every start value that it is given."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.formula import example_names, parse, resolve
from recform.tape import unroll, verify

RESNET = "x[l+1] = x[l] + F(x[l])\n"


@pytest.mark.parametrize("name", example_names())
def test_the_examples_are_right(name: str) -> None:
    verify(resolve(name), 16)


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("init x[-5] = 1/(L-16)*x[0]", "division-by-zero"),
        ("init x[-5] = x[40]", "future-read"),
        ("init F(x[-5]) = x[1/2]", "fractional-index"),
        ("init x[-5] = x[-5]", "circular"),
    ],
)
def test_a_start_value_that_nothing_reads_is_verified(start: str, code: str) -> None:
    formula = parse(RESNET + start)
    unroll(formula, 16)
    with pytest.raises(UserError) as caught:
        verify(formula, 16)
    assert caught.value.code == code


def test_check_tells_of_a_start_value_that_nothing_reads() -> None:
    done = CliRunner().invoke(app, ["check", RESNET + "init x[-5] = 1/(L-16)*x[0]", "--json"])
    assert done.exit_code == 1
    assert '"division-by-zero"' in done.stdout


def test_start_values_that_are_right_or_absent_pass() -> None:
    right = RESNET + "init x[-2] = absent\ninit F(x[-1]) = 1/2*x[0]"
    verify(parse(right), 16)
    with pytest.raises(UserError):
        verify(parse(right.replace("1/2", "1/(L-16)")), 16)


@pytest.mark.parametrize("depth", ["16", 2.5, None])
def test_a_depth_that_is_no_whole_number_is_told(depth: object) -> None:
    with pytest.raises(UserError) as caught:
        unroll(parse(RESNET), depth)  # type: ignore[arg-type]
    assert caught.value.code == "bad-argument"
    assert f"the depth {depth!r} is not a whole number" in str(caught.value)
