"""What `recform compare` prints for a person: scores, tests, pairs, and the power of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recform.cli.output import table

if TYPE_CHECKING:
    from recform.compare import Comparison, Pair, Plan, ScoreTable

# Pairs that are printed; --json has all of them.
MOST_PAIRS = 15


def print_comparison(comparison: Comparison) -> None:
    """Scores by rank, the tests, and what they support; one row has no tests."""
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
    for sentence in comparison.says:
        print(f"- {sentence}")


def print_plan(design: Plan, spread_is_unit: bool) -> None:
    """What a design could find. Without a spread of its own, differences are in spreads."""
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
    if comparison.friedman_exact_p is not None:
        print("exact, over all orders of the models in each row: "
              f"p = {comparison.friedman_exact_p:.3g}")  # fmt: skip
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
