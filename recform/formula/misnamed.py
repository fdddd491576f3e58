"""Names with which a learned coefficient could not be read, told where it is declared.

Where it is read stands what cannot be parsed, `A @ h[l]`, or seems to have a depth too few.
"""

from __future__ import annotations

from collections.abc import Iterator

from recform.errors import Diagnostic
from recform.formula.ast import Param
from recform.formula.suggest import did_you_mean


def misnamed(param: Param) -> Iterator[Diagnostic]:
    """An upper-case name without a depth, which is a block's, and what is nearly `channel`."""
    if param.name[0].isupper() and not param.depths:
        sizes = ", ".join(map(str, param.indices))
        alone, at_depth = (f"[{sizes}]", f", {sizes}") if sizes else ("", "")
        yield Diagnostic("bad-param", f"`{param.name}` is read at no depth, and has an upper-case "
                         "name", param.span, f"write param {param.name.lower()}{alone} = ..., or "
                         f"param {param.name}[l{at_depth}] = ...")  # fmt: skip
    for index in param.depths:
        if did_you_mean(index, ("channel",)):
            yield Diagnostic("bad-param", f"`{index}` is no index", param.span,
                             "did you mean `channel`?")  # fmt: skip
