"""Mistakes in syntax, as a table: what people write, and what they are told.

A row's examples are malformed statements; a text that fails in the same state of the parser, at
the same kind of word, gets the row's message (lark's `match_examples`). The rows are tests.
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
        "write x[l+1] = ... for a step, or z[l] = ... for a quantity of depth l",
        ("x = F(x[l])", "init x = 0", "init F(x) = 0"),
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
            "x[l+1] = 2* + x[l]",
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
        ),
    ),
    Mistake(
        "syntax",
        "a power is written with `^`",
        "write 2^l, not 2**l",
        ("x[l+1] = 2**l*x[l]", "x[l+1] = l**2*x[l]", "x[l+1] = (2)**l*x[l]"),
    ),
    Mistake(
        "syntax",
        "a block is applied to something in parentheses",
        "write F(x[l]), or F[l](x[l-1]) with the block's index",
        (
            "x[l+1] = F x[l]",
            "x[l+1] = F + x[l]",
            "x[l+1] = F",
            "x[l+1] = F[l]",
            "x[l+1] = F[l] + x[l]",
            "x[l+1] = F[l] x[l]",
            "x[l+1] = (F)",
            "x[l+1] = F*x[l]",
        ),
    ),
    Mistake(
        "syntax",
        "an equation has one `=`; depths are compared with `==`",
        "write x[l+1] = ... once, and conditions like `if l % 2 == 0`",
        (
            "x[l+1] = x[l] = y[l]",
            "x[l+1] = x[l] if l = 0 else F(x[l])",
            "x[l+1] = F(x[l]) if l % 2 = 0 else x[l]",
            "x[l+1] = F(x[l] = 2)",
            "x[l+1] == x[l]",
        ),
    ),
    Mistake(
        "syntax",
        "a case needs both sides",
        "write A if l % 2 == 0 else B",
        ("x[l+1] = x[l] if l > 0", "x[l+1] = F(x[l] if l > 0)", "x[l+1] = x[l] if l > 0 or l < 5"),
    ),
    Mistake(
        "syntax",
        "a range is written `for i in a..b`",
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
        "a range stands inside sum(...) or mean(...)",
        "write sum(F(x[i]) for i in 0..l)",
        ("x[l+1] = F(x[i] for i in 0..l)", "x[l+1] = x[i] for i in 0..l"),
    ),
    Mistake(
        "syntax",
        "this line says nothing yet",
        "a line is an equation, x[l+1] = ..., or starts with init, input, output or block",
        ("x[l+1]", "F(x[l])", "2*x[l]", "x", "(x[l])", "-x[l]", "F", "F[l](x[l]) = x[l]"),
    ),
    Mistake(
        "syntax",
        "a start value is written `init STATE[DEPTH] = VALUE`",
        "write init y[0] = x[0], init y[0] = absent, or init F(x[-1]) = x[0]",
        ("init y[0]", "init F(x[-1])", "init 0", "init", "init y[0] x[0]", "init F = x[0]",
         "init F[-1](x[-1]) = x[0]"),
    ),
    Mistake(
        "syntax",
        "names are missing here",
        "write input x, block G, or output x[L]",
        ("input", "output", "block", "input 2", "block 2", "block g", "input X", "input x y",
         "block G H", "input x,", "block G,", "input x[0]"),
    ),
    Mistake(
        "unsupported",
        "a definition after this name is not read by this version of recform",
        "this version reads `block G` and `input x, y`: copies of the backbone's block, and "
        "states that start from the stem",
        ("block T = sigmoid(x)", "input x, y = split(x)", "input x = x[0]"),
    ),
    Mistake(
        "syntax",
        "`absent` is a start value, not a term",
        "write init y[0] = absent",
        ("x[l+1] = absent", "x[l+1] = x[l] + absent", "output absent", "x[l+1] = F(absent)"),
    ),
)  # fmt: skip
