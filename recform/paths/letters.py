"""Letters: what a path goes through.

A letter is one application of a block to one value. Activations, norms and projections across a
stage border are transparent, as in the paper ("does not affect the architecture", Liao et al.
2021, section 3), unless their kind is *kept*: then each of their applications is a letter too, of
length 0, and a ReLU between two terms stops their cancellation.

    relu(x[l]) - relu(x[l])     nothing: one letter, taken off again
    relu(x[l]) - x[l]           nothing if transparent; relu' - 1 if kept
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from fractions import Fraction
from hashlib import blake2b

from recform.errors import UserError
from recform.formula.library import WEIGHTED
from recform.paths.derivative import FROZEN
from recform.tape import Add, Call, Exact, Map, Operation, Project, Scale, Start, Tape, operands
from recform.tape.operations import operation_to_text

# The kinds of what may be transparent. "act" stands for every activation.
KINDS = ("act", "norm", "drop", "projection")
TRANSPARENT: frozenset[str] = frozenset()
ACTIVATIONS = frozenset({"act", "norm"})

_MODULUS = 2**256


def kind_of(operation: Operation) -> str | None:
    """Which kind of thing without blocks an operation is, if it is one."""
    match operation:
        case Map(function=function):
            return kind_of_map(function)
        case Project():
            return "projection"
    return None


def kind_of_map(function: str) -> str:
    """One of KINDS; "slot" for an argument of a function, and "frozen" for a frozen factor, both of
    which are always letters."""
    if function.startswith(FROZEN):
        return "frozen"
    if "." in function or function in WEIGHTED:
        return "slot"
    return function if function in ("norm", "drop") else "act"


def is_letter(kind: str, kept: Collection[str]) -> bool:
    """Whether applications of a kind are letters."""
    return kind in kept or kind in ("slot", "frozen")


def letters(tape: Tape, kept: Collection[str] = TRANSPARENT) -> dict[int, int]:
    """For each value that is a letter, in the order of the tape, the first that is the same letter.

    Calls and projections are one value already where they are the same. Activations and norms are
    the same on the same argument, whatever the order of the terms added in it. Raises UserError
    `bad-argument` for what is none of KINDS.
    """
    unknown = sorted(set(kept) - set(KINDS))
    if unknown:
        raise UserError("bad-argument", f"{unknown[0]} is no kind of letter to keep",
                        f"choose from {', '.join(KINDS)}")  # fmt: skip
    found = {
        value: value
        for value, operation in enumerate(tape.operations)
        if isinstance(operation, Call) or is_letter(kind_of(operation) or "", kept)
    }
    if any(isinstance(tape.operations[value], Map) for value in found):
        prints = _fingerprints(tape, "projection" not in kept)
        firsts: dict[int | str, int] = {}
        for value in found:
            operation = tape.operations[value]
            if isinstance(operation, Map):
                # A frozen factor is one letter, whatever it stands beside.
                is_frozen = operation.function.startswith(FROZEN)
                key = operation.function if is_frozen else prints[value]
                found[value] = firsts.setdefault(key, value)
    return found


def _fingerprints(tape: Tape, projections_are_transparent: bool) -> list[int]:
    """A number for each value, the same for values that differ in the order of sums alone.

    As in `tape.fingerprints`, but for applications, which are told apart: a sum has the sum of its
    terms' numbers, which are hashes of 256 bits.
    """
    numbers: dict[tuple, int] = {}
    prints: list[int] = []
    # Each value as a constant times another value that is none.
    multiples: list[tuple[Exact, int]] = []

    def of_atom(*atom: object) -> int:
        number = numbers.setdefault(atom, len(numbers))
        return int.from_bytes(blake2b(str(number).encode(), digest_size=32).digest(), "big")

    for value, operation in enumerate(tape.operations):
        multiple = (Fraction(1), value)
        match operation:
            case Add(left=left, right=right):
                fingerprint = (prints[left] + prints[right]) % _MODULUS
            case Scale(factor=factor, argument=argument):
                inner, core = multiples[argument]
                multiple = (factor * inner, core)
                is_core = multiple[0] == 1
                fingerprint = prints[core] if is_core else of_atom(multiple[0], prints[core])
            case Map(function=function, index=index, argument=argument):
                fingerprint = of_atom(function, index, prints[argument])
            case Start(argument=argument):
                fingerprint, multiple = prints[argument], multiples[argument]
            case Project(argument=argument) if projections_are_transparent:
                fingerprint, multiple = prints[argument], multiples[argument]
            case _:
                fingerprint = of_atom(value)
        prints.append(fingerprint)
        multiples.append(multiple)
    return prints


# --- written down ------------------------------------------------------------------------------

# How a letter is written, of its name, its index and, where these do not tell it from others, its
# argument.
Writer = Callable[[str, "int | None", "str | None"], str]


def letter_to_text(name: str, index: int | None, argument: str | None) -> str:
    """F'[2], or F'[2](x[1]); a frozen factor is [a[2]]."""
    if name.startswith(FROZEN):
        return f"[{name.removeprefix(FROZEN)}]"
    place = "" if index is None else f"[{index}]"
    return f"{name}'{place}" + ("" if argument is None else f"({argument})")


def letter_to_latex(name: str, index: int | None, argument: str | None) -> str:
    """F'_{2}, or F'_{2}(x_{1})."""
    if name.startswith(FROZEN):
        return f"[{_argument_to_latex(name.removeprefix(FROZEN))}]"
    place = "" if index is None else f"_{{{index}}}"
    argument = "" if argument is None else f"({_argument_to_latex(argument)})"
    return f"{_symbol(name)}'{place}{argument}"


def perturbed_to_text(name: str, index: int | None, argument: str | None) -> str:
    """dF[2](x[1]): the application of a block that is perturbed."""
    return f"d{letter_to_text(name, index, argument)}".replace("'", "")


def perturbed_to_latex(name: str, index: int | None, argument: str | None) -> str:
    r"""\delta F_{2}(x_{1})."""
    return rf"\delta {letter_to_latex(name, index, argument)}".replace("'", "")


def write_letters(tape: Tape, kept: Collection[str], write: Writer) -> dict[int, str]:
    """How each letter is written: with its argument, where its name is not its alone."""
    firsts = set(letters(tape, kept).values())
    names = {value: _name(tape.operations[value]) for value in sorted(firsts)}
    uses = Counter(names.values())
    return {
        value: write(*name, _argument(tape, value) if _is_unclear(name, uses) else None)
        for value, name in names.items()
    }


def _is_unclear(name: tuple[str, int | None], uses: Counter) -> bool:
    return uses[name] > 1 and not name[0].startswith(FROZEN)


def _argument(tape: Tape, letter: int) -> str:
    """The state that a letter is applied to, or the operation that makes it, of states if it is."""
    states = {f"v{value}": f"{state}[{depth}]" for (state, depth), value in tape.states.items()}
    (argument,) = operands(tape.operations[letter])
    made = operation_to_text(tape.operations[argument])
    return states.get(f"v{argument}") or re.sub(
        r"\bv\d+\b", lambda found: states.get(found[0], found[0]), made
    )


def shared_blocks(tape: Tape) -> set[tuple[str, int]]:
    """The blocks that are applied more than once."""
    uses = Counter((op.block, op.index) for op in tape.operations if isinstance(op, Call))
    return {block for block, count in uses.items() if count > 1}


def _name(operation: Operation) -> tuple[str, int | None]:
    match operation:
        case Call(block=block, index=index):
            return block, index
        case Map(function=function, index=index):
            return function, index
        case Project(border=border, is_shortcut=is_shortcut):
            return ("shortcut" if is_shortcut else "project"), border
    raise AssertionError(f"{operation} is no letter")


def _symbol(name: str) -> str:
    return name if len(name) == 1 else rf"\mathit{{{name}}}".replace("_", r"\_")


def _argument_to_latex(text: str) -> str:
    """x[1] as x_{1}, and v3 + v4 as v_{3} + v_{4}."""
    return re.sub(
        r"\bv(\d+)", r"v_{\1}", re.sub(r"\[(-?\d+)\]", r"_{\1}", text).replace("*", r"\,")
    )
