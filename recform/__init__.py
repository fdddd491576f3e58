"""recform: a network's architecture is its recursion formula.

    >>> import recform
    >>> formula = recform.parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])")
    >>> recform.analyze(formula, depth=5).net      # signed number of paths, by length
    (1, 1, 1, 1, 1, 1)
    >>> recform.analyze(formula, depth=5).gross    # the wires as drawn
    (1, 9, 25, 25, 9, 1)
    >>> net = recform.build(formula, backbone="resnet20_cifar", num_classes=10)
    >>> type(net).__mro__[2].__name__              # still the backbone, with its own names
    'ThreeStageResNet'

Wherever a formula is accepted, so are its text, a file, and the name of an example
(`recform.example_names()`). Every room is loaded on first use, so that importing recform, the
command's start and analyzing a formula stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recform.errors import FormulaError as FormulaError
from recform.errors import UserError as UserError

if TYPE_CHECKING:
    import recform.design as design
    import recform.formula as formula
    import recform.tape as tape
    from recform.formula import Formula as Formula
    from recform.formula import example_names as example_names
    from recform.formula import gallery_names as gallery_names
    from recform.formula import load as load
    from recform.formula import parse as parse
    from recform.formula import resolve as resolve
    from recform.network import build as build
    from recform.network import compile as compile
    from recform.network import load_network as load_network
    from recform.network import save_network as save_network
    from recform.paths import Analysis as Analysis
    from recform.paths import analyze as analyze
    from recform.paths import equal as equal
    from recform.pictures import to_networkx as to_networkx
    from recform.tape import Tape as Tape
    from recform.tape import unroll as unroll

# name -> the room that has it, imported when the name is first used
_ROOMS = {
    "Analysis": "recform.paths",
    "Formula": "recform.formula",
    "Tape": "recform.tape",
    "analyze": "recform.paths",
    "build": "recform.network",
    "compile": "recform.network",
    "equal": "recform.paths",
    "example_names": "recform.formula",
    "gallery_names": "recform.formula",
    "load": "recform.formula",
    "load_network": "recform.network",
    "parse": "recform.formula",
    "resolve": "recform.formula",
    "save_network": "recform.network",
    "to_networkx": "recform.pictures",
    "unroll": "recform.tape",
}
# Rooms that are public as a whole: recform.design.by_length, by_route, ...
_WHOLE = ("design", "formula", "tape")


def __getattr__(name: str) -> Any:
    if name in _WHOLE:
        return import_module(f"recform.{name}")
    if name not in _ROOMS:
        raise AttributeError(f"module 'recform' has no attribute '{name}'")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS, *_WHOLE})
