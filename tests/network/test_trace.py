"""Tracing: the ghost that is traced, and what is left behind."""

import pytest
import torch
from torch import nn
from torch.fx.proxy import TraceError

from recform.network.trace import Input, ghost_of, trace


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
    assert torch.is_grad_enabled()
