"""What a trained network loses with some of its blocks (Veit et al. 2016, sections 4.1 and 4.2).

A block is dropped by letting F[j](...) be zero wherever it is read: in its own equation, in later
ones that use the value again, and for every argument that the block is applied to. All else stays:
skips, shortcuts and projections, the head, the statistics of the norms. A formula whose paths are
many and short should lose little; one in which every path of some length needs the block, much.
"""

# B batch, C channels, H W space, K classes

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from statistics import fmean, pstdev
from typing import Any, TypeAlias

import torch
from torch import Tensor, fx
from torch.nn.functional import cross_entropy

from recform.network import FormulaNetwork
from recform.probe.recording import record
from recform.probe.resting import at_rest, head_of
from recform.tape import Call, Tape

# A block's name and index: F[3] is ("F", 3).
Block: TypeAlias = tuple[str, int]

# Veit et al. delete up to so many blocks of a ResNet-110 at once.
MOST_DROPPED = 20
BATCH_SIZE = 128


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy, None if it is not finite, and top-1 error in percent."""

    loss: float | None
    error: float


@dataclass(frozen=True)
class BlockLesion:
    """The network without one block."""

    block: Block
    score: Score

    @property
    def name(self) -> str:
        return f"{self.block[0]}[{self.block[1]}]"


@dataclass(frozen=True)
class SetLesion:
    """The network without `num_dropped` blocks: mean and deviation over `num_sets` sets of blocks.

    `is_complete` says that these are all sets of this size.
    """

    num_dropped: int
    num_sets: int
    is_complete: bool
    mean_error: float
    std_error: float
    mean_loss: float | None
    std_loss: float | None


@dataclass(frozen=True)
class LesionStudy:
    intact: Score
    blocks: tuple[BlockLesion, ...]
    sets: tuple[SetLesion, ...]
    num_images: int

    def to_json(self) -> dict[str, object]:
        return {
            "images": self.num_images,
            "intact": {"loss": self.intact.loss, "error": self.intact.error},
            "blocks": [
                {"block": lesion.name, "loss": lesion.score.loss, "error": lesion.score.error}
                for lesion in self.blocks
            ],
            "sets": [
                {
                    "dropped": lesion.num_dropped,
                    "sets": lesion.num_sets,
                    "complete": lesion.is_complete,
                    "mean_error": lesion.mean_error,
                    "std_error": lesion.std_error,
                    "mean_loss": lesion.mean_loss,
                    "std_loss": lesion.std_loss,
                }
                for lesion in self.sets
            ],
        }


def study_lesions(
    network: FormulaNetwork,
    images_BCHW: Tensor,
    labels_B: Tensor,
    num_sets: int = 5,
    seed: int = 0,
) -> LesionStudy:
    """Loss and error without each block, and without random sets of 1, 2, ... blocks.

    Of each size there are `num_sets` different sets, drawn uniformly, or all where there are no
    more; single blocks are always all. The network is not changed. Cost: a pass over the images
    for each block and each set.

    Raises UserError `bad-argument` for a network with features and nothing that classifies them.
    """
    patient = examine(network, images_BCHW[0])

    def score(dropped: frozenset[Block]) -> Score:
        return patient.score(dropped, images_BCHW, labels_B)

    blocks = tuple(
        BlockLesion(block, score(frozenset([block])))
        for block in blocks_of(network.architecture.tape)
    )
    random = Random(seed)
    sets = []
    for num_dropped in range(1, min(len(blocks), MOST_DROPPED) + 1):
        if num_dropped == 1:
            scores = [lesion.score for lesion in blocks]
        else:
            drawn = _draw_sets([lesion.block for lesion in blocks], num_dropped, num_sets, random)
            scores = [score(dropped) for dropped in drawn]
        sets.append(_set_lesion(num_dropped, len(blocks), scores))
    return LesionStudy(score(frozenset()), blocks, tuple(sets), len(labels_B))


def blocks_of(tape: Tape) -> list[Block]:
    """The blocks that a network runs, in the order of their indices."""
    blocks = {(op.block, op.index) for op in tape.operations if isinstance(op, Call)}
    return sorted(blocks, key=lambda block: (block[1], block[0]))


def _draw_sets(
    blocks: Sequence[Block], size: int, most: int, random: Random
) -> list[frozenset[Block]]:
    if math.comb(len(blocks), size) <= most:
        return [frozenset(chosen) for chosen in combinations(blocks, size)]
    # In the order in which they were drawn, so that a seed says all.
    drawn: dict[frozenset[Block], None] = {}
    while len(drawn) < most:
        drawn[frozenset(random.sample(blocks, size))] = None
    return list(drawn)


def _set_lesion(num_dropped: int, num_blocks: int, scores: Sequence[Score]) -> SetLesion:
    errors = [score.error for score in scores]
    losses = [score.loss for score in scores if score.loss is not None]
    finite = len(losses) == len(scores)
    return SetLesion(
        num_dropped,
        len(scores),
        len(scores) == math.comb(num_blocks, num_dropped),
        fmean(errors),
        pstdev(errors),
        fmean(losses) if finite else None,
        pstdev(losses) if finite else None,
    )


@dataclass(frozen=True, eq=False)
class Patient:
    """A network that can be run without some of its blocks.

    `shapes` are those of the blocks' outputs, without the batch, by their values on the tape.
    """

    network: FormulaNetwork
    shapes: Mapping[int, torch.Size]

    def logits(self, dropped: frozenset[Block], images_BCHW: Tensor) -> Tensor:
        """The logits (B, K) if these blocks give zero."""
        architecture = self.network.architecture
        zeros = {
            value: self.shapes[value]
            for value, operation in enumerate(architecture.tape.operations)
            if isinstance(operation, Call) and (operation.block, operation.index) in dropped
        }
        features = _Lesioned(self.network, architecture.graph, zeros).run(images_BCHW)
        return head_of(self.network)(features)

    @torch.inference_mode()
    def score(self, dropped: frozenset[Block], images_BCHW: Tensor, labels_B: Tensor) -> Score:
        loss, num_wrong = 0.0, 0
        batches = zip(images_BCHW.split(BATCH_SIZE), labels_B.split(BATCH_SIZE), strict=True)
        for some_BCHW, targets_B in batches:
            logits_BK = self.logits(dropped, some_BCHW)
            loss += cross_entropy(logits_BK, targets_B, reduction="sum").item()
            num_wrong += int((logits_BK.argmax(1) != targets_B).sum())
        mean_loss = loss / len(labels_B) if math.isfinite(loss) else None
        return Score(mean_loss, 100 * num_wrong / len(labels_B))


def examine(network: FormulaNetwork, image_CHW: Tensor) -> Patient:
    """A copy of a network, ready for lesions. The image is any of the right size."""
    still = at_rest(network)
    tape = still.architecture.tape
    made = record(still, still.architecture.graph, tape, image_CHW[None]).made
    calls = [value for value, op in enumerate(tape.operations) if isinstance(op, Call)]
    return Patient(still, {value: made[value].shape[1:] for value in calls})


class _Lesioned(fx.Interpreter):
    """Puts zeros in the place of some values, of which `zeros` has the shapes without the batch.

    What only they need is not run.
    """

    def __init__(
        self, network: FormulaNetwork, graph: fx.Graph, zeros: Mapping[int, torch.Size]
    ) -> None:
        super().__init__(network, graph=graph)
        self._zeros = {
            node: zeros[value]
            for node in graph.nodes
            for value in node.meta.get("values", ())
            if value in zeros
        }
        self._needed = _needed(graph, self._zeros)

    def run(self, *args: Any, **keywords: Any) -> Any:
        self._batch: Tensor = args[0]
        return super().run(*args, **keywords)

    def run_node(self, n: fx.Node) -> Any:
        if n in self._zeros:
            return self._batch.new_zeros((len(self._batch), *self._zeros[n]))
        return super().run_node(n) if n in self._needed else None


def _needed(graph: fx.Graph, given: Mapping[fx.Node, object]) -> set[fx.Node]:
    """The nodes that the output needs if some are given."""
    needed = {node for node in graph.nodes if node.op in ("placeholder", "output")}
    for node in reversed(graph.nodes):
        if node in needed and node not in given:
            needed.update(node.all_input_nodes)
    return needed
