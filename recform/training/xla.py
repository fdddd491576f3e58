"""Training through XLA, by torch_xla: this file is read only where that is asked for.

torch_xla 2.9.0 is its last release and needs torch 2.9: it has an environment of its own, which
`make test-xla` makes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch_xla  # type: ignore[import-not-found]
from torch import Tensor
from torch_xla import runtime  # type: ignore[import-not-found]
from torch_xla.core import xla_model  # type: ignore[import-not-found]
from torch_xla.distributed import spmd  # type: ignore[import-not-found]

from recform.training.device import Cpu


@dataclass(frozen=True)
class Xla:
    """What torch_xla finds: a TPU, or the processor with PJRT_DEVICE=CPU.

    Several devices are driven as one, by SPMD: weights lie on each of them, and a batch is dealt
    out over `mesh`. It is lazy: what a step asks for is recorded, compiled once for each shape, and
    run when the step ends.
    """

    place: torch.device
    num_devices: int
    mesh: spmd.Mesh | None
    name: str = "xla"
    num_workers: int = min(8, os.cpu_count() or 1)
    pins_memory: bool = False
    one_shape: bool = True
    backend: str = ""

    def describe(self) -> str:
        several = f"{self.num_devices} times " if self.num_devices > 1 else ""
        return f"XLA on {several}{runtime.device_type()}"

    def peak_memory(self) -> int:
        """Of the process: torch_xla does not tell that of every device."""
        return Cpu().peak_memory()

    def spread(self, batch: Tensor) -> Tensor:
        if self.mesh is not None and len(batch) % self.num_devices == 0:
            spmd.mark_sharding(batch, self.mesh, ("batch", *[None] * (batch.ndim - 1)))
        return batch

    def end_step(self) -> None:
        torch_xla.sync()

    def seed(self, seed: int) -> None:
        torch_xla.manual_seed(seed)

    def random_states(self) -> dict[str, Tensor]:
        # Of 64 bits without sign, which int64 holds modulo 2^64.
        state = (xla_model.get_rng_state() + 2**63) % 2**64 - 2**63
        return {"cpu": torch.get_rng_state(), "xla": torch.tensor(state)}

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if "xla" in states:
            xla_model.set_rng_state(int(states["xla"]) % 2**64)


def open_xla() -> Xla:
    """All devices there are, driven as one."""
    # Before they are counted: torch_xla changes to SPMD only as long as no device was touched.
    if not runtime.is_spmd():
        runtime.use_spmd()
    num_devices = runtime.global_runtime_device_count()
    mesh = None
    if num_devices > 1:
        mesh = spmd.Mesh(list(range(num_devices)), (num_devices,), ("batch",))
    return Xla(torch_xla.device(), num_devices, mesh)
