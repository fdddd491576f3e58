"""recform design: say which paths you want, get the formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json, table, talk
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.design import Candidate, Design


def design(
    lengths: Annotated[
        str | None,
        typer.Option(help="Number of paths through k of n blocks: an expression in n and k, a "
                     "generating function in z and t, rows such as \"1; 1,1; 1,2,1\", or a file "
                     "of rows.", show_default=False),
    ] = None,
    derivative: Annotated[
        str | None,
        typer.Option(help="d x[L]/d x[l] in sums and products of F'[i].", show_default=False),
    ] = None,
    routes: Annotated[
        str | None,
        typer.Option(help="A regular expression over F (through a block) and s (past it), from "
                     "output to input.", show_default=False),
    ] = None,
    depth: Annotated[int, typer.Option("--depth", "-d", help="Rows of counts to show.")] = 6,
    calls: Annotated[
        int | None, typer.Option(help="At most this many calls of blocks a step.",
                                 show_default=False),
    ] = None,
    minus: Annotated[bool, typer.Option(help="Whether terms may be subtracted.")] = True,
    pick: Annotated[int, typer.Option(help="Which candidate -o saves; 1 is the first.")] = 1,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Save a formula: a .rf file.",
                                  show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Find formulas with the paths that are wanted, or the reason why there is none.

    \b
    Examples:  recform design --lengths "binomial(n, k)"
               recform design --derivative "1 + sum(prod(F'[i] for i in L-k..L-1) for k in 1..L-l)"
               recform design --routes "F* s*" -o my.rf

    The cheapest comes first. Every formula has been checked by the analyzer. A refusal is an
    answer, too: exit code 0, and 1 only if there is nothing to save for -o. docs/design.md explains
    what is printed.
    """
    answer = _ask(lengths, derivative, routes, depth, calls, minus)
    chosen = None if output is None else _chosen(answer, pick, output)
    if as_json:
        print_json(answer.to_json())
    else:
        _print(answer)
    if output is not None:
        if chosen is None:
            raise typer.Exit(1)
        _save(chosen, answer, output)
        talk(f"wrote {output}")


def _ask(
    lengths: str | None, derivative: str | None, routes: str | None, depth: int,
    calls: int | None, minus: bool,
) -> Design:  # fmt: skip
    from recform.design import by_derivative, by_length, by_route

    ways = ((by_length, lengths), (by_derivative, derivative), (by_route, routes))
    asked = [(ask, text) for ask, text in ways if text is not None]
    if len(asked) != 1:
        raise UserError(
            "bad-argument",
            f"{len(asked)} wishes are given, and one is asked for",
            'recform design --lengths 1, or --derivative ..., or --routes "F* s*"',
        )
    [(ask, text)] = asked
    return ask(text, depth=depth, calls=calls, minus=minus)


def _chosen(answer: Design, pick: int, output: Path) -> Candidate | None:
    if output.suffix != ".rf":
        raise UserError(
            "bad-argument", f"{output} is no name for a formula", f"-o {output.stem}.rf"
        )
    if not answer.candidates:
        return None
    if not 1 <= pick <= len(answer.candidates):
        raise UserError("bad-argument", f"there is no candidate {pick}",
                        f"--pick 1 to --pick {len(answer.candidates)}")  # fmt: skip
    return answer.candidates[pick - 1]


def _save(candidate: Candidate, answer: Design, output: Path) -> None:
    """The formula with its wish as the title; whole or not at all."""
    text = f"# Designed for {' '.join(answer.wanted.split())}\n{candidate.formula}\n"
    part = output.with_name(f"{output.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError("unwritable", f"{output} cannot be written: {error.strerror}",
                        "name a file in a folder that exists") from None  # fmt: skip


# --- one page ----------------------------------------------------------------------------------


def _print(answer: Design) -> None:
    print(f"Wanted  {answer.wanted}")
    if answer.refused is not None:
        print(f"Refused  {answer.refused}")
        for possible in answer.instead:
            print(f"  possible instead: {possible}")
        return
    print(f"At least {answer.least_calls} call{'s' * (answer.least_calls != 1)} a step.\n")
    print(_counts(answer.candidates[0]))
    for number, candidate in enumerate(answer.candidates, start=1):
        print()
        _print_candidate(number, candidate)


def _counts(first: Candidate) -> str:
    """The wanted counts, which all candidates have."""
    columns = max(len(row) for row in first.net)
    rows = [
        [str(n), *(str(count) for count in row), *("" for _ in range(columns - len(row)))]
        for n, row in enumerate(first.net)
    ]
    return table(["net", *(f"k={k}" for k in range(columns))], rows)


def _print_candidate(number: int, candidate: Candidate) -> None:
    from recform.cli.equal import verdict

    lines = str(candidate.formula).split("\n")
    print(f"{number}.  " + "\n    ".join(lines))
    cost = candidate.cost
    print(f"    {candidate.idea}")
    print(f"    cost: parameters {cost.parameters}, states kept {cost.states_kept}, calls "
          f"{cost.calls}, equations {cost.equations}")  # fmt: skip
    depth = candidate.verified_depth
    print("    exact at every depth" if depth is None else f"    verified down to depth {depth}")
    print("    x[1], x[2], x[3] have the same paths" if candidate.from_later
          else "    from x[1], x[2] or x[3] the paths are others")  # fmt: skip
    last = candidate.distinct[-1]
    if last is not None and last != candidate.net[-1]:
        shown = ", ".join(map(str, last))
        print(f"    distinct at depth {len(candidate.net) - 1}: {shown}")
    for fact in candidate.in_a_network:
        print(f"    {fact}")
    if candidate.simplest is not None:
        simplest = str(candidate.simplest).replace("\n", "; ")
        print(f"    the simplest with these paths from x[0]: {simplest}")
    compared = candidate.against_first
    if compared is not None:
        print(f"    against 1: {verdict(compared)}")
        if compared.witness is not None:
            print(f"      {compared.witness.text}")
