"""Every command explains itself: what it does, by an example, and what each option is for."""

from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from recform.cli.main import app

# The same option means something else there, or has another default.
OWN_WORDS = {
    "--backbone": {"analyze", "probe"},
    "--batch-size": {"train"},
    "--data": {"train", "sweep", "probe"},
    "--depth": {"analyze", "design"},
    "--image-size": {"build", "export", "backbones"},
    "--latex": {"analyze"},
    "--limit-test": {"evaluate", "probe"},
    "--out": {"sweep", "data shard"},
    "--output": {"build", "compare", "design", "export", "extract", "probe", "report", "spectrum"},
    "--plot": {"design"},
    "--seed": {"probe"},
    "--seeds": {"compare"},
    "--unrolled": {"show"},
    "--weights": {"probe"},
}


def commands(group: Any = None, before: str = "") -> dict[str, Any]:
    """The words that call a command -> the command; groups of commands too."""
    group = typer.main.get_command(app) if group is None else group
    found: dict[str, Any] = {}
    # typer brings a click of its own: a group is known by its commands.
    for name, command in getattr(group, "commands", {}).items():
        found[f"{before}{name}"] = command
        found |= commands(command, f"{before}{name} ")
    return found


COMMANDS = commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_sentence_and_an_example_that_calls_it(name):
    page = CliRunner().invoke(app, [*name.split(), "--help"]).stdout
    assert f"recform {name}" in page.split("Example", 1)[1]
    assert COMMANDS[name].help.strip().split("\n\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_is_explained(name):
    assert [param.name for param in COMMANDS[name].params if not param.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_says_each_name_once(name):
    usage = CliRunner().invoke(app, [*name.split(), "--help"]).stdout.partition("\n\n")[0]
    assert "......" not in usage
    assert "...}" not in usage


def test_the_same_option_is_explained_in_the_same_words():
    words = {}
    for name, command in COMMANDS.items():
        for param in command.params:
            long = next((opt for opt in param.opts if opt.startswith("--")), None)
            if long and name not in OWN_WORDS.get(long, set()):
                words.setdefault(long, {}).setdefault(param.help, []).append(name)
    assert {long: said for long, said in words.items() if len(said) > 1} == {}


def test_no_option_is_excepted_without_need():
    known = {(opt, name) for name, command in COMMANDS.items()
             for param in command.params for opt in param.opts}  # fmt: skip
    assert {(opt, name) for opt, names in OWN_WORDS.items() for name in names} <= known
