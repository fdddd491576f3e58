"""What a text says: every construct of the core, and that layout says nothing."""

from fractions import Fraction

import pytest

import recform
from recform.errors import FormulaError
from recform.formula import example_names, load, parse, resolve
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
    Equation,
    Expression,
    Init,
    Item,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Read,
    Reduce,
    Sum,
)

LAYER = Name("l")
X = Read("x", LAYER)
ONE = Number(Fraction(1))


def right(text: str) -> Expression:
    """The right side of a step of x that is written as `text`, beside a state y and block G."""
    formula = parse(f"block G; input x, y; y[l+1] = y[l]; x[l+1] = {text}")
    return formula.equations[1].right


def before(steps: int) -> Expression:
    return Sum(((1, LAYER), (-1, Number(Fraction(steps)))))


def test_a_step_and_an_auxiliary_quantity_are_equations():
    formula = parse("z[l] = F(x[l])\nx[l+1] = z[l]")
    assert formula.equations == (
        Equation("z", False, Apply("F", None, X)),
        Equation("x", True, Read("z", LAYER)),
    )


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("x[l]", X),
        ("x[l-1]", Read("x", before(1))),
        ("x[0]", Read("x", Number(Fraction(0)))),
        ("F(x[l])", Apply("F", None, X)),
        ("F[l](x[l-1])", Apply("F", LAYER, Read("x", before(1)))),
        ("G(F(x[l]))", Apply("G", None, Apply("F", None, X))),
        ("relu(x[l])", Map("relu", X)),
        ("act(x[l])", Map("act", X)),
        ("norm(x[l])", Map("norm", X)),
        ("-x[l]", Negate(X)),
        ("+x[l]", X),
        ("x[l] - y[l]", Sum(((1, X), (-1, Read("y", LAYER))))),
        ("2*x[l]", Binary("*", Number(Fraction(2)), X)),
        ("x[l]/3", Binary("/", X, Number(Fraction(3)))),
        ("2^l*x[l]", Binary("*", Binary("^", Number(Fraction(2)), LAYER), X)),
        ("(l % 2)*x[l]", Binary("*", Binary("%", LAYER, Number(Fraction(2))), X)),
        ("L*x[l]", Binary("*", Name("L"), X)),
        ("sum(x[l], y[l])", Reduce("sum", (Item(X), Item(Read("y", LAYER))))),
        ("mean(x[l])", Reduce("mean", (Item(X),))),
    ],
)
def test_a_term_means(text: str, meaning: Expression):
    assert right(text) == meaning


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", "2"),
        ("1/3", "1/3"),
        ("0.1", "1/10"),
        ("-1/2", "-1/2"),
        ("1e3", "1000"),
        ("2.5e-1", "1/4"),
        ("6/4/3", "1/2"),
        ("2*3*4", "24"),
    ],
)
def test_numbers_are_exact(text: str, value: str):
    assert right(f"{text}*x[l]") == Binary("*", Number(Fraction(value)), X)


def test_a_range_has_an_index_two_ends_and_a_filter():
    meaning = right("sum(F(x[i]) for i in 0..l if i % 2 == 0)")
    even = Compare(("==",), (Binary("%", Name("i"), Number(Fraction(2))), Number(Fraction(0))))
    each = Each("i", Number(Fraction(0)), LAYER, even)
    assert meaning == Reduce("sum", (Item(Apply("F", None, Read("x", Name("i"))), each),))


def test_an_open_range_has_no_last_index():
    meaning = right("sum(x[l-k] for k in 1..)")
    assert isinstance(meaning, Reduce)
    assert meaning.items[0].each == Each("k", ONE, None, None)


def test_a_case_chooses_by_a_condition():
    meaning = right("x[l] if 0 < l <= 3 and not l == 2 or l > 9 else y[l]")
    assert isinstance(meaning, Case)
    assert meaning.condition == Logic(
        "or",
        (
            Logic(
                "and",
                (
                    Compare(("<", "<="), (Number(Fraction(0)), LAYER, Number(Fraction(3)))),
                    Not(Compare(("==",), (LAYER, Number(Fraction(2))))),
                ),
            ),
            Compare((">",), (LAYER, Number(Fraction(9)))),
        ),
    )


def test_cases_chain_to_the_right():
    meaning = right("x[l] if l == 0 else y[l] if l == 1 else F(x[l])")
    assert isinstance(meaning, Case)
    assert isinstance(meaning.otherwise, Case)


def test_starts_inputs_output_and_blocks_are_read():
    formula = parse(
        """
        block G, H
        input y, x
        x[l+1] = F(y[l-1]); y[l+1] = G(x[l]) + H(x[l]) + v[l]; v[l+1] = v[l]
        init v[0] = absent
        init F(y[-1]) = x[0]
        init x[-2] = 1/2*x[0]
        output x[L] - y[0]
        """
    )
    start = Read("x", Number(Fraction(0)))
    assert formula.blocks == ("G", "H")
    assert formula.inputs == ("y", "x")
    assert formula.inits == (
        Init("v", 0, None, None),
        Init("y", -1, "F", start),
        Init("x", -2, None, Binary("*", Number(Fraction(1, 2)), start)),
    )
    assert formula.output == Sum(((1, Read("x", Name("L"))), (-1, Read("y", Number(Fraction(0))))))


def test_the_main_state_is_x_if_there_is_one():
    assert parse("input v, x; v[l+1] = v[l]; x[l+1] = x[l]").main == "x"


def test_the_main_state_is_else_the_first_step():
    assert parse("input v, w; z[l] = w[l]; v[l+1] = v[l]; w[l+1] = w[l]").main == "v"


def test_the_main_state_starts_from_the_stem():
    assert parse("x[l+1] = x[l]").starts == ("x",)


def test_the_input_line_says_what_starts_from_the_stem():
    assert parse("input v; v[l+1] = v[l]; x[l+1] = v[l]; init x[0] = absent").starts == ("v",)


@pytest.mark.parametrize(
    "text",
    [
        "x[l+1]=x[l]+F(x[l])",
        "  x [ l + 1 ]  =  x[ l ]  +  F ( x[l] )  ",
        "\tx[l+1]\t=\tx[l]\t+\tF(x[l])",
        "x[l+1] = x[l] + F(x[l])  # a comment; with = and ( in it",
        "# a title\n\n# more\nx[l+1] = x[l] + F(x[l])\n\n",
        "x[l+1] = x[l] + F(x[l]);",
        ";;x[l+1] = x[l] + F(x[l])",
        "x[l+1] = (x[l]\n  + F(\n x[l]  # inside\n))",
        "x[l+1] = x[\nl\n] + F(x[l])",
        "x[l+1] = x[l] + F(x[l])\r\n",
        "\r\n\r\nx[l+1] = x[l] + F(x[l])\r\n",
        "x[l+1] = (((x[l]))) + (F((x[l])))",
    ],
)
def test_layout_says_nothing(text: str):
    assert parse(text) == parse("x[l+1] = x[l] + F(x[l])")


def test_a_semicolon_separates_statements():
    assert parse("block G; x[l+1] = G(x[l])") == parse("block G\nx[l+1] = G(x[l])")


def test_the_title_is_the_first_comment_line():
    assert parse("\n  ## ResNet, 2016 \n# second\nx[l+1] = x[l]  # third").title == "ResNet, 2016"


def test_titles_take_no_part_in_comparison():
    assert parse("# one\nx[l+1] = x[l]") == parse("# two\nx[l+1] = x[l]")


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("2·x[l]", "2*x[l]"),
        ("2×x[l]", "2*x[l]"),
        ("x[l] − y[l−1]", "x[l] - y[l-1]"),
        ("σ(x[l])", "sigmoid(x[l])"),
        ("Σ(x[i] for i in 0..l)", "sum(x[i] for i in 0..l)"),
    ],
)
def test_mathematical_spellings_are_read(spelled: str, plain: str):
    assert right(spelled) == right(plain)


def test_names_may_be_words():
    formula = parse("block Branch2; hidden_1[l+1] = hidden_1[l] + Branch2(hidden_1[l])")
    assert formula.main == "hidden_1"


@pytest.mark.parametrize("name", ["ifs", "orx", "index", "format", "note", "blocky", "lx", "sl"])
def test_a_name_may_begin_like_a_word_of_the_language(name: str):
    assert parse(f"{name}[l+1] = {name}[l] + F({name}[l])").main == name


@pytest.mark.parametrize("name", example_names())
def test_an_example_has_a_title_and_means_the_same_printed(name: str):
    formula = resolve(name)
    assert formula.title
    assert parse(str(formula)) == formula


def test_examples_are_still_listed_after_one_is_read():
    resolve("resnet")
    assert "resnet" in recform.example_names()
    assert recform.example_names() == example_names()


def test_a_text_with_an_equals_sign_is_a_formula():
    assert resolve("x[l+1] = F(x[l])") == parse("x[l+1] = F(x[l])")


def test_a_file_is_read_with_its_byte_order_mark(tmp_path):
    path = tmp_path / "a.rf"
    path.write_bytes(b"\xef\xbb\xbf# title\r\nx[l+1] = x[l]\r\n")
    assert load(path).title == "title"
    assert resolve(str(path)) == parse("x[l+1] = x[l]")


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "wrong.rf"
    path.write_text("x[l+1] = x[l] +")
    with pytest.raises(FormulaError) as caught:
        load(path)
    assert f"--> {path}:1:16" in str(caught.value)
