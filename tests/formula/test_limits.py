"""What is too large is refused in words, soon, and never with a crash."""

import time

import pytest

from recform.errors import FormulaError, UserError
from recform.formula import load, parse
from recform.formula.statements import MAX_BRACKETS, MAX_CHARACTERS
from recform.tape import unroll
from recform.tape.unroll import MAX_DEPTH


def code_of(text: str, depth: int = 4) -> str:
    """The code of what is wrong with a text at a depth."""
    with pytest.raises(FormulaError) as caught:
        unroll(parse(text), depth)
    assert str(caught.value).startswith("error[")
    return caught.value.code


def test_brackets_nest_up_to_the_limit():
    depth = MAX_BRACKETS - 1  # the innermost is the index of x
    text = "x[l+1] = " + "F(" * depth + "x[l]" + ")" * depth
    assert str(parse(text)) == text


@pytest.mark.parametrize("bracket", ["(", "F(", "relu(", "[", "x["])
@pytest.mark.parametrize("count", [MAX_BRACKETS + 1, 1000, 30_000])
def test_deeper_brackets_are_refused(bracket: str, count: int):
    assert code_of("x[l+1] = " + bracket * count) in ("too-large", "unbalanced")
    assert code_of("x[l+1] = " + bracket * count + "x[l]" + ")" * count) == "too-large"


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = " + "-" * 5000 + "x[l]",
        "x[l+1] = " + "2*" * 5000 + "x[l]",
        "x[l+1] = " + "x[l] if l > 2 else " * 4000 + "x[l]",
        "x[l+1] = " + "2^" * 5000 + "2*x[l]",
        "x[l+1] = x[l] if " + "not " * 5000 + "l > 2 else x[l]",
        "x[l+1] = x[l]" + "/2" * 5000,
    ],
    ids=["signs", "products", "cases", "powers", "nots", "divisions"],
)
def test_expressions_of_great_height_are_refused(text: str):
    assert code_of(text) == "too-large"


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = x[l]" + " + F(x[l])" * 2000,
        "x[l+1] = sum(x[l]" + ", F(x[l])" * 2000 + ")",
        "x[l+1] = x[l] if l > 2" + " or l == 2" * 2000 + " else F(x[l])",
        "x[l+1] = x[l] if 0" + " < l" * 2000 + " else F(x[l])",
        "x[l+1] = x[l]\n" + "# a comment\n" * 5000,
    ],
    ids=["terms", "arguments", "ors", "comparisons", "comments"],
)
def test_long_chains_are_read(text: str):
    formula = parse(text)
    assert parse(str(formula)) == formula
    unroll(formula, 2)


def test_a_text_of_a_hundred_thousand_characters_is_read():
    text = "x[l+1] = x[l]"
    assert str(parse(text + "#" * (MAX_CHARACTERS - len(text)))) == text


def test_a_longer_text_is_refused():
    assert code_of("x[l+1] = x[l]" + "#" * MAX_CHARACTERS) == "too-large"


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.rf"
    path.write_bytes(b"\0" * 10_000_000)
    with pytest.raises(UserError) as caught:
        load(path)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xfe\x00x", "not-text"), (None, "no-such-file")],
    ids=["binary", "missing"],
)
def test_a_file_that_holds_no_text_is_refused(tmp_path, content: bytes | None, code: str):
    path = tmp_path / "wrong.rf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load(path)
    assert caught.value.code == code
    assert str(path) in str(caught.value)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 10**100])
def test_depths_have_a_limit(depth: int):
    assert code_of("x[l+1] = x[l]", depth) == "too-deep"


def test_a_negative_depth_is_not_too_deep():
    assert code_of("x[l+1] = x[l]", -1) == "bad-argument"


def test_the_largest_depth_unrolls():
    assert unroll(parse("x[l+1] = x[l] + F(x[l])"), MAX_DEPTH).output is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x[l+1] = 1e4001*x[l]", "too-large"),
        ("x[l+1] = 1e-99999999999999999999*x[l]", "too-large"),
        ("x[l+1] = " + "9" * 5000 + "*x[l]", "too-large"),
        ("x[l+1] = 9^9^9*x[l]", "too-deep"),
        ("x[l+1] = (1/3)^(10^9)*x[l]", "too-deep"),
        ("x[l+1] = x[l - 10^10]", "too-deep"),
        ("x[l+1] = x[9^(10^4) - l]", "too-deep"),
        ("x[l+1] = F[10^5000](x[l])", "too-deep"),
        ("x[l+1] = x[l] + sum(F(x[l]) for i in 0..10^9)", "too-deep"),
        ("x[l+1] = x[l] + sum(sum(F(x[l]) for i in 0..10^4) for j in 0..10^4)", "too-deep"),
        ("x[l+1] = sum(sum(i for i in 0..10^5) for j in 0..10^5)*x[l]", "too-deep"),
        ("x[l+1] = x[l] if sum(i for i in 0..10^6) > 2 else F(x[l])", "too-deep"),
        ("x[l+1] = x[l] + x[10^5000/3]", "too-deep"),
        ("x[l+1] = 2^(1/10^5000)*x[l]", "irrational"),
        ("x[l+1] = sum(k for k in 0..)*x[l]", "endless-range"),
        ("x[l+1] = sum(F[l](x[0]) for k in 0..)", "endless-range"),
    ],
)
def test_numbers_and_ranges_have_limits(text: str, code: str):
    started = time.process_time()
    assert code_of(text) == code
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = sum(sum(sum(F(x[l-i-j-k]) for k in 0..l) for j in 0..l) for i in 0..l)",
        "x[l+1] = x[l] + sum(sum(sum(x[l-k] for k in j..i) for j in 0..i) for i in 0..l)",
        "x[l+1] = x[l] + sum(sum(F(x[l-i-j]) for j in 0..l if j < 2) for i in 0..l)",
        "z[l] = 2*sum(x[i]*F[l](x[l-i]) for i in 0..l); x[l+1] = z[l]; param a[l, i] = 0\n"
        "y[l] = sum(a[l, i]*z[l-i] for i in 0..l)",
    ],
)
def test_sums_inside_sums_are_refused_before_they_are_added_up(text: str):
    started = time.process_time()
    with pytest.raises(FormulaError) as caught:
        unroll(parse(text), 2000)
    assert "too many steps" in str(caught.value)
    assert time.process_time() - started < 2


def test_nothing_is_refused_that_can_be_done():
    """Neither a case nor a filter is read where it does not hold, nor what lies before the start,
    and a sum that goes on from depth to depth is not done again."""
    for item in (
        "(F(x[i]) if l < 4 and i < l else 0) for i in l-1..l",
        "F(x[i]) for i in 0..l",
        "(sum(sum(sum(x[i] for i in 0..l) for j in 0..l) for k in 0..l) if l < 4 else x[l]) "
        "for m in 0..1",
    ):
        assert unroll(parse(f"x[l+1] = sum({item})"), 1000).depth == 1000


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = 2^(10^4)*x[l]",
        "x[l+1] = (2^(10^4) + 1/3^(10^4))*x[l]",
        "x[l+1] = " + "9" * 900 + "*" + "7" * 900 + "*" + "5" * 900 + "*x[l]",
        "x[l+1] = 1e1000*1e1000*1e1000*1e1000*1e1000*x[l]",
    ],
)
def test_numbers_of_thousands_of_digits_are_exact_and_can_be_shown(text: str):
    formula = parse(text)
    assert parse(str(formula)) == formula
    assert formula._repr_latex_()
    assert str(unroll(formula, 3))


def chain_of(length: int) -> str:
    """Auxiliary quantities of one depth that read each other, one after the other."""
    links = "\n".join(f"z{k}[l] = F[l](z{k + 1}[l])" for k in range(length))
    return f"{links}\nz{length}[l] = x[l]\nx[l+1] = z0[l]"


def test_a_chain_of_quantities_that_read_each_other_is_unrolled():
    assert len(unroll(parse(chain_of(40)), 1).operations) == 41


def test_a_very_long_chain_is_no_crash():
    assert code_of(chain_of(1000)) == "too-large"


def test_a_read_that_leads_far_into_the_future_is_no_crash():
    assert code_of("z[l] = F(x[0]); x[l+1] = z[9999 - l] + z[l]", 10_000) != "syntax"
