"""What `recform probe` prints: gradients by path length, and lesions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from recform.cli.output import table

if TYPE_CHECKING:
    from recform.probe import LesionStudy, PathStudy
    from recform.probe.lesions import Score
    from recform.probe.path_study import Magnitudes

COLUMNS = ("length", "paths", "measured", "gradient", "±", "paths x gradient", "share")
CANCELLED_COLUMNS = ("length", "cancelled", "measured", "gradient", "±", "number x gradient")
# Counts with more digits are rounded.
MOST_DIGITS = 9


def path_table(study: PathStudy) -> str:
    """One row a length, and what the rows say; then the cancelled words, where there are some."""
    shown = [row for row in study.lengths if row.surviving.paths or row.cancelled.paths]
    total = sum(row.surviving.contribution or 0 for row in shown)
    rows = [
        (str(row.length), *_magnitudes(row.surviving),
         _share(row.surviving.contribution, total), _size(row.whole))
        for row in shown
    ]  # fmt: skip
    lines = [table((*COLUMNS, "all together"), rows), ""]
    if total:
        paths = [row.surviving.paths for row in study.lengths]
        weights = [row.surviving.contribution or 0 for row in study.lengths]
        lines.append(f"Nine tenths of the paths are {_range(paths)} blocks long.\nNine tenths of "
                     f"paths x gradient come from lengths {_range(weights)}.")  # fmt: skip
    lines.append(f"The whole gradient is {_size(study.gradient)}; `all together` is that of all "
                 "words of a length, added up.")  # fmt: skip
    cancelled = [(str(row.length), *_magnitudes(row.cancelled))
                 for row in shown if row.cancelled.paths]  # fmt: skip
    if cancelled:
        lines += ["\nWords that are drawn and cancel in the formula, but need not where an "
                  "activation, norm or\nprojection stands on their wires:\n",
                  table(CANCELLED_COLUMNS, cancelled)]  # fmt: skip
    return "\n".join(lines)


def _magnitudes(sizes: Magnitudes) -> tuple[str, ...]:
    contribution = sizes.contribution if sizes.paths else None
    return (_count(sizes.paths), str(sizes.sampled), _size(sizes.mean), _size(sizes.std),
            _size(contribution))  # fmt: skip


def _share(contribution: float | None, total: float) -> str:
    return f"{100 * contribution / total:.1f} %" if contribution and total else "-"


def lesion_tables(study: LesionStudy) -> str:
    """Loss and error without each block, then by the number of blocks dropped."""
    single = [("none", *_score(study.intact)),
              *((lesion.name, *_score(lesion.score)) for lesion in study.blocks)]  # fmt: skip
    several = [
        (
            str(lesion.num_dropped),
            f"{lesion.num_sets}{' (all)' if lesion.is_complete else ''}",
            *_measure(lesion.mean_loss, lesion.std_loss, "{:.3f}"),
            *_measure(lesion.mean_error, lesion.std_error, "{:.2f} %"),
        )
        for lesion in study.sets
    ]
    return (
        table(("dropped", "loss", "top-1 error"), single)
        + "\n\n"
        + table(("how many", "sets", "loss", "±", "top-1 error", "±"), several)
    )


def central_range(weights: Sequence[float]) -> tuple[int, int]:
    """The first and last place when a twentieth of the weight is left out at each end.

    >>> central_range([1, 18, 1])
    (1, 1)
    """
    total, sums = sum(weights), list(accumulate(weights))
    first = next(place for place, below in enumerate(sums) if 20 * below > total)
    last = next(place for place, below in enumerate(sums) if 20 * below >= 19 * total)
    return first, last


def _range(weights: Sequence[float]) -> str:
    first, last = central_range(weights)
    return str(first) if first == last else f"{first} to {last}"


def _score(score: Score) -> tuple[str, str]:
    return "not finite" if score.loss is None else f"{score.loss:.3f}", f"{score.error:.2f} %"


def _measure(mean: float | None, std: float | None, pattern: str) -> tuple[str, str]:
    if mean is None or std is None:
        return "not finite", ""
    return pattern.format(mean), pattern.format(std)


def _size(size: float | None) -> str:
    return "-" if size is None else f"{size:.3g}"


def _count(count: int) -> str:
    return f"{count:,}" if len(str(count)) <= MOST_DIGITS else f"{float(count):.3g}"
