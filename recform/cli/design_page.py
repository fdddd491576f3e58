"""Pages of `recform design`: formulas with the wanted paths, what they cost, how they differ."""

from __future__ import annotations

import textwrap

from recform.cli.output import table, width
from recform.design import Candidate, Design, Search
from recform.design.notebook import FIGURES, MAX_ROWS


def print_answer(answer: Design | Search) -> None:
    """Print the page."""
    if isinstance(answer, Search):
        _print_search(answer)
    else:
        _print_design(answer)


def _print_design(answer: Design) -> None:
    print(_filled("Wanted   ", answer.wanted))
    if answer.refused is not None:
        print(_filled("Refused  ", answer.refused))
        for possible in answer.instead:
            print(_filled("Instead  ", possible))
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
    lines = str(candidate.formula).split("\n")
    print(f"{number}.  " + "\n    ".join(lines))
    for fact in candidate.facts:
        print(f"    {fact}")


def _print_search(found: Search) -> None:
    """One line for each formula, those that nothing beats with a star."""
    if found.refused is not None:
        print(_filled("Refused  ", found.refused))
        return
    speed = f"{found.num_examined:,} formulas in {found.seconds:.1f} s"
    print(f"{len(found.candidates):,} of {speed} meet: {found.wanted}\n")
    rows = [
        [str(one.formula), "*" if one.on_front else "",
         *(str(one.figures[name]) for name in FIGURES)]
        for one in found.candidates[:MAX_ROWS]
    ]  # fmt: skip
    print(table([f"formula (depth {found.depth})", "front", *FIGURES], rows))
    more = len(found.candidates) - MAX_ROWS
    if more > 0:
        print(f"and {more:,} more; --json has them all")


def _filled(label: str, text: str) -> str:
    return textwrap.fill(text, width(), initial_indent=label, subsequent_indent=" " * len(label),
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
