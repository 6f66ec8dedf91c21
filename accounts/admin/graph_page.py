"""What the page of a link graph is made of: the drawing, what ties each to whom, and a table of the same (R106)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.graph_picture import GraphNode, link_graph
from accounts.flows.links import Node, Tie
from accounts.models import Party
from accounts.rules.graph_layout import Layout, Line, Place, lay_out
from accounts.rules.links import WORDS
from accounts.rules.onboarding import LABELS, AccountStatus
from accounts.rules.rarity import counted, counted_in_full
from kyc_portal.staff.sections import Badge, Link, Table, url_of
from kyc_portal.staff.templatetags.marks import cell, visible

DEPTH = 2
MOST_TOLD = 6  # ties of one node told at once; the table has all of them
MOST_ASKED = 101  # one more than is ever told apart: forty are drawn, and the rest is counted
START = "this customer"
OPEN, CLOSED, REFUSED = (LABELS[each] for each in (AccountStatus.ACTIVE, AccountStatus.CLOSED, AccountStatus.REFUSED))


@dataclass(frozen=True)
class Graph:
    """What a page shows: the drawing (none when nothing is tied), a first sentence, what was left out, the table."""

    svg: SafeString | str
    told: str
    notes: list[str]
    table: Table


def graph_of(nodes: Sequence[Node], ties: Sequence[Tie]) -> Graph:
    """Draw what `neighbourhood` found, its first node being the start. The page is for who may see parties."""
    by_key = {node.key: node for node in nodes}
    start = nodes[0]
    lines = [Line(tie.a, tie.b, tie.score) for tie in ties]
    layout = lay_out(start.key, list(by_key), lines)
    drawn = {place.key: _node(place, by_key, ties) for place in layout.places}
    title = f"Who shares something with {start.reference}"
    svg = link_graph(layout, drawn, lines, title) if len(layout.places) > 1 else ""
    direct = {tie.b if tie.a == start.key else tie.a for tie in ties if start.key in (tie.a, tie.b)}
    told = f"{start.reference} is tied to {_customers(len(direct))} directly. Choose one in the graph to read why."
    return Graph(svg, told, _notes(layout, ties, len(nodes)), _table(layout, by_key, drawn, ties))


def _customers(count: int) -> str:
    return "1 other customer" if count == 1 else f"{count} other customers"


def _notes(layout: Layout, ties: Sequence[Tie], asked: int) -> list[str]:
    notes = []
    if layout.left_out:
        more = f"{len(layout.left_out)} more" + (" or even more" if asked >= MOST_ASKED else "")
        notes.append(f"And {more} further away or more weakly tied: open one of those shown to see who is tied to it.")
    rows = {place.key for place in layout.places}
    no_lane = [number for number in layout.ties_left_out if ties[number].a in rows and ties[number].b in rows]
    if no_lane:
        many = "1 weaker tie" if len(no_lane) == 1 else f"{len(no_lane)} weaker ties"
        notes.append(f"{many} found no room in the picture; the table has all.")
    return notes


def _node(place: Place, by_key: dict, ties: Sequence[Tie]) -> GraphNode:
    node = by_key[place.key]
    said = START if place.row == 0 else node.state
    steps = f"{place.column} {'step' if place.column == 1 else 'steps'} away" if place.column else ""
    towards = "" if place.branch is None else in_short(ties[place.branch])
    return GraphNode(
        node.label, said, towards, steps, " ".join(_told(place.key, by_key, ties)), shape_of(node),
        url_of(node.party) if node.party is not None else "",
    )  # fmt: skip


def shape_of(node: Node) -> str:
    """Which mark stands for a node: remembered, refused, restricted, closed, open, or an owner without an account."""
    if node.party is None:
        return "remembered"
    state = node.state.partition(" (")[0]
    if state == REFUSED:
        return "refused"
    if state == CLOSED:
        return "closed"
    if node.is_restricted:
        return "restricted"
    if state == OPEN:
        return "open"
    return "" if state in LABELS.values() else "owner"


def in_short(tie: Tie) -> str:
    """ "payment card, 3 holders, and 2 more": the most telling value two share."""
    if not tie.shared:
        return ""
    first, *rest = tie.shared
    more = f", and {len(rest)} more" if rest else ""
    return f"{WORDS.get(first.kind, first.kind)}, {counted(first.holders)}{more}"


def in_full(tie: Tie) -> str:
    """Everything two share, each with how many hold it, and how rare that is."""
    return "; ".join(f"{WORDS.get(each.kind, each.kind)}, {counted_in_full(each.holders)}" for each in tie.shared)


def _told(key: UUID, by_key: dict, ties: Sequence[Tie]) -> list[str]:
    """The strongest ties of one node in sentences, and how many more there are."""
    sentences = []
    for tie in ties:
        if key in (tie.a, tie.b):
            other = by_key[tie.b if tie.a == key else tie.a]
            sentences.append(f"With {visible(other.label)}, {tie.score:.0%}: the same {in_full(tie)}.")
    more = len(sentences) - MOST_TOLD
    return [*sentences[:MOST_TOLD], f"And {more} more, in the table."] if more > 0 else sentences


def _table(layout: Layout, by_key: dict, drawn: dict[UUID, GraphNode], ties: Sequence[Tie]) -> Table:
    """A row a node in the order of the picture; each tie stands once, at the lower of its two."""
    rows_of = {place.key: place.row for place in layout.places}
    at: dict[UUID, list[tuple[UUID, Tie]]] = defaultdict(list)
    for tie in ties:
        if tie.a in rows_of and tie.b in rows_of:
            upper, lower = sorted((tie.a, tie.b), key=rows_of.get)
            at[lower].append((upper, tie))
    rows = []
    for place in layout.places:
        node, shown = by_key[place.key], drawn[place.key]
        ties_here = format_html_join(
            "", "<li>{}: {} <strong>{}</strong></li>",
            ((visible(drawn[other].name), in_full(tie), f"{tie.score:.0%}") for other, tie in at[place.key]),
        )  # fmt: skip
        rows.append([
            format_html(
                '{}<br><span class="quiet small">{}</span>',
                cell(Link(shown.name, node.party) if shown.url else shown.name),
                node.reference if node.party is not None else "old reference",
            ),
            Badge(START if place.row == 0 else node.state, "warning" if node.is_restricted else ""),
            place.column, format_html('<ul class="tie-list">{}</ul>', ties_here) if ties_here else "",
        ])  # fmt: skip
    head = ["Customer", "State", "Steps away", "Tied to, by what, how strongly"]
    return Table("graph-table", "The same as a table", head, rows)


def door(party: Party) -> dict:
    """Where the graph of a party is: for a section's head."""
    return {"url": reverse("accounts:links", args=[party.pk]), "url_label": "Show as a graph"}
