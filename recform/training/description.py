"""What config.json says, each thing of the kind that its readers take it for.

A file that was edited by hand, or written by another version, may hold a number as text, a list
where an object goes, or nothing. That is told once, with the thing's name, before anything is made
from it. What is not there is left to who needs it: older runs say less.

>>> fault_in({"seed": 0, "data": {"image_size": 32}})
>>> fault_in({"data": {"image_size": "32"}})
"`data.image_size` is '32', not a whole number from 1 up"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Holds = Callable[[Any], bool]


def fault_in(config: Mapping[str, Any]) -> str | None:
    """The first thing of another kind than it should be, in words; None where all are right."""
    for path, (words, holds) in KINDS.items():
        place, _, name = path.rpartition(".")
        within = config.get(place, {}) if place else config
        if name in within and not holds(within[name]):
            return f"`{path}` is {_short(within[name])}, not {words}"
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -LARGEST < value < LARGEST


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _three_of(holds: Holds) -> Holds:
    return lambda value: isinstance(value, list) and len(value) == 3 and all(map(holds, value))


def _or_null(kind: tuple[str, Holds]) -> tuple[str, Holds]:
    words, holds = kind
    return f"{words} or null", lambda value: value is None or holds(value)


# More of anything are typing errors, which arithmetic takes amiss.
LARGEST = 2**63
OBJECT = "an object", lambda value: isinstance(value, dict)
TEXT = "a text", _is_text
COUNT = "a whole number from 0 up", _is_count
SIZE = "a whole number from 1 up", lambda value: _is_count(value) and value > 0
SHARE = "a number above 0 and up to 1", lambda value: _is_number(value) and 0 < value <= 1
TEXTS = (
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
)

# Objects before what they hold.
KINDS: Mapping[str, tuple[str, Holds]] = MappingProxyType(
    {
        "formula": TEXT,
        "backbone": TEXT,
        "seed": COUNT,
        "matched": OBJECT,
        "plan": OBJECT,
        "plan.project": _or_null(TEXT),
        "plan.unit": TEXT,
        "plan.gate_reduction": SIZE,
        "data": OBJECT,
        "data.name": TEXT,
        "data.directory": _or_null(TEXT),
        "data.num_train": COUNT,
        "data.num_test": COUNT,
        "data.num_classes": SIZE,
        "data.image_size": SIZE,
        "data.mean": ("three numbers", _three_of(_is_number)),
        "data.deviation": (
            "three numbers above 0",
            _three_of(lambda value: _is_number(value) and value > 0),
        ),
        "data.classes": TEXTS,
        "recipe": OBJECT,
        "recipe.test_crop": SHARE,
        "memory": OBJECT,
        "device": OBJECT,
        "versions": OBJECT,
        "command": TEXTS,
    }
)
