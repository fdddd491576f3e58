"""How far ahead auxiliary quantities read: z[l] = v[l+1] - v[l] stands one depth later.

>>> from recform.formula import parse
>>> formula = parse("x[l+1] = x[l] + z[l]\\nz[l] = F(v[l+1])\\nv[l+1] = v[l]\\ninit v[0] = x[0]")
>>> reads_ahead(formula)
{'z': 1}
"""

from __future__ import annotations

from recform.formula.ast import Read, walk
from recform.formula.formula import Formula
from recform.paths.affine import DEPTH, NotSteadyError, Steady, offset_of


def reads_ahead(formula: Formula) -> dict[str, int]:
    """How far beyond its own depth each auxiliary quantity reads."""
    ahead = {equation.state: 0 for equation in formula.equations if not equation.step}
    for _ in ahead:
        for equation in formula.equations:
            for inner in walk(equation.right) if not equation.step else ():
                if isinstance(inner, Read) and (depth := _depth_of(inner)) is not None:
                    reach = depth + ahead.get(inner.state, 0)
                    ahead[equation.state] = max(ahead[equation.state], reach)
    return {state: reach for state, reach in ahead.items() if reach}


def _depth_of(read: Read) -> int | None:
    """c of a read at l + c."""
    try:
        return offset_of(Steady(1, 0).number(read.index, {"l": DEPTH}))
    except NotSteadyError:
        return None
