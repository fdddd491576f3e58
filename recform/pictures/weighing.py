"""How the weights of a formula went in training: learned coefficients and gates.

A row for each coefficient or gate. On the left its course over the epochs, on the right where it
stands after the last one, block by block. Where a family has one weight a block, blocks are told by
their shade; where it has several (a gate's sources), each is a line, the mean over blocks, and the
right is a map of sources and blocks. A weight that is always 1, of a source that is added as it is,
is grey there and in no mean: colours and lines are for what was learned.

    figure = gates(Path("runs/skip"))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from recform.errors import UserError
from recform.paths.roles import Role, roles_of
from recform.paths.trained import Spectrum, spectrum
from recform.paths.weights import Weights, WeightsLog, read_weights_log
from recform.pictures.figure import Picture
from recform.pictures.theme import (
    BLUE,
    FAINT,
    INK,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    ROW_HEIGHT,
    RUN_COLOURS,
    SMALL,
    SOFT,
    TEXT,
    plain_axes,
    whole_ticks,
)
from recform.pictures.typeset import wrap_text

SHADES = "viridis"
SIGNED_SHADES = "RdBu_r"
# Lighter than this, a line is lost on white.
LIGHTEST = 0.9
# Lines with a name each; more are told by their shade.
MOST_NAMED = len(RUN_COLOURS)
MARK, LINE = 3.5, 1.2
BAND = 0.2
_TEXT: dict[str, Any] = {"fontsize": TEXT, "color": INK}


@dataclass(frozen=True)
class Family:
    """The weights of one name: by role and block, a number for each epoch (NaN where untold).

    `deviations` are those of gates that are written out, after the last epoch.
    """

    name: str
    roles: tuple[str, ...]
    blocks: tuple[int, ...]
    epochs: tuple[int, ...]
    courses: Mapping[tuple[str, int], tuple[float, ...]]
    deviations: Mapping[tuple[str, int], float]

    @property
    def learned(self) -> tuple[str, ...]:
        """The roles that are not 1 in every block; all, where none is."""
        found = [role for role in self.roles if self._learned_courses(role)]
        return tuple(found) or self.roles

    def course(self, role: str) -> list[float]:
        """The mean over the blocks where it is learned, by epoch."""
        rows = self._learned_courses(role) or [(1.0,) * len(self.epochs)]
        return [_mean(column) for column in zip(*rows, strict=True)]

    def last(self, role: str, block: int) -> float:
        return self.courses.get((role, block), (math.nan,))[-1]

    def is_given(self, role: str, block: int) -> bool:
        """Whether a weight is 1 throughout."""
        return all(weight == 1 for weight in self.courses.get((role, block), (math.nan,)))

    def _learned_courses(self, role: str) -> list[tuple[float, ...]]:
        return [self.courses[role, block] for block in self.blocks
                if (role, block) in self.courses and not self.is_given(role, block)]  # fmt: skip


def gates(run: str | Path) -> Figure:
    """The course of a run's coefficients and gates. Raises UserError `bad-run`."""
    log = read_weights_log(run)
    families = _families(log)
    if not families:
        raise UserError("bad-run", f"{log.run} tells of no coefficient and no gate",
                        "train a formula with `param` or gates")  # fmt: skip
    figure = Picture(figsize=(PAGE_WIDTH, len(families) * ROW_HEIGHT + 0.5), layout="constrained")
    rows = figure.subplots(len(families), 2, squeeze=False)
    for (course, stand), family in zip(rows, families, strict=True):
        plain_axes(course)
        if len(family.roles) == 1:
            _draw_by_block(course, stand, family)
        else:
            _draw_by_role(course, stand, family)
        course.set_xlabel("epoch", **_TEXT)
        whole_ticks(course.xaxis, 8)
        stand.set_xlabel("block, l", **_TEXT)
        whole_ticks(stand.xaxis, 10)
        given = " (grey: 1, not learned)" if _has_given(family) else ""
        stand.set_title(f"after epoch {family.epochs[-1]}{given}", loc="left", **_TEXT)
    figure.suptitle(_head(log), **_TEXT)
    return figure


def spectra(run: str | Path) -> Figure:
    """The share of each path length, at the start of a run and as training goes on.

    Raises UserError `bad-run` for a folder without such a run, or with numbers in no epoch.
    """
    log = read_weights_log(run)
    tape = log.tape()
    roles = roles_of(tape, log.written)
    told = [(weights.epoch, spectrum(tape, weights)) for weights in log.epochs
            if _is_told(weights, roles)]  # fmt: skip
    if not told:
        raise UserError("bad-run", f"{log.run} has no epoch whose weights are all numbers",
                        "train for one epoch or more")  # fmt: skip
    figure = Picture(figsize=(PAGE_WIDTH, ROW_HEIGHT + 0.9), layout="constrained")
    share, mean = figure.subplots(1, 2, width_ratios=(3, 2))
    for axes in (share, mean):
        plain_axes(axes)
    _draw_shares(share, told)
    _draw_mean_lengths(mean, told)
    figure.suptitle(_head(log), **_TEXT)
    return figure


def _draw_shares(axes: Axes, told: Sequence[tuple[int, Spectrum]]) -> None:
    """What each length has of all weight, a line an epoch; the first and the last stand out."""
    epochs = [epoch for epoch, _ in told]
    shades = _shades(epochs)
    for epoch, found in told:
        is_end = epoch in (epochs[0], epochs[-1])
        heights = [100 * float(part) for part in found.shares]
        axes.plot(range(len(heights)), heights, "o-", color=_shade(shades, epoch), markersize=MARK,
                  linewidth=2 * LINE if is_end else LINE / 2, zorder=2 + is_end)  # fmt: skip
    axes.set_xlabel("blocks on the path", **_TEXT)
    axes.set_ylabel("share of all weight (%)", **_TEXT)
    axes.set_ylim(bottom=0)
    whole_ticks(axes.xaxis, 10)
    _whole_bar(axes.figure, shades, axes, epochs, "epoch")


def _draw_mean_lengths(axes: Axes, told: Sequence[tuple[int, Spectrum]]) -> None:
    means = [_mean_length(found) for _, found in told]
    axes.plot([epoch for epoch, _ in told], means, "o-", color=BLUE, markersize=MARK,
              linewidth=LINE)  # fmt: skip
    axes.set_xlabel("epoch", **_TEXT)
    axes.set_ylabel("mean length (blocks)", **_TEXT)
    whole_ticks(axes.xaxis, 6)


def _is_told(weights: Weights, roles: Sequence[Role]) -> bool:
    """Whether all is known: gates are from epoch 1 on, and a run may have gone astray."""
    return not any(math.isnan(_weight(weights, *role.key)) for role in roles)


def _families(log: WeightsLog) -> list[Family]:
    members: dict[str, list[Role]] = {}
    for role in roles_of(log.tape(), log.written):
        members.setdefault(role.family, []).append(role)
    return [_family(name, roles, log.epochs) for name, roles in members.items()]


def _family(name: str, members: Sequence[Role], epochs: Sequence[Weights]) -> Family:
    is_gate = members[0].key[1] is not None
    is_written = members[0].key[0] in epochs[-1].written
    told = [weights for weights in epochs if _tells(weights, is_gate, is_written)]
    orders = {role.text: role.order for role in sorted(members, key=lambda role: role.order)}
    return Family(
        name=name,
        roles=tuple(orders),
        blocks=tuple(sorted({role.block for role in members})),
        epochs=tuple(weights.epoch for weights in told),
        courses={
            (role.text, role.block): tuple(_weight(weights, *role.key) for weights in told)
            for role in members
        },
        deviations={
            (role.text, role.block): _float(stood[1])
            for role in members
            if is_written
            for stood in [epochs[-1].written[role.key[0]]]
            if stood
        },
    )


def _tells(weights: Weights, is_gate: bool, is_written: bool) -> bool:
    """Whether an epoch tells a family: gates are told from the first one on."""
    if is_written:
        return any(stood is not None for stood in weights.written.values())
    return bool(weights.gates) or not is_gate


def _weight(weights: Weights, name: str, place: int | None) -> float:
    if name in weights.written:
        row, place = weights.written[name] or (), 0
    elif place is not None:
        row = weights.gates.get(name, ())
    else:
        return _float(weights.coefficients.get(name))
    return _float(row[place] if place < len(row) else None)


def _float(weight: Fraction | None) -> float:
    return math.nan if weight is None else float(weight)


def _draw_by_block(course: Axes, stand: Axes, family: Family) -> None:
    (role,) = family.roles
    shades = _shades(family.blocks)
    for block in family.blocks:
        course.plot(family.epochs, family.courses[role, block], color=_shade(shades, block),
                    linewidth=LINE)  # fmt: skip
    course.set_title(role, loc="left", **_TEXT)
    if len(family.blocks) > 1:
        _whole_bar(course.figure, shades, course, family.blocks, "block, l")
    plain_axes(stand)
    first = [family.courses[role, block][0] for block in family.blocks]
    last = [family.last(role, block) for block in family.blocks]
    stand.plot(family.blocks, first, "o-", color=SOFT, markersize=MARK, linewidth=LINE,
               label=f"epoch {family.epochs[0]}")  # fmt: skip
    stand.plot(family.blocks, last, "o-", color=BLUE, markersize=MARK, linewidth=LINE,
               label=f"epoch {family.epochs[-1]}")  # fmt: skip
    if family.deviations:
        spread = [family.deviations.get((role, block), math.nan) for block in family.blocks]
        low = [mean - width for mean, width in zip(last, spread, strict=True)]
        high = [mean + width for mean, width in zip(last, spread, strict=True)]
        stand.fill_between(family.blocks, low, high, color=BLUE, alpha=BAND, linewidth=0,
                           label="± deviation")  # fmt: skip
    stand.legend(frameon=False, fontsize=SMALL, labelcolor=INK)


def _draw_by_role(course: Axes, stand: Axes, family: Family) -> None:
    shades = _shades(range(len(family.roles)))
    few = len(family.roles) <= MOST_NAMED
    for place, role in enumerate(family.roles):
        if role not in family.learned:
            continue
        colour = RUN_COLOURS[place] if few else _shade(shades, place)
        course.plot(family.epochs, family.course(role), color=colour, linewidth=LINE, label=role,
                    marker="o" if len(family.epochs) == 1 else "", markersize=MARK)  # fmt: skip
    course.set_title(f"{family.name}: mean over blocks", loc="left", **_TEXT)
    if few:
        course.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    image = _draw_map(stand, family)
    step = -(-len(family.roles) // 12)
    stand.set_yticks(range(0, len(family.roles), step), family.roles[::step])
    stand.tick_params(colors=INK, labelsize=SMALL, length=2)
    stand.spines[:].set_visible(False)
    _bar(stand.figure, image, stand, "weight")


def _has_given(family: Family) -> bool:
    """Whether a map of sources and blocks has weights that were not learned."""
    return len(family.roles) > 1 and any(family.is_given(*key) for key in family.courses)


def _draw_map(axes: Axes, family: Family) -> ScalarMappable:
    """Sources and blocks; what is learned in colours that are for it alone, from 0 if signs mix."""
    first, end = family.blocks[0], family.blocks[-1]
    place: Any = {"aspect": "auto", "interpolation": "nearest",
                  "extent": (first - 0.5, end + 0.5, len(family.roles) - 0.5, -0.5)}  # fmt: skip
    given = [[0.0 if family.is_given(role, block) else math.nan for block in family.blocks]
             for role in family.roles]  # fmt: skip
    axes.imshow(given, cmap=ListedColormap([FAINT]), **place)
    heights = [[math.nan if family.is_given(role, block) else family.last(role, block)
                for block in family.blocks] for role in family.roles]  # fmt: skip
    known = [height for row in heights for height in row if not math.isnan(height)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if low < 0 < high:
        far = max(-low, high)
        return axes.imshow(heights, cmap=SIGNED_SHADES, norm=Normalize(-far, far), **place)
    return axes.imshow(heights, cmap=SHADES, norm=Normalize(low, high), **place)


def _shades(numbers: Sequence[int]) -> ScalarMappable:
    low, high = min(numbers), max(numbers)
    return ScalarMappable(Normalize(low, low + max(high - low, 1) / LIGHTEST), colormaps[SHADES])


def _whole_bar(
    figure: Any, shades: ScalarMappable, axes: Axes, numbers: Sequence[int], label: str
) -> None:
    """A bar from the first to the last of some whole numbers."""
    bar = _bar(figure, shades, axes, label)
    bar.ax.set_ylim(min(numbers), max(max(numbers), min(numbers) + 1))
    whole_ticks(bar.ax.yaxis, 8)


def _shade(shades: ScalarMappable, number: int) -> Any:
    return shades.to_rgba([number])[0]  # type: ignore[arg-type]


def _bar(figure: Any, shades: Any, axes: Axes, label: str) -> Any:
    bar = figure.colorbar(shades, ax=axes, aspect=25, pad=0.02)
    bar.set_label(label, **_TEXT)
    bar.ax.tick_params(colors=INK, labelsize=SMALL, length=2)
    bar.outline.set_visible(False)
    return bar


def _mean(numbers: Sequence[float]) -> float:
    known = [number for number in numbers if not math.isnan(number)]
    return fmean(known) if known else math.nan


def _mean_length(found: Spectrum) -> float:
    return math.nan if found.mean_length is None else float(found.mean_length)


def _head(log: WeightsLog) -> str:
    """Title, or equations, in lines that fit the page."""
    page = PAGE_WIDTH * POINTS_PER_INCH
    written = (log.formula.title or str(log.formula)).splitlines()
    return "\n".join(line for text in written for line in wrap_text(text, page, TEXT))
