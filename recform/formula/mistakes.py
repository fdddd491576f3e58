"""Mistakes in syntax, as a table: what people write, and what they are told.

A row's examples are malformed statements; a text that fails in the same state of the parser, at
the same kind of word, gets the row's message. What no row knows is told in general words by
`parse`: a term or an operator is missing. The rows are tests.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    code: str
    message: str
    hint: str
    examples: tuple[str, ...]


MISTAKES = (
    Mistake(
        "missing-right-side",
        "the equation has no right side",
        "write what the state becomes: x[l+1] = x[l] + F(x[l])",
        ("x[l+1] =", "init x[-1] =", "init F(x[-1]) ="),
    ),
    Mistake(
        "missing-index",
        "a state on the left side needs its depth",
        "in square brackets: x[l+1] = ... for a step, or z[l] = ... for a quantity of depth l",
        ("x = F(x[l])", "x_l+1 = x_l", "x(l+1) = x(l)", "x*2 = x", "init x = 0", "init F(x) = 0"),
    ),
    Mistake(
        "bad-left-side",
        "the line begins with an upper-case name",
        "states have lower-case names: x[l+1] = ...; a block's start: init F(x[-1]) = ...",
        ("X[l+1] = X[l] + F(X[l])", "F(x[l]) = x[l+1]", "F[l](x[l]) = x[l]", "F"),
    ),
    Mistake(
        "bad-left-side",
        "the equation has no left side",
        "write which state it gives: x[l+1] = ...",
        ("= x[l]",),
    ),
    Mistake(
        "syntax",
        "there is no `=` after the left side",
        "write x[l+1] = ...; instead of += write x[l+1] = x[l] + ...",
        ("x[l+1] -> x[l]", "x[l+1] += F(x[l])", "x[l+1] *= 2", "x[l+1] <= x[l]", "x[l+1] x[l]",
         "x[l+1] F(x[l])", "x[l+1] 2", "x[l+1] (x[l])", "x[l] + F(x[l])"),
    ),
    Mistake(
        "missing-operand",
        "something is missing here",
        "an operator stands between two terms: x[l] + F(x[l])",
        (
            "x[l+1] = x[l] +",
            "x[l+1] = x[l] + * F(x[l])",
            "x[l+1] = * x[l]",
            "x[l+1] = (x[l] + )",
            "x[l+1] = F(x[l] + )",
            "x[l+1] = F(x[l-])",
            "x[l+1] = 2*",
            "x[l+1] = sum(x[l], )",
            "x[l+1] = x[l] if l >",
            "x[l+1] = x[l] if l > else x[l]",
        ),
    ),
    Mistake(
        "missing-operand",
        "the brackets are empty",
        "write what stands inside: F(x[l])",
        ("x[l+1] = F()", "x[l+1] = x[]", "x[l+1] = ()", "x[] = x[l]", "x[l+1] = sum()"),
    ),
    Mistake(
        "missing-operator",
        "there is no operator between these two",
        "write the sign: 2*x[l], x[l] + F(x[l])",
        (
            "x[l+1] = x[l] F(x[l])",
            "x[l+1] = x[l] x[l]",
            "x[l+1] = 2 x[l]",
            "x[l+1] = 2 F(x[l])",
            "x[l+1] = 2(x[l])",
            "x[l+1] = (x[l]) (x[l])",
            "x[l+1] = F(x[l]) F(x[l])",
            "x[l+1] = F(x[l]) (x[l])",
            "x[l+1] = x[l] 2",
            "x[l+1] = F(2 x[l])",
            "x[l+1] = F(x[l] x[l])",
            "x[l+1] = x[2 l]",
            "x[l+1] = 2 L",
            "x[l+1] = x[l](x[l])",
            "x[l+1] = (x[l])[l]",
        ),
    ),
    Mistake(
        "syntax",
        "`**` is no operator here",
        "a power is written with `^`: 2^l",
        ("x[l+1] = 2**l*x[l]", "x[l+1] = l**2*x[l]", "x[l+1] = (2)**l*x[l]"),
    ),
    Mistake(
        "syntax",
        "`//` is no operator here",
        "the whole part of l/2 is (l - l % 2)/2",
        ("x[l+1] = x[l//2]", "x[l+1] = F(x[l//2])", "x[l+1] = x[L//2]"),
    ),
    Mistake(
        "syntax",
        "the block is not applied to anything",
        "write F(x[l]), or F[l](x[l-1]) with the block's index",
        (
            "x[l+1] = F x[l]",
            "x[l+1] = F + x[l]",
            "x[l+1] = F",
            "x[l+1] = F[l] + x[l]",
            "x[l+1] = F[l] x[l]",
            "x[l+1] = (F)",
            "x[l+1] = F*x[l]",
        ),
    ),
    Mistake(
        "syntax",
        "an `=` stands inside an expression",
        "an equation has one `=`; depths are compared with `==`: if l % 2 == 0",
        (
            "x[l+1] = x[l] = y[l]",
            "x[l+1] = x[l] if l = 0 else F(x[l])",
            "x[l+1] = F(x[l]) if l % 2 = 0 else x[l]",
            "x[l+1] = F(x[l] = 2)",
            "x[l+1] = F(x[l]) = 0",
            "x[l+1] = F[l](x[l]) = 0",
            "x[l+1] = (x[l]) = 0",
            "x[l+1] = act(x[l]) = 0",
            "x[l+1] = x[l = 2]",
            "x[l+1] = x[l] if L = 0 else F(x[l])",
            "x[l+1] == x[l]",
        ),
    ),
    Mistake(
        "syntax",
        "the case has no `else`",
        "write A if l % 2 == 0 else B",
        ("x[l+1] = x[l] if l > 0", "x[l+1] = F(x[l] if l > 0)", "x[l+1] = x[l] if l > 0 or l < 5"),
    ),
    Mistake(
        "syntax",
        "this is not a range of the form `for i in a..b`",
        "write sum(F(x[i]) for i in 0..l); leave the end out for an open range, 0..",
        (
            "x[l+1] = sum(x[i] for i in l)",
            "x[l+1] = sum(x[i] for i in 0, l)",
            "x[l+1] = sum(x[i] for i 0..l)",
            "x[l+1] = sum(x[i] for i in)",
            "x[l+1] = sum(x[i] for i = 0..l)",
            "x[l+1] = sum(x[i] for)",
            "x[l+1] = sum(x[i] for i in range(l))",
        ),
    ),
    Mistake(
        "syntax",
        "a range stands outside sum(...) and mean(...)",
        "write sum(F(x[i]) for i in 0..l)",
        ("x[l+1] = F(x[i] for i in 0..l)", "x[l+1] = x[i] for i in 0..l"),
    ),
    Mistake(
        "wrong-arguments",
        "the block has more than one argument",
        "add them up: F(x[l] + x[l-1])",
        ("x[l+1] = F(x[l], x[l-1])", "x[l+1] = F[l](x[l], x[l-1])", "x[l+1] = F(F(x[l]), x[l])",
         "x[l+1] = F(2, x[l])", "init F(x[-1], x[0]) = 0"),
    ),
    Mistake(
        "syntax",
        "a comma stands outside the arguments of a function",
        "write sum(x[l], F(x[l])); equations stand on lines of their own, or after `;`",
        ("x[l+1] = x[l],", "x[l+1] = F(x[l]), y[l+1] = y[l]", "x[l+1] = (x[l], y[l])",
         "x[l+1], y[l+1] = x[l]", "x, y = x[l]", "x[l, 1] = x[l]"),
    ),
    Mistake(
        "syntax",
        "this line says nothing yet",
        "a line is an equation, x[l+1] = ..., or starts with init, input, output, block, param, "
        "stream or history",
        ("x[l+1]", "2*x[l]", "x", "(x[l])", "-x[l]", "import os", "x 2", "x F", ".. x", "[l] = 1"),
    ),
    Mistake(
        "syntax",
        "this is not a start value of the form `init STATE[DEPTH] = VALUE`",
        "write init y[0] = x[0], init y[0] = absent, or init F(x[-1]) = x[0]",
        ("init y[0]", "init F(x[-1])", "init 0", "init", "init y[0] x[0]", "init F = x[0]",
         "init F[-1](x[-1]) = x[0]"),
    ),
    Mistake(
        "syntax",
        "`input` is followed by the names of states",
        "write input x, or input x, y",
        ("input", "input 2", "input X", "input x y", "input x,", "input x[0]"),
    ),
    Mistake(
        "syntax",
        "`block` is followed by the names of blocks, in upper case",
        "write block G, or block G, H",
        ("block", "block 2", "block g", "block G H", "block G,"),
    ),
    Mistake(
        "syntax",
        "`output` is followed by what the network returns",
        "write output x[L]",
        ("output",),
    ),
    Mistake(
        "syntax",
        "an input is the stem's, or split from it",
        "write input x, y, or input x, y = split(input)",
        ("input x, y = split(x)", "input x = x[0]", "input x = 2", "input x, y = split"),
    ),
    Mistake(
        "syntax",
        "this is not a block of the form `block T = SOURCE(SETTING=NUMBER)`",
        "write block T = sigmoid_conv1x1(bias=-2), or block T = package.module:name",
        ("block T = sigmoid_conv1x1(-2)", "block T = sigmoid_conv1x1(x)", "block T =",
         "block T = 2", "block T = F", "block T = se(bias)", "block T = a.b:C(1)",
         "block T = a.b:C(-2)", "block T = se(bias=1, 2)"),
    ),
    Mistake(
        "syntax",
        "this is not a coefficient of the form `param NAME[INDICES] = START`",
        "write param a[l] = 0, param g[l, channel] = 1e-6, or param a = 1/2 in sigmoid",
        ("param", "param a", "param a[l]", "param a[l] 0", "param 2 = 1", "param a[l+1] = 0",
         "param a[] = 0", "param a =", "param a[l] = 0 in", "param a[l] = 0 in 2",
         "param a[l,] = 0", "param a(l) = 0"),
    ),
    Mistake(
        "syntax",
        "this is not a stream of the form `stream NAME[NUMBER] = input`",
        "write stream h[4] = input",
        ("stream", "stream h", "stream h[4]", "stream h[4] = x[0]", "stream h = input",
         "stream h[n] = input", "stream H[4] = input", "stream h[4] input"),
    ),
    Mistake(
        "syntax",
        "`history` is followed by `stage`",
        "write history stage: in each stage it begins anew",
        ("history", "history 2", "history L", "history stage stage"),
    ),
)  # fmt: skip

# What to write instead of a character that has no meaning where it stands.
CHARACTERS = {
    "'": "a derivative has no place in a formula; write the equation itself",
    '"“”„«»‘’`': "remove the quotation marks",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=`",
    "_": "names start with a letter; the depth of a state stands in square brackets: x[l]",
    "{}": "depths stand in square brackets, x[l+1]; arguments in parentheses, F(x[l])",
    ".": "a range is written 0..l, a decimal number 0.5",
    "…": "a range is written 0..l",
    ":≔": "an equation has a plain `=`",
    "→←": "an equation has `=` after its left side",
    "⋅∗•∙": "write `*`",
    "÷": "write `/`",
    "–—": "write `-`",
    "≤≥≠": "write `<=`, `>=` or `!=`",
    "∑": "write sum(F(x[i]) for i in 0..l)",
    "√": "write sqrt(2)",
    "²³ⁿ": "a power is written 2^l",
    "\\": "commands of LaTeX are not read; write names such as relu, and brackets as they are",
    "\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}": "write a plain space",
}
