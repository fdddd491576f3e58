"""The wiring of a formula, drawn: one step of the recursion, and the network unrolled.

The pictures of Liao et al. (2021), figures 2, 3, 7 and 8, for any formula: blocks are boxes,
additions circles, signs and factors stand on the wires. The paths that survive cancellation can be
drawn in colour, those of one length at a time.

>>> figure = wiring(["resnet_s"], depth=3, highlight=2)
>>> figure.axes[1].get_title(loc="left")
'unrolled to depth 3; in colour: the one path through 2 blocks that survives cancellation'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.formula.kinds import is_linear
from recform.pictures.diagram import Diagram, Node, Wire
from recform.pictures.figure import Picture
from recform.pictures.layout import HEIGHT, Box, Layout, Line, Point, lay_out
from recform.pictures.recursion import recursion_diagram
from recform.pictures.survivors import surviving_wires
from recform.pictures.theme import (
    BLOCK_FILLS,
    INK,
    LINE_HEIGHT,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    RED,
    SMALL,
    SOFT,
    TEXT,
)
from recform.pictures.typeset import line_height, typeset_equations, wrap_text
from recform.pictures.unrolled import unrolled_diagram

# What can be shown of a formula, in this order.
PARTS = ("recursion", "unrolled")
# More boxes and circles than these cannot be followed by eye, nor wires.
MAX_NODES = 100
MAX_WIRES = 300

# Inches.
MARGIN = 0.15
CORNER = 0.07
# Points.
WIRE, WIRE_IN_COLOUR, OUTLINE = 0.9, 1.9, 0.8
_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
MEANINGS = {
    "block": "box: a block",
    "sum": "circle: an addition",
    "remembered": "broken line: from an earlier step",
    "dot": "dot: a state that is a multiple of another",
}


@dataclass(frozen=True)
class Panel:
    """A diagram with its caption; `in_colour` are the numbers of its wires that are.

    `head` are the formula's lines, above the first of its diagrams.
    """

    caption: str
    diagram: Diagram
    layout: Layout
    in_colour: frozenset[int] = frozenset()
    head: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        lines = sum(map(line_height, self.head)) + LINE_HEIGHT
        return self.layout.height + lines + 2 * MARGIN


def wiring(
    formulas: Sequence[Formula | str],
    depth: int = 4,
    highlight: int | None = None,
    parts: Sequence[str] = PARTS,
) -> Figure:
    """For each formula one step of the recursion, and the network unrolled to `depth` blocks.

    `highlight` is a number of blocks: the paths through so many that survive cancellation are
    drawn in colour. `parts` are what to show, of "recursion" and "unrolled". The figure is as wide
    as its widest diagram needs, at least a page.

    Raises UserError `absent-output`, `too-deep` for more than 100 boxes and circles or 300 wires,
    and FormulaError as `unroll` does.
    """
    _check(formulas, highlight, parts)
    panels: list[Panel] = []
    for formula in map(resolve, formulas):
        panels += _panels(formula, depth, highlight, parts)
    return _figure(panels)


def _check(formulas: Sequence[Formula | str], highlight: int | None, parts: Sequence[str]) -> None:
    if not formulas:
        raise UserError("bad-argument", "a wiring needs a formula", "name at least one")
    if not parts or not set(parts) <= set(PARTS):
        raise UserError("bad-argument", f"{', '.join(parts) or 'nothing'} cannot be drawn",
                        f"the parts of a wiring are {' and '.join(PARTS)}")  # fmt: skip
    if highlight is not None and highlight < 0:
        raise UserError("bad-argument", f"no path goes through {highlight} blocks",
                        "highlight 0 or more blocks")  # fmt: skip


def _panels(
    formula: Formula, depth: int, highlight: int | None, parts: Sequence[str]
) -> list[Panel]:
    panels = []
    if "recursion" in parts:
        step = _of_drawable_size(recursion_diagram(formula), "write it with fewer terms")
        panels.append(_panel("one step of the recursion", step))
    if "unrolled" in parts:
        panels.append(_unrolled_panel(formula, depth, highlight))
    width = (PAGE_WIDTH - 2 * MARGIN) * POINTS_PER_INCH
    head = wrap_text(formula.title, width, TEXT) + typeset_equations(formula, width, TEXT)
    panels[0] = replace(panels[0], head=tuple(head))
    return panels


def _unrolled_panel(formula: Formula, depth: int, highlight: int | None) -> Panel:
    diagram = unrolled_diagram(formula, depth)
    diagram = _of_drawable_size(diagram, _smaller(diagram, depth))
    title = f"unrolled to depth {depth}"
    if highlight is None:
        return _panel(title, diagram)
    if not is_linear(formula):
        raise UserError("bad-argument", "wires are highlighted where values are added and go "
                        "through blocks, and this formula multiplies them, or makes one of several",
                        "leave --highlight out")  # fmt: skip
    survivors = surviving_wires(diagram, highlight)
    return _panel(f"{title}; {_survival(survivors.num_paths, highlight)}", diagram, survivors.wires)


def _survival(num_paths: int, length: int) -> str:
    blocks = f"{length} block" if length == 1 else f"{length} blocks"
    if num_paths == 0:
        return f"no path through {blocks} survives cancellation"
    if num_paths == 1:
        return f"in colour: the one path through {blocks} that survives cancellation"
    return f"in colour: the {num_paths:,} paths through {blocks} that survive cancellation"


def _panel(caption: str, diagram: Diagram, in_colour: frozenset[int] = frozenset()) -> Panel:
    return Panel(caption, diagram, lay_out(diagram), in_colour)


def _smaller(diagram: Diagram, depth: int) -> str:
    """A depth that can be drawn, for diagrams that grow by the same at each depth."""
    fits = min(depth * MAX_NODES // (len(diagram.nodes) or 1),
               depth * MAX_WIRES // (len(diagram.wires) or 1))  # fmt: skip
    return f"choose a smaller depth: --depth {fits}" if fits else "draw one step: --recursion"


def _of_drawable_size(diagram: Diagram, hint: str) -> Diagram:
    num_nodes, num_wires = len(diagram.nodes), len(diagram.wires)
    if num_nodes > MAX_NODES or num_wires > MAX_WIRES:
        raise UserError("too-deep", f"{num_nodes:,} boxes and circles with {num_wires:,} wires "
                        f"cannot be followed by eye: a wiring has at most {MAX_NODES} and "
                        f"{MAX_WIRES}", hint)  # fmt: skip
    return diagram


def _figure(panels: Sequence[Panel]) -> Figure:
    """The panels under each other, each in axes whose units are inches, and the signs below."""
    width = max(PAGE_WIDTH, *(panel.layout.width + 2 * MARGIN for panel in panels))
    foot = LINE_HEIGHT + MARGIN
    height = sum(panel.height for panel in panels) + foot
    figure = Picture(figsize=(width, height))
    left, top = MARGIN / width, height - MARGIN / 2
    for panel in panels:
        size = panel.layout.height + MARGIN
        bottom = top - panel.height + MARGIN
        y = top
        for line in panel.head:
            y -= line_height(line)
            figure.text(left, y / height, line, fontsize=TEXT, color=INK, va="bottom")
        axes = figure.add_axes((0, bottom / height, 1, size / height))
        axes.set_xlim(-MARGIN, width - MARGIN)
        axes.set_ylim(-MARGIN / 2, size - MARGIN / 2)
        axes.set_axis_off()
        axes.set_title(panel.caption, loc="left", x=left, y=1, pad=0, fontsize=TEXT, color=INK,
                       va="bottom", weight="bold")  # fmt: skip
        _draw(axes, panel)
        top -= panel.height
    figure.text(left, MARGIN / height, _meanings(panels), fontsize=SMALL, color=INK,
                va="bottom")  # fmt: skip
    return figure


def _meanings(panels: Sequence[Panel]) -> str:
    kinds = {node.kind for panel in panels for node in panel.diagram.nodes}
    has_factors = any(wire.label for panel in panels for wire in panel.diagram.wires)
    meanings = [meaning for kind, meaning in MEANINGS.items() if kind in kinds]
    return "   ".join(meanings + ["on a wire: its sign or factor"] * has_factors)


def _draw(axes: Axes, panel: Panel) -> None:
    diagram, layout = panel.diagram, panel.layout
    blocks = list(dict.fromkeys(node.block for node in diagram.nodes if node.block))
    fills = {name: BLOCK_FILLS[place % len(BLOCK_FILLS)] for place, name in enumerate(blocks)}
    is_faint = bool(panel.in_colour)
    on_path = {
        end
        for number in panel.in_colour
        for end in (diagram.wires[number].source, diagram.wires[number].target)
    }
    for number, (wire, line) in enumerate(zip(diagram.wires, layout.lines, strict=True)):
        colour = RED if number in panel.in_colour else SOFT if is_faint else INK
        _draw_wire(axes, wire, line, colour)
    for place, (node, box) in enumerate(zip(diagram.nodes, layout.boxes, strict=True)):
        outline = RED if place in on_path else SOFT if is_faint else INK
        _draw_node(axes, node, box, fills.get(node.block, "white"), outline)


def _draw_wire(axes: Axes, wire: Wire, line: Line, colour: str) -> None:
    is_on_path = colour == RED
    arrow = FancyArrowPatch(
        path=_rounded(line.points),
        arrowstyle="-|>,head_length=3.6,head_width=1.7",
        mutation_scale=1,
        shrinkA=0,
        shrinkB=0,
        joinstyle="miter",
        capstyle="butt",
        linewidth=WIRE_IN_COLOUR if is_on_path else WIRE,
        color=colour,
        zorder=2.5 if is_on_path else 2,
        gid="wire",
    )
    axes.add_patch(arrow)
    if wire.label:
        is_on_the_line = len(line.points) > 2 and len(wire.label) > 1
        axes.text(*line.label_at, wire.label, fontsize=SMALL, color=colour, ha="center",
                  va="center", zorder=3, weight="bold" if wire.label == "−" else "normal",
                  bbox=_PAPER if is_on_the_line else None)  # fmt: skip


def _rounded(points: Sequence[Point]) -> Path:
    """The line through the points with round corners."""
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        vertices += [_towards(corner, before), corner, _towards(corner, after)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, points[-1]], [*codes, Path.LINETO])


def _towards(corner: Point, other: Point) -> Point:
    distance = math.dist(corner, other)
    part = min(CORNER, distance / 2) / distance if distance else 0.0
    return tuple(c + part * (o - c) for c, o in zip(corner, other, strict=True))  # type: ignore[return-value]


def _draw_node(axes: Axes, node: Node, box: Box, fill: str, outline: str) -> None:
    axes.add_patch(_outline(node, box, fill, outline))
    # Letters of one height stand on one line; what is higher is put in the middle.
    align = "center" if box.height > HEIGHT else "center_baseline"
    axes.text(box.x, box.y - 0.005, node.label, fontsize=TEXT, color=INK, ha="center", va=align,
              zorder=5)  # fmt: skip
    if node.name:
        axes.text(box.x + box.width / 2 + 0.01, box.y - box.height / 2 + 0.01, node.name,
                  fontsize=SMALL, color=INK, ha="left", va="top", zorder=5)  # fmt: skip


def _outline(node: Node, box: Box, fill: str, outline: str) -> Patch:
    look = {
        "facecolor": {"dot": outline, "map": "#EEEEEE"}.get(node.kind, fill),
        "edgecolor": outline,
        "linewidth": OUTLINE * (1.6 if outline == RED else 1),
        "linestyle": (0, (3, 2)) if node.kind == "remembered" else "-",
        "zorder": 4,
        "gid": node.kind,
    }
    if node.kind in ("sum", "dot") and box.width <= box.height:
        return Circle((box.x, box.y), box.height / 2, **look)
    rounding = 0.03 if node.kind in ("block", "remembered") else 0.45 * box.height
    shape = f"round,pad=0,rounding_size={rounding}"
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    return FancyBboxPatch(corner, box.width, box.height, boxstyle=shape, **look)
