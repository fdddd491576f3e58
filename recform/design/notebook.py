"""Answers as a notebook shows them: formulas typeset, with what is known of each."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from recform.formula import to_mathml

if TYPE_CHECKING:
    from recform.design.answer import Candidate, Design
    from recform.design.search import Search

MAX_ROWS = 30
# Of a search, in this order.
FIGURES = ("distance", "kept", "terms", "shortest", "longest", "distinct", "through", "cancelled")


def design_to_html(design: Design) -> str:
    """The wish, then each candidate with its facts; or the refusal, and what is possible."""
    wanted = f"<p>Wanted: <code>{escape(design.wanted)}</code></p>"
    if design.refused is not None:
        instead = "".join(f"<li>{escape(possible)}</li>" for possible in design.instead)
        return f"{wanted}<p>Refused: {escape(design.refused)}</p><ul>{instead}</ul>"
    return f"{wanted}<ol>{''.join(map(_candidate, design.candidates))}</ol>"


def design_to_text(design: Design) -> str:
    """The same without markup."""
    if design.refused is not None:
        return "\n  ".join((f"refused: {design.refused}", *design.instead))
    return "\n\n".join(
        "\n".join((str(candidate.formula), *(f"  {fact}" for fact in candidate.facts)))
        for candidate in design.candidates
    )


def _candidate(candidate: Candidate) -> str:
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in candidate.facts)
    return f"<li>{to_mathml(candidate.formula)}<ul>{facts}</ul></li>"


def search_to_html(search: Search) -> str:
    """A row for each formula that was found, the nearest first; what nothing beats has a star."""
    if search.refused is not None:
        return f"<p>Refused: {escape(search.refused)}</p>"
    heads = "".join(f"<th>{head}</th>" for head in ("formula", "front", *FIGURES))
    rows = [
        f"<td>{to_mathml(found.formula)}</td><td>{'*' if found.on_front else ''}</td>"
        + "".join(f"<td>{found.figures[name]}</td>" for name in FIGURES)
        for found in search.candidates[:MAX_ROWS]
    ]
    more = len(search.candidates) - MAX_ROWS
    left = f"<p>and {more:,} more</p>" if more > 0 else ""
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<p>Wanted: {escape(search.wanted)}</p><table><tr>{heads}</tr>{body}</table>{left}"
