"""Tables of counts, as text and in files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from flint import fmpq_poly

from recform.design import by_length
from recform.design.tables import NoRecurrenceError, continued, read_table
from recform.errors import UserError
from recform.formula import parse
from recform.paths import closed_forms
from recform.paths.rows import row


def formula_of(wish: str) -> str:
    return str(by_length(wish).candidates[0].formula)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "1\n1,1\n1,2,1\n"),
        ("rows.txt", "1\n1 1\n1 2 1"),
        ("rows.json", "[[1], [1, 1], [1, 2, 1]]"),
    ],
)
def test_a_file_of_rows_is_read(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    assert formula_of(str(tmp_path / name)) == "x[l+1] = x[l] + F(x[l])"


def test_lines_are_rows():
    assert formula_of("1\n1 1\n1 2 1\n") == "x[l+1] = x[l] + F(x[l])"


def test_rows_may_be_rationals_and_empty():
    assert read_table("1; 1/2, 0.5;; 2") == [
        fmpq_poly([1]), fmpq_poly([1, 1]) / 2, fmpq_poly([]), fmpq_poly([2])
    ]  # fmt: skip


def test_the_json_of_an_analysis_gives_the_formula_back():
    closed = closed_forms(parse("x[l+1] = x[l] + F(x[l]) + F(x[l-1])"))
    rows = "; ".join(",".join(map(str, closed.net.row(n))) for n in range(6))
    assert formula_of(rows) == "x[l+1] = x[l] + F(x[l]) + F(x[l-1])"


def random_formula(random: Random) -> str:
    reads = ["x[l]", *(f"x[l-{delay}]" for delay in range(1, random.randint(1, 4)))]
    terms = [f"({random.choice((1, 2, -1))})*{random.choice((read, f'F({read})'))}"
             for read in reads]  # fmt: skip
    return f"x[l+1] = {' + '.join(terms)}\noutput x[L] + 2*x[L-1]"


@pytest.mark.parametrize("seed", range(30))
def test_one_row_more_than_twice_the_order_is_enough(seed):
    function = closed_forms(parse(random_formula(Random(seed)))).net.function
    order = max(len(function.denominator) - 1, len(function.numerator))
    rows = [row(function, n) for n in range(2 * order + 1)]
    assert continued(rows).function == function


def test_two_rows_too_few_for_the_order_are_refused():
    rows = read_table("1; 2; 3; 5; 8; 14")
    with pytest.raises(NoRecurrenceError) as error:
        continued(rows)
    assert error.value.reason == "no recurrence up to order 2 on 6 rows"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.csv", None, "no-such-file"),
        ("bad.json", b"{", "bad-specification"),
        ("flat.json", b"[1, 2]", "bad-specification"),
        ("bytes.csv", b"\xff\xfe\x00", "not-text"),
        ("words.csv", b"one,two", "bad-specification"),
        ("many.csv", b"1\n" * 300, "too-large"),
        ("huge.csv", b"1," * 600_000, "too-large"),
    ],
)
def test_a_file_that_holds_no_table_is_told(tmp_path: Path, name: str, content, code: str):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        by_length(str(tmp_path / name))
    assert error.value.code == code


def test_a_folder_is_no_table(tmp_path: Path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError) as error:
        by_length(str(tmp_path / "folder.csv"))
    assert error.value.code == "unreadable"
