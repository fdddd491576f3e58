import random

import numpy as np
import pytest
import torch

from recform.errors import UserError
from recform.training import seed_everything
from recform.training.randomness import generator


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_fixes_every_global_generator():
    seed_everything(3)
    first = drawn()
    seed_everything(3)
    assert drawn() == first
    seed_everything(4)
    assert not set(drawn()) & set(first)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(UserError, match="the seed must be from 0 to"):
        seed_everything(seed)


def test_generators_of_other_numbers_differ():
    numbers = [(0, 1), (1, 0), (0, 1, 0), (0, 1, 1), (1,)]
    first = [torch.rand(1, generator=generator(*each)).item() for each in numbers]
    assert len(set(first)) == len(numbers)
