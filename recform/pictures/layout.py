"""Where the boxes and wires of a diagram stand, in inches.

Every node has a column of its own, in the order of the diagram, and stands in its lane. A wire to
the next node of the lane runs straight. Any other goes straight up or down out of its node into
the channel between two lanes, along a track of it, and straight down or up into the node that
reads it. Columns belong to one node each, so no wire crosses a box. Wires from one node share
their track; a track holds as many nodes' wires as fit beside each other, short ones inside.

>>> from recform.formula import resolve
>>> from recform.pictures.unrolled import unrolled_diagram
>>> layout = lay_out(unrolled_diagram(resolve("resnet"), depth=2))
>>> len(layout.boxes), len(layout.lines)
(8, 9)
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from recform.pictures.diagram import Diagram, Node, Wire
from recform.pictures.theme import POINTS_PER_INCH, SMALL, TEXT
from recform.pictures.typeset import text_height, text_width

Point = tuple[float, float]

# Inches.
HEIGHT = 0.27
CIRCLE = 0.2
DOT = 0.06
PADDING = 0.1
GAP = 0.22
CLEARANCE = 0.19
TRACK = 0.13
PORT = 0.09
# Space for a name below what stands lowest.
NAME = 0.15

ABOVE, BELOW = "above", "below"


@dataclass(frozen=True)
class Box:
    """Middle, width and height of a node."""

    x: float
    y: float
    width: float
    height: float

    def edge(self, side: str, x: float) -> float:
        """The height at which the outline is met from above or below, at a place of its width."""
        half = self.height / 2
        beside = max(0.0, abs(x - self.x) - (self.width / 2 - half))
        # The ends are half circles where the node is a circle; boxes are nearly met.
        drop = (half**2 - min(beside, half) ** 2) ** 0.5 if self.width <= 2 * CIRCLE else half
        return self.y + (drop if side == ABOVE else -drop)


@dataclass(frozen=True)
class Line:
    """A wire's corners from its source to its target, and where its label stands."""

    points: tuple[Point, ...]
    label_at: Point


@dataclass(frozen=True)
class Layout:
    """Places for the nodes and wires of a diagram, in its order; y goes up from 0."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """The channel that a wire runs in, and the sides where it leaves and enters nodes."""

    channel: int
    leaves: str
    enters: str

    @property
    def net(self) -> tuple[int, str]:
        """What wires of one source share."""
        return self.channel, self.leaves


# The wires that share a track: their source, channel, and side of the source.
Net = tuple[int, tuple[int, str]]
# A node, one of its sides, and the wire that enters there; None for those that leave.
Port = tuple[int, str, "int | None"]


def lay_out(diagram: Diagram) -> Layout:
    """The places of everything in a diagram."""
    routes = _routes(diagram)
    ports = _ports(diagram, routes)
    widths = [_width(node, place, ports) for place, node in enumerate(diagram.nodes)]
    columns = _columns(diagram, widths, routes)
    spans = _spans(diagram, routes, ports, columns)
    tracks = _tracks(spans)
    lanes, first_tracks, height = _heights(diagram, tracks)
    boxes = tuple(
        Box(columns[place], lanes[node.lane], widths[place], _height(node))
        for place, node in enumerate(diagram.nodes)
    )
    lines = []
    for number, wire in enumerate(diagram.wires):
        source, target = boxes[wire.source], boxes[wire.target]
        if number not in routes:
            lines.append(_straight(source, target))
            continue
        route = routes[number]
        outward = 1 if route.channel == 0 else -1
        y = first_tracks[route.channel] + outward * TRACK * tracks[wire.source, route.net]
        first = source.x + ports[wire.source, route.leaves, None]
        last = target.x + ports[wire.target, route.enters, number]
        lines.append(_bent(source, target, route, (first, y, last), wire.label))
    return Layout(boxes, tuple(lines), columns[-1] + widths[-1] / 2, height)


def _routes(diagram: Diagram) -> dict[int, Route]:
    """The routes of all wires that do not run straight."""
    neighbours = _neighbours(diagram)
    routes = {}
    for number, wire in enumerate(diagram.wires):
        if neighbours.get(wire.source) == wire.target:
            # A second wire between the same two goes around.
            neighbours[wire.source] = None
        else:
            routes[number] = _route(diagram, wire)
    return routes


def _neighbours(diagram: Diagram) -> dict[int, int | None]:
    """The next node of the lane, for each node that has one."""
    last: dict[int, int] = {}
    neighbours: dict[int, int | None] = {}
    for place, node in enumerate(diagram.nodes):
        if node.lane in last:
            neighbours[last[node.lane]] = place
        last[node.lane] = place
    return neighbours


def _route(diagram: Diagram, wire: Wire) -> Route:
    """Between lanes the channel next to the source; within one the outer side, and below what is
    subtracted where there is one lane only."""
    source, target = diagram.nodes[wire.source].lane, diagram.nodes[wire.target].lane
    if source < target:
        return Route(source + 1, BELOW, ABOVE)
    if source > target:
        return Route(source, ABOVE, BELOW)
    is_single = all(node.lane == 0 for node in diagram.nodes)
    is_minus = wire.label.startswith("−")
    if source == 0 and not (is_single and is_minus):
        return Route(0, ABOVE, ABOVE)
    return Route(source + 1, BELOW, BELOW)


def _ports(diagram: Diagram, routes: dict[int, Route]) -> dict[Port, float]:
    """How far beside the middle of its node each wire enters or leaves.

    From the left: what enters from nearby, what enters from afar on outer tracks, what leaves.
    """
    sides: defaultdict[tuple[int, str], list[tuple[int, int | None]]] = defaultdict(list)
    for number, route in routes.items():
        wire = diagram.wires[number]
        sides[wire.target, route.enters].append((wire.target - wire.source, number))
        way_out = (len(diagram.nodes), None)
        if way_out not in sides[wire.source, route.leaves]:
            sides[wire.source, route.leaves].append(way_out)
    ports: dict[Port, float] = {}
    for (node, side), ways in sides.items():
        ordered = sorted(ways, key=lambda way: way[0])
        for place, (_, number) in enumerate(ordered):
            ports[node, side, number] = (place - (len(ways) - 1) / 2) * PORT
    return ports


def _width(node: Node, place: int, ports: dict[Port, float]) -> float:
    """Room for the label and for the wires that enter and leave."""
    used = max((abs(x) for (owner, _, _), x in ports.items() if owner == place), default=0.0)
    if node.kind == "dot":
        return max(DOT, 2 * used)
    if node.label == "+":
        return max(CIRCLE, 2 * used + PORT + 0.02)
    return max(HEIGHT, 2 * used + PORT, label_width(node.label, TEXT) + PADDING)


def _height(node: Node) -> float:
    if node.kind == "dot":
        return DOT
    if node.label == "+":
        return CIRCLE
    return max(HEIGHT, text_height(node.label, TEXT) / POINTS_PER_INCH + PADDING)


def label_width(label: str, size: float) -> float:
    """Inches that a label takes."""
    return (text_width(label, size) or 0.0) / POINTS_PER_INCH


def _columns(diagram: Diagram, widths: list[float], routes: dict[int, Route]) -> list[float]:
    """The middles of the columns: a gap between neighbours, and room for names and labels."""
    columns = [widths[0] / 2]
    for place in range(1, len(widths)):
        before = columns[-1] + widths[place - 1] / 2
        name = label_width(diagram.nodes[place - 1].name, SMALL)
        starts = [before + max(GAP, name + 0.06)]
        for number, wire in diagram.into(place):
            if number not in routes and wire.label:
                room = label_width(wire.label, SMALL) + 0.14
                starts.append(columns[wire.source] + widths[wire.source] / 2 + room)
        columns.append(max(starts) + widths[place] / 2)
    return columns


def _spans(
    diagram: Diagram, routes: dict[int, Route], ports: dict[Port, float], columns: list[float]
) -> dict[Net, tuple[float, float]]:
    """From where to where each net runs along its track."""
    spans: dict[Net, tuple[float, float]] = {}
    for number, route in routes.items():
        wire = diagram.wires[number]
        net = (wire.source, route.net)
        first = columns[wire.source] + ports[wire.source, route.leaves, None]
        last = columns[wire.target] + ports[wire.target, route.enters, number]
        low, high = spans.get(net, (first, last))
        spans[net] = (min(low, first, last), max(high, first, last))
    return spans


def _tracks(spans: dict[Net, tuple[float, float]]) -> dict[Net, int]:
    """The track of each net in its channel: short ones inside, none over another."""
    tracks: dict[Net, int] = {}
    taken: defaultdict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for net in sorted(spans, key=lambda net: (spans[net][1] - spans[net][0], net)):
        low, high = spans[net]
        channel = net[1][0]
        track = 0
        while any(low < end and first < high for first, end in taken[channel, track]):
            track += 1
        taken[channel, track].append((low, high))
        tracks[net] = track
    return tracks


def _heights(diagram: Diagram, tracks: dict[Net, int]) -> tuple[list[float], list[float], float]:
    """The middles of the lanes, the first track of each channel, and the height of it all."""
    num_lanes = 1 + max(node.lane for node in diagram.nodes)
    num_tracks = [0] * (num_lanes + 1)
    for (_, (channel, _)), track in tracks.items():
        num_tracks[channel] = max(num_tracks[channel], track + 1)
    rooms = [CLEARANCE + TRACK * (number - 1) if number else 0.0 for number in num_tracks]
    # Counted down from the top.
    depth = rooms[0]
    lanes, first_tracks = [], [depth - CLEARANCE]
    for lane in range(num_lanes):
        height = max([HEIGHT, *(_height(node) for node in diagram.nodes if node.lane == lane)])
        lanes.append(depth + height / 2)
        depth += height
        first_tracks.append(depth + CLEARANCE)
        is_last = lane == num_lanes - 1
        depth += max(rooms[lane + 1], NAME) + (0 if is_last else CLEARANCE)
    return [depth - y for y in lanes], [depth - y for y in first_tracks], depth


def _straight(source: Box, target: Box) -> Line:
    first, last = source.x + source.width / 2, target.x - target.width / 2
    return Line(
        ((first, source.y), (last, target.y)), ((first + last) / 2 - 0.02, source.y + 0.075)
    )


def _bent(
    source: Box, target: Box, route: Route, way: tuple[float, float, float], label: str
) -> Line:
    """Out of the source, along the track, and into the target."""
    first, y, last = way
    end = target.edge(route.enters, last)
    points = ((first, source.edge(route.leaves, first)), (first, y), (last, y), (last, end))
    if len(label) == 1:
        # A sign stands beside the point of the arrow.
        return Line(points, (last - 0.055, end + (0.1 if y > end else -0.1)))
    beside = label_width(label, SMALL) / 2 + 0.1
    return Line(points, (last - beside if first < last else last + beside, y))
