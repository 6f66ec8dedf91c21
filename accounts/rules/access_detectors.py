"""The red flags of how an account is accessed (R46, R82, R83; regulation 3.12). Each docstring is what staff read.

An address is a sign among others: none of these decides anything, and what came through an anonymiser (VPN, hosting,
Tor, relay, satellite) says nothing of a place and is left out wherever places are compared.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from accounts.rules.flags import AccountFacts, Detector, Flag
from accounts.rules.journeys import jumps
from accounts.rules.profile import AccessRow, QuietSpell, counted, enough, percent_of, quiet_spells
from accounts.rules.us_status import US_JURISDICTIONS

ADMIN = "admin"


def impossible_travel(facts: AccountFacts) -> Flag | None:
    """One principal was seen from two countries with less time between than the way takes.

    Compare both records: which network, which user agent, who the principal is. Then ask the customer whether somebody
    else uses the log-in; a borrowed or stolen one looks like this. Countries are all that is known of a place, so the
    way counted is the least there can be, and neighbours raise nothing. Accesses that name no principal are taken
    together.

    Innocent: a telephone that roams comes out in its home country, a company's own gateway or cloud desktop in another
    one; several people share one log-in; the database places a network wrongly; the clock of a source is wrong.

    Source: our own catalogue; ongoing verification of control (R46), how fast somebody travels is our own policy.
    """
    found = jumps(facts.access_visits, facts.limits.access)
    if not found:
        return None
    fastest = min(found, key=lambda jump: (jump.minutes, -jump.km, jump.later.key))
    places = sorted({jump.places for jump in found})
    sentence = (
        f"One principal was seen in {fastest.earlier.country} and {_minutes(fastest.minutes)} later in "
        f"{fastest.later.country}, at least {fastest.km:,} km away."
    )
    records = {"earlier": fastest.earlier.key, "later": fastest.later.key}
    return Flag("impossible_travel", sentence, {"places": places, "times": len(found), "records": records})


def measured_jurisdiction_use(facts: AccountFacts) -> Flag | None:
    """The account was used from a country for which a special measure is recorded or in effect.

    Look at how often and since when, and at what the customer states. Whether the measure means this customer is
    judged on the measure's own page; an observed address never restricts by itself. A U.S. person is not meant by a
    measure, unless the status rests on presence in the United States alone.

    Innocent: travel, a visit to family, a network that is placed wrongly or was moved to another country.

    Source: proposed 15 CFR 7.307 (R91, R95); the flag is our own catalogue.
    """
    if facts.is_us_person and not facts.rests_on_location:
        return None
    seen = {country: count for country, count in counted(facts.access_rows).items() if country in _measured(facts)}
    if not seen:
        return None
    places = {country: sorted(facts.measured_countries[country]) for country in sorted(seen)}
    named = ", ".join(places)
    sentence = f"Used from {named}, where a special measure is recorded or in effect."
    return Flag("measured_jurisdiction_use", sentence, {"places": places, "accesses": sum(seen.values())})


def _measured(facts: AccountFacts) -> set[str]:
    return {country for country, measures in facts.measured_countries.items() if measures}


def admin_elsewhere(facts: AccountFacts) -> Flag | None:
    """The account is administered from a country, or only from networks, from which it is never used.

    Ask who administers it and for whom: somebody may hold the account in another's name, or rent it on. Too few
    accesses raise no flag.

    Innocent: an agency or a parent company does the administration; users and administrators sit in different offices;
    only the acts of one of the two kinds reach our logs.

    Source: our own catalogue, after E.O. 13984 section 1(a)(i) on access and administrative acts (R18).
    """
    limits = facts.limits.access
    located = [row for row in facts.access_rows if row.is_located]
    used = [row for row in located if row.kind != ADMIN]
    if not enough(used, limits):
        return None
    admin = [row for row in located if row.kind == ADMIN]
    countries = _apart(((row.country, row.count) for row in admin), {row.country for row in used}, limits)
    if countries:
        named = ", ".join(countries)
        return Flag("admin_elsewhere", f"Administered from {named}, never used from there.", {"countries": countries})
    named = [row for row in admin if row.network]
    networks = _apart(((row.network, row.count) for row in named), {row.network for row in used}, limits)
    if not networks or {row.network for row in named} & {row.network for row in used}:
        return None
    sentence = f"Administered only from {len(networks)} networks from which it is never used."
    return Flag("admin_elsewhere", sentence, {"networks": networks})


def _apart(counts: Iterable[tuple[str, int]], known: set[str], limits) -> list[str]:
    found: Counter[str] = Counter()
    for name, count in counts:
        found[name] += count
    return sorted(name for name, count in found.items() if name not in known and count >= limits.admin_least_records)


def burst_after_sleep(facts: AccountFacts) -> Flag | None:
    """The account lay still for long and is then used far more on a day than it was before.

    Look at what is done now and from where: accounts are opened early and kept for later, sold, or taken over while
    nobody looks. Every access counts here, anonymised ones too, for this is no matter of place.

    Innocent: a seasonal business, a project that begins again, a new release, an importer that was broken meanwhile.

    Source: our own catalogue (unusual account use, after the Red Flags Rule; the figures are our own policy).
    """
    limits = facts.limits.access
    days = Counter[object]()
    for row in facts.access_rows:
        days[row.day] += row.count
    for spell in reversed(quiet_spells(sorted(days), limits.quiet_days)):
        before = [count for day, count in days.items() if day <= spell.last_before]
        until = spell.woke_on + timedelta(days=limits.burst_days)
        after = [count for day, count in days.items() if spell.woke_on <= day < until]
        total, is_busier = sum(after), sum(after) * len(before) >= limits.burst_factor * sum(before) * len(after)
        if total >= limits.burst_least_records and is_busier:
            return _burst(spell, total, limits.burst_days)
    return None


def _burst(spell: QuietSpell, total: int, days: int) -> Flag:
    sentence = f"Nothing for {spell.days} days, then {total:,} accesses within {days} days from {spell.woke_on} on."
    evidence = {"woke_on": spell.woke_on.isoformat(), "quiet_days": spell.days, "accesses": total}
    return Flag("burst_after_sleep", sentence, evidence)


def use_elsewhere(facts: AccountFacts) -> Flag | None:
    """The account is mostly used from countries that the customer did not state.

    Ask where it is used and by whom, and have the places of use corrected: they decide which measures apply. Where no
    place of use is stated, the customer's addresses count. Too few accesses raise no flag.

    Innocent: the customer moved and told nobody, works abroad for a time, or its network is placed wrongly.

    Source: proposed 15 CFR 7.302 on the places a product is used from (R11) and ongoing verification (R46).
    """
    limits = facts.limits.access
    located = [row for row in facts.access_rows if row.is_located]
    if not facts.stated_countries or not enough(located, limits):
        return None
    seen = counted(located)
    elsewhere = {country: count for country, count in seen.items() if country not in facts.stated_countries}
    percent = percent_of(sum(elsewhere.values()), seen.total())
    if percent < limits.elsewhere_percent:
        return None
    places = _most_used(elsewhere, seen.total(), limits)
    sentence = f"{percent:f} % of {seen.total():,} located accesses come from places not stated, mostly {places[0]}."
    evidence = {"stated": sorted(facts.stated_countries), "seen": sorted(places), "accesses": seen.total()}
    return Flag("use_elsewhere", sentence, evidence)


def _most_used(counts: dict[str, int], whole: int, limits) -> list[str]:
    """The usual ones, most used first; the most used one where none is usual by itself."""
    ordered = sorted(counts, key=lambda country: (-counts[country], country))
    return [each for each in ordered if percent_of(counts[each], whole) >= limits.usual_percent] or ordered[:1]


def us_location_gone(facts: AccountFacts) -> Flag | None:
    """The customer counts as a U.S. person only because it was present in the United States, and is hardly seen there.

    Settle the status anew: without another basis the customer is a foreign person, and identity must be verified. Only
    accesses after the day of the finding count. Too few raise no flag.

    Innocent: a journey, a company gateway abroad, a network that is placed wrongly.

    Source: requirement R7 on U.S. status (proposed 15 CFR 7.302); asking again is ongoing verification (R46).
    """
    limits = facts.limits.access
    if not (facts.is_us_person and facts.rests_on_location):
        return None
    since = [row for row in facts.access_rows if facts.us_settled_on is None or row.day > facts.us_settled_on]
    located: list[AccessRow] = [row for row in since if row.is_located]
    if not enough(located, limits):
        return None
    seen = counted(located)
    percent = percent_of(sum(count for country, count in seen.items() if country in US_JURISDICTIONS), seen.total())
    if percent >= limits.us_percent:
        return None
    abroad = {country: count for country, count in seen.items() if country not in US_JURISDICTIONS}
    sentence = f"U.S. status rests on presence, and only {percent:f} % of {seen.total():,} located accesses show it."
    return Flag(
        "us_location_gone", sentence,
        {"seen": sorted(_most_used(abroad, seen.total(), limits)), "accesses": seen.total()},
    )  # fmt: skip


def _minutes(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} {'minute' if minutes == 1 else 'minutes'}"
    return f"{minutes // 60} hours"


ACCESS = "how it is accessed"
ENOUGH = ("access_profile_days", "access_profile_least_days", "access_profile_least_records")
EVASION = ("unusual_use", "evasion", "malicious_use", "abuse_reported", "details_compromised")
MOVED = ("unusual_use", "identity_not_verified", "special_measure", "evasion")

DETECTORS = (
    Detector(
        "impossible_travel", "Impossible travel", ACCESS, ("access_visits",), impossible_travel,
        EVASION, ("access_profile_days", "travel_speed_kmh", "travel_tolerance_km", "travel_clock_minutes",
                  "travel_most_records"),
    ),
    Detector(
        "measured_jurisdiction_use", "Use from a measure's jurisdiction", ACCESS,
        ("access_rows", "measured_countries", "is_us_person", "rests_on_location"), measured_jurisdiction_use,
        ("special_measure", "unusual_use", "evasion"), ("access_profile_days",),
    ),
    Detector(
        "admin_elsewhere", "Administered from elsewhere", ACCESS, ("access_rows",), admin_elsewhere,
        EVASION, (*ENOUGH, "admin_elsewhere_least_records"),
    ),
    Detector(
        "burst_after_sleep", "Long sleep, then a burst", ACCESS, ("access_rows",), burst_after_sleep,
        EVASION, ("access_profile_days", "access_quiet_days", "burst_days", "burst_factor", "burst_least_records"),
    ),
    Detector(
        "use_elsewhere", "Used from places not stated", ACCESS, ("access_rows", "stated_countries"), use_elsewhere,
        MOVED, (*ENOUGH, "access_usual_percent", "use_elsewhere_percent"), asks_again=True,
    ),
    Detector(
        "us_location_gone", "Presence in the United States no longer holds", ACCESS,
        ("access_rows", "is_us_person", "rests_on_location", "us_settled_on"), us_location_gone,
        MOVED, (*ENOUGH, "access_usual_percent", "us_location_percent"), asks_again=True,
    ),
)  # fmt: skip
