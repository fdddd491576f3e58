"""The plan of a network: what was chosen beside its formula and its backbone.

It stays with the network, for whoever makes it anew: a copy from disk, a pickle, a source.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What is chosen beside formula and backbone; see `recform.build`.

    `image_size` is None for the backbone's own; `project` is one of `PROJECTIONS`, or None for
    `conv` on images and `pool-conv` on channels last and tokens; `unit` is one of `UNITS`.
    `gate_reduction` is what a gate divides the number of channels by, between its two maps.
    """

    image_size: int | None = None
    project: str | None = None
    unit: str = "sum"
    gate_reduction: int = 8
