"""The template tags of the one look: `{% load kyc %}`."""

from datetime import date

from django import template
from django.utils.safestring import SafeString

from kyc_portal.staff import access_picture, pictures
from kyc_portal.staff.templatetags import marks

register = template.Library()

register.filter("cell", marks.cell)
register.filter("visible", marks.visible, is_safe=True)  # safe HTML stays safe: a code in words replaces one sign
register.filter("tone_class", marks.tone_class)
register.simple_tag(marks.moment, name="moment")
register.simple_tag(marks.masked, name="masked")


@register.simple_tag
def badge(text: object, tone: str = "") -> SafeString:
    """A state in a badge: `{% badge "Active" "good" %}`, or an object with text and tone."""
    if hasattr(text, "text"):
        return marks.badge(text.text, text.tone)
    return marks.badge(text, tone)


@register.simple_tag
def clock(due: object, today: date | None = None, kind: str = "legal", label: str = "") -> SafeString | str:
    """A clock: `{% clock due today "own" %}`, or a Clock by itself; nothing at all when nothing is due."""
    if due is None or due == "":
        return ""
    if hasattr(due, "__html__"):
        return marks.cell(due)
    return marks.clock(due, today, kind, label=label)


@register.simple_tag
def owner_tree(node: object, title: str = "Owners") -> SafeString:
    """The tree of owners as a picture; put the same facts in a table beside it."""
    return pictures.owner_tree(node, title=title)


@register.simple_tag
def bars(rows: list, title: str = "Counts") -> SafeString:
    """Bars for rows of (label, value, tone)."""
    return pictures.bars(rows, title=title)


@register.simple_tag
def strip(section: object) -> SafeString:
    """Access over time of a section `Strip`: the anonymised part hatched, acts and gaps below."""
    return access_picture.access_strip(section.days, section.title, first=section.first, last=section.last)


@register.simple_tag
def steps(points: list, today: date | None = None, title: str = "Due dates") -> SafeString:
    """A stepped line of how many are due by each day, from (date, count)."""
    return pictures.steps(points, today=today, title=title)


@register.simple_tag(takes_context=True)
def section_body(context: template.Context, name: str, values: dict | None = None) -> SafeString:
    """A section that brings its own template: rendered with the page's context and, above it, its own values."""
    with context.push(**(values or {})):
        return context.template.engine.get_template(name).render(context)
