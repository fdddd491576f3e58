"""The house keeps its order: who imports whom, how long things are, what ships, what loads.

The table says which rooms of recform a room may import, and which libraries beyond Python's own.
Data flows from left to right; paths and networks meet only on the tape.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from recform.cli.main import COMMANDS

if sys.version_info >= (3, 11):
    import tomllib
else:  # Python 3.10
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "recform"
FILES = sorted(HOUSE.rglob("*.py"))
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400

# room -> rooms of recform that it may import, libraries that it may import
LAW: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "writing": ({"errors"}, set()),
    "formula": ({"errors"}, {"lark", "pygments"}),
    "tape": ({"errors", "formula"}, set()),
    "paths": ({"errors", "formula", "tape"}, {"flint", "sympy"}),
    "design": ({"errors", "formula", "tape", "paths"}, {"flint", "sympy"}),
    "network": ({"errors", "writing", "formula", "tape"}, {"torch", "timm", "safetensors"}),
    "training": (
        {"errors", "writing", "network"},
        {"torch", "torchvision", "timm", "torch_xla", "numpy", "sklearn", "PIL", "fsspec", "tomli",
         "wandb"},
    ),
    "probe": ({"errors", "formula", "tape", "paths", "network"}, {"torch"}),
    "compare": ({"errors"}, {"scipy", "scikit_posthocs"}),
    "pictures": (
        {"errors", "writing", "formula", "tape", "paths", "compare"},
        {"matplotlib", "networkx", "jinja2", "markupsafe"},
    ),
    "cli": (
        {"errors", "writing", "formula", "tape", "paths", "design", "network", "training", "probe",
         "compare", "pictures"},
        {"typer", "rich"},
    ),
    "__main__": ({"cli"}, set()),
}  # fmt: skip
# A library that only one file of its room may import.
ONLY_IN = {
    "lark": "formula/parse.py",
    "pygments": "formula/lexer.py",
    "tomli": "training/settings.py",
    "wandb": "training/boards.py",
}
# The public names; what is heavy loads when it is first used.
DOOR = "__init__.py"
HEAVY = ("torch", "torchvision", "timm", "sympy", "matplotlib", "scipy", "sklearn", "networkx")


@lru_cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it and under whatever condition."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            yield node.module
            # `from recform.formula import load` may name a file
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    """How a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def in_the_house(path: Path) -> str:
    return str(path.relative_to(HOUSE))


INSIDE = [path for path in FILES if in_the_house(path) != DOOR]


@pytest.mark.parametrize("path", INSIDE, ids=in_the_house)
def test_a_room_imports_only_rooms_before_it(path: Path):
    allowed, _ = LAW[room_of(path)]
    rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("recform.")}
    assert rooms - {room_of(path)} <= allowed


@pytest.mark.parametrize("path", INSIDE, ids=in_the_house)
def test_a_library_is_imported_only_where_it_belongs(path: Path):
    _, allowed = LAW[room_of(path)]
    libraries = {name.split(".")[0] for name in imports_of(path)}
    foreign = libraries - set(sys.stdlib_module_names) - {"recform"}
    assert foreign <= allowed
    assert all(
        ONLY_IN.get(library, in_the_house(path)) == in_the_house(path) for library in foreign
    )


def test_the_door_imports_nothing_heavy_unless_asked():
    door = tree_of(HOUSE / DOOR)
    at_once = [node.module for node in door.body if isinstance(node, ast.ImportFrom)]
    own = [module for module in at_once if module is not None and module.startswith("recform")]
    assert set(own) <= {"recform.errors", "recform.formula", "recform.tape"}
    assert all(module.startswith("recform.") for module in imports_of(HOUSE / DOOR)
               if module.split(".")[0] not in sys.stdlib_module_names)  # fmt: skip


def test_paths_and_networks_never_meet():
    assert "network" not in LAW["paths"][0]
    assert "paths" not in LAW["network"][0]
    assert not LAW["training"][0] & {"formula", "tape", "paths"}


@pytest.mark.parametrize("path", FILES, ids=in_the_house)
def test_a_module_says_what_it_is(path: Path):
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("path", FILES, ids=in_the_house)
def test_a_file_is_not_too_long(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", FILES, ids=in_the_house)
def test_no_function_is_too_long(path: Path):
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_every_file_is_reached_from_the_doors_or_the_command_line():
    files = {name_of(path): path for path in FILES}
    # Every package is a door, and the command line starts in recform.cli.main; Python itself opens
    # recform.__main__.
    reached = {name_of(path) for path in FILES if path.name in ("__init__.py", "__main__.py")}
    # Pygments finds its lexer by an entry point.
    reached |= {"recform.cli.main", "recform.formula.lexer"}
    # The command line imports a command's file when it is asked for.
    reached |= {f"recform.cli.{place.partition(':')[0]}" for place in COMMANDS.values()}
    waiting = list(reached)
    while waiting:
        for name in imports_of(files[waiting.pop()]):
            if name in files and name not in reached:
                reached.add(name)
                waiting.append(name)
    assert sorted(set(files) - reached) == []


ROOMS = sorted(HOUSE.glob("*/__init__.py"))


@pytest.mark.parametrize("door", ROOMS, ids=in_the_house)
def test_the_door_of_a_room_has_a_map_of_its_files(door: Path):
    told = re.findall(r"^    (\w+)  +\S", ast.get_docstring(tree_of(door)) or "", re.MULTILINE)
    files = [path.stem for path in door.parent.glob("*.py") if path != door]
    assert sorted(told) == sorted(files)


def test_the_packages_that_exist_are_the_ones_that_ship():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = project["tool"]["setuptools"]
    mapped = setuptools["package-dir"]
    found = {name_of(path) for path in FILES if path.name == "__init__.py"} | set(mapped)
    assert sorted(setuptools["packages"]) == sorted(found)
    assert all((ROOT / folder / "__init__.py").exists() for folder in mapped.values())


# What tells a user of a mistake -> where the hint stands among its arguments.
HINTS = {"UserError": 2, "Diagnostic": 3}


def hint_of(call: ast.Call, place: int) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((word.value for word in call.keywords if word.arg == "hint"), None)


def without_a_hint(tree: ast.Module) -> list[int]:
    """The lines on which a mistake is told without saying what to do."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    told = [(call, HINTS[call.func.id]) for call in calls
            if isinstance(call.func, ast.Name) and call.func.id in HINTS]  # fmt: skip
    hints = [(call.lineno, hint_of(call, place)) for call, place in told]
    return [line for line, hint in hints
            if hint is None or (isinstance(hint, ast.Constant) and not hint.value)]  # fmt: skip


def test_a_mistake_without_a_hint_is_found():
    text = """
UserError("no-data", "there is none")
UserError("no-data", "there is none", "")
UserError("no-data", "there is none", "--data digits")
Diagnostic("syntax", "what is this", span)
Diagnostic("syntax", "what is this", span, hint="x[l+1] = x[l]")
"""
    assert without_a_hint(ast.parse(text)) == [2, 3, 5]


@pytest.mark.parametrize("path", FILES, ids=in_the_house)
def test_every_mistake_is_told_with_a_hint(path: Path):
    assert without_a_hint(tree_of(path)) == []


def loaded_by(program: str) -> list[str]:
    """Which heavy libraries a fresh Python holds after running a program."""
    ask = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import atexit\natexit.register(lambda: exec({ask!r}, {{}}))\n{program}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return ast.literal_eval(run.stderr.splitlines()[-1])


def test_the_question_what_is_loaded_is_answered():
    assert loaded_by("import matplotlib") == ["matplotlib"]


def test_importing_recform_loads_nothing_heavy():
    assert loaded_by("import recform; recform.unroll(recform.resolve('resnet'), 4)") == []


@pytest.mark.parametrize("command", ["analyze resnet", "check resnet", "show resnet", "--help"])
def test_a_command_about_formulas_loads_nothing_heavy(command: str):
    program = f"import sys; sys.argv = ['recform', *{command.split()!r}]"
    assert loaded_by(f"{program}\nfrom recform.cli.main import main\nmain()") == []
