"""The graph handed to networkx is the unrolled network: its paths are the network's paths."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import networkx
import pytest

import recform
from recform.errors import UserError
from recform.formula import example_names
from recform.tape import Call


def signed_paths(graph: networkx.DiGraph) -> tuple[Fraction, ...]:
    """Paths from the input to the output by number of calls, each with the product of constants."""
    counts: dict[int, Counter[int]] = {node: Counter() for node in graph}
    counts[graph.graph["input"]][0] = 1
    for node in networkx.topological_sort(graph):
        for _, reader, data in graph.out_edges(node, data=True):
            block = int(graph.nodes[reader]["kind"] == "call")
            for length, count in counts[node].items():
                counts[reader][length + block] += data["constant"] * count
    found = counts[graph.graph["output"]]
    return tuple(found[length] for length in range(1 + max(found)))


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_signed_paths_of_the_graph_are_the_net_paths(name, depth):
    found = signed_paths(recform.to_networkx(name, depth))
    net = recform.analyze(name, depth).net
    assert found[: len(net)] == net
    assert not any(found[len(net) :])


def test_a_value_added_to_itself_counts_twice():
    graph = recform.to_networkx("x[l+1] = x[l] + x[l]", depth=1)
    assert graph.edges[0, 1]["constant"] == 2
    assert signed_paths(graph) == (2,)


def test_nodes_say_what_they_are():
    graph = recform.to_networkx("resnet_s", depth=2)
    assert graph.nodes[0] == {
        "kind": "input", "block": None, "index": None, "label": "input", "states": ("x[0]",)
    }  # fmt: skip
    assert graph.nodes[3] == {
        "kind": "call", "block": "F", "index": 1, "label": "F[1]", "states": ()
    }  # fmt: skip
    assert graph.edges[1, 5]["constant"] == -1
    assert (graph.graph["depth"], graph.graph["output"]) == (2, 6)


@pytest.mark.parametrize("name", example_names())
def test_nodes_are_the_values_of_the_tape(name):
    tape = recform.unroll(recform.resolve(name), 5)
    graph = recform.to_networkx(name, 5)
    assert list(graph) == list(range(len(tape.operations)))
    calls = [data for _, data in graph.nodes(data=True) if data["kind"] == "call"]
    assert len(calls) == sum(isinstance(operation, Call) for operation in tape.operations)
    assert networkx.is_directed_acyclic_graph(graph)


def test_an_absent_output_is_refused():
    with pytest.raises(UserError, match="the output is absent at depth 3") as refused:
        recform.to_networkx("x[l+1] = F(x[l-1])", depth=3)
    assert refused.value.code == "absent-output"
