"""A TPU driven by torch_tpu, PyTorch's native backend for it.

Where torch_tpu is installed torch loads it by itself, as `torch.tpu`; nothing is imported here. It
runs eagerly, compiles what it runs once for each shape, and joins processes as CUDA does. Written
by the interface of torch_tpu 0.2.0, and tried with it on a machine without a TPU only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tpu:
    """The TPU of this process."""

    # torch.tpu, which torch's own stubs do not know.
    backend_module: Any
    place: torch.device
    name: str = "tpu"
    num_workers: int = min(8, os.cpu_count() or 1)
    pins_memory: bool = False
    num_devices: int = 1
    one_shape: bool = True
    backend: str = "tpu_dist"

    def describe(self) -> str:
        return str(self.backend_module.get_device_name())

    def peak_memory(self) -> int:
        return torch.accelerator.max_memory_allocated()

    def spread(self, batch: Tensor) -> Tensor:
        return batch

    def end_step(self) -> None:
        pass

    def seed(self, seed: int) -> None:
        """torch.manual_seed reaches it."""

    def random_states(self) -> dict[str, Tensor]:
        return {"cpu": torch.get_rng_state(), "tpu": self._generators().get_rng_state()}

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if "tpu" in states:
            self.backend_module.set_rng_state(states["tpu"])

    def _generators(self) -> Any:
        """Who tells their states: from torch 2.13 on torch itself, before that the backend."""
        return getattr(torch.accelerator, "random", self.backend_module)


def open_tpu() -> Tpu:
    """Raises LookupError, with the reason, where there is none."""
    module = getattr(torch, "tpu", None)
    if module is None:
        raise LookupError("torch_tpu is not installed")
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None or found.type != "tpu":
        raise LookupError("torch_tpu finds none on this machine")
    return Tpu(module, torch.device("tpu"))
