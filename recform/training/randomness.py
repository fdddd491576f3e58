"""Where chance comes from, so that it can be had again.

The order of the images and what augmentation does to them follow from (seed, epoch, step) alone:
any step of any epoch can be replayed without those before it. What a network draws for itself,
such as dropout, comes from torch's global generator, whose state travels in the checkpoints.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from recform.errors import UserError


def seed_everything(seed: int) -> None:
    """Sets the global generators of Python, numpy and torch: call it before a network is made."""
    check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def generator(*numbers: int) -> torch.Generator:
    """A generator of its own for these numbers, unlike that of any others."""
    return torch.Generator().manual_seed(seed_of(*numbers))


def seed_of(*numbers: int) -> int:
    """A seed of 63 bits for these numbers, unlike that of any others."""
    # With their count: numpy takes (0, 1) and (0, 1, 0) for the same seed.
    state = np.random.SeedSequence((len(numbers), *numbers)).generate_state(1, np.uint64)[0]
    return int(state >> np.uint64(1))


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """Python's, numpy's and torch's generators begin at `seed`, and are afterwards as before.

    For libraries that draw from them and take no generator.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        # Not torch.manual_seed: it would seed the generators of all devices.
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def check_seed(seed: int) -> None:
    """Raises UserError `bad-argument` for a number that numpy cannot take."""
    if not 0 <= seed < 2**32:
        raise UserError("bad-argument", f"the seed must be from 0 to 2^32 - 1, not {seed}",
                        "--seed 0")  # fmt: skip
