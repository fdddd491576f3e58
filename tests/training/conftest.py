import pytest
import torch

from recform.training import DataSet, load_data


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Networks this small gain nothing from more, and tests that run side by side lose much."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data() -> DataSet:
    return load_data("digits", limit_train=200, limit_test=50)
