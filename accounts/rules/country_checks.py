"""Do document, address, payment, telephone and observed addresses point to one country (R11, R14, R17, R18, R26).

What somebody stated counts by the regime's weights. An observed address on the net only adds to a country that
something stated names too: by itself it decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

import phonenumbers

from accounts.rules.answers import Answer, OnFile, Origin, Outcome, Seen, joined, with_version
from accounts.rules.numbers import BadNumber, normalised

TITLES = {"document": "document", "address": "address", "payment": "payment", "phone": "telephone"}
ACCESS = "access"
NEEDED = (
    *(f"country_weight_{kind}" for kind in (*TITLES, ACCESS)), "country_anonymised_percent", "country_agree_percent",
)  # fmt: skip
SOURCE = f"own rule, {with_version('phonenumberslite')}"
NOWHERE = "001"  # the region of satellite and international numbers
HUNDRED = Decimal(100)


def check_countries(on_file: OnFile) -> tuple[Answer, ...]:
    """Weigh which country the file points to and say who does not agree; no answer while nothing names a country."""
    stated = _by_kind((*on_file.origins, *_of_phones(on_file)))
    if not stated:
        return ()
    looked_at = joined(sorted((kind, *sorted(found)) for kind, found in stated.items()), sorted(map(str, on_file.seen)))
    outcome, reason, matched = _weigh(on_file, stated)
    return (Answer(on_file.party, outcome, reason, SOURCE, matched, looked_at),)


def _by_kind(origins: Iterable[Origin]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for origin in origins:
        found[origin.kind].add(origin.country)
    return {kind: found[kind] for kind in TITLES if kind in found}


def _of_phones(on_file: OnFile) -> Iterable[Origin]:
    for value in on_file.of_kind("phone"):
        try:
            number = phonenumbers.parse(normalised("phone", value.text), None)
        except BadNumber:  # the check of telephone numbers says so
            continue
        region = phonenumbers.region_code_for_number(number)
        if region and region != NOWHERE:
            yield Origin("phone", region)


def _weigh(on_file: OnFile, stated: Mapping[str, set[str]]) -> tuple[Outcome, str, tuple[str, ...]]:
    missing = [name for name in NEEDED if name not in on_file.figures]
    if missing:
        reason = f"{on_file.regime} has no figure for: {', '.join(missing).replace('_', ' ')}. Add it under Policy."
        return Outcome.COULD_NOT_RUN, reason, ()
    observed = _observed(on_file)
    if len(stated) < 2:
        (only,) = stated
        told = " Observed addresses are there, but alone they decide nothing." if observed else ""
        return Outcome.COULD_NOT_RUN, f"Only the {TITLES[only]} names a country, so nothing can agree.{told}", ()

    weights = _stated_weights(on_file, stated)
    unsupported = sorted(set(observed) - set(weights))
    for country in weights:
        weights[country] += observed.get(country, Decimal(0))
    main = min(weights, key=lambda country: (-weights[country], country))
    percent = HUNDRED * weights[main] / sum(weights.values())
    agreeing = tuple(kind for kind, countries in stated.items() if main in countries)
    limit = on_file.figures["country_agree_percent"]
    outcome = Outcome.PASSED if percent >= limit.value else Outcome.FAILED
    return outcome, " ".join(_sentences(on_file, stated, main, percent, unsupported)), agreeing


def _stated_weights(on_file: OnFile, stated: Mapping[str, set[str]]) -> dict[str, Decimal]:
    """What each country weighs by statements alone; a kind that names several splits its weight between them."""
    weights: dict[str, Decimal] = defaultdict(Decimal)
    for kind, countries in stated.items():
        for country in countries:
            weights[country] += on_file.figures[f"country_weight_{kind}"].value / len(countries)
    return dict(weights)


def _observed(on_file: OnFile) -> dict[str, Decimal]:
    """What each country weighs by accesses: their share of the weight, anonymised ones cut down."""
    total = sum(each.count for each in on_file.seen)
    weight = on_file.figures["country_weight_access"].value
    little = on_file.figures["country_anonymised_percent"].value / HUNDRED
    return {
        each.country: weight * (each.count - each.anonymised + little * each.anonymised) / total
        for each in on_file.seen
    }  # fmt: skip


def _sentences(
    on_file: OnFile, stated: Mapping[str, set[str]], main: str, percent: Decimal, unsupported: list[str]
) -> Iterable[str]:
    limit = on_file.figures["country_agree_percent"]
    yield (
        f"{percent:.0f} % by weight point to {main}; {limit.value.normalize():f} % are asked for ({limit.citation})."
    )
    for kind, countries in stated.items():
        if main not in countries:
            yield f"The {TITLES[kind]} names {', '.join(sorted(countries))}."
    if unsupported:
        yield f"Addresses were seen in {', '.join(unsupported)}, which nothing stated names; alone they decide nothing."
    yield from _of_anonymised(on_file.seen, on_file.figures["country_anonymised_percent"].value)


def _of_anonymised(seen: Iterable[Seen], percent: Decimal) -> Iterable[str]:
    anonymised, total = sum(each.anonymised for each in seen), sum(each.count for each in seen)
    if anonymised:
        yield (
            f"{anonymised} of {total} accesses came through anonymising ranges and count {percent.normalize():f} % "
            "of others."
        )
