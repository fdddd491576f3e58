"""Widths of RegNets: few numbers make all of them (Radosavovic et al. 2020, section 3.4).

The stages of a RegNet are w0, w0 wm, w0 wm^2, ... channels wide, rounded to whole groups; the slope
wa says how many blocks each stage has. So other widths with the same stages are other w0 and wm,
and the wa that goes with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from timm.models.regnet import RegNetCfg, adjust_widths_groups_comp, generate_regnet

Pairs = tuple[tuple[str, Any], ...]
# The first width is a multiple of this.
_QUANTUM = 8
_MULTIPLIERS = [place / 128 for place in range(108, 149)]


def own_pairs(config: RegNetCfg) -> Pairs:
    return ("w0", config.w0), ("wa", config.wa), ("wm", config.wm)


def regnet_candidates(config: RegNetCfg) -> dict[Pairs, float]:
    """Other widths of the same stages, each with the factor by which they are wider.

    The factor is the root of that of the sum of squared widths, for weights grow with squares.
    """
    own = _stages(config, config.w0, config.wa, config.wm)
    size = _size(own)
    found: dict[tuple[int, ...], tuple[Pairs, float]] = {}
    for w0 in range(_QUANTUM, 4 * config.w0, _QUANTUM):
        # Nearest to the RegNet's own multiplier first.
        for part in sorted(_MULTIPLIERS, key=lambda part: abs(part - 1)):
            wm = round(config.wm * part, 4)
            wa = _slope(config, w0, wm) if wm > 1 else 0.0
            stages = _stages(config, w0, wa, wm) if wm > 1 else []
            if [count for _, count in stages] == [count for _, count in own]:
                widths = tuple(width for width, _ in stages)
                pairs = (("w0", w0), ("wa", wa), ("wm", wm))
                found.setdefault(widths, (pairs, (_size(stages) / size) ** 0.5))
    found[tuple(width for width, _ in own)] = (own_pairs(config), 1.0)
    return dict(found.values())


def _slope(config: RegNetCfg, w0: int, wm: float) -> float:
    """The slope at which the last block stands as far into its stage as it did."""
    last = config.depth - 1
    own = 1 + last * config.wa / config.w0
    exponent = math.log(own) / math.log(config.wm)
    return round((wm**exponent - 1) * w0 / last, 4)


def _stages(config: RegNetCfg, w0: int, wa: float, wm: float) -> list[tuple[int, int]]:
    """Width and number of blocks of each stage."""
    widths, num_stages, groups = generate_regnet(wa, w0, wm, config.depth, config.group_size)
    runs = [(width, len(list(run))) for width, run in groupby(widths)]
    if len(runs) != num_stages:
        return []
    ratios = [config.bottle_ratio] * num_stages
    adjusted, _ = adjust_widths_groups_comp([w for w, _ in runs], ratios, groups,
                                            config.group_min_ratio)  # fmt: skip
    return [(width, count) for width, (_, count) in zip(adjusted, runs, strict=True)]


def _size(stages: Sequence[tuple[int, int]]) -> int:
    return sum(count * width**2 for width, count in stages)
