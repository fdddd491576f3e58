"""recform design: say which paths you want, get the formula."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json, talk
from recform.cli.place import formula_place, picture_place
from recform.errors import UserError
from recform.writing import write_beside

if TYPE_CHECKING:
    from recform.design import Design, Search
    from recform.formula import Formula

LengthsOption = Annotated[
    str | None,
    typer.Option(help="Number of paths through k of n blocks: an expression in n and k, a "
                 "generating function in z and t, rows such as \"1; 1,1; 1,2,1\", or a file of "
                 "rows.", show_default=False),
]  # fmt: skip
DerivativeOption = Annotated[
    str | None,
    typer.Option(help="d x[L]/d x[l] in sums and products of F'[i].", show_default=False),
]
RoutesOption = Annotated[
    str | None,
    typer.Option(help="A regular expression over F (through a block) and s (past it), from output "
                 "to input.", show_default=False),
]  # fmt: skip
NearOption = Annotated[
    str | None,
    typer.Option(metavar="FORMULA", help="Search around a formula of one state instead.",
                 show_default=False),
]  # fmt: skip
WhereOption = Annotated[
    str | None,
    typer.Option(metavar="CONDITION", help="What the formulas of a search must meet, such as "
                 "\"growth(1) <= 1 and through >= 3\".", show_default=False),
]  # fmt: skip
FrontOption = Annotated[
    str | None,
    typer.Option(metavar="FIGURES", help="The figures in which nothing beats what a search stars.  "
                 "[default: kept,terms,distinct,through]", show_default=False),
]  # fmt: skip
CallsOption = Annotated[
    int | None, typer.Option(help="At most this many calls of blocks a step.", show_default=False)
]
RowsOption = Annotated[
    int | None,
    typer.Option("--depth", "-d", help="Rows of counts to show, or the depth of a search.  "
                 "[default: 6, or 8]", show_default=False),
]  # fmt: skip
PlotOption = Annotated[
    Path | None,
    typer.Option(help="Draw what a search found, paths against values kept: .png, .svg or .pdf.",
                 show_default=False, callback=picture_place),
]  # fmt: skip
SaveOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Save a formula: a .rf file.", show_default=False,
                 callback=formula_place),
]  # fmt: skip


def design(
    lengths: LengthsOption = None,
    derivative: DerivativeOption = None,
    routes: RoutesOption = None,
    near: NearOption = None,
    where: WhereOption = None,
    front: FrontOption = None,
    depth: RowsOption = None,
    calls: CallsOption = None,
    minus: Annotated[bool, typer.Option(help="Whether terms may be subtracted.")] = True,
    pick: Annotated[int, typer.Option(min=1, help="Which candidate -o saves.")] = 1,
    output: SaveOption = None,
    plot: PlotOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find formulas with the paths that are wanted, or the reason why there is none.

    \b
    Examples:  recform design --lengths "binomial(n, k)"
               recform design --derivative "1 + sum(prod(F'[i] for i in L-k..L-1) for k in 1..L-l)"
               recform design --routes "F* s*" -o my.rf
               recform design --near resnet_s --where "growth(1) <= 1 and through >= 3"

    The cheapest that builds on several stages comes first; a search tells the nearest first.
    Every formula has been checked. A refusal is an answer, too: exit code 0, and 1 only if there
    is nothing to save for -o. docs/design.md explains what is printed, and lists what a condition
    may compare.
    """
    wishes = (lengths, derivative, routes)
    answer: Design | Search
    if near is not None:
        if calls is not None or not minus:
            raise UserError("bad-argument", "--calls and --no-minus belong to a wish",
                            "say it in --where: kept <= 2")  # fmt: skip
        answer = _search(near, where, front, depth, wishes)
    elif front is not None or plot is not None:
        option = "--plot" if front is None else "--front"
        raise UserError("bad-argument", f"{option} belongs to a search", "--near resnet_s")
    else:
        answer = _ask(wishes, where, depth, calls, minus)
    chosen = _chosen(answer, pick)
    # Saved first: whoever reads the page may stop early, and the pipe breaks.
    if output is not None and chosen is not None:
        _save(chosen, answer, output)
    if as_json:
        print_json(answer.to_json())
    else:
        from recform.cli.design_page import print_answer

        print_answer(answer)
    if plot is not None:
        _draw(answer, plot)
    if output is not None:
        if chosen is None:
            raise typer.Exit(1)
        talk(f"wrote {output}")
        _talk_of_stages(answer, pick)


def _search(
    near: str,
    where: str | None,
    front: str | None,
    depth: int | None,
    wishes: Sequence[str | None],
) -> Search:
    from recform.design import FRONT
    from recform.design import near as search

    if where is None or any(wish is not None for wish in wishes):
        raise UserError("bad-argument", "a search has a formula and a condition, and no wish",
                        'recform design --near resnet_s --where "growth(1) <= 1"')  # fmt: skip
    figures = FRONT if front is None else [name.strip() for name in front.split(",")]
    return search(near, where, depth=8 if depth is None else depth, front=figures)


def _ask(
    wishes: Sequence[str | None], where: str | None, depth: int | None, calls: int | None,
    minus: bool,
) -> Design:  # fmt: skip
    from recform.design import by_derivative, by_length, by_route

    ways = (by_length, by_derivative, by_route)
    asked = [(ask, text) for ask, text in zip(ways, wishes, strict=True) if text is not None]
    if len(asked) != 1:
        raise UserError("bad-argument", f"{len(asked)} wishes are given, and one is asked for",
                        "recform design --lengths 1, or --derivative ..., or --routes "
                        '"F* s*"')  # fmt: skip
    if where is not None:
        raise UserError("bad-argument", "--where belongs to a search", "--near resnet_s")
    [(ask, text)] = asked
    return ask(text, depth=6 if depth is None else depth, calls=calls, minus=minus)


def _draw(answer: Design | Search, path: Path) -> None:
    from recform.design import Search
    from recform.pictures import Dot, front, save

    assert isinstance(answer, Search), "refused at the door"
    dots = [
        Dot(one.figures["kept"], one.figures["distinct"], str(one.formula))
        for one in answer.candidates
    ]
    save(front(dots, "values kept from step to step", f"distinct paths at depth {answer.depth}"),
         path)  # fmt: skip
    talk(f"wrote {path}")


def _chosen(answer: Design | Search, pick: int) -> Formula | None:
    if not answer.candidates:
        return None
    if not 1 <= pick <= len(answer.candidates):
        raise UserError("bad-argument", f"there is no candidate {pick}",
                        f"the last one is --pick {len(answer.candidates)}")  # fmt: skip
    return answer.candidates[pick - 1].formula


def _talk_of_stages(answer: Design | Search, pick: int) -> None:
    """Says how the saved formula builds, and which one builds on several stages if it does not."""
    from recform.design import Design
    from recform.design.borders import MEANINGS

    if not isinstance(answer, Design):
        return
    first, saved = answer.candidates[0].at_borders, answer.candidates[pick - 1].at_borders
    if saved != "crossed":
        instead = "; --pick 1 builds on several" if first == "crossed" else ""
        talk(f"it {MEANINGS[saved]}{instead}")


def _save(formula: Formula, answer: Design | Search, output: Path) -> None:
    """The formula with its wish as the title; whole or not at all."""
    text = f"# Designed for {' '.join(answer.wanted.split())}\n{formula}\n"
    write_beside(output, lambda part: part.write_text(text, encoding="utf-8"))
