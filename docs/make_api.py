"""Writes docs/api.md: every public name of every room, with the first sentence of its docstring.

    python docs/make_api.py            # after a public name, signature or docstring has changed
    python docs/make_api.py --print    # on stdout instead

A public name is one that a room's `__init__` imports `as` itself, and in `recform` what
`dir(recform)` has. The sentences are the docstrings' own, so that nothing is described twice.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
ROOMS = (
    "recform", "recform.errors", "recform.formula", "recform.tape", "recform.paths",
    "recform.design", "recform.network", "recform.training", "recform.probe", "recform.compare",
    "recform.pictures",
)  # fmt: skip
HEAD = """# The API, name by name

Made by `python docs/make_api.py` from the docstrings, which say more: shapes, units, errors and
sources (`help(recform.analyze)`). What stands under `recform` is all that most programs need; the
rooms below it are for those who extend or study it ([extending.md](extending.md)).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for room in ROOMS for line in section(room))])


def section(room: str) -> Iterator[str]:
    """A room: its idea, then a table of its names."""
    module = import_module(room)
    yield f"## {room}\n"
    yield f"{first_sentence(module)}\n"
    yield "| name | what it is |"
    yield "|---|---|"
    for name in public_names(room):
        value = getattr(module, name)
        sentence = first_sentence(value).replace("|", r"\|")
        yield f"| `{name}{signature(value)}` | {sentence} |"
    yield ""


def public_names(room: str) -> list[str]:
    """The names a room offers, in its own order.

    >>> "analyze" in public_names("recform"), "by_length" in public_names("recform.design")
    (True, True)
    """
    source = Path(str(import_module(room).__file__)).read_text(encoding="utf-8")
    imported = [
        alias.asname
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
        if alias.asname and alias.asname == alias.name
    ]
    defined = [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]
    return list(dict.fromkeys([*imported, *defined]))


def signature(value: object) -> str:
    """The arguments of a function, by name and default; nothing for classes and tables."""
    if not inspect.isfunction(value):
        return ""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty, default=in_order(parameter.default))
        for parameter in inspect.signature(value).parameters.values()
    ]
    # A default that has no text of its own, a function, is left out of sight.
    return re.sub(r"=(\w+\(\w+=)?<.*?>+\)?(?=[,)])", "=...", str(inspect.Signature(parameters)))


def in_order(default: object) -> object:
    """A set as the tuple of what it holds, sorted: the order of a set changes from run to run."""
    return tuple(sorted(default)) if isinstance(default, frozenset) else default


def first_sentence(value: object) -> str:
    """Up to the first full stop that ends a sentence; for a table, how many entries it has."""
    if kinds := get_args(value):
        return f"one of {', '.join(f'`{kind.__name__}`' for kind in kinds)}"
    if not (inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value)):
        return f"a table of {len(value)}"  # type: ignore[arg-type]
    text = inspect.getdoc(value)
    if text is None:
        raise ValueError(f"{value} has no docstring")
    if text.startswith(f"{value.__name__}("):  # a dataclass that says what it holds by its fields
        return f"`{text.replace(chr(39), '')}`"
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.:])\s+(?=[A-Z])", paragraph)[0].removesuffix(":")


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(page(), end="")
    else:
        PAGE.write_text(page(), encoding="utf-8")
