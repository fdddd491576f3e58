"""How much gradient the paths of each length carry: Veit et al. (2016), section 5 and figure 6.

Many paths have middle lengths, and long ones carry little gradient each; the product of the two
says which lengths train the network. Veit et al. found it on the short side, for ResNet. Here it is
measured for any formula, on the words that survive in it and on those that cancel.

Magnitudes are those of the gradient of one image's cross-entropy by the input of the chain, behind
the stem: its Euclidean norm, averaged over a fixed batch. The network is in evaluation mode, so
that images do not depend on each other.
"""

# B batch, K classes

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from statistics import fmean, pstdev

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from recform.errors import UserError
from recform.network import FormulaNetwork
from recform.probe.gradients import gradients_by_length, word_gradients
from recform.probe.recording import record
from recform.probe.resting import at_rest, head_of
from recform.probe.words import Word, Words, cancelled_words, surviving_words


@dataclass(frozen=True)
class Magnitudes:
    """Gradient magnitudes of `paths` paths, of which `sampled` were measured, each one once.

    `mean` and `std` (of the population of those measured) are None where none were.
    """

    paths: int
    sampled: int
    mean: float | None
    std: float | None

    @property
    def contribution(self) -> float | None:
        """The mean magnitude times the number of paths; None where there are none."""
        if self.mean is None:
            return None if self.paths else 0.0
        try:
            return float(Fraction(self.mean) * self.paths)
        except OverflowError:
            return None


@dataclass(frozen=True)
class LengthGradients:
    """The gradient along the paths of one length, in blocks.

    `surviving` are the formula's paths. `cancelled` words are drawn and cancel in the formula, but
    need not in the network. `whole` is the magnitude of the sum of all of them.
    """

    length: int
    surviving: Magnitudes
    cancelled: Magnitudes
    whole: float

    def to_json(self) -> dict[str, object]:
        return {
            "length": self.length,
            "paths": self.surviving.paths,
            "sampled": self.surviving.sampled,
            "mean_gradient": self.surviving.mean,
            "std_gradient": self.surviving.std,
            "contribution": self.surviving.contribution,
            "cancelled_paths": self.cancelled.paths,
            "cancelled_sampled": self.cancelled.sampled,
            "cancelled_mean_gradient": self.cancelled.mean,
            "cancelled_std_gradient": self.cancelled.std,
            "cancelled_contribution": self.cancelled.contribution,
            "whole_gradient": self.whole,
        }


@dataclass(frozen=True)
class PathStudy:
    """Gradients by path length; `gradient` is the magnitude of all of them together."""

    lengths: tuple[LengthGradients, ...]
    gradient: float
    num_images: int


def study_paths(
    network: FormulaNetwork,
    images_BCHW: Tensor,
    labels_B: Tensor,
    samples: int = 30,
    seed: int = 0,
) -> PathStudy:
    """Gradient magnitudes by path length, of at most `samples` paths for each.

    Images and labels are a batch as the network reads it. Paths are drawn uniformly among the
    words of their length, without repetition. The network is not changed.

    Raises UserError `bad-argument` for a formula that multiplies values, or makes one of several,
    and `diverged` if the loss is not a number.
    """
    network = at_rest(network)
    tape = network.architecture.tape
    # Counted first: a formula without words is refused before anything runs.
    sets = surviving_words(tape), cancelled_words(tape)
    recording = record(network, network.architecture.graph, tape, images_BCHW)
    assert tape.output is not None, "a network has an output"
    logits_BK = head_of(network)(recording.features)
    # The sum over the batch: its gradient holds that of each image by itself.
    loss = cross_entropy(logits_BK, labels_B, reduction="sum")
    if not loss.isfinite():
        raise UserError("diverged", "the loss of the network on these images is not a number",
                        "probe a network that has been trained: --weights RUN")  # fmt: skip
    (adjoint,) = torch.autograd.grad(loss, recording.read[tape.output], retain_graph=True)

    drawn = [_draw(words, samples, Random(f"{seed} {place}")) for place, words in enumerate(sets)]
    together = [word for by_length in drawn for words in by_length for word in words]
    measured = {
        gradient.word: gradient.magnitude()
        for gradient in word_gradients(recording, adjoint, together)
    }
    surviving, cancelled = (
        _Measured(words, by_length, measured) for words, by_length in zip(sets, drawn, strict=True)
    )
    sums = gradients_by_length(recording, adjoint)
    lengths = tuple(
        LengthGradients(length, surviving.of(length), cancelled.of(length), _magnitude(sum_BCHW))
        for length, sum_BCHW in enumerate(sums)
    )
    whole = _magnitude(torch.stack(sums).sum(0)) if sums else 0.0
    return PathStudy(lengths, whole, len(labels_B))


@dataclass(frozen=True)
class _Measured:
    """A set of words, those drawn from it by length, and the magnitude of each."""

    words: Words
    drawn: list[tuple[Word, ...]]
    sizes: Mapping[Word, float]

    def of(self, length: int) -> Magnitudes:
        drawn = self.drawn[length] if length < len(self.drawn) else ()
        sizes = [self.sizes[word] for word in drawn]
        if not sizes:
            return Magnitudes(self.words.count(length), 0, None, None)
        return Magnitudes(self.words.count(length), len(sizes), fmean(sizes), pstdev(sizes))


def _draw(words: Words, most: int, random: Random) -> list[tuple[Word, ...]]:
    return [words.sample(length, most, random) for length in range(len(words.counts))]


def _magnitude(gradient_BCHW: Tensor) -> float:
    return gradient_BCHW.flatten(1).double().norm(dim=1).mean().item()
