"""The index that a typeset block shows is the one that it has."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recform.formula import gallery_names, parse, resolve, to_latex
from recform.formula.ast import Apply, walk
from recform.formula.depths import implied_index
from recform.tape import Call, unroll
from recform.tape.scalar import Budget, whole

DEPTH = 6


def shown(text: str) -> str:
    """The first block of a step as it is typeset: F_{l}."""
    row = to_latex(parse(f"x[l+1] = x[l] + {text}")).splitlines()[1]
    return row.split(" + ", 1)[1].split("(")[0].removesuffix(r"\left")


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("F(norm(x[l]))", "F_{l}"),
        ("F(x[l-1] + x[l])", "F_{l}"),
        ("F(F(relu(x[l-2])))", "F_{l-2}"),
        ("F(x[0] + x[2])", "F_{2}"),
        # x[l-1] is the later one but at l = 0
        ("F(x[l-1] + x[0])", "F"),
        ("F(x[l] + x[s])", "F_{l}"),
        ("F(cat(x[0], x[i] for i in 0..l))", "F_{l}"),
        # an empty range at l < 5
        ("F(cat(x[0], x[i] for i in 5..l))", "F"),
        ("F(x[l] if l > 2 else 2*x[l])", "F_{l}"),
        ("F(x[l] if l > 2 else x[0])", "F"),
        ("F[0](x[l])", "F_{0}"),
    ],
)
def test_the_index_of_a_typeset_block(text: str, block: str):
    assert shown(text) == block


READS = ("x[l]", "x[l-1]", "x[l-3]", "x[0]", "x[s]", "norm(x[l-2])", "G(x[l-1])", "2*x[l]",
         "x[l]*x[l-1]", "(x[l] if l > 2 else x[l-1])", "mean(x[i] for i in 0..l)",
         "sum(x[i] for i in s..l-1)", "sum(x[i] for i in 3..l)", "sum(x[i-1] for i in 0..l)",
         "sum(x[l - 2^k + 1] for k in 0..)", "cat(x[0], x[i] for i in 0..2 if i < l)")  # fmt: skip


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(READS), min_size=1, max_size=3))
def test_it_is_the_index_that_the_block_is_called_with(reads: list[str]):
    formula = parse(f"block G\nz[l] = F({' + '.join(reads)})\nx[l+1] = x[l] + z[l]")
    (block,) = (node for node in walk(formula.equations[0].right)
                if isinstance(node, Apply) and node.block == "F")  # fmt: skip
    index = implied_index(block.argument)
    if index is None:
        return
    tape = unroll(formula, DEPTH)
    for layer in range(DEPTH):
        value = tape.states.get(("z", layer))
        call = None if value is None else tape.operations[value]
        if call is not None:
            assert isinstance(call, Call)
            assert call.index == whole(index, {"l": layer, "s": 0}, Budget(None, 1000))


def test_in_an_output_the_last_block_is_the_one_before_the_end():
    formula = parse("x[l+1] = F(x[l])\noutput F(x[L]) + F(x[L-2])")
    assert (
        to_latex(formula).splitlines()[2] == r"\text{output} &= F_{L-1}(x_{L}) + F_{L-2}(x_{L-2})"
    )
    calls = [op.index for op in unroll(formula, 4).operations if isinstance(op, Call)]
    assert calls[-1] == 3


@pytest.mark.parametrize("name", gallery_names())
def test_in_the_gallery_every_block_shows_its_index(name: str):
    rows = to_latex(resolve(name)).replace(r"\left", "")
    assert not re.search(r"(?<![A-Za-z])([A-Z]|\\mathit\{[A-Z]\w*\})\(", rows)
