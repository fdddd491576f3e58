"""Tracing: the ghost that is traced, and what is left behind."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.fx.proxy import TraceError

from recform.network.ghost import ghost_of
from recform.network.opening import open_up
from recform.network.trace import Input, trace


class _Loop(nn.Module):
    """A module that knows another, one module twice, and a list of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.again = self.first
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("scale", torch.ones(4))
        self.sizes = [1, 2]
        self.named = {"layer": self.norm, "sizes": self.sizes}


def test_a_ghost_has_the_form_of_its_module_and_no_data() -> None:
    net = _Loop().eval()
    ghost = ghost_of(net)
    assert isinstance(ghost, _Loop)
    assert {name: value.shape for name, value in ghost.state_dict().items()} == {
        name: value.shape for name, value in net.state_dict().items()
    }
    assert all(tensor.is_meta for tensor in ghost.state_dict().values())
    assert ghost.again is ghost.first
    assert ghost.first is not net.first
    assert ghost.named["layer"] is ghost.norm
    assert ghost.named["sizes"] is ghost.sizes
    assert ghost.sizes == [1, 2]
    assert ghost.sizes is not net.sizes
    ghost.train().norm.momentum = 0.5
    assert (net.norm.training, net.norm.momentum) == (False, 0.1)


def test_a_ghost_asks_modules_that_copy_themselves() -> None:
    class Own(nn.Module):
        def __deepcopy__(self, memo: dict) -> nn.Module:
            return nn.Identity()

    assert type(ghost_of(nn.Sequential(Own()))[0]) is nn.Identity  # type: ignore[index]


def test_tracing_leaves_torch_as_it_was() -> None:
    class Refused(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images + torch.zeros(2, 3).data_ptr()  # no such thing without data

    before = (nn.Module.__call__, nn.Module.__getattr__, torch.zeros, nn.functional.batch_norm)
    images = (Input("images", torch.empty(2, 3, device="meta")),)
    trace(nn.Sequential(nn.ReLU()), "forward", images)
    with pytest.raises(TraceError):
        trace(Refused(), "forward", (Input("images", "no tensor"),))
    after = (nn.Module.__call__, nn.Module.__getattr__, torch.zeros, nn.functional.batch_norm)
    assert after == before
    assert "training" not in vars(nn.Module)
    assert torch.is_grad_enabled()


class _Counting(nn.Module):
    num_calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        type(self).num_calls += 1
        return images * 2


class _Block(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.weights = layer, nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + self.weights(self.layer(images))


def _images() -> torch.Tensor:
    return torch.empty(2, 3, device="meta")


def test_a_layer_is_run_once_though_its_stage_and_its_block_are_opened() -> None:
    _Counting.num_calls = 0
    stages = nn.Sequential(nn.Sequential(_Block(_Counting()), _Block(nn.ReLU())), nn.ReLU())
    graph = open_up(ghost_of(stages), "forward", _images())
    targets = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    assert targets == ["0.0.layer", "0.0.weights", "0.1.layer", "0.1.weights", "1"]
    assert _Counting.num_calls == 1


def test_a_layer_that_ran_inside_of_another_still_overwrites_what_it_read() -> None:
    block = nn.Sequential(_Block(nn.ReLU(inplace=True)), nn.ReLU())
    graph = open_up(ghost_of(block), "forward", _images())
    layer = next(node for node in graph.nodes if node.target == "0.layer")
    assert layer.meta["overwrites"]
    assert [str(node) for node in layer.users] == ["weights", "add"]


class _Moody(nn.Module):
    """A module whose forward reads its mode in a child, which is no child's call."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(images, 0.5, self.inner.training)


def test_a_mode_that_is_read_stands_in_the_graph() -> None:
    graph = open_up(ghost_of(_Moody(nn.ReLU())), "forward", _images())
    assert [node.op for node in graph.nodes].count("get_attr") == 1


def test_a_module_with_a_mode_of_its_own_is_followed_in_both() -> None:
    class Own(nn.ReLU):
        rate = 0.0

        def train(self, mode: bool = True) -> nn.ReLU:
            self.rate = 0.5 if mode else 0.0
            return super().train(mode)

    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.own = Own()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.own(images) * self.own.rate

    with pytest.raises(TraceError, match="other code in training"):
        open_up(ghost_of(Reads()), "forward", _images())


def test_a_device_can_be_chosen_after_a_network_was_built():
    # In a process of its own: torch lists its factories the first time that a device is chosen.
    program = """
import torch, recform
recform.build("resnet_s_net", "resnet20_cifar", 10)
with torch.device("meta"):
    print(torch.zeros(2).device, torch.nn.BatchNorm2d(2).running_mean.device)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "meta meta\n"
