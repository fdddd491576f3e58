"""Where a network is trained: the one file that knows devices, and that may read the environment.

A device says where tensors go, how many processes prepare data beside it, and what its own random
state is. A new kind of device is one more class here, and one more row in `_KINDS`.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from recform.errors import UserError
from recform.training.tpu import open_tpu


class Device(Protocol):
    """What the training loop needs of a device."""

    @property
    def name(self) -> str:
        """As the user asks for it."""
        ...

    @property
    def place(self) -> torch.device:
        """Where tensors and networks go."""
        ...

    @property
    def num_workers(self) -> int:
        """Processes that fetch images from disk while it computes."""
        ...

    @property
    def pins_memory(self) -> bool:
        """Whether copies to it are faster from pinned memory."""
        ...

    @property
    def num_devices(self) -> int:
        """Devices that one process drives, each with its part of every batch."""
        ...

    @property
    def one_shape(self) -> bool:
        """Whether a batch of another size is compiled anew, and is better filled up."""
        ...

    @property
    def backend(self) -> str:
        """What processes that train together talk through; empty where they cannot."""
        ...

    def describe(self) -> str:
        """The name of the hardware."""
        ...

    def peak_memory(self) -> int:
        """The most bytes in use so far."""
        ...

    def spread(self, batch: Tensor) -> Tensor:
        """The batch, dealt out to the devices of this process."""
        ...

    def end_step(self) -> None:
        """Send off what was asked for so far; only a lazy device has to be told."""
        ...

    def seed(self, seed: int) -> None:
        """Seed the generators that torch.manual_seed does not reach."""
        ...

    def random_states(self) -> dict[str, Tensor]:
        """The states of all generators a network can draw from here, by name."""
        ...

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        """Those among them that it has."""
        ...


# Decoding a picture takes about 5 ms: so many processes feed some 3,000 pictures a second.
MOST_WORKERS = 16


@dataclass(frozen=True)
class Cpu:
    """The processor. It has no time to spare for workers: they would compete with the training."""

    name: str = "cpu"
    place: torch.device = torch.device("cpu")  # noqa: RUF009 (immutable)
    num_workers: int = 0
    pins_memory: bool = False
    num_devices: int = 1
    one_shape: bool = False
    backend: str = "gloo"

    def describe(self) -> str:
        num_threads = torch.get_num_threads()
        return f"CPU, {num_threads} thread{'s' if num_threads > 1 else ''}"

    def peak_memory(self) -> int:
        """Of the whole process."""
        # Linux counts in kilobytes, macOS in bytes.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def spread(self, batch: Tensor) -> Tensor:
        return batch

    def end_step(self) -> None:
        pass

    def seed(self, seed: int) -> None:
        pass

    def random_states(self) -> dict[str, Tensor]:
        return {"cpu": torch.get_rng_state()}

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])


@dataclass(frozen=True)
class Cuda:
    """The current NVIDIA (or, by ROCm, AMD) graphics processor."""

    name: str = "cuda"
    place: torch.device = torch.device("cuda")  # noqa: RUF009 (immutable)
    num_workers: int = field(default_factory=lambda: _num_workers())
    pins_memory: bool = True
    num_devices: int = 1
    one_shape: bool = False
    backend: str = "nccl"

    def describe(self) -> str:
        return torch.cuda.get_device_name()

    def peak_memory(self) -> int:
        return torch.cuda.max_memory_allocated()

    def spread(self, batch: Tensor) -> Tensor:
        return batch

    def end_step(self) -> None:
        pass

    def seed(self, seed: int) -> None:
        pass

    def random_states(self) -> dict[str, Tensor]:
        return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state()}

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"])


def pick_device(name: str = "auto") -> Device:
    """The device of this name; `auto` takes a graphics processor where there is one.

    Raises UserError `no-device`, `bad-argument`.
    """
    if name not in _KINDS:
        raise UserError(
            "bad-argument", f"there is no device {name}", f"--device {', '.join(_KINDS)}"
        )
    return _KINDS[name]()


def fastest_cuda() -> Cuda:
    """A graphics processor whose convolutions are chosen by trial, once for each shape.

    Without that cuDNN guesses, and often a slower one. Which it finds may differ between two runs.
    """
    torch.backends.cudnn.benchmark = True
    return Cuda()


def sent(tensor: Tensor, place: torch.device) -> Tensor:
    """The tensor on a device, without waiting for what the device still has to do.

    Only a copy out of pinned memory waits for nothing; torch keeps that memory until it is read.
    A copy back is waited for: until then there would be no numbers in it.
    """
    if tensor.device.type != "cpu":
        return tensor.to(place)
    if place.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(place, non_blocking=True)


def rank_given() -> int:
    """The number that torchrun gave this process, over all machines; 0 without torchrun."""
    return int(os.environ.get("RANK", "0"))


def num_cuda_devices() -> int:
    """Graphics processors of this machine that may be used."""
    return torch.cuda.device_count()


def _cuda() -> Device:
    if not torch.cuda.is_available():
        raise UserError("no-device", "torch sees no CUDA device on this machine", "--device cpu")
    return fastest_cuda()


def _xla() -> Device:
    try:
        # One release of torch_xla fits one of torch: most environments have none.
        from recform.training.xla import open_xla
    except ImportError as error:
        hint = "docs/training.md says how its environment is made; or --device cpu"
        raise UserError("no-device", f"torch_xla cannot be used ({error})", hint) from error
    return open_xla()


def _tpu() -> Device:
    try:
        return open_tpu()
    except LookupError as error:
        hint = "pip install torch_tpu on a machine with a TPU; or --device xla, --device cpu"
        raise UserError("no-device", f"no TPU can be used: {error}", hint) from error


def _any() -> Device:
    return fastest_cuda() if torch.cuda.is_available() else Cpu()


def _num_workers() -> int:
    """A processor each, beside the one that trains, shared by the processes torchrun has here."""
    num_own = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(MOST_WORKERS, num_own - 1))


_KINDS: Mapping[str, Callable[[], Device]] = MappingProxyType(
    {"auto": _any, "cpu": Cpu, "cuda": _cuda, "xla": _xla, "tpu": _tpu}
)
