"""Reading a pickle of arrays without running anything it says.

A pickle is a small program: it may name any function of any module and have it called. The CIFAR
files need four names, all of numpy, to say "these bytes are an array". Here each of those names
leads to a stand-in of our own, and every other name ends the reading. So a file can at most make
arrays of whole numbers, and nothing of numpy's own machinery is reached.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from recform.training.disk import damaged, unreadable

# What the unpickler raises, on its own and through the stand-ins, when a file is not well-formed.
MALFORMED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_pickle(path: Path) -> Any:
    """The value in the file: dicts, lists, numbers, text and bytes, and arrays of whole numbers.

    Text written by Python 2 comes back as bytes. Raises UserError `damaged-data`, `unreadable`.
    """
    try:
        with path.open("rb") as file:
            return _finished(_ArrayUnpickler(file, encoding="bytes").load())
    except OSError as error:
        raise unreadable(path, error) from error
    except MALFORMED as error:
        reason = str(error).rstrip(".") or "it ends early"
        raise damaged(path, reason) from error


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        stand_in = _STAND_INS.get((module.replace("numpy.core", "numpy._core"), name))
        if stand_in is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and data has no need to")
        return stand_in


class _Type:
    """numpy.dtype, as far as whole numbers go."""

    def __init__(self, code: str | bytes, align: bool = False, copy: bool = True) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code
        if not re.fullmatch("[iu][1248]", self.code):
            raise ValueError(f"it holds an array of type {self.code}, not of whole numbers")

    def __setstate__(self, state: tuple) -> None:
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        self.code = order + self.code


class _Array:
    """numpy.ndarray: made empty, then told its shape, type and bytes."""

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, by_column, content = state
        self.array = _array(content, kind, shape, "F" if by_column else "C")


def _array(content: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(content, np.dtype(kind.code)).reshape(shape, order=order)  # type: ignore


def _empty(*_arguments: object) -> _Array:
    return _Array()


def _number(kind: _Type, content: bytes) -> int:
    return int(np.frombuffer(content, np.dtype(kind.code))[0])


def _latin_bytes(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes in the pickle protocol of Python 2."""
    if encoding != "latin1":
        raise ValueError(f"it asks for the encoding {encoding}")
    return text.encode("latin1")


# numpy 2 says numpy._core for what numpy 1 calls numpy.core.
_STAND_INS = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy._core.multiarray", "_reconstruct"): _empty,
    ("numpy._core.multiarray", "scalar"): _number,
    ("numpy._core.numeric", "_frombuffer"): _array,
    ("_codecs", "encode"): _latin_bytes,
}


def _finished(value: Any) -> Any:
    """The value with each stand-in replaced by its array, also inside dicts."""
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {key: _finished(item) for key, item in value.items()}
    return value
