"""The unrolled wiring as a networkx graph, for whoever has tools for graphs.

Each value of the tape is a node and each reading of a value an edge, so that a path in the graph
is a path in the network, before anything cancels.

>>> graph = to_networkx("resnet_s", depth=2)
>>> [data["label"] for _, data in graph.nodes(data=True)]
['input', 'F[0]', '+', 'F[1]', '+', '-1*', '+']
>>> graph.nodes[2]["states"], graph.edges[1, 5]["constant"]
(('x[1]',), Fraction(-1, 1))
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import networkx

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.tape import Add, Call, Exact, Map, Operation, Project, Scale, Tape, operands, unroll


def to_networkx(formula: Formula | str, depth: int = 16) -> networkx.DiGraph:
    """The unrolled formula as a directed graph from the input to the output, without cycles.

    Nodes are numbered as on the tape, which is a topological order. Their attributes are

        kind    the operation: input, zero, call, map, scale, add, start, one, parameter,
                multiply, combine or part (see `recform.tape`)
        block   the name of a call's block, else None
        index   the depth of a call, and of a map that belongs to a block (`act`, `norm`), else None
        label   how a person may write the node: F[0], act[0], +, 1/2*
        states  the states that the value is, such as ("x[1]",)

    Edges have a `constant`, an exact Fraction: the factor of a scale, 2 where a value is added to
    itself, else 1. So net paths are the walks from `graph.graph["input"]` (None if nothing reads
    it) to `graph.graph["output"]`, weighed by the product of their constants.

    Raises FormulaError as `unroll` does, and UserError `absent-output` where there is no output.
    """
    formula = resolve(formula)
    return _graph_of(formula, tape_with_output(formula, depth))


def tape_with_output(formula: Formula, depth: int) -> Tape:
    """The unrolled formula. Raises UserError `absent-output` if no value reaches the output."""
    tape = unroll(formula, depth)
    if tape.output is None:
        raise UserError("absent-output", f"the output is absent at depth {depth}, so there is "
                        "nothing to draw", "choose another depth, or give the earliest values a "
                        "start: init x[-1] = x[0]")  # fmt: skip
    return tape


def state_names(tape: Tape) -> dict[int, list[tuple[str, int]]]:
    """For each value that has names, the states that it is, by depth."""
    names: dict[int, list[tuple[str, int]]] = {}
    for key, value in sorted(tape.states.items(), key=lambda item: item[0][1]):
        names.setdefault(value, []).append(key)
    return names


def _graph_of(formula: Formula, tape: Tape) -> networkx.DiGraph:
    kinds = [type(operation).__name__.lower() for operation in tape.operations]
    source = kinds.index("input") if "input" in kinds else None
    graph = networkx.DiGraph(formula=str(formula), depth=tape.depth, input=source,
                             output=tape.output)  # fmt: skip
    names = state_names(tape)
    for value, operation in enumerate(tape.operations):
        graph.add_node(
            value,
            kind=kinds[value],
            block=operation.block if isinstance(operation, Call) else None,
            index=operation.index if isinstance(operation, Call | Map) else None,
            label=_label(operation),
            states=tuple(f"{state}[{depth}]" for state, depth in names.get(value, [])),
        )
        for operand, constant in _edges_to(operation):
            graph.add_edge(operand, value, constant=constant)
    return graph


def _edges_to(operation: Operation) -> Iterator[tuple[int, Exact]]:
    match operation:
        case Add(left=left, right=right) if left == right:
            yield left, Fraction(2)
        case Scale(factor=factor, argument=argument):
            yield argument, factor
        case _:
            yield from ((operand, Fraction(1)) for operand in operands(operation))


def _label(operation: Operation) -> str:
    match operation:
        case Call(block=name, index=index) | Map(function=name, index=index):
            return name if index is None else f"{name}[{index}]"
        case Scale(factor=factor):
            return f"{factor}*"
        case Add():
            return "+"
        case Project(border=border):
            return f"project[{border}]"
    return getattr(operation, "label", type(operation).__name__.lower())
