"""recform build: the page beside the plain backbone, and what it writes."""

import json
from typing import NamedTuple

import pytest

from recform.cli.main import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line in this process, which spares the start of torch."""

    def command(*arguments: object) -> Done:
        monkeypatch.setattr("sys.argv", ["recform", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Done(int(stop.value.code or 0), *capsys.readouterr())

    return command


def test_the_page_has_each_count_beside_the_plain_backbones(run):
    done = run("build", "resnet_s_net", "--backbone", "resnet20_cifar")
    assert done.returncode == 0, done.stderr
    rows = {line[:24].strip(): line[24:].split() for line in done.stdout.splitlines()}
    assert rows["parameters"] == ["275,226", "272,474", "+2,752", "1.010"]
    assert rows["MACs at 32x32"] == ["41,075,328", "40,813,184", "+262,144", "1.006"]
    assert rows["bytes kept for backward"] == ["1,978,624", "1,569,024", "+409,600", "1.261"]
    assert "9 units in 3 stages: 3 x 16x32x32, 3 x 32x16x16, 3 x 64x8x8" in done.stdout
    assert "2 projections of older values (2,752 parameters)" in done.stdout


def test_json_has_the_counts_of_the_page(run):
    done = run("build", "resnet_s_net", "--backbone", "resnet20_cifar", "--json")
    found = json.loads(done.stdout)
    assert found["params_ratio"] == pytest.approx(275_226 / 272_474)
    assert (found["activation_bytes"], found["baseline_activation_bytes"]) == (1978624, 1569024)
    assert [stage["num_units"] for stage in found["stages"]] == [3, 3, 3]
    assert found["stages"][0]["shape"] == "16x32x32"
