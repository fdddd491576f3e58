import pytest
import torch

from recform.errors import UserError
from recform.training.device import Cpu, Cuda, pick_device

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


@pytest.mark.parametrize(("processors", "processes", "workers"), [
    (16, "1", 15), (1, "1", 1), (64, "8", 7), (256, "1", 16),
])  # fmt: skip
def test_a_graphics_processor_shares_the_processors_of_its_machine(
    monkeypatch, processors, processes, workers
):
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    assert Cuda().num_workers == workers


def test_cuda_chooses_convolutions_by_trial(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name in ("cuda", "auto"):
        torch.backends.cudnn.benchmark = False
        assert pick_device(name).place.type == "cuda"
        assert torch.backends.cudnn.benchmark


def test_random_states_come_back():
    states = Cpu().random_states()
    drawn = torch.rand(3)
    Cpu().set_random_states(states)
    assert torch.equal(torch.rand(3), drawn)


def test_a_tpu_is_refused_where_there_is_none():
    with pytest.raises(UserError, match="no TPU can be used: torch_tpu is not installed") as caught:
        pick_device("tpu")
    assert caught.value.code == "no-device"
    assert "pip install torch_tpu" in caught.value.diagnostics[0].hint


def test_torch_tpu_without_a_tpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch, "tpu", StandIn(), raising=False)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    with pytest.raises(UserError, match="torch_tpu finds none on this machine"):
        pick_device("tpu")


class StandIn:
    """The part of torch.tpu that is used; the processor's generator in place of a TPU's."""

    def get_device_name(self):
        return "TPU v7"

    def get_rng_state(self):
        return torch.get_rng_state()

    def set_rng_state(self, state):
        self.state = state


def test_a_tpu_is_taken_where_torch_tpu_finds_one(monkeypatch):
    tpu = StandIn()
    monkeypatch.setattr(torch, "tpu", tpu, raising=False)
    # The stand-in knows the states: so it is before torch 2.13.
    monkeypatch.setattr(torch.accelerator, "random", tpu, raising=False)
    found = torch.device("meta")
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available: FoundTpu()
    )
    monkeypatch.setattr("recform.training.tpu.torch.device", lambda name: (found, name))
    device = pick_device("tpu")
    assert (device.place, device.describe()) == ((found, "tpu"), "TPU v7")
    device.set_random_states(device.random_states())
    assert torch.equal(tpu.state, torch.get_rng_state())


class FoundTpu:
    type = "tpu"
