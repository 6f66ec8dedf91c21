"""The link graph as SVG: a row a node, ties as lines; every node is a stop for the keyboard (see staff/pictures.py).

The letters keep their size, so each label is cut twice: for the room of a phone and for that of a desk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.rules.graph_layout import Crossing, Layout, Line, Place
from kyc_portal.staff.pictures import joined, picture, wrap
from kyc_portal.staff.templatetags.marks import visible

NARROW, WIDE = 300, 640  # pixels a phone leaves, and a desk
LETTER, STRONG_LETTER = 6.9, 8.2  # the width of an average one
LEFT, STEP, MOST_STEPS_WIDE, LANE = 16, 28, 112, 7
RADIUS, LINE_HEIGHT, AIR = 8, 16, 16
WEAK = 0.35  # a tie below it is drawn dashed
TONES = {"restricted": "warning", "refused": "danger", "open": "good"}


@dataclass(frozen=True)
class GraphNode:
    """What stands at a node: its name, its state and its tie below; what is said when it has the focus; its page."""

    name: str
    detail: str
    tie: str
    steps: str
    told: str
    state: str
    url: str = ""


@dataclass(frozen=True)
class _Grid:
    """Where columns, lanes and labels stand, in pixels from the left, and each row's dot from the top."""

    step: float
    lanes_at: float
    labels_at: float
    dots: list[float]

    def x(self, column: int) -> float:
        return round(LEFT + column * self.step, 1)

    def lane(self, lane: int) -> float:
        return round(self.lanes_at + lane * LANE, 1)


def link_graph(layout: Layout, nodes: Mapping, ties: Sequence[Line], title: str) -> SafeString:
    """Draw what `lay_out` placed; `nodes` says by key what stands there, `ties` are those the layout was made of."""
    labels = [_label_lines(layout, nodes[place.key]) for place in layout.places]
    tops, height = [], 8.0
    for narrow, wide in labels:
        tops.append(height)
        height += max(len(narrow), len(wide)) * LINE_HEIGHT + AIR
    grid = _grid(layout, tops)
    around = _ties_of(layout, ties)
    lines = [
        _branch(place, layout.places[place.parent], ties[place.branch], grid)
        for place in layout.places
        if place.branch is not None
    ]
    lines += _crossings(layout, ties, grid)
    ends = [*tops[1:], height]
    stops = [
        _node(place, nodes[place.key], label, (top, end - top), grid, around[place.row])
        for place, label, top, end in zip(layout.places, labels, tops, ends, strict=True)
    ]
    drawn = "1 tie" if len(lines) == 1 else f"{len(lines)} ties"
    words = f"{len(layout.places)} in the graph, {drawn} drawn. The table says the same."
    return picture("graph", height, title, words, joined([*lines, *stops]), is_walked=True)


def _grid(layout: Layout, tops: list[float]) -> _Grid:
    step = min(STEP, MOST_STEPS_WIDE / max(layout.columns - 1, 1))
    dots_end = LEFT + (layout.columns - 1) * step + RADIUS
    lanes_at = dots_end + 10
    labels_at = (lanes_at + (layout.lanes - 1) * LANE if layout.lanes else dots_end) + 12
    return _Grid(step, lanes_at, round(labels_at, 1), [top + AIR / 2 + 8 for top in tops])


def _label_lines(layout: Layout, node: GraphNode) -> tuple[list, list]:
    """(class, text) of each line of a label, on a phone and on a desk."""
    labels_at = _grid(layout, []).labels_at
    both = []
    for room, lines in ((NARROW - labels_at, 2), (WIDE - labels_at, 2)):
        found = [("pic-strong", line) for line in wrap(node.name, room / STRONG_LETTER, lines)]
        found += [
            ("pic-quiet", line) for text in (node.detail, node.tie) if text for line in wrap(text, room / LETTER, lines)
        ]
        both.append(found)
    return both[0], both[1]


def _ties_of(layout: Layout, ties: Sequence[Line]) -> list[list[int]]:
    """By row the rows it is tied to by a drawn line, the strongest tie first."""
    rows = {place.key: place.row for place in layout.places}
    drawn = {place.branch for place in layout.places} - {None} | {crossing.tie for crossing in layout.crossings}
    around: list[list] = [[] for _ in layout.places]
    for number in sorted(drawn):
        a, b = rows[ties[number].a], rows[ties[number].b]
        around[a].append((-ties[number].strength, b))
        around[b].append((-ties[number].strength, a))
    return [list(dict.fromkeys(row for _, row in sorted(found))) for found in around]


def _line_class(strength: float) -> str:
    """Five widths, one for each fifth of the strength; a weak tie is dashed as well."""
    width = min(max(int(strength * 5) + 1, 1), 5)
    return f"graph-line graph-line-{width}" + (" pic-again" if strength < WEAK else "")


def _branch(place: Place, parent: Place, tie: Line, grid: _Grid) -> SafeString:
    x, y, end_x, end_y = grid.x(parent.column), grid.dots[parent.row], grid.x(place.column), grid.dots[place.row]
    bend = min(8, grid.step / 2)
    return format_html(
        '<path class="{}" d="M{} {}V{}Q{} {} {} {}H{}"/>',
        _line_class(tie.strength), x, y + RADIUS + 2, end_y - bend, x, end_y, x + bend, end_y, end_x - RADIUS - 2,
    )  # fmt: skip


def _crossings(layout: Layout, ties: Sequence[Line], grid: _Grid) -> list[SafeString]:
    """Each in its lane; where several leave one node they do so one below the other."""
    ports: dict[int, list[int]] = {}
    for crossing in sorted(layout.crossings, key=lambda each: (each.lane, each.upper)):
        for row in (crossing.upper, crossing.lower):
            ports.setdefault(row, []).append(crossing.tie)
    return [_crossing(each, layout, ties[each.tie], ports, grid) for each in layout.crossings]


def _crossing(crossing: Crossing, layout: Layout, tie: Line, ports: dict, grid: _Grid) -> SafeString:
    ends = []
    for row in (crossing.upper, crossing.lower):
        among = ports[row]
        spread = min(4, 2 * (RADIUS - 2) / max(len(among) - 1, 1))
        y = grid.dots[row] + (among.index(crossing.tie) - (len(among) - 1) / 2) * spread
        ends.append((grid.x(layout.places[row].column) + RADIUS + 2, round(y, 1)))
    (x, y), (end_x, end_y) = ends
    lane = grid.lane(crossing.lane)
    return format_html(
        '<path class="{}" d="M{} {}H{}Q{} {} {} {}V{}Q{} {} {} {}H{}"/>',
        f"{_line_class(tie.strength)} graph-crossing", x, y, lane - 5, lane, y, lane, y + 5, end_y - 5, lane, end_y,
        lane - 5, end_y, end_x,
    )  # fmt: skip


def _node(
    place: Place, node: GraphNode, label: tuple[list, list], room: tuple[float, float], grid: _Grid, around: list[int]
) -> SafeString:
    top, height = room
    drawn = [
        format_html('<rect class="graph-room" x="1" y="{}" width="99%" height="{}" rx="6"/>', top + 1, height - 2),
        _mark(node.state, grid.x(place.column), grid.dots[place.row], is_start=place.row == 0),
        _lines("graph-narrow", label[0], grid.labels_at, top),
        _lines("graph-wide", label[1], grid.labels_at, top),
    ]  # fmt: skip
    head = ", ".join(filter(None, (visible(node.name), visible(node.detail), node.steps)))
    told = f"{head}. {node.told}".strip()
    facts = format_html(
        'class="graph-node" data-node="{}" data-toward="{}" data-ties="{}" data-told="{}" aria-label="{}"',
        place.row, "" if place.parent is None else place.parent, " ".join(str(row) for row in around), told,
        ", ".join(filter(None, (head, visible(node.tie)))),
    )  # fmt: skip
    if node.url:
        return format_html(
            '<a href="{}" {}><title>{}</title>{}</a>', node.url, facts, visible(node.name), joined(drawn)
        )
    return format_html(
        '<g tabindex="0" role="img" {}><title>{}</title>{}</g>', facts, visible(node.name), joined(drawn)
    )


def _lines(kind: str, lines: list, x: float, top: float) -> SafeString:
    written = [
        format_html(
            '<text class="{}" x="{}" y="{}">{}</text>', name, x, top + AIR / 2 + 12 + number * LINE_HEIGHT, text
        )
        for number, (name, text) in enumerate(lines)
    ]
    return format_html('<g class="{}">{}</g>', kind, joined(written))


def _mark(state: str, x: float, y: float, *, is_start: bool) -> SafeString:
    """A shape for each state: a dot for open, a square for closed, a triangle for restricted, a diamond for refused."""
    shapes = {
        "closed": ('<rect class="pic-mark" x="{}" y="{}" width="14" height="14"/>', x - 7, y - 7),
        "restricted": ('<path class="pic-mark" d="M{} {}l8 15h-16z"/>', x, y - 9),
        "refused": ('<path class="pic-mark" d="M{} {}l9 9l-9 9l-9 -9z"/>', x, y - 9),
        "remembered": ('<circle class="pic-mark pic-again" cx="{}" cy="{}" r="7"/>', x, y),
        "owner": ('<circle class="pic-mark" cx="{}" cy="{}" r="5"/>', x, y),
    }
    shape = format_html(*shapes.get(state, ('<circle class="pic-mark" cx="{}" cy="{}" r="7"/>', x, y)))
    ring = format_html('<circle class="graph-start" cx="{}" cy="{}" r="12"/>', x, y) if is_start else ""
    return format_html('<g class="tone-{}">{}{}</g>', TONES.get(state, "neutral"), ring, shape)
