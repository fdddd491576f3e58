"""The first difference between two formulas, as a person reads it: a path and its coefficients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recform.formula.show import number_to_text
from recform.paths.jets import INPUT, Jet, Letter, LetterTable, Tail, Vector
from recform.tape import Exact, Irrational

# Arguments are written out where the name alone does not tell, up to this many characters.
MAX_ARGUMENT = 60


@dataclass(frozen=True)
class Difference:
    """Where two formulas part: at `depth` L, along the paths from x[start].

    `word` is the path, output first (`1` is the one through no block), with its coefficients in the
    first formula and the second; None where only one of the formulas exists at that depth.
    """

    depth: int
    start: int
    word: str | None
    left: Exact | None
    right: Exact | None
    text: str

    def to_json(self) -> dict[str, object]:
        return {
            "depth": self.depth,
            "start": self.start,
            "word": self.word,
            "a": None if self.left is None else _json_number(self.left),
            "b": None if self.right is None else _json_number(self.right),
            "text": self.text,
        }


def first_difference(
    table: LetterTable, lefts: Sequence[Jet | None], rights: Sequence[Jet | None], start: int = 0
) -> Difference | None:
    """The difference of least depth between outputs, by depth; None if there is none.

    With start 0 the forms are compared, else the derivatives by x[start].
    """
    for depth, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        if depth < start or (left is None and right is None):
            continue
        if left is None or right is None:
            return missing(depth, start, right is None)
        if start == 0 and left.form != right.form:
            return _differing(table, depth, start, left.form, right.form)
        if start > 0 and _differ(table, left.derivative, right.derivative):
            return _differing(table, depth, start, left.derivative, right.derivative)
    return None


def _differ(table: LetterTable, left: Vector, right: Vector) -> bool:
    return left != right and table.has_paths(_minus(left, right))


def _minus(left: Vector, right: Vector) -> Vector:
    keys = [*left, *(key for key in right if key not in left)]
    differences = {key: left.get(key, 0) - right.get(key, 0) for key in keys}
    return {key: difference for key, difference in differences.items() if difference}


def missing(depth: int, start: int, only_first: bool) -> Difference:
    """The difference where one formula does not exist."""
    which = "first" if only_first else "second"
    text = f"at depth {depth} only the {which} formula exists"
    return Difference(depth, start, None, None, None, text)


def _differing(
    table: LetterTable, depth: int, start: int, left: Vector, right: Vector
) -> Difference:
    nodes: Sequence[Letter | Tail] = table.letters if start == 0 else table.tails
    first = _shortest(_minus(left, right), nodes)
    rest, factor = _descent(nodes[first].argument, nodes)
    path = [first, *rest] if first != INPUT else []
    # Its coefficient is that of its first letter times those of the rest.
    in_left = left.get(first, 0) * factor
    in_right = right.get(first, 0) * factor
    letters = [key if start == 0 else table.tails[key].letter for key in path]
    shown = {key if start == 0 else table.tails[key].letter for key in (*left, *right)}
    word = _word(table, letters, shown)
    where = f"at depth {depth}" + (f", from x[{start}]" if start else "")
    text = (f"{where}, the path {word} has the coefficient {_text(in_left)} in the first formula "
            f"and {_text(in_right)} in the second")  # fmt: skip
    return Difference(depth, start, word, in_left, in_right, text)


def _shortest(vector: Vector, nodes: Sequence[Letter | Tail]) -> int:
    """Of the letters in a form the one with the shortest path; the earliest of several."""
    return min(vector, key=lambda key: (nodes[key].length, key))


def _descent(argument: Vector, nodes: Sequence[Letter | Tail]) -> tuple[list[int], Exact]:
    """The shortest path of an argument, and its coefficient."""
    path: list[int] = []
    factor: Exact = 1
    while argument:
        key = _shortest(argument, nodes)
        factor *= argument[key]
        if key == INPUT:
            break
        path.append(key)
        argument = nodes[key].argument
    return path, factor


def _word(table: LetterTable, letters: Sequence[int], shown: Iterable[int]) -> str:
    """F'[2]F'[1], with arguments where one block is applied to several values."""
    among = {*shown, *letters, *(k for letter in letters for k in table.letters[letter].argument)}
    uses = Counter((table.letters[key].name, table.letters[key].index) for key in among)
    return "".join(_letter(table, key, uses) for key in letters) or "1"


def _letter(table: LetterTable, key: int, uses: Counter[tuple[str, int | None]]) -> str:
    letter = table.letters[key]
    index = "" if letter.index is None else f"[{letter.index}]"
    argument = f"({_form(table, letter.argument)})" if uses[letter.name, letter.index] > 1 else ""
    return f"{letter.name}'{index}{argument}"


def _form(table: LetterTable, form: Vector, depth: int = 0) -> str:
    """A linear form over letters, written out; what is nested too deep is left out."""
    if not form:
        return "0"
    text = " ".join(_terms(table, form, depth))
    text = text.removeprefix("+ ").replace("- ", "-", 1) if text[0] in "+-" else text
    return text if len(text) <= MAX_ARGUMENT else "..."


def _terms(table: LetterTable, form: Vector, depth: int) -> Iterator[str]:
    for key in sorted(form):
        letter = table.letters[key]
        index = "" if letter.index is None else f"[{letter.index}]"
        argument = "..." if depth > 1 else _form(table, letter.argument, depth + 1)
        name = "x[0]" if key == INPUT else f"{letter.name}{index}({argument})"
        size = abs(form[key])
        factor = "" if size == 1 else f"{_text(size)}*"
        yield ("- " if form[key] < 0 else "+ ") + factor + name


def _text(number: Exact) -> str:
    return str(number) if isinstance(number, Irrational) else number_to_text(number)


def _json_number(number: Exact) -> int | str:
    if isinstance(number, Irrational) or number.denominator != 1:
        return str(number)
    return int(number)
