import pytest

from recform.cli import sweep as sweep_file


@pytest.mark.parametrize(
    ("visible", "count", "names"),
    [
        (None, 2, ["0", "1"]),
        ("2,3", 2, ["2", "3"]),
        # Of what is listed after a name that there is not CUDA sees nothing.
        ("1,9,0", 1, ["1"]),
        ("", 0, []),
        ("GPU-8932f937", 1, ["GPU-8932f937"]),
    ],
)
def test_a_sweep_keeps_to_the_gpus_it_may_use(monkeypatch, visible, count, names):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr("recform.training.num_cuda_devices", lambda: count)
    assert sweep_file._graphics_processors() == names
