"""The admin site: its first page shows each role its waiting work, from tiles each app adds when it is ready."""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.account.utils import get_next_redirect_url
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.db import models
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.staff import own

MOST = 500  # tiles count no further, so that no page counts a table


@dataclass(frozen=True)
class Tile:
    """A kind of waiting work: which rows, for whom (a permission), and the filtered list it links to."""

    title: str
    sentence: str
    permission: str
    rows: Callable[..., models.QuerySet]  # called with user= and today=
    url: str  # name of the admin list
    query: str = ""
    tone: str = "info"


@dataclass(frozen=True)
class ShownTile:
    """A tile as the page shows it."""

    title: str
    sentence: str
    count: int
    more: bool
    url: str
    tone: str


_TILES: list[Tile] = []


def add_tiles(*tiles: Tile) -> None:
    """Called by each app's ready()."""
    _TILES.extend(tiles)


def tiles_for(user, today) -> list[ShownTile]:
    """The tiles this person may see, those with waiting work first; one capped count each."""
    shown = []
    for tile in _TILES:
        if not user.has_perm(tile.permission):
            continue
        count = len(tile.rows(user=user, today=today).order_by().values_list("pk")[: MOST + 1])
        url = reverse(tile.url) + (f"?{tile.query}" if tile.query else "")
        tone = tile.tone if count else ""
        shown.append(ShownTile(tile.title, tile.sentence, min(count, MOST), count > MOST, url, tone))
    return sorted(shown, key=lambda tile: tile.count == 0)


class PortalSite(admin.AdminSite):
    site_header = "KYC portal"
    site_title = "KYC portal"
    index_title = "Waiting work"
    site_url = None
    enable_nav_sidebar = False
    final_catch_all_view = False  # an address that does not exist is a 404 for everybody

    def get_urls(self):
        """Django's own, without the two that answer for any record whatever its page says (trust.md 2.2)."""
        return [url for url in super().get_urls() if getattr(url, "name", None) not in ("view_on_site", "autocomplete")]

    def login(self, request, extra_context=None):
        """There is one way in: /login/."""
        return redirect_to_login(get_next_redirect_url(request) or reverse("admin:index"))

    def password_change(self, request, extra_context=None):
        context = {**self.each_context(request), **(extra_context or {})}
        done = reverse("admin:password_change_done")
        return own.PasswordChange.as_view(success_url=done, extra_context=context)(request)

    def index(self, request, extra_context=None):
        tiles = tiles_for(request.user, legal_day(timezone.now()))
        return super().index(request, {**(extra_context or {}), "tiles": tiles})
