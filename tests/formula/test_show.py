"""The normal form is read back as the same formula; LaTeX is LaTeX."""

import re

import pytest
from hypothesis import given

from recform.formula import example_names, parse, resolve, to_latex, to_mathml, to_text
from recform.formula.mathml import expression_to_mathml
from tests.laws.formulas import formulas

TEXTS = (
    "x[l+1] = x[l] - (F(x[l]) - x[l-1])",
    "x[l+1] = x[l] - (-F(x[l]))",
    "x[l+1] = --x[l] - -F(x[l])",
    "x[l+1] = -(x[l] + F(x[l]))",
    "x[l+1] = -2*x[l] + (-1/2)*F(x[l])",
    "x[l+1] = (1/2)*(x[l] + F(x[l]))/3",
    "x[l+1] = 2*(3*x[l])",
    "x[l+1] = 2/(3*l + 1)*x[l]",
    "x[l+1] = 2/3*l*x[l] + 2/(3/(l+1))*x[l]",
    "x[l+1] = (l - (L - 1))*x[l]",
    "x[l+1] = (-1)^l*x[l] - (1/2)^l*x[l] + (2^l)^2*x[l] + 2^l^2*x[l]",
    "x[l+1] = -2^l*x[l] + (-2)^l*x[l] + 2^(-l)*x[l] + 2^-l*x[l]",
    "x[l+1] = (l % 2 % 3)*x[l] + (l % (2*l + 1))*x[l] + 2*(l % 3)*x[l]",
    "x[l+1] = x[(l - l % 2)/2] + x[l - 2^(l % 2)]",
    "x[l+1] = (x[l] if l > 2 else 0) + F(x[l])",
    "x[l+1] = x[l] if l == 0 else (F(x[l]) if l == 1 else x[0])",
    "x[l+1] = (x[l] if l == 0 else F(x[l])) if l < 3 else x[0]",
    "x[l+1] = x[l] if not (l == 1 or l == 2) and l < 9 else F(x[l])",
    "x[l+1] = x[l] if (l == 1 or l == 2) and (l < 9 or not l < 3) else F(x[l])",
    "x[l+1] = x[l] if (1 if l < 2 else 0) == 1 else F(x[l])",
    "x[l+1] = sum(x[i] for i in (0 if l < 3 else l-2)..l)",
    "x[l+1] = sum(x[0], F(x[i]) for i in 0..l, x[l-k] for k in 1.. if k != 2)",
    "x[l+1] = mean(sum(x[j] for j in i..l) for i in 0..l)",
    "x[l+1] = (sum(i for i in 0..l) + mean(1, 2))*x[l]",
    "x[l+1] = F[0](x[l]) + F[l-1](relu(σ(x[l]))) + F[(l - l % 2)/2](x[l])",
    "x[l+1] = x[l] + 0",
    "block G, H; input y, x; y[l+1] = G(x[l+1]); x[l+1] = H(y[l]); output x[L] + -1/2*y[0]",
    "x[l+1] = x[l-1] + v[l]; v[l+1] = v[l]; init v[0] = 0; init x[-1] = absent; "
    "init F(x[-1]) = 1/2*x[0]",
)


@pytest.mark.parametrize("text", TEXTS)
def test_the_normal_form_says_the_same(text: str):
    formula = parse(text)
    assert parse(to_text(formula)) == formula


@pytest.mark.parametrize("text", TEXTS)
def test_the_normal_form_of_the_normal_form_is_itself(text: str):
    once = to_text(parse(text))
    assert to_text(parse(once)) == once


@given(formulas())
def test_any_formula_is_read_back_from_its_normal_form(text: str):
    formula = parse(text)
    assert parse(to_text(formula)) == formula
    assert parse(to_text(formula)).title == formula.title


def test_the_normal_form_is_spaced_evenly_and_in_ascii():
    text = "#  a title\nblock G;input x\nx[ l+1 ]=σ( x[l] )−0.5·G(x[l - 1]) # why\n"
    text += "init G(x[-1])=absent"
    assert to_text(parse(text)).splitlines() == [
        "# a title",
        "block G",
        "input x",
        "x[l+1] = sigmoid(x[l]) - 1/2*G(x[l-1])",
        "init G(x[-1]) = absent",
    ]


def test_latex_of_resnet_s():
    assert to_latex(resolve("resnet_s")).splitlines() == [
        r"\begin{aligned}",
        r"x_{l+1} &= x_{l} + F_{l}(x_{l}) - F_{l-1}(x_{l-1})",
        r"\end{aligned}",
    ]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("1/2*x[l]", r"\tfrac{1}{2}\,x_{l}"),
        ("x[l]/(l+1)", r"\frac{x_{l}}{l + 1}"),
        ("2^(l+1)*x[l]", r"2^{l + 1}\,x_{l}"),
        ("-(x[l] + x[0])", r"-\left(x_{l} + x_{0}\right)"),
        ("2*(x[l] - x[0])", r"2\,\left(x_{l} - x_{0}\right)"),
        ("(-1)^l*x[l]", r"\left(-1\right)^{l}\,x_{l}"),
        ("(1/2)^l*x[l]", r"\left(\tfrac{1}{2}\right)^{l}\,x_{l}"),
        ("sum(F(x[i]) for i in 0..l)", r"\sum_{i=0}^{l} F_{i}(x_{i})"),
        ("sigmoid(x[l])", r"\sigma\left(x_{l}\right)"),
        ("F[0](x[l])", "F_{0}(x_{l})"),
    ],
)
def test_latex_of(text: str, latex: str):
    assert to_latex(parse(f"x[l+1] = {text}")).splitlines()[1] == f"x_{{l+1}} &= {latex}"


def _balanced(latex: str) -> bool:
    """Braces close, environments end in order, and each \\left has its \\right."""
    pairs = {"}": "{", r"\end{aligned}": r"\begin{aligned}", r"\end{cases}": r"\begin{cases}",
             r"\right": r"\left"}  # fmt: skip
    opened: list[str] = []
    for word in re.findall(r"\\(?:begin|end)\{\w+\}|\\left|\\right|\\[a-z]+|[{}]", latex):
        if word in pairs:
            if not opened or opened.pop() != pairs[word]:
                return False
        elif word in pairs.values():
            opened.append(word)
    return not opened


@pytest.mark.parametrize("text", TEXTS)
def test_latex_closes_what_it_opens(text: str):
    assert _balanced(to_latex(parse(text)))


@given(formulas())
def test_latex_of_any_formula_closes_what_it_opens(text: str):
    assert _balanced(to_latex(parse(text)))


@pytest.mark.parametrize("name", example_names())
def test_the_latex_of_an_example_is_typeset(name: str):
    from matplotlib.mathtext import MathTextParser

    for row in to_latex(resolve(name)).splitlines()[1:-1]:
        # matplotlib knows no environments: each row by itself, without its marks.
        row = row.removesuffix(r"\\").replace("&", " ").replace(r"\tfrac", r"\frac")
        if "cases" not in row:
            assert MathTextParser("path").parse(f"${row}$").width > 0


def test_a_formula_shows_itself_typeset_in_a_notebook():
    shown = resolve("resnet")._repr_latex_()
    assert shown.startswith("$$")
    assert shown.endswith("$$")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("F(norm(x[l]))", r"F_{l}\left(\operatorname{norm}\left(x_{l}\right)\right)"),
        ("sum(x[l-k] for k in 1..)", r"\sum_{k \geq 1} x_{l-k}"),
        (
            "x[l] if l < 2 else x[0] if l < 4 else x[1]",
            r"\begin{cases} x_{l} & \text{if } l < 2 \\ x_{0} & \text{if } l < 4 \\ "
            r"x_{1} & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_latex_of_blocks_of_terms_open_ranges_and_chains_of_cases(text: str, latex: str):
    assert to_latex(parse(f"x[l+1] = {text}")).splitlines()[1] == f"x_{{l+1}} &= {latex}"


def mathml_of(text: str) -> str:
    return expression_to_mathml(parse(f"x[l+1] = {text}").equations[0].right)


def test_parentheses_grow_in_mathml_only_around_what_is_tall():
    assert '<mo stretchy="false">(</mo>' in mathml_of("F(x[l])")
    assert "<mo>(</mo>" in mathml_of("F(1/2*x[l])")


def test_a_chain_of_cases_is_one_table_in_mathml():
    made = mathml_of("x[l] if l < 2 else x[0] if l < 4 else x[1]")
    assert (made.count("<mtable"), made.count("<mtr>")) == (1, 3)


def test_left_sides_lean_to_the_equals_sign_in_mathml():
    cells = re.findall(r'<mtd style="[^"]*-webkit-(\w+)">', to_mathml(resolve("resnet")))
    assert cells == ["right", "center", "left"]
