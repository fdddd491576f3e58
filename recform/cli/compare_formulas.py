"""recform compare-formulas: several formulas side by side."""

from __future__ import annotations

from string import ascii_uppercase

from recform.cli.arguments import DepthOption, FormulasArgument, JsonOption, StartOption
from recform.cli.output import print_json, table


def compare_formulas(
    formulas: FormulasArgument,
    depth: DepthOption = 16,
    start: StartOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Set formulas side by side: counts, lengths, growth, what trains their blocks, warnings.

    \b
    Example:  recform compare-formulas resnet resnet_s dense_sum --depth 16

    With --json: a list with the object of `recform analyze --json` for each formula.
    """
    from recform.paths import analyze, to_json

    analyses = [analyze(formula, depth, start) for formula in formulas]
    if as_json:
        print_json([to_json(analysis) for analysis in analyses])
        return
    from recform.pictures.side_by_side import side_by_side

    names = [_name(formula, place) for place, formula in enumerate(formulas)]
    for name, analysis in zip(names, analyses, strict=True):
        lines = [line for line in str(analysis.formula).splitlines() if not line.startswith("#")]
        print(f"{name}: {'; '.join(lines)}")
    print()
    print(table(["", *names], side_by_side(analyses)))


def _name(formula: str, place: int) -> str:
    """An example by its name, others by a letter."""
    return formula if formula.isidentifier() else _letters(place)


def _letters(place: int) -> str:
    """Counting in letters, as the columns of a spreadsheet do.

    >>> [_letters(place) for place in (0, 25, 26, 27, 26 + 26**2)]
    ['A', 'Z', 'AA', 'AB', 'AAA']
    """
    before, last = divmod(place, len(ascii_uppercase))
    return (_letters(before - 1) if before else "") + ascii_uppercase[last]
