"""recform compare: which of several models are better, as far as their scores can say."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json, table, talk
from recform.cli.place import picture_place
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.compare import Comparison, Pair, Plan, ScoreTable

# Pairs that are printed; --json has all of them.
MOST_PAIRS = 15

NumberOption = Annotated[int | None, typer.Option(help="For --plan.", show_default=False)]
DrawOption = Annotated[str, typer.Option(help="differences, intervals or scores.")]
CsvOption = Annotated[
    Path | None,
    typer.Option(help="A file with the columns model,dataset,score.", show_default=False),
]
SizeOption = Annotated[float | None, typer.Option(help="For --plan.", show_default=False)]


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Run folders, or folders of runs.",
                       show_default=False),
    ] = None,
    csv: CsvOption = None,
    alpha: Annotated[float, typer.Option(help="The level of the tests.")] = 0.05,
    metric: Annotated[
        str, typer.Option(help="Of runs: final_top1, best_top1 or final_top5.")
    ] = "final_top1",
    as_plan: Annotated[
        bool, typer.Option("--plan", help="The power of a design; nothing needs to have run.")
    ] = False,
    models: NumberOption = None,
    rows: NumberOption = None,
    seeds: NumberOption = None,
    spread: SizeOption = None,
    difference: SizeOption = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Draw it: .png, .svg or .pdf.", show_default=False,
                     callback=picture_place),
    ] = None,
    draw: DrawOption = "differences",
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Rank models over data sets, test whether they differ, and say what that supports.

    \b
    Example:  recform compare --csv scores.csv -o ranks.png
              recform compare runs/sweep
              recform compare --plan --models 4 --rows 6 --seeds 3 --spread 0.2 --difference 0.5

    A row is a data set and a backbone; runs of other seeds are averaged inside it. --plan tells,
    before anyone trains, how large a difference such a design would find. The spread is that of
    one run about its mean, in the scores' unit; both come from the runs or the file where given.
    """
    if as_plan:
        _plan(_given(runs, csv, metric), models, rows, seeds, spread, difference, alpha, as_json)
        return
    scores = _given(runs, csv, metric)
    if scores is None:
        raise UserError("bad-argument", "there is nothing to compare",
                        "name run folders, or a file: --csv FILE")  # fmt: skip
    from recform.compare import compare as compare_scores

    comparison = compare_scores(scores, alpha)
    if as_json:
        print_json(comparison.to_json())
    else:
        _print(comparison)
    if output is not None:
        from recform.pictures import save
        from recform.pictures.ranks import draw as drawn

        save(drawn(comparison, draw), output)
        talk(f"wrote {output}")


def _given(runs: list[Path] | None, csv: Path | None, metric: str) -> ScoreTable | None:
    if runs and csv is not None:
        raise UserError("bad-argument", "runs and a file are both given",
                        "compare either of them")  # fmt: skip
    if csv is not None:
        from recform.compare import read_csv

        return read_csv(csv)
    if not runs:
        return None
    from recform.compare import read_runs
    from recform.pictures.run_files import formula_name

    found, notes = read_runs(runs, metric, formula_name)
    for note in notes:
        talk(f"note: {note}")
    return found


def _plan(
    pilot: ScoreTable | None,
    models: int | None,
    rows: int | None,
    seeds: int | None,
    spread: float | None,
    difference: float | None,
    alpha: float,
    as_json: bool,
) -> None:
    from recform.compare import plan

    if pilot is not None:
        models = len(pilot.models) if models is None else models
        rows = len(pilot.datasets) if rows is None else rows
        seeds = min(map(len, pilot.runs.values())) if seeds is None else seeds
        spread = pilot.spread() if spread is None else spread
    design = plan(4 if models is None else models, 6 if rows is None else rows,
                  1 if seeds is None else seeds, spread=1.0 if spread is None else spread,
                  difference=difference, alpha=alpha)  # fmt: skip
    if as_json:
        print_json(asdict(design))
    else:
        _print_plan(design, spread is None)


def _print(comparison: Comparison) -> None:
    scores = comparison.table
    header = ("mean \N{PLUS-MINUS SIGN} spread over seeds", *scores.datasets, "mean rank")
    print(table(header, [
        (model, *(_cell(scores, model, dataset) for dataset in scores.datasets),
         f"{comparison.ranks[model]:.2f}")
        for model in comparison.by_rank
    ]))  # fmt: skip
    if comparison.friedman is not None:
        _print_tests(comparison)
    print()
    for sentence in comparison.to_json()["says"]:
        print(f"- {sentence}")


def _cell(scores: ScoreTable, model: str, dataset: str) -> str:
    cell = scores.cell(model, dataset)
    if cell.deviation is None:
        return f"{cell.mean:.2f}"
    return (f"{cell.mean:.2f} \N{PLUS-MINUS SIGN} {cell.deviation:.2f} "
            f"(median {cell.median:.2f}, n={cell.num_runs})")  # fmt: skip


def _print_tests(comparison: Comparison) -> None:
    test, pairs = comparison.friedman, comparison.pairs
    assert test is not None, "there are rows"
    F = "inf" if test.F is None else f"{test.F:.2f}"
    print(f"\nFriedman: chi2 = {test.chi2:.2f}, p = {test.p:.3g}; "
          f"Iman-Davenport: F = {F}, p = {test.F_p:.3g}")  # fmt: skip
    if test.chi2_ties is not None:
        print(f"corrected for ties: chi2 = {test.chi2_ties:.2f}, p = {test.p_ties:.3g}")
    print(f"critical difference of mean ranks (Nemenyi, {comparison.alpha:g}): "
          f"{comparison.critical_difference:.2f}\n")  # fmt: skip
    shown = sorted(pairs, key=lambda pair: -pair.rank_difference)[:MOST_PAIRS]
    header = ("pair", "rank difference", "Nemenyi p", "Wilcoxon p", "Holm", "score difference",
              "won-tied-lost", "rank-biserial")  # fmt: skip
    print(table(header, [_pair_row(pair) for pair in shown]))
    if len(pairs) > len(shown):
        print(f"and {len(pairs) - len(shown)} pairs with smaller differences; --json has all")


def _pair_row(pair: Pair) -> tuple[str, ...]:
    return (
        f"{pair.models[0]} - {pair.models[1]}",
        f"{pair.rank_difference:.2f}{'*' if pair.significant else ' '}",
        f"{pair.nemenyi_p:.3g}",
        f"{pair.wilcoxon_p:.3g}",
        f"{pair.wilcoxon_holm_p:.3g}",
        f"{pair.mean_difference:+.2f}",
        f"{pair.wins}-{pair.ties}-{pair.losses}",
        f"{pair.rank_biserial:+.2f}",
    )


def _print_plan(design: Plan, spread_is_unit: bool) -> None:
    print(f"{design.num_models} models, {design.num_rows} rows (data set x backbone), "
          f"runs in each: {design.num_seeds}; level {design.alpha:g}")  # fmt: skip
    print(f"critical difference {design.critical_difference:.2f} of at most "
          f"{design.largest_difference}; with fewer than {design.fewest_rows} rows no pair can "
          "differ\n")  # fmt: skip
    unit = " (in spreads of a run)" if spread_is_unit else ""
    print(table(
        (f"difference{unit}", "Friedman finds one", "Nemenyi finds the pair", "rows for 80 %"),
        [
            (f"{power.difference:g}", f"{100 * power.friedman:.0f} %", f"{100 * power.pair:.0f} %",
             str(power.rows_needed or "over 200"))
            for power in design.powers
        ],
    ))  # fmt: skip
    print("\none model is better than all others by the difference, alike in every row: in truth "
          "the chances are lower")  # fmt: skip
