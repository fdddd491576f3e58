"""What a built network is, beside its weights: its formula, its backbone, and what came of both."""

from __future__ import annotations

from dataclasses import dataclass

from torch import fx

from recform.formula import Formula
from recform.network.create import BackboneSpec
from recform.network.features import Feature
from recform.network.plan import Plan
from recform.network.stages import Stage
from recform.tape import Tape


@dataclass(frozen=True)
class Architecture:
    """What a network was made from, and what came of it.

    `spec` is None where the backbone was a model instance. `graph` is `forward_features`; the
    `meta["values"]` of its nodes name the values of the tape that they hold. `projections` are the
    names of new modules at stage borders, `removed` the backbone's modules that nothing reads,
    `plain_borders` the units that run the backbone's own formula, `coverage` the share of the
    backbone's parameters in branches and shortcuts, `stages` its runs of units of one shape.
    `features` are the states at stage borders, `norm` the modules that end `forward_features`.
    """

    formula: Formula
    spec: BackboneSpec | None
    tape: Tape
    graph: fx.Graph
    code: str
    borders: tuple[int, ...]
    projections: tuple[str, ...]
    removed: tuple[str, ...]
    plain_borders: tuple[int, ...]
    notes: tuple[str, ...]
    plan: Plan
    coverage: float
    stages: tuple[Stage, ...]
    features: tuple[Feature, ...]
    norm: tuple[str, ...]

    @property
    def num_blocks(self) -> int:
        return self.tape.depth
