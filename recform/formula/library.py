"""The functions of the language, as tables: their names, and what they take.

Upper-case names are blocks and lower-case names functions; what a function does to a tensor is said
in `recform.network.functions`, what it does to paths in `recform.paths.derivative`. A block may be
taken from the library too: `block T = sigmoid_conv1x1(bias=-2)`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

# What compares two numbers, of whatever exact kind.
RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
     "==": operator.eq, "!=": operator.ne}
)  # fmt: skip

# No weights, one argument. `softmax` is over the channels.
ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "sigmoid", "softmax")
# What the backbone has.
OF_THE_BACKBONE = ("act", "norm")
# Weights of their own, one argument.
WEIGHTED = ("linear", "conv1x1", "se")
# `stopgrad(e)` lets no gradient through; `drop(e, p)` is stochastic depth, and takes a number too.
STOP, DROP = "stopgrad", "drop"
MAPS = (*ACTIVATIONS, *OF_THE_BACKBONE, *WEIGHTED, STOP, DROP)
# These belong to a block: they have weights, statistics or a mask of their own.
INDEXED = (*OF_THE_BACKBONE, *WEIGHTED, DROP)

REDUCTIONS = ("sum", "mean")
# Several values into one, without weights and with.
JOINING = ("cat", "max")
GATING = ("gate", "gate_dynamic", "gate_static", "attend", "gru")
COMBINING = (*JOINING, *GATING)

# Functions of numbers.
ROOT = "sqrt"
FUNCTIONS = (*MAPS, *REDUCTIONS, *COMBINING, ROOT)

# What the start value of a learned coefficient may be made of, besides numbers.
ONE_HOT, IDENTITY = "one_hot", "identity"
CONSTRAINTS = ("sigmoid", "softmax", "doubly_stochastic")


@dataclass(frozen=True)
class LibraryBlock:
    """A block that comes with the language: what it is, and its settings with their defaults."""

    meaning: str
    settings: tuple[tuple[str, Fraction], ...] = ()


_BIAS = (("bias", Fraction(0)),)
BLOCKS = {
    "sigmoid_conv1x1": LibraryBlock("a gate for each place and channel", _BIAS),
    "sigmoid_linear": LibraryBlock("the same where channels stand last", _BIAS),
    "sigmoid_scalar": LibraryBlock("one number between 0 and 1 for each place", _BIAS),
    "tanh_scalar": LibraryBlock("one number between -1 and 1 for each place", _BIAS),
    "sigmoid_pooled": LibraryBlock("one number between 0 and 1 for each channel", _BIAS),
    "sigmoid_pooled_scalar": LibraryBlock("one number between 0 and 1, the same everywhere", _BIAS),
    "unit_vector": LibraryBlock("a vector of length 1 at each place"),
    "conv1x1": LibraryBlock("a linear map of the channels of an image"),
    "linear": LibraryBlock("a linear map of the channels"),
    "se": LibraryBlock("squeeze and excitation"),
}
