"""What the page of an account's access is made of: a map, a timeline, networks, hours, each with its table (R18)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, tzinfo

from django.urls import reverse
from django.utils.html import format_html
from django_countries import countries

from accounts.flows.access_seen import MOST_NETWORKS, AccessPicture, Seen
from accounts.models import Account
from accounts.rules.access_hours import days_by_hour, offset_in_words, offset_on
from kyc_portal.staff.access_picture import SeenDay, columns, gaps_told, hour_columns, when
from kyc_portal.staff.pictures import accesses_in_words, counted, day_in_words
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.sections import Bars, Html, Picture, Strip, Table
from kyc_portal.staff.tile_map import tile_map

UNKNOWN = "unknown"
COUNTRY_ROW = "country-"
WINDOWS = {"30": 30, "90": 90, "365": 365, "all": None}
FIRST_SHOWN = "90"
LABELS = {"30": "30 days", "90": "90 days", "365": "365 days", "all": "All days"}


def with_door(sections: Sequence, account: Account, user) -> list:
    """The access sections of an account's page, the first with the way to all; none for who sees no access records."""
    if not page_named("accounts:access").opens_to(user, "GET"):
        return []
    address = reverse("accounts:access", args=[account.pk])
    first, *others = sections
    return [replace(first, url=address, url_label="Map, timeline, networks, hours"), *others]


def windows(shown: str) -> list[dict]:
    """The choices of how far back, the present one marked."""
    return [{"label": LABELS[code], "url": f"?days={code}", "is_shown": code == shown} for code in WINDOWS]


def told(seen: AccessPicture, today: date) -> list[str]:
    """What the pictures below say together, and what they cannot say."""
    span = f"from {day_in_words(seen.since)} to {day_in_words(seen.until)}"
    ago = (today - seen.until).days
    since = f" Nothing since: {ago:,} days." if ago > 1 else ""
    acts = sum(day.acts for day in seen.days)
    hidden = f"{seen.hidden / seen.public:.0%}" if seen.public else "0%"
    return [
        f"{accesses_in_words(seen.total - acts)} and {counted(acts, 'administrative act', 'administrative acts')} "
        f"{span}, the last day with any.{since} "
        f"{seen.public:,} came from public addresses, {hidden} of them through anonymisers.",
        "An address does not show who somebody is, nor where: a country is where its network is said to be. Days and "
        "first and last days are days in UTC.",
    ]


def sections(seen: AccessPicture, zone: tzinfo) -> list:
    """Map, timeline, networks and hours of one window."""
    return [_map(seen.countries), _timeline(seen), _networks(seen), _hours(seen, zone)]


def country_cell(code: str):
    """A country by name as a cell that a tile of the map leads to."""
    name = countries.name(code) or code or UNKNOWN
    return format_html('<span id="{}{}">{}</span>', COUNTRY_ROW, code, name) if code else name


def _map(found: list[Seen]) -> Html:
    rows = [
        [
            country_cell(each.name), each.name, each.count, each.hidden, f"{each.hidden / each.count:.0%}",
            each.first, each.last,
        ]
        for each in found
    ]  # fmt: skip
    head = ["Country", "Code", "Accesses", "Anonymised", "Share", "First day", "Last day"]
    table = Table("map-table", "Accesses by country", head, rows)
    drawn = tile_map([(each.name, each.count, each.hidden) for each in found], "Accesses by country", COUNTRY_ROW)
    context = {"svg": drawn, "table": table, "empty": "No access from a public address is known in this window."}
    note = (
        "By the lists of the day of each access, administrative acts included. Hatched: more than half came through "
        "anonymisers, so that the place says little."
    )
    return Html("map", "From where", "admin/record/map.html", context, note=note if rows else "")


def _timeline(seen: AccessPicture) -> Strip:
    days = [SeenDay(day.day, day.accesses, day.hidden, day.acts, day.acts_hidden) for day in seen.days]
    drawn = columns(days, seen.since, seen.until)
    rows = [
        (each.first, [_unbroken(when(each, drawn)), each.accesses, each.hidden, each.acts, each.acts_hidden])
        for each in drawn if each.accesses or each.acts
    ]  # fmt: skip
    silent = [
        (first, [_unbroken(day_in_words(first)), f"nothing for {length:,} days", "", "", ""])
        for first, length in gaps_told(days, seen.since, seen.until)
    ]
    newest_first = [row for _, row in sorted(rows + silent, key=lambda each: each[0], reverse=True)]
    head = ["When", "Accesses", "Anonymised", "Administrative acts", "Anonymised"]
    table = Table("when-table", "Access over time", head, newest_first)
    return Strip("when", "When", days, table, first=seen.since, last=seen.until, is_wide=True)


def _unbroken(words: str):
    return format_html('<span class="nowrap">{}</span>', words)


def _networks(seen: AccessPicture) -> Bars:
    rows = [(each.name or UNKNOWN, each.count, "") for each in seen.networks]
    told_rows = [[name, each.count, each.hidden, each.first, each.last]
                 for (name, *_), each in zip(rows, seen.networks, strict=True)]  # fmt: skip
    others = seen.public - sum(each.count for each in seen.networks)
    if others:
        told_rows.append(["all other networks", others, "", "", ""])
    table = Table(
        "networks-table", "Networks", ["Network", "Accesses", "Anonymised", "First day", "Last day"], told_rows
    )
    note = f"The {MOST_NETWORKS} networks with the most accesses; {others:,} came by others." if others else ""
    return Bars(
        "networks", "By network", rows, table=table if rows else None, note=note, is_wide=True,
        empty="No network is known. Load a list that names networks: manage.py load_address_ranges.",
    )  # fmt: skip


def _hours(seen: AccessPicture, zone: tzinfo) -> Picture:
    """Local hours; where a zone is off the full hour of UTC, its hours begin at that minute."""
    counts = days_by_hour([(day.day, day.hours) for day in seen.days], zone)
    offset = offset_on(seen.until, zone)
    hours, minute = divmod(int(offset.total_seconds()) // 60, 60)
    in_utc = -hours % 24
    rows = [
        [f"{hour:02d}:{minute:02d}", f"{(hour + in_utc) % 24:02d}:00 UTC", count] for hour, count in enumerate(counts)
    ]
    table = Table("hours-table", "By hour", ["Hour from", "In UTC", "Days with access"], rows)
    drawn = hour_columns(counts, "By hour of the day", utc=in_utc, minute=minute)
    where = f"{zone} ({offset_in_words(offset)} on {day_in_words(seen.until)}); UTC stands below" if offset else "UTC"
    note = f"On how many days something was done in each hour. Your zone is {where}."
    return Picture("hours", "By hour of the day", drawn, table, note=note)
