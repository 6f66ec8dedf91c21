"""Signing by a button: the page that asks carries what lies before whoever signs."""


def shown_on(client, url: str) -> dict[str, str]:
    """The hidden fields of the page that asks; none where it is not shown to this person."""
    page = client.get(url)
    return dict(page.context.get("hidden") or ()) if page.status_code == 200 and page.context else {}


def press(client, url: str, *, follow: bool = True, **sent):
    """Open the page that asks, then send its form with what it carries."""
    return client.post(url, shown_on(client, url) | sent, follow=follow)
