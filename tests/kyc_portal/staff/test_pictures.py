"""Pictures: hostile names stay text, long names are cut, shares and counts are said in words."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest

from kyc_portal.staff import access_picture, pictures
from kyc_portal.staff.rate_picture import interval

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script>"\'&</text><a href="javascript:x">'
LONG = "Gesellschaft für Beteiligungen " * 7
MONDAY = date(2025, 11, 24)


@dataclass
class Owner:
    name: str
    detail: str = ""
    percent: str = ""
    tone: str = ""
    children: list = field(default_factory=list)


def parsed(svg):
    """The picture as XML: it is well formed, or this raises."""
    return ElementTree.fromstring(svg)  # noqa: S314 (our own picture)


def words_of(svg):
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def every_picture(text):
    return {
        "owner_tree": pictures.owner_tree(Owner(text, text, text, text, [Owner(text, text, text)]), title=text),
        "bars": pictures.bars([(text, 3, text)], title=text),
        "access_strip": access_picture.access_strip([(MONDAY, 3, 1, 2)], title=text),
        "hour_columns": access_picture.hour_columns([0, 3] * 12, title=text),
        "steps": pictures.steps([(MONDAY, 3)], today=MONDAY, title=text),
        "interval": interval(0.1, 0.07, 0.14, title=text),
    }


class TestEveryPicture:
    @pytest.mark.parametrize("kind", ["owner_tree", "bars", "access_strip", "hour_columns", "steps", "interval"])
    def test_it_escapes_hostile_text(self, kind):
        svg = every_picture(HOSTILE)[kind]

        tags = {element.tag.removeprefix(SVG) for element in parsed(svg).iter()}

        allowed = {"svg", "title", "desc", "g", "path", "circle", "rect", "line", "text", "tspan", "pattern"}
        assert tags <= allowed
        assert "<script" not in svg

    @pytest.mark.parametrize("kind", ["owner_tree", "bars", "access_strip", "hour_columns", "steps", "interval"])
    def test_it_has_a_title_and_a_description_and_nothing_inline(self, kind):
        svg = every_picture("Globex")[kind]
        root = parsed(svg)

        assert root[0].tag == f"{SVG}title" and root[0].text
        assert root[1].tag == f"{SVG}desc" and root[1].text
        assert root.get("role") == "img"
        for element in root.iter():
            assert not [name for name in element.attrib if name == "style" or name.startswith("on")]

    def test_it_shows_direction_marks_as_their_code(self):
        svg = pictures.bars([("a\u202egnp.exe", 1, "")])

        assert "\u202e" not in svg
        assert "⟨U+202E⟩" in words_of(svg)[0]


class TestOwnerTree:
    def test_it_shows_name_detail_and_percent(self):
        tree = Owner("Globex", children=[Owner("Li Wei", "director, CN", "51.00%", "danger")])

        words = words_of(pictures.owner_tree(tree))

        assert "Li Wei" in words
        assert "51.00% director, CN" in words

    def test_it_cuts_a_long_name_and_keeps_it_whole_in_the_title(self):
        svg = pictures.owner_tree(Owner("Globex", children=[Owner(LONG)]))

        titles = [title.text for title in parsed(svg).iter(f"{SVG}title")]

        assert LONG.strip() in [title.strip() for title in titles]
        assert max(pictures.letters_wide(line) for line in words_of(svg)) <= pictures.LABEL_LETTERS
        assert any(line.endswith("…") for line in words_of(svg))

    def test_it_stops_indenting_but_not_drawing_deep_chains(self):
        tree = Owner("bottom")
        for level in range(60):
            tree = Owner(f"level {level}", children=[tree])

        svg = pictures.owner_tree(tree)

        furthest = max(float(text.get("x")) for text in parsed(svg).iter(f"{SVG}text"))
        assert furthest <= 10 + pictures.TREE_LEVELS_INDENTED * pictures.TREE_INDENT + 14
        assert "bottom" in words_of(svg)

    def test_remarks_get_lines_of_their_own_and_repeats_are_dashed(self):
        again = Owner("Globex")
        again.marks, again.repeats = ("controls", "closes a circle"), True

        svg = pictures.owner_tree(Owner("Initech", children=[Owner("Li Wei"), again]))

        words = words_of(svg)
        assert {"controls", "closes a circle"} <= set(words)
        assert [line.get("class") for line in parsed(svg).iter(f"{SVG}path")] == ["pic-line", "pic-line pic-again"]
        assert "1 of them stand elsewhere" in parsed(svg)[1].text

    def test_it_says_how_many_it_leaves_out(self):
        tree = Owner("Globex", children=[Owner(f"Owner {n}") for n in range(pictures.TREE_ROWS_MOST + 4)])

        assert "and 5 more, in the table" in words_of(pictures.owner_tree(tree))

    @pytest.mark.parametrize(
        ("tone", "tag"), [("danger", "path"), ("warning", "path"), ("good", "circle"), ("", "circle")]
    )
    def test_its_marks_differ_in_shape(self, tone, tag):
        root = parsed(pictures.owner_tree(Owner("Globex", tone=tone)))

        (mark,) = [element for element in root.iter() if element.get("class") == "pic-mark"]
        assert mark.tag == f"{SVG}{tag}"


class TestBars:
    def test_the_largest_fills_the_room(self):
        root = parsed(pictures.bars([("Germany", 1200, ""), ("China", 300, "warning"), ("None", 0, "")]))

        widths = [bar.get("width") for bar in root.iter(f"{SVG}rect") if bar.get("class") == "pic-bar"]
        assert widths == ["100.00%", "25.00%", "0.00%"]

    def test_it_writes_the_count_at_the_bar(self):
        words = words_of(pictures.bars([("Germany", 1200, ""), ("Share", Decimal("12.5"), "")]))

        assert "1,200" in words
        assert "12.5" in words

    @pytest.mark.parametrize("rows", [[], [("None", 0, "")], [("Below", -3, "")]])
    def test_it_draws_nothing_without_a_count(self, rows):
        root = parsed(pictures.bars(rows))

        assert all(bar.get("width") == "0.00%" for bar in root.iter(f"{SVG}rect") if bar.get("class") == "pic-bar")


class TestSteps:
    def test_it_counts_up_and_marks_today(self):
        points = [(MONDAY + timedelta(days=9), 4), (MONDAY - timedelta(days=1), 2)]

        svg = pictures.steps(points, today=MONDAY)

        assert "today, 2 before" in words_of(svg)
        assert any("6 in all" in words for words in words_of(svg))
        assert len([line for line in parsed(svg).iter(f"{SVG}line") if line.get("class") == "pic-today"]) == 1

    def test_it_says_so_when_nothing_is_due(self):
        assert words_of(pictures.steps([])) == ["Nothing is due."]


class TestWrap:
    @pytest.mark.parametrize(
        ("text", "lines"),
        [
            ("short", ["short"]),
            ("one bird here", ["one bird", "here"]),
            ("x" * 25, ["x" * 10, "x" * 9 + "…"]),
            ("", [""]),
            ("株式会社日本", ["株式会社日", "本"]),
        ],
    )
    def test_it_breaks_at_spaces_and_cuts_the_last_line(self, text, lines):
        assert pictures.wrap(text, 10) == lines


class TestInterval:
    def test_it_says_rate_and_bounds_and_draws_them_in_proportion(self):
        svg = interval(0.1, 0.07, 0.14)

        assert words_of(svg) == ["10.0%", "7.0% to 14.0%", "0%", "100%"]
        _, bar, point = parsed(svg).iter(f"{SVG}rect")
        assert (bar.get("x"), bar.get("width"), point.get("x")) == ("7.00%", "7.00%", "10.00%")
        assert parsed(svg).find(f"{SVG}desc").text == "10.0%, between 7.0% and 14.0%"

    def test_the_mark_of_a_whole_stays_inside(self):
        *_, point = parsed(interval(1.0, 0.9, 1.0)).iter(f"{SVG}rect")

        assert point.get("x") == "99.00%"
