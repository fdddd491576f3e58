"""What a gate reads, and where a coefficient stands, as a reader of the formula would say it.

A weight belongs to a block and has a *role*: which of the sources it weighs, counted back from that
block. So the weights of one role can be laid over each other from block to block.

    gate.7 of gate(F(x[l]), x[l], x[l-1])     roles F[l], x[l], x[l-1]
    a[7, 5]                                   role  a[l, l-2]
    A[7][0, 1]                                role  A[l][0, 1]
    T.7 of T(x[l])*F(x[l])                    role  T[l]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from recform.paths.trained import WEIGHED, gate_name
from recform.tape import Call, Combine, Input, Parameter, Project, Scale, Start, Tape
from recform.tape import parameter_to_text as _text


@dataclass(frozen=True)
class Role:
    """One weight: its family (`a`, or `gate`), the block it belongs to, and what it weighs.

    `key` is its name in a run's log, with the place of the source where it is a gate's of several;
    where the formula writes the gate out there is one, what it is multiplied by. Roles are
    sorted by `order`: from the newest source to the oldest.
    """

    family: str
    block: int
    text: str
    order: tuple[int, ...]
    key: tuple[str, int | None]


def roles_of(tape: Tape, written: Iterable[str] = ()) -> list[Role]:
    """Every weight that a run of this tape tells: coefficients, gates, and those written out."""
    operations = tape.operations
    found = [_of_coefficient(op) for op in operations if isinstance(op, Parameter)]
    names = {value: key for key, value in tape.states.items()}
    applications: Counter = Counter()
    for operation in operations:
        if isinstance(operation, Combine) and operation.function in WEIGHED:
            key = (operation.function, operation.index)
            name = gate_name(operation, applications[key])
            applications[key] += 1
            found += [
                _of_source(tape, names, operation, name, place)
                for place in range(len(operation.arguments))
            ]
    return found + [_of_written(name) for name in written]


def _of_written(name: str) -> Role:
    """T.7 and sigmoid(T).7; T.7_1 is a second of its kind."""
    family, _, rest = name.rpartition(".")
    block, _, again = rest.partition("_")
    text = f"{family[:-1]}[l])" if family.endswith(")") else f"{family}[l]"
    text += f", {int(again) + 1}" if again else ""
    return Role(family, int(block), text, (int(again or 0),), (name, None))


def _of_coefficient(parameter: Parameter) -> Role:
    block, *inner = parameter.place or (0,)
    places = ["l", *(_behind(block - depth) for depth in inner)][: len(parameter.place)]
    text = parameter.param.name + (f"[{', '.join(places)}]" if places else "")
    if parameter.entry:
        text += f"[{', '.join(map(str, parameter.entry))}]"
    order = (*(block - depth for depth in inner), *parameter.entry)
    return Role(parameter.param.name, block, text, order, (_text(parameter), None))


def _of_source(
    tape: Tape, names: dict[int, tuple[str, int]], gate: Combine, name: str, place: int
) -> Role:
    value, block = gate.arguments[place], gate.index or 0
    while value not in names:
        operation = tape.operations[value]
        if not isinstance(operation, Project | Start | Scale):
            break
        value = operation.argument
    operation = tape.operations[value]
    if value in names and not isinstance(operation, Call):
        state, depth = names[value]
    elif isinstance(operation, Call):
        state, depth = operation.block, operation.index
    else:
        state, depth = tape.main if isinstance(operation, Input) else f"source {place + 1}", block
    is_new = isinstance(operation, Call) and place == 0
    text = f"{state}[{_behind(block - depth)}]" if not state.startswith("source") else state
    return Role(gate.function, block, text, (not is_new, block - depth, place if is_new else 0),
                (name, place))  # fmt: skip


def _behind(steps: int) -> str:
    """A depth by how far it lies behind l."""
    return "l" if steps == 0 else f"l{-steps:+d}"
