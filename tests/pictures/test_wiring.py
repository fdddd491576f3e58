"""The wiring picture is the network: its boxes are the calls, its paths the surviving paths."""

from __future__ import annotations

import io
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from laws.formulas import formulas

from recform.errors import UserError
from recform.formula import Formula, example_names, parse, resolve
from recform.paths import analyze, words
from recform.pictures import save, wiring
from recform.pictures.diagram import Diagram
from recform.pictures.layout import Box, Layout, lay_out
from recform.pictures.recursion import recursion_diagram
from recform.pictures.survivors import surviving_wires
from recform.pictures.typeset import symbol_with_index
from recform.pictures.unrolled import unrolled_diagram
from recform.tape import Call, Tape, unroll

LAW = settings(max_examples=40, derandomize=True, deadline=None,
               suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
DRAWN = settings(LAW, max_examples=5)
# Inches: less than this between two lines is nothing to be seen.
NEAR = 1e-6
PICTURED = ["resnet", "resnet_s", "dense_sum", "momentum", "revnet", "resnet_s_code", "leapfrog",
            "injection"]  # fmt: skip


def num_calls(tape: Tape) -> int:
    return sum(isinstance(operation, Call) for operation in tape.operations)


def diagrams(text: str, depth: int) -> list[Diagram]:
    """The diagrams of a formula, without the unrolled one where the output is absent."""
    formula = parse(text)
    found = [recursion_diagram(formula)]
    if unroll(formula, depth).output is not None:
        found.append(unrolled_diagram(formula, depth))
    return found


# --- the unrolled network ----------------------------------------------------------------------


def test_resnet_s_unrolled_by_hand():
    diagram = unrolled_diagram(resolve("resnet_s"), depth=2)
    assert [node.label for node in diagram.nodes] == [
        "$x_{0}$", "$F_{0}$", "+", "$F_{1}$", "+", "$x_{2}$"
    ]  # fmt: skip
    assert diagram.nodes[2].name == "$x_{1}$"
    wires = {(wire.source, wire.target): wire.label for wire in diagram.wires}
    assert wires == {(0, 1): "", (0, 2): "", (1, 2): "", (2, 3): "", (2, 4): "", (3, 4): "",
                     (1, 4): "−", (4, 5): ""}  # fmt: skip


def test_factors_stand_on_the_wires():
    diagram = unrolled_diagram(resolve("momentum"), depth=2)
    assert sorted(wire.label for wire in diagram.wires if wire.label) == ["1/10", "1/10", "9/10"]


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("depth", [1, 2, 6])
def test_every_call_of_the_tape_is_a_box(name, depth):
    formula = resolve(name)
    boxes = [node for node in unrolled_diagram(formula, depth).nodes if node.kind == "block"]
    assert len(boxes) == num_calls(unroll(formula, depth))


@LAW
@given(formulas())
def test_boxes_are_calls_and_wires_lead_to_the_right(text):
    formula = parse(text)
    tape = unroll(formula, 4)
    for diagram in diagrams(text, 4):
        assert all(wire.source < wire.target for wire in diagram.wires)
    if tape.output is not None:
        boxes = [node for node in diagram.nodes if node.kind == "block"]
        assert len(boxes) == num_calls(tape)


# --- surviving paths ---------------------------------------------------------------------------


def test_the_path_of_resnet_s_goes_through_the_last_blocks():
    diagram = unrolled_diagram(resolve("resnet_s"), depth=5)
    assert blocks_in_colour(diagram, length=3) == {"$F_{2}$", "$F_{3}$", "$F_{4}$"}


def test_no_path_is_left_beyond_the_longest():
    survivors = surviving_wires(unrolled_diagram(resolve("resnet_s"), depth=3), length=4)
    assert (survivors.num_paths, survivors.wires) == (0, frozenset())


def test_a_way_that_has_been_cancelled_is_not_drawn():
    # F(x[0]) is added in x[1] and taken away in x[2]; only F(x[1]) is left.
    diagram = unrolled_diagram(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), depth=2)
    in_colour = surviving_wires(diagram, length=1).wires
    ways = {(diagram.wires[n].source, diagram.wires[n].target) for n in in_colour}
    assert ways == {(0, 2), (2, 3), (3, 4), (4, 5)}


@pytest.mark.parametrize("name", example_names())
def test_as_many_paths_are_drawn_as_are_distinct(name):
    check_survivors(resolve(name), depth=5)


@LAW
@given(formulas())
def test_surviving_paths_are_the_words_of_that_length(text):
    check_survivors(parse(text), depth=3)


def check_survivors(formula: Formula, depth: int) -> None:
    tape = unroll(formula, depth)
    if tape.output is None:
        return
    diagram = unrolled_diagram(formula, depth)
    expansion = words(tape)
    distinct = analyze(formula, depth).distinct
    assert distinct is not None
    for length, count in enumerate(distinct):
        survivors = surviving_wires(diagram, length)
        assert survivors.num_paths == count
        letters = {letter for word in expansion if len(word) == length for letter in word}
        assert blocks_in_colour(diagram, length) == {symbol_of(tape, letter) for letter in letters}
        assert_joined(diagram, survivors.wires)


def symbol_of(tape: Tape, letter: int) -> str:
    call = tape.operations[letter]
    assert isinstance(call, Call)
    return symbol_with_index(call.block, call.index)


def blocks_in_colour(diagram: Diagram, length: int) -> set[str]:
    ends = {diagram.wires[n].source for n in surviving_wires(diagram, length).wires}
    return {diagram.nodes[end].label for end in ends if diagram.nodes[end].kind == "block"}


def assert_joined(diagram: Diagram, wires: frozenset[int]) -> None:
    """What is in colour begins at the input and ends at the output."""
    sources = {diagram.wires[n].source for n in wires}
    targets = {diagram.wires[n].target for n in wires}
    assert targets - sources <= {len(diagram.nodes) - 1}
    assert all(not diagram.into(node) for node in sources - targets)


# --- layout ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", example_names())
def test_no_line_crosses_a_box(name):
    for diagram in (recursion_diagram(resolve(name)), unrolled_diagram(resolve(name), 6)):
        check_layout(diagram)


@LAW
@given(formulas())
def test_no_line_of_a_random_formula_crosses_a_box(text):
    for diagram in diagrams(text, 3):
        check_layout(diagram)


def check_layout(diagram: Diagram) -> None:
    layout = lay_out(diagram)
    for first, second in combinations(layout.boxes, 2):
        assert not overlap(first, second)
    for line in layout.lines:
        for start, end in pairwise(line.points):
            assert start[0] == end[0] or start[1] == end[1]
            assert not any(crosses(start, end, box) for box in layout.boxes)
        assert min(y for _, y in line.points) >= -NEAR
        assert max(y for _, y in line.points) <= layout.height + NEAR
        assert max(x for x, _ in line.points) <= layout.width
    assert_lines_are_apart(diagram, layout)


def overlap(first: Box, second: Box) -> bool:
    return (abs(first.x - second.x) < (first.width + second.width) / 2 - NEAR
            and abs(first.y - second.y) < (first.height + second.height) / 2 - NEAR)  # fmt: skip


def crosses(start: tuple[float, float], end: tuple[float, float], box: Box) -> bool:
    """Whether a level or upright line goes through the middle half of a box; it may end there."""
    (left, right), (low, high) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return (
        left < box.x + box.width / 4
        and right > box.x - box.width / 4
        and low < box.y + box.height / 4
        and high > box.y - box.height / 4
    )


def assert_lines_are_apart(diagram: Diagram, layout: Layout) -> None:
    """Wires of two sources may cross but never run along each other."""
    pieces = [(wire.source, piece) for wire, line in zip(diagram.wires, layout.lines, strict=True)
              for piece in pairwise(line.points)]  # fmt: skip
    for (source, (a, b)), (other, (c, d)) in combinations(pieces, 2):
        if source == other:
            continue
        for along, across in ((0, 1), (1, 0)):
            if a[across] == b[across] and abs(c[across] - d[across]) < NEAR:
                low, high = sorted((a[along], b[along]))
                first, last = sorted((c[along], d[along]))
                is_beside = abs(a[across] - c[across]) > NEAR
                assert is_beside or min(high, last) - max(low, first) < NEAR


# --- one step of the recursion -----------------------------------------------------------------


def test_what_is_remembered_has_a_broken_line_and_stands_first():
    nodes = recursion_diagram(resolve("resnet_s")).nodes
    assert [(node.kind, node.label) for node in nodes] == [
        ("remembered", "$F_{l-1}(x_{l-1})$"), ("state", "$x_{l}$"), ("block", "$F_{l}$"),
        ("sum", "+"), ("state", "$x_{l+1}$"),
    ]  # fmt: skip


def test_a_block_applied_to_an_older_value_is_a_box():
    nodes = recursion_diagram(parse("x[l+1] = x[l] + F[l](x[l-1])")).nodes
    assert [node.label for node in nodes if node.kind == "block"] == ["$F_{l}$"]
    assert [node.label for node in nodes if node.kind == "remembered"] == ["$x_{l-1}$"]


def test_the_last_term_of_a_history_sum_is_made_now():
    nodes = recursion_diagram(resolve("dense_sum")).nodes
    assert [node.label for node in nodes if node.kind == "block"] == ["$F_{l}$"]
    assert nodes[0].label == r"$\sum_{i=0}^{l - 1} F_{i}(x_{i})$"


def test_states_have_lanes_in_the_order_written():
    nodes = recursion_diagram(resolve("revnet")).nodes
    assert {node.label: node.lane for node in nodes if node.kind == "block"} == {
        "$F_{l}$": 0, "$G_{l}$": 1
    }  # fmt: skip


# --- the figure --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURED)
def test_svg_is_well_formed_and_has_a_shape_for_every_box(name, tmp_path):
    path = save(wiring([name], depth=3, highlight=1), tmp_path / "wiring.svg")
    shapes = [element.get("id") for element in ElementTree.parse(path).iter()]
    step, unrolled = recursion_diagram(resolve(name)), unrolled_diagram(resolve(name), 3)
    for kind in ("block", "sum", "state", "dot", "remembered"):
        nodes = [node for node in (*step.nodes, *unrolled.nodes) if node.kind == kind]
        assert shapes.count(kind) == len(nodes)
    assert shapes.count("wire") == len(step.wires) + len(unrolled.wires)


@DRAWN
@given(formulas())
def test_every_formula_is_drawn(text):
    if unroll(parse(text), 2).output is not None:
        picture = io.BytesIO()
        wiring([text], depth=2).savefig(picture, format="svg")
        assert b"</svg>" in picture.getvalue()


def test_the_caption_says_what_is_in_colour():
    captions = [axes.get_title(loc="left") for axes in wiring(["resnet"], 4, highlight=2).axes]
    assert captions == [
        "one step of the recursion",
        "unrolled to depth 4; in colour: the 6 paths through 2 blocks that survive cancellation",
    ]


def test_no_surviving_path_is_said():
    (axes,) = wiring(["resnet"], 2, highlight=9, parts=["unrolled"]).axes
    assert axes.get_title(loc="left").endswith("no path through 9 blocks survives cancellation")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"formulas": []}, "bad-argument", "a wiring needs a formula"),
        ({"formulas": ["resnet"], "highlight": -1}, "bad-argument", "goes through -1 blocks"),
        ({"formulas": ["resnet"], "parts": ["loop"]}, "bad-argument", "loop cannot be drawn"),
        ({"formulas": ["resnet"], "depth": 50}, "too-deep", "has at most 100 and 300"),
        ({"formulas": ["x[l+1] = F(x[l-1])"], "depth": 1}, "absent-output", "absent at depth 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, code, message):
    with pytest.raises(UserError, match=message) as refused:
        wiring(**arguments)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "depth"), [("resnet_s", 60), ("rk4", 40), ("hyper_connections", 2)]
)
def test_a_refusal_names_a_depth_that_can_be_drawn(name, depth):
    with pytest.raises(UserError, match="cannot be followed by eye") as refused:
        wiring([name], depth, parts=["unrolled"])
    hint = refused.value.diagnostics[0].hint
    smaller = int(hint.removeprefix("choose a smaller depth: --depth "))
    assert 0 < smaller < depth
    assert wiring([name], smaller, parts=["unrolled"]).axes


def test_a_step_too_large_to_draw_is_refused_with_another_hint():
    terms = " + ".join(f"F(x[l-{delay}])" for delay in range(1, 120))
    with pytest.raises(UserError, match="hint: write it with fewer terms"):
        wiring([f"x[l+1] = x[l] + {terms}"], 2, parts=["recursion"])


def test_a_wire_that_carries_nothing_is_on_no_path():
    diagram = unrolled_diagram(parse("x[l+1] = x[l] + 0*x[l] + F(x[l])"), 1)
    nothing = {number for number, wire in enumerate(diagram.wires) if wire.factor == 0}
    assert nothing
    assert not nothing & surviving_wires(diagram, 0).wires
