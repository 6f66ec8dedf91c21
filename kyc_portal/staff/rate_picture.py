"""A rate and how sure it is, as SVG; the figures stand in a table beside it (see pictures.py for the manner)."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from kyc_portal.staff.pictures import picture


def interval(rate: float, low: float, high: float, title: str = "Rate") -> SafeString:
    """A rate with the bounds it lies between (0 to 1) on a line from 0 to 100 percent; the bar is the interval."""
    words = f"{rate:.1%}, between {low:.1%} and {high:.1%}"
    body = format_html(
        '<g class="tone-neutral"><text class="pic-strong" x="0" y="14">{}</text>'
        '<text class="pic-quiet pic-end" x="100%" y="14">{} to {}</text>'
        '<rect class="pic-track" x="0" y="22" width="100%" height="12" rx="2"/>'
        '<rect class="pic-bar" x="{}%" y="22" width="{}%" height="12" rx="2"/></g>{}'
        '<text class="pic-quiet" x="0" y="50">0%</text><text class="pic-quiet pic-end" x="100%" y="50">100%</text>',
        f"{rate:.1%}",
        f"{low:.1%}",
        f"{high:.1%}",
        f"{low * 100:.2f}",
        f"{(high - low) * 100:.2f}",
        format_html('<rect class="pic-point" x="{}%" y="18" width="3" height="20"/>', f"{min(rate, 0.99) * 100:.2f}"),
    )
    return picture("interval", 56, title, words, body)
