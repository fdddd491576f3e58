"""Too little memory, told as such."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recform.errors import UserError

# How processors and XLA say it; a GPU has an error of its own.
FULL = ("can't allocate memory", "RESOURCE_EXHAUSTED")


@contextmanager
def memory_told(too_large: str, hint: str) -> Iterator[None]:
    """Inside, an error of too little memory becomes UserError `out-of-memory`.

    >>> with memory_told("a batch of 8 images", "--batch-size 4"):
    ...     raise MemoryError
    Traceback (most recent call last):
    recform.errors.UserError: error[out-of-memory]: the memory does not hold a batch of 8 images
      = hint: --batch-size 4
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_full = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_full and not any(words in str(error) for words in FULL):
            raise
        raise UserError("out-of-memory", f"the memory does not hold {too_large}",
                        hint) from error  # fmt: skip
