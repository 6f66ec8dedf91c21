"""Tags and templates of the one look: escaping, words of the clocks, contrast of the tokens, nothing inline."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe

from kyc_portal.staff.sections import Strip
from kyc_portal.staff.templatetags import kyc, marks

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATES = REPOSITORY / "templates"
STYLES = REPOSITORY / "kyc_portal" / "staff" / "static" / "staff"
HOSTILE = "<script>alert(1)</script>\"'&"
NOON = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
SUNDAY = date(2025, 11, 23)


@dataclass
class Owner:
    name: str
    detail: str = ""
    percent: str = ""
    tone: str = ""
    children: list = field(default_factory=list)


def rendered(source, **values):
    return Template("{% load kyc %}" + source).render(Context(values))


class TestEscaping:
    @pytest.mark.parametrize(
        "source",
        [
            "{% badge text %}",
            "{% badge text text %}",
            "{% clock day day 'own' text %}",
            "{% masked text text %}",
            "{{ text|cell }}",
            "{{ text|visible }}",
            "{% owner_tree owner text %}",
            "{% bars rows text %}",
            "{% strip strip %}",
            "{% steps points day text %}",
        ],
    )
    def test_it_escapes_hostile_text_in_every_tag(self, source):
        html = rendered(
            source,
            text=HOSTILE,
            day=SUNDAY,
            owner=Owner(HOSTILE, HOSTILE, HOSTILE, HOSTILE, [Owner(HOSTILE)]),
            rows=[(HOSTILE, 1, HOSTILE)],
            strip=Strip("days", HOSTILE, [(SUNDAY, 2, 1)]),
            points=[(SUNDAY, 1)],
        )

        assert "<script" not in html
        assert "alert(1)" in html

    def test_it_leaves_safe_cells_as_they_are(self):
        assert rendered("{{ value|cell }}", value=mark_safe("<b>bold</b>")) == "<b>bold</b>"
        assert 'class="badge tone-good"' in rendered("{{ value|cell }}", value=marks.Badge("Active", "good"))

    def test_it_shows_control_and_direction_characters_as_codes(self):
        assert marks.visible("a\u202eb\x00c\u2066d") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+2066⟩d"
        assert marks.visible("two\nlines") == "two\nlines"

    def test_it_keeps_safe_html_safe_when_it_shows_codes(self):
        assert rendered("{{ value|visible }}", value=mark_safe("<td>a\u202eb</td>")) == "<td>a⟨U+202E⟩b</td>"


class TestBadge:
    @pytest.mark.parametrize("tone", ["danger", "warning", "good", "info"])
    def test_it_wears_its_tone(self, tone):
        assert marks.badge("Limited", tone) == f'<span class="badge tone-{tone}">Limited</span>'

    @pytest.mark.parametrize("tone", ["", None, "purple", '"><script>'])
    def test_it_is_neutral_without_a_known_tone(self, tone):
        assert marks.badge("Limited", tone) == '<span class="badge tone-neutral">Limited</span>'

    def test_it_takes_an_object_with_text_and_tone(self):
        assert kyc.badge(marks.Badge("Active", "good")) == marks.badge("Active", "good")


class TestClock:
    @pytest.mark.parametrize(
        ("due", "words", "tone"),
        [
            (date(2025, 12, 23), "due in 30 days (23 Dec)", "neutral"),
            (date(2025, 11, 29), "due in 6 days (29 Nov)", "neutral"),
            (date(2025, 11, 28), "due in 5 days (28 Nov)", "warning"),
            (date(2025, 11, 26), "due in 3 days (26 Nov)", "warning"),
            (date(2025, 11, 24), "due tomorrow (24 Nov)", "warning"),
            (SUNDAY, "due today (23 Nov)", "warning"),
            (date(2025, 11, 22), "1 day overdue (22 Nov)", "danger"),
            (date(2025, 11, 13), "10 days overdue (13 Nov)", "danger"),
            (date(2026, 11, 23), "due in 365 days (23 Nov 2026)", "neutral"),
        ],
    )
    def test_it_says_how_long_is_left(self, due, words, tone):
        html = rendered("{% clock due today %}", due=due, today=SUNDAY)

        assert f"<strong>{words}</strong>" in html
        assert f"tone-{tone}" in html

    def test_the_laws_clock_and_our_own_differ_in_look_and_word(self):
        law, proposed, own = (marks.clock(SUNDAY, SUNDAY, kind) for kind in ("legal", "proposed", "own"))

        assert "clock-legal" in law and ">law<" in law
        assert "clock-proposed" in proposed and ">proposed rule<" in proposed
        assert "clock-own" in own and ">own policy<" in own

    def test_it_refuses_a_kind_it_does_not_know(self):
        with pytest.raises(ValueError, match="legal, proposed or own"):
            marks.clock(SUNDAY, SUNDAY, "mine")

    def test_it_shows_nothing_when_nothing_is_due(self):
        assert rendered("{% clock due today %}", due=None, today=SUNDAY) == ""

    def test_it_takes_a_clock_by_itself(self):
        assert kyc.clock(marks.Clock(SUNDAY, SUNDAY, "own")) == marks.clock(SUNDAY, SUNDAY, "own")

    def test_a_moment_counts_on_the_viewers_day(self):
        late = datetime(2025, 11, 23, 23, 30, tzinfo=UTC)

        with timezone.override(ZoneInfo("Asia/Tokyo")):
            assert "due tomorrow (24 Nov)" in marks.clock(late, SUNDAY)


class TestMoment:
    def test_it_shows_the_viewers_zone_and_utc_in_the_title(self):
        with timezone.override(ZoneInfo("Europe/Berlin")):
            html = rendered("{% moment at %}", at=NOON)

        assert html == (
            '<time datetime="2025-11-23T12:00:00+00:00" title="23 Nov 2025, 12:00 UTC">23 Nov 2025, 13:00</time>'
        )

    def test_it_writes_utc_on_a_second_line_when_asked(self):
        assert "<br>" in rendered("{% moment at utc=True %}", at=NOON)
        assert "12:00 UTC</span>" in rendered("{% moment at utc=True %}", at=NOON)

    def test_it_shows_a_day_without_a_time(self):
        assert marks.moment(SUNDAY) == '<time datetime="2025-11-23">23 Nov 2025</time>'

    def test_it_refuses_a_moment_without_a_zone(self):
        with pytest.raises(ValueError, match="time zone"):
            marks.moment(datetime(2025, 11, 23))


class TestMasked:
    def test_it_shows_dots_and_says_what_is_hidden(self):
        html = rendered('{% masked "birth date" %}')

        assert marks.DOTS in html
        assert "birth date is hidden" in html
        assert "<a" not in html

    def test_it_offers_the_page_that_asks_why(self):
        html = rendered('{% masked "birth date" url %}', url="/why/?a=1&b=2")

        assert '<a href="/why/?a=1&amp;b=2">' in html


class TestCell:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (0, "0"),
            (1204, "1,204"),
            (True, "Yes"),
            (False, "No"),
            (None, marks.NOTHING),
            ("", marks.NOTHING),
            ("a", "a"),
        ],
    )
    def test_it_shows_plain_values_in_words(self, value, shown):
        assert marks.cell(value) == shown

    def test_it_shows_days_and_moments_as_such(self):
        assert marks.cell(SUNDAY) == marks.moment(SUNDAY)
        assert marks.cell(NOON) == marks.moment(NOON)


class TestRecordParts:
    def test_a_section_of_facts_is_a_definition_list(self):
        section = {"id": "facts", "title": "Facts", "kind": "facts", "rows": [("Name", HOSTILE), ("Since", None)]}

        html = render_to_string("admin/record/section.html", {"section": section})

        assert "<dt>Name</dt><dd>&lt;script&gt;" in html
        assert 'aria-labelledby="facts-title"' in html

    def test_a_table_without_rows_says_what_would_be_here(self):
        section = {"id": "hits", "title": "Hits", "kind": "table", "head": ["List"], "rows": [], "empty": "No hit yet."}

        html = render_to_string("admin/record/section.html", {"section": section})

        assert "No hit yet." in html
        assert "<table" not in html

    def test_a_table_shows_its_rows_and_the_way_to_the_rest(self):
        section = {"id": "a", "title": "A", "kind": "table", "head": ["Kind"], "rows": [[HOSTILE]], "more_url": "/all/"}

        html = render_to_string("admin/record/section.html", {"section": section})

        assert '<th scope="col">Kind</th>' in html
        assert "<td>&lt;script&gt;" in html
        assert 'href="/all/"' in html

    def test_a_tree_stands_beside_its_table(self):
        table = {"head": ["Owner", "Share"], "rows": [["Li Wei", "51.00%"]]}
        section = {"id": "o", "title": "Owners", "kind": "tree", "node": Owner("Globex"), "table": table}

        html = render_to_string("admin/record/section.html", {"section": section})

        assert "picture-tree" in html
        assert "<td>51.00%</td>" in html

    def test_bars_with_a_head_show_label_and_value_without_the_tone(self):
        section = {"id": "b", "title": "B", "kind": "bars", "head": ["Country", "n"], "rows": [("China", 3, "warning")]}

        html = render_to_string("admin/record/section.html", {"section": section})

        assert "<td>China</td><td>3</td>" in html
        assert "<td>warning</td>" not in html

    def test_the_timeline_has_the_day_as_heading_and_sentences_below(self):
        event = {"at": NOON, "actor": "Ana Reyes", "sentence": f"Limited {HOSTILE}.", "ref": "EV-1"}

        html = render_to_string("admin/record/timeline.html", {"days": [{"day": SUNDAY, "events": [event]}]})

        assert '<h3 class="timeline-day"><time datetime="2025-11-23">' in html
        assert "Limited &lt;script&gt;" in html
        assert "Ana Reyes" in html and "EV-1" in html

    def test_the_head_says_why_an_action_is_off(self):
        actions = [{"label": "Activate account", "url": "/x/", "enabled": False, "why": "Owners are not certified."}]

        html = render_to_string(
            "admin/record/page_head.html",
            {
                "page_head": {"reference": "ACC-1", "title": HOSTILE, "badges": [], "clock": None},
                "more_actions": actions,
            },
        )

        assert 'aria-disabled="true"' in html
        assert "Owners are not certified." in html
        assert "/x/" not in html
        assert "<script" not in html


class TestErrorSummary:
    def test_it_links_each_fault_to_its_field(self):
        class ReasonForm(forms.Form):
            reason = forms.CharField()
            level = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)

        html = render_to_string("admin/parts/error_summary.html", {"form": ReasonForm({})})

        assert '<a href="#id_reason">Reason: ' in html
        assert '<a href="#id_level">Level: ' in html

    def test_it_is_absent_without_faults(self):
        assert render_to_string("admin/parts/error_summary.html", {"form": forms.Form({})}).strip() == ""


def tokens(mode):
    """Every colour token of a mode ("light" or "dark") as (red, green, blue)."""
    pairs = re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", (STYLES / "tokens.css").read_text()
    )
    chosen = {name: light if mode == "light" else dark for name, light, dark in pairs}
    return {name: tuple(int(code[place : place + 2], 16) for place in (1, 3, 5)) for name, code in chosen.items()}


def contrast(one, other):
    """Contrast ratio of two colours as WCAG 2.2 defines it, 1 to 21."""

    def luminance(colour):
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


TEXT_PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-quiet") for ground in ("ground", "surface", "sunken")],
    *[
        (text, ground)
        for text in ("accent", "accent-strong")
        for ground in ("ground", "surface", "sunken", "accent-quiet")
    ],
    *[("ink", f"{tone}-quiet") for tone in (*marks.TONES, "accent")],
    *[(tone, ground) for tone in marks.TONES for ground in (f"{tone}-quiet", "surface", "ground")],
    ("ink-quiet", "accent-quiet"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    *[("on-shade-light", f"shade-{step}") for step in (1, 2)],
    *[("on-shade-strong", f"shade-{step}") for step in (3, 4, 5)],
]
EDGE_PAIRS = [("line-strong", "surface"), ("line-strong", "ground"), ("accent", "sunken"), ("warning", "surface")]


class TestTokens:
    def test_the_measure_is_right(self):
        assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
        assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)

    @pytest.mark.parametrize("mode", ["light", "dark"])
    @pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
    def test_text_can_be_read(self, mode, text, ground):
        colours = tokens(mode)

        assert contrast(colours[text], colours[ground]) >= 4.5

    @pytest.mark.parametrize("mode", ["light", "dark"])
    @pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
    def test_edges_of_controls_and_bars_can_be_seen(self, mode, edge, ground):
        colours = tokens(mode)

        assert contrast(colours[edge], colours[ground]) >= 3

    def test_colours_stand_only_among_the_tokens(self):
        for sheet in STYLES.glob("*.css"):
            if sheet.name not in {"tokens.css", "print.css"}:
                assert not re.findall(r":[^;{}]*#[0-9a-fA-F]{3,8}\b", sheet.read_text()), sheet.name

    def test_every_used_token_exists(self):
        sheets = {sheet.name: sheet.read_text() for sheet in STYLES.glob("*.css")}
        known = set(re.findall(r"(--[\w-]+):", "".join(sheets.values())))

        assert set(re.findall(r"var\((--[\w-]+)", "".join(sheets.values()))) <= known


class TestContentSecurity:
    @pytest.mark.parametrize(
        "path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
    )
    def test_no_template_brings_inline_style_or_script(self, path):
        if path.relative_to(TEMPLATES).parts[0] in {"bundles", "notices"}:
            pytest.skip("read outside the portal")

        html = path.read_text()

        assert not re.search(r"<style|\sstyle=|\son[a-z]+=[\"']|javascript:", html)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html)
        assert not re.search(r"(src|href)=[\"']https?:", html)

    def test_no_style_sheet_asks_another_host(self):
        for sheet in STYLES.glob("*.css"):
            assert not re.search(r"@import|url\([\"']?(https?:|//|data:)", sheet.read_text()), sheet.name
