import pickle
import zipfile

import pytest
import torch

from recform.errors import UserError

from .small import small_net, train_small


@pytest.fixture(scope="module")
def checkpoint(data, tmp_path_factory):
    """The bytes of a checkpoint."""
    out = tmp_path_factory.mktemp("run") / "run"
    train_small(small_net(), data, out)
    return (out / "checkpoints" / "last.pt").read_bytes()


def cut(content):
    return content[: len(content) // 2]


def emptied(_):
    return b""


def with_a_bit_turned(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def text(_):
    return b"not a checkpoint\n"


@pytest.mark.parametrize("damage", [cut, emptied, with_a_bit_turned, text])
def test_a_damaged_checkpoint_is_named(checkpoint, data, tmp_path, damage):
    path = tmp_path / "last.pt"
    path.write_bytes(damage(checkpoint))
    error = refusal(path, data, tmp_path)
    assert error.code == "damaged-checkpoint"
    assert str(path) in str(error)


def an_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")


def a_tensor(path):
    torch.save(torch.zeros(3), path)


def weights_only(path):
    torch.save(small_net().state_dict(), path)


def an_empty_checkpoint(path):
    torch.save({"format": "recform checkpoint 1"}, path)


def old_torch(path):
    torch.save({}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    "make", [an_archive, a_tensor, weights_only, an_empty_checkpoint, old_torch]
)
def test_another_kind_of_file_is_no_checkpoint(data, tmp_path, make):
    path = tmp_path / "foreign.pt"
    make(path)
    error = refusal(path, data, tmp_path)
    assert error.code == "damaged-checkpoint"
    assert str(path) in str(error)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize(
    "write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))]
)
def test_a_checkpoint_that_runs_code_is_refused_and_does_not_run(data, tmp_path, write):
    path = tmp_path / "evil.pt"
    write({"format": Evil(str(tmp_path / "harm"))}, path)
    assert refusal(path, data, tmp_path).code == "damaged-checkpoint"
    assert not (tmp_path / "harm").exists()


def refusal(path, data, folder):
    with pytest.raises(UserError) as caught:
        train_small(small_net(), data, folder / "new", resume=path)
    return caught.value
