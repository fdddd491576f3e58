"""What a built network offers: timm's own surface, along its formula.

    features = network.forward_intermediates(images, intermediates_only=True)

A network by a formula is of its backbone's class, so most of timm's methods are the backbone's.
Here are those that follow the forward pass: they read the same values of the tape.
"""

# B batch, C channels, H W space, N tokens, P prefix tokens

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

import torch
from timm.models._features import feature_take_indices
from torch import Tensor, nn

from recform.errors import UserError
from recform.network.architecture import Architecture
from recform.network.context import refuse_context
from recform.network.features import Feature
from recform.network.grouping import group_by_blocks
from recform.network.memory import reversible_pieces, run_in_pieces
from recform.network.projection import to_image
from recform.network.recompute import Pieces, is_recording
from recform.network.steps import Step, blocks_of, run_steps

FORMATS = ("NCHW", "NLC")
# Methods whose effect a saved network carries, and a pickle: they are called again.
RESHAPING = ("reset_classifier", "prune_intermediate_layers")
CHANGES = (*RESHAPING, "set_grad_checkpointing", "set_reversible")


class FormulaNetwork(nn.Module):
    """What every built network has beside its backbone's own surface.

    `architecture` says what it is; `code` is its forward pass as PyTorch source. `changes` are the
    calls that have changed it since it was built. `needs_batches` says that it has batch norms of
    pooled values, which one image cannot train.
    """

    architecture: Architecture
    make_steps: Callable[[nn.Module], tuple[Step, ...]]
    known_steps: tuple[Step, ...] | None = None
    needs_batches: bool = False
    grad_checkpointing: bool = False
    reversible_pieces: Pieces | None = None
    changes: tuple[tuple[str, dict[str, Any]], ...] = ()
    last_feature: int | None = None

    @property
    def code(self) -> str:
        return self.architecture.code

    @property
    def steps(self) -> tuple[Step, ...]:
        """The forward pass in steps, made when they are asked for first, for all copies."""
        kind = type(self)
        if kind.known_steps is None:
            if torch.compiler.is_compiling():
                raise UserError("bad-argument", "the steps of a network are made before it is "
                                "compiled", "compile feature_extractor(network), or "
                                "call forward_intermediates once before")  # fmt: skip
            kind.known_steps = kind.make_steps(self)
        return kind.known_steps

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        *,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
        return_prefix_tokens: bool = False,
        **context: Any,
    ) -> Any:
        """(features, intermediates), or with `intermediates_only` these alone: a list of tensors.

        An intermediate is the state at a stage border, or behind a block where all stages are of
        one shape; `feature_info` numbers and names them, as timm does for the backbone. Of several
        streams it is the sum. `indices` takes some by their numbers, or the last so many.

        `norm` applies the model's last norm to those that it fits. `output_fmt` is "NCHW", or "NLC"
        with a row for each place; class tokens are left out, unless `return_prefix_tokens` makes
        each intermediate a pair with them. `stop_early` computes nothing behind the last one taken.

        Raises UserError `bad-argument`, also where the formula does not compute a value.
        """
        refuse_context(context)
        _check_format(output_fmt)
        taken, last = self.take(indices)
        features = [self.architecture.features[index] for index in taken]
        if hasattr(self, "unroll") and any(feature.shape.is_tokens for feature in features):
            # Hiera's tokens stand window by window: as an image they would be out of place.
            raise UserError("bad-argument", "the tokens of this backbone are not in rows",
                            "use forward_features")  # fmt: skip
        stops = stop_early and last < len(self.architecture.features) - 1
        end = last if stops else self.last_feature
        wanted = {name for feature in features for name in values_of(feature)}
        found = self._run(x, wanted, end)
        states = [_sum(found, feature) for feature in features]
        if norm:
            states = [self._normed(s) if f.fits_norm else s
                      for f, s in zip(features, states, strict=True)]  # fmt: skip
        made = [formatted(s, f, output_fmt, return_prefix_tokens)
                for f, s in zip(features, states, strict=True)]  # fmt: skip
        return made if intermediates_only else (self._end(found, end), made)

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Take out what no intermediate of `indices` needs; their numbers come back.

        `forward_features` then ends at the last of them. `prune_norm` takes out the last norm,
        `prune_head` the classifier.
        """
        taken, last = self.take(indices)
        # A compiler could not make them later.
        assert self.steps, "a forward pass has steps"
        ends_early = last < len(self.architecture.features) - 1
        if ends_early:
            self._end_at(last)
        elif prune_norm:
            for path in self.architecture.norm:
                self.set_submodule(path, nn.Identity())
        if (prune_head or ends_early) and hasattr(super(), "reset_classifier"):
            self._reset(0, "")
        self._note("prune_intermediate_layers", indices=taken, prune_norm=prune_norm,
                   prune_head=prune_head)  # fmt: skip
        return taken

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep only what goes from block to block, and compute blocks again for their gradients.

        Gradients stay the same: a block runs again from the same random state, on the same older
        values, and running statistics move once. Stem and head run once.
        """
        # A compiler could not make them later.
        assert self.steps, "a forward pass has steps"
        self.grad_checkpointing = enable
        self._note("set_grad_checkpointing", enable=enable)

    def set_reversible(self, enable: bool = True) -> None:
        """Keep no states where the formula gives them back: the backward pass solves for them.

        Gradients stay the same up to rounding. With `set_grad_checkpointing` as well, blocks that
        are not reversible, as those at stage borders, are computed again.

        Raises UserError `not-reversible`, with what is lost.
        """
        made = self.architecture
        self.reversible_pieces = (
            reversible_pieces(made.graph, made.tape, made.formula, self) if enable else None
        )
        self._note("set_reversible", enable=enable)

    def reshapings(self) -> list[tuple[str, dict[str, Any]]]:
        """Of the changes those that decide what the network computes, to be done again."""
        return [change for change in self.changes if change[0] in RESHAPING]

    def get_classifier(self) -> nn.Module:
        self._needs("get_classifier", "it has no classifier that timm knows")
        return super().get_classifier()  # type: ignore[misc]

    def reset_classifier(
        self, num_classes: int, global_pool: str | None = None, **options: Any
    ) -> None:
        """A new classifier for `num_classes`; 0 takes it out. See the backbone's own."""
        self._needs("reset_classifier", "build it with num_classes")
        given = {} if global_pool is None else {"global_pool": global_pool}
        super().reset_classifier(num_classes, **given, **options)  # type: ignore[misc]
        self._note("reset_classifier", num_classes=num_classes, **given, **options)

    def group_matcher(self, coarse: bool = False) -> Callable[[str], int]:
        """The layer of each parameter, for learning rates that decay with depth.

        The backbone's own layers, where it has any, else stem, blocks and head. What the formula
        adds belongs to the layer of the block that reads it: of the last, if several do.
        """
        own = getattr(super(), "group_matcher", None)
        matcher = own(coarse=coarse) if own is not None else None
        names = [name for name, _ in (*self.named_parameters(), *self.named_modules())]
        return group_by_blocks(names, blocks_of(self.steps), matcher)

    def no_weight_decay(self) -> set[str]:
        """Parameters that weight decay leaves alone: the backbone's, and the formula's numbers.

        A learned coefficient is drawn to 0 by nothing but its gradient.
        """
        own = getattr(super(), "no_weight_decay", None)
        coefficients = {param.name for param in self.architecture.formula.params}
        mine = {
            name
            for name, _ in self.named_parameters()
            if name.startswith("formula.") and name.split(".")[1] in coefficients
        }
        return mine | set(own() if own is not None else ())

    def __deepcopy__(self, memo: dict[int, Any]) -> FormulaNetwork:
        twin = self.__class__.__new__(self.__class__)
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def take(self, indices: int | Sequence[int] | None) -> tuple[list[int], int]:
        """The numbers of the features that are meant, and the last of them.

        Raises UserError `bad-argument` if there are none such.
        """
        count = len(self.architecture.features)
        if self.last_feature is not None:
            count = self.last_feature + 1
        try:
            return feature_take_indices(count, indices)  # type: ignore[arg-type]
        except (AssertionError, ValueError):
            raise UserError("bad-argument", f"there are no features {indices} among {count}",
                            f"give numbers from 0 to {count - 1}, or how many of the last to "
                            "take") from None  # fmt: skip

    def _run(self, images: Tensor, wanted: set[str], end: int | None) -> dict[str, Any]:
        """The wanted values and that at which the pass ends: at a feature, or the last of all."""
        steps, ends = self.steps_to(end)
        return run_steps(self, steps, images, wanted | ends, self.grad_checkpointing)

    def steps_to(self, end: int | None) -> tuple[tuple[Step, ...], set[str]]:
        """The steps up to a feature, or all, and the names of the values that they end with."""
        if end is None:
            return self.steps, set(self.steps[-1].makes)
        names = set(values_of(self.architecture.features[end]))
        last = max(place for place, step in enumerate(self.steps) if names & set(step.makes))
        return self.steps[: last + 1], names

    def _end(self, found: dict[str, Any], end: int | None) -> Tensor:
        if end is None:
            (name,) = self.steps[-1].makes
            return found[name]
        return _sum(found, self.architecture.features[end])

    def _end_at(self, last: int) -> None:
        kept, _ = self.steps_to(last)
        needed = {path for step in kept for path in step.paths}
        for path in {path for step in self.steps for path in step.paths} - needed:
            owner, _, name = path.rpartition(".")
            setattr(self.get_submodule(owner), name, None)
        self.last_feature = last
        if hasattr(self, "num_features"):
            channels = self.architecture.features[last].info["num_chs"]
            self.num_features = self.head_hidden_size = channels

    def _reset(self, num_classes: int, global_pool: str) -> None:
        reset = super().reset_classifier  # type: ignore[misc]
        # Some heads keep a norm of their own otherwise.
        other = "reset_other" in inspect.signature(reset).parameters
        options = {"reset_other": True} if other else {}
        try:
            reset(num_classes, global_pool, **options)
        except AssertionError:
            # A convolution between pooling and classifier is sized for the pooled last state.
            self._take_out_head()
            reset(num_classes, global_pool, **options)

    def _take_out_head(self) -> None:
        """What runs behind `forward_features`, but for pooling, is made to do nothing."""
        used = {path.split(".")[0] for step in self.steps for path in step.paths}
        for name, _ in list(self.named_children()):
            if name not in {*used, "global_pool", "flatten"}:
                setattr(self, name, nn.Identity())

    def _normed(self, state: Tensor) -> Tensor:
        for path in self.architecture.norm:
            state = self.get_submodule(path)(state)
        return state

    def _needs(self, method: str, reason: str) -> None:
        if not hasattr(super(), method):
            backbone = type(self).__name__.removesuffix("ByFormula")
            raise UserError("bad-argument", f"the backbone {backbone} has no {method}", reason)

    def _note(self, method: str, **keywords: Any) -> None:
        self.changes = (*self.changes, (method, keywords))


def along(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a network whose straight-line code is `forward`: in steps where it must be.

    It raises UserError `bad-argument` for one image where batch norms need more, and for context.
    """

    def method(self: FormulaNetwork, x: Tensor, *rest: Any, **context: Any) -> Any:
        if self.needs_batches and self.training and x.shape[0] == 1:
            raise UserError("bad-argument", "a gate's batch norm has no variance over one image",
                            "train on batches of 2 or more, or call net.eval()")  # fmt: skip
        saves = self.grad_checkpointing or self.reversible_pieces is not None
        if not saves and self.last_feature is None:
            return forward(self, x, *rest, **context)
        refuse_context(context, *rest)
        if self.reversible_pieces is not None and self.last_feature is None and is_recording():
            return run_in_pieces(self.reversible_pieces, self, x, self.grad_checkpointing)
        return self._end(self._run(x, set(), self.last_feature), self.last_feature)

    return method


def apply_changes(network: FormulaNetwork, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Do to a network what was done to another."""
    for method, keywords in changes:
        if method in CHANGES:
            getattr(network, method)(**keywords)


def _check_format(output_fmt: str) -> None:
    if output_fmt not in FORMATS:
        raise UserError("bad-argument", f"there is no format `{output_fmt}`",
                        f"choose {' or '.join(FORMATS)}")  # fmt: skip


def values_of(feature: Feature) -> tuple[str, ...]:
    """The names of a feature's values. Raises UserError `bad-argument` if there are none."""
    if not feature.values:
        index, module = feature.info["index"], feature.info["module"]
        raise UserError("bad-argument", f"feature {index}, what {module} hands on, is no value of "
                        "this formula", "take other indices")  # fmt: skip
    return feature.values


def _sum(found: dict[str, Any], feature: Feature) -> Tensor:
    return reduce(add, (found[name] for name in feature.values))


def formatted(state: Tensor, feature: Feature, output_fmt: str, with_prefix: bool) -> Any:
    """A feature's state in one of the `FORMATS`, with its prefix tokens if these are asked for."""
    image_BCHW, prefix_BPC = to_image(state, feature.shape)
    if output_fmt == "NLC":
        made = image_BCHW.flatten(2).transpose(1, 2)
    else:
        made = image_BCHW.contiguous() if not feature.shape.is_channels_first else image_BCHW
    return (made, prefix_BPC) if with_prefix and prefix_BPC is not None else made
