"""recform list: the formulas that come with recform."""

from __future__ import annotations

from typing import Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json, talk


def list_formulas(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD",
            help="Only those with this word in name, title or source.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the examples and the gallery: names, with titles.

    \b
    Example:  recform list attention

    `recform show NAME` prints one of them. With --json the result is a list of
    {name, title, group, source}: the group is "examples" or "gallery", the source the paper.
    """
    from recform.formula import example_names, gallery_names, resolve

    rows = []
    for group, names in (("examples", example_names()), ("gallery", gallery_names())):
        for name in names:
            formula = resolve(name)
            comments = formula.comments
            source = comments[1] if len(comments) > 1 else ""
            if word is None or word.lower() in " ".join([name, *comments]).lower():
                rows.append({"name": name, "title": formula.title, "group": group,
                             "source": source})  # fmt: skip
    if as_json:
        print_json(rows)
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for group in ("examples", "gallery"):
        chosen = [row for row in rows if row["group"] == group]
        if chosen:
            print(f"{group}:")
        for row in chosen:
            print(f"  {row['name']:<{width}}  {row['title']}")
    if not rows:
        talk(f"no formula has `{word}` in its name, title or source")
