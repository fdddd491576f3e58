"""The nearest known name to one that was mistyped."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest known name, or nothing if none is close.

    >>> did_you_mean("gelo", ["relu", "gelu"])
    'did you mean `gelu`?'
    """
    matches = get_close_matches(name, list(known), n=1)
    return f"did you mean `{matches[0]}`?" if matches else ""
