from recform.cli.progress import Bar
from recform.training import EpochMetrics, Plan

PLAN = Plan(num_epochs=3, steps_per_epoch=5, num_steps_done=0, num_train=100, num_test=10,
            num_parameters=1000, device="CPU")  # fmt: skip
METRICS = EpochMetrics(epoch=1, train_loss=1.0, train_top1=50.0, test_loss=None, test_top1=40.0,
                       test_top5=80.0, learning_rate=0.1, images_per_second=1234.0, seconds=90.0,
                       peak_memory=1)  # fmt: skip


def test_a_line_of_a_log_says_how_long_it_will_take(tmp_path, capsys):
    with Bar("a net", tmp_path) as bar:
        bar.begin(PLAN)
        bar.epoch(METRICS)
        bar.epoch(EpochMetrics(**{**vars(METRICS), "epoch": 3}))
    first, last = capsys.readouterr().err.splitlines()[-2:]
    assert first.startswith("epoch 1/3")
    assert "test loss nan" in first
    assert first.endswith("1,234 img/s  90.0 s  3:00 left")
    assert last.endswith("90.0 s")
