"""The processes that train one network together, as torchrun starts them.

Each has the whole network and its own part of each batch; gradients are averaged, so that all take
the step that one process would have taken on the whole batch. (Batch normalization sees its own
part only; group and layer normalization make no difference.) A process alone is a team of one, for
which nothing here costs anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from recform.errors import UserError
from recform.training.device import Device, rank_given


@dataclass(frozen=True)
class Team:
    """This process is number `rank` of `size`; number 0 leads: it talks and writes."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    @property
    def part(self) -> slice:
        """Which images of a batch are this process's."""
        return slice(self.rank, None, self.size)

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over all processes, in each of them."""
        if self.size == 1:
            return numbers
        total = numbers.clone()
        dist.all_reduce(total)
        return total

    def highest(self, number: int, place: torch.device) -> int:
        """The highest of the processes' numbers; waits for all of them."""
        if self.size == 1:
            return number
        found = torch.tensor(number, device=place)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, by rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def joined(self, model: nn.Module) -> nn.Module:
        """The network whose backward pass averages over the team."""
        if self.size == 1:
            return model
        # Gradients lie where they are sent from: no second copy of them.
        return DistributedDataParallel(model, gradient_as_bucket_view=True)

    def share_buffers(self, model: nn.Module) -> None:
        """The leader's running statistics, in every process."""
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, 0)


def apart(network: nn.Module) -> AbstractContextManager[None]:
    """Inside, a backward pass adds gradients up in this process; the next one outside averages.

    So pieces of a batch are one message, that of the last piece.
    """
    # torch.compile keeps what it was given there.
    joined = getattr(network, "_orig_mod", network)
    return joined.no_sync() if isinstance(joined, DistributedDataParallel) else nullcontext()


def is_leader() -> bool:
    """Whether this process may talk: all but the first of torchrun's stay silent."""
    return rank_given() == 0


@contextmanager
def team_on(device: Device) -> Iterator[Team]:
    """The team that torchrun started, for as long as it trains; a team of one without torchrun.

    Where the caller has joined the processes already they stay so.
    """
    if not dist.is_torchelastic_launched():
        yield Team()
        return
    if not device.backend:
        raise UserError("bad-argument", f"torchrun starts no team on {device.name}",
                        "start one process, it drives all devices; or --device cuda")  # fmt: skip
    own = None
    if device.name == "cuda":
        # Before anything lies on one: each process has its own of the machine's.
        own = torch.device("cuda", dist.get_node_local_rank(0))
        torch.cuda.set_device(own)
    is_joined = dist.is_initialized()
    if not is_joined:
        dist.init_process_group(device.backend, device_id=own)
    try:
        yield Team(dist.get_rank(), dist.get_world_size())
    finally:
        if not is_joined:
            dist.destroy_process_group()


def check_batch(team: Team, device: Device, batch_size: int) -> None:
    """Raises UserError `bad-argument` where a batch cannot be dealt out evenly."""
    num_parts = team.size * device.num_devices
    if batch_size % num_parts:
        takers = "processes" if team.size > 1 else "devices"
        raise UserError(
            "bad-argument",
            f"a batch of {batch_size} images is not dealt out evenly to {num_parts} {takers}",
            f"--batch-size {max(1, batch_size // num_parts) * num_parts}",
        )
