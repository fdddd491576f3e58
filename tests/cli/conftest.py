"""The command line in this process, which spares the start of torch."""

from typing import NamedTuple

import pytest

from recform.cli.main import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs a command; its exit code, and what it printed."""

    def command(*arguments: object) -> Done:
        monkeypatch.setattr("sys.argv", ["recform", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Done(int(stop.value.code or 0), *capsys.readouterr())

    return command
