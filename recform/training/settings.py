"""A recipe changed, by words on the command line or by a TOML file.

    # mine.toml
    base = "liao-cifar"
    epochs = 100
    cutmix = 1.0
    crop_padding = "1/16"

A file names the recipe it is made from and the fields that differ; its own name is that of the
file, unless it gives one.

>>> with_settings(recipe_named("liao-cifar"), ["epochs=30", "warmup_share=1/4"]).warmup_share
0.25
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from recform.errors import UserError
from recform.training.recipe import Recipe
from recform.training.recipes import recipe_named

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

SUFFIX = ".toml"
Value = str | int | float | bool


def recipe_asked(text: str) -> Recipe:
    """The recipe of this name, or that of a TOML file.

    Raises UserError `bad-argument`, `no-such-file`, `unreadable`.
    """
    return read_recipe(Path(text)) if text.endswith(SUFFIX) else recipe_named(text)


def read_recipe(path: Path) -> Recipe:
    """The recipe of a TOML file.

    Raises UserError `no-such-file`, `unreadable`, `not-text`, `bad-argument`.
    """
    content = _content(path)
    base = content.pop("base", None)
    if not isinstance(base, str):
        raise UserError("bad-argument", f"{path} does not say which recipe it is made from",
                        'write base = "liao-cifar" into it')  # fmt: skip
    try:
        plain = replace(recipe_named(base), name=path.stem)
        changes = {key: _told(plain, key, value) for key, value in content.items()}
        return replace(plain, **changes)
    except UserError as error:
        (wrong,) = error.diagnostics
        raise UserError(wrong.code, f"{path}: {wrong.message}", wrong.hint) from error


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with fields set as text: "epochs=30", "crop_padding=1/8", "flip=no".

    A later setting of a field wins. Raises UserError `bad-argument`.
    """
    changes = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UserError("bad-argument", f"{setting!r} sets nothing", "--set epochs=30")
        if key.strip() == "name":
            raise UserError("bad-argument", "a setting does not change the name of a recipe",
                            "another recipe: --recipe NAME; one of your own, named after its file: "
                            "--recipe FILE.toml")  # fmt: skip
        changes[key.strip()] = _read(recipe, key.strip(), text.strip())
    return replace(recipe, **changes)


def _content(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows begin a file with a mark, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UserError("no-such-file", f"there is no recipe {path}",
                        "check the path, or name one of recform's: --recipe liao-cifar",
                        ) from error  # fmt: skip
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "name a TOML file that you may read: --recipe mine.toml",
                        ) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise UserError("not-text", f"{path} is not UTF-8 text", "save it as UTF-8") from error
    except ValueError as error:
        raise UserError("unreadable", f"{path} is no TOML file: {error}",
                        'write lines such as epochs = 30 or optimizer = "lamb"',
                        ) from error  # fmt: skip


def _told(recipe: Recipe, key: str, value: Any) -> Value:
    """A value of a file: of its field's kind, or text that --set would take."""
    kind = _kind_of(recipe, key)
    if isinstance(value, str):
        return _read(recipe, key, value)
    if type(value) is kind or (kind is float and type(value) is int):
        try:
            return kind(value)
        except OverflowError as error:
            raise _misfit(recipe, key, value) from error
    raise _misfit(recipe, key, value)


def _kind_of(recipe: Recipe, key: str) -> type:
    kinds = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe)}
    if key in kinds:
        return kinds[key]
    near = get_close_matches(key, kinds, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(kinds)}"
    raise UserError("bad-argument", f"a recipe has no {key!r}", hint)


def _read(recipe: Recipe, key: str, text: str) -> Value:
    try:
        return _READERS[_kind_of(recipe, key)](text)
    except (KeyError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise _misfit(recipe, key, text) from error


def _misfit(recipe: Recipe, key: str, value: object) -> UserError:
    kind = _kind_of(recipe, key)
    return UserError("bad-argument", f"{key} cannot be {value!r}",
                     f"it is {_KINDS[kind]}: {key}={_EXAMPLES[kind](getattr(recipe, key))}",
                     )  # fmt: skip


_TRUTHS = {"yes": True, "true": True, "on": True, "1": True,
           "no": False, "false": False, "off": False, "0": False}  # fmt: skip
_READERS: Mapping[type, Callable[[str], Value]] = MappingProxyType(
    {
        bool: lambda text: _TRUTHS[text.lower()],
        int: int,
        float: lambda text: float(Fraction(text)) if "/" in text else float(text),
        str: str,
    }
)
_KINDS = {bool: "yes or no", int: "a whole number", float: "a number such as 0.1 or 1/8",
          str: "a word"}  # fmt: skip
# How the value that a recipe has is written, in a file as after --set.
_EXAMPLES: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {bool: lambda value: str(value).lower(), int: str, float: str, str: json.dumps}
)
