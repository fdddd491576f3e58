"""A formula as it is before training: learned coefficients replaced by their start values.

Path counts take a learned coefficient for 1, like a gate. What the network's paths are when it is
made is another question: with ReZero's `param a[l] = 0` there is one path, through no block.

>>> from recform.formula import parse
>>> print(at_init(parse("param a[l] = 0\\nx[l+1] = x[l] + a[l]*F(x[l])")))
x[l+1] = x[l] + 0*F(x[l])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from recform.errors import UserError
from recform.formula import Formula
from recform.formula.ast import Expression, Learned, Name, Param, children, with_children


def at_init(formula: Formula) -> Formula:
    """The formula with an exact number, a function of its depth, for each learned coefficient.

    A vector over channels starts as one number. Raises UserError `bad-argument` for coefficients
    over streams or under a softmax: a table, or a share of what is there, is not one number.
    """
    for param in formula.params:
        if param.entries or param.constraint == "softmax":
            what = "a table over streams" if param.entries else "a softmax over several"
            raise UserError("bad-argument", f"`{param.name}` is {what} and does not start as one "
                            "number", "count paths without --at init")  # fmt: skip
    params = {param.name: param for param in formula.params}
    output = formula.output
    return replace(
        formula,
        params=(),
        equations=tuple(replace(e, right=_started(e.right, params)) for e in formula.equations),
        inits=tuple(
            replace(i, value=None if i.value is None else _started(i.value, params))
            for i in formula.inits
        ),
        output=None if output is None else _started(output, params),
    )


def _started(expression: Expression, params: Mapping[str, Param]) -> Expression:
    if isinstance(expression, Learned):
        param = params[expression.name]
        places = [_started(index, params) for index in expression.indices]
        return _named(param.start, dict(zip(param.depths, places, strict=True)))
    return with_children(expression, [_started(part, params) for part in children(expression)])


def _named(expression: Expression, names: Mapping[str, Expression]) -> Expression:
    """The expression with names of depths replaced by what stands for them."""
    if isinstance(expression, Name):
        return names.get(expression.name, expression)
    return with_children(expression, [_named(part, names) for part in children(expression)])
