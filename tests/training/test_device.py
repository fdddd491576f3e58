import pytest
import torch

from recform.errors import UserError
from recform.training.device import Cpu, pick_device

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")


@without_cuda
def test_auto_takes_the_processor_where_there_is_no_other():
    assert pick_device("auto") == Cpu()


@without_cuda
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(UserError) as caught:
        pick_device("cuda")
    assert (caught.value.code, caught.value.diagnostics[0].hint) == ("no-device", "--device cpu")


def test_an_unknown_device_is_refused():
    with pytest.raises(UserError, match="there is no device gpu"):
        pick_device("gpu")


def test_random_states_come_back():
    states = Cpu().random_states()
    drawn = torch.rand(3)
    Cpu().set_random_states(states)
    assert torch.equal(torch.rand(3), drawn)
