"""The same facts in formats that other programs read, made of what the recipient may see and nothing else (R114)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.formats.bundle_content import json_document, jsonl_lines
from accounts.rules.verifying import METHODS, Way
from cases.flows import bundle_access
from cases.flows.bundle_facts import Chosen, FactTable
from cases.flows.bundle_redactor import Redactor
from cases.formats import ftm, stix, verified_claims
from cases.rules.disclosure import DataClass

DOCUMENTARY = frozenset(method.code for method in METHODS if method.way == Way.DOCUMENTARY)


@dataclass(frozen=True)
class ExchangeFile:
    """A file to write: its path, its title, the classes of data it was made of, and its content."""

    path: str
    title: str
    classes: Sequence[DataClass]
    content: Iterable[bytes]


def exchange_files(
    tables: Sequence[FactTable], chosen: Chosen, show: Redactor, *, reference: str, at: datetime
) -> Iterator[ExchangeFile]:
    """Those files for which something was approved; the caller consumes each before it asks for the next."""
    told = {table.name: table.rows for table in tables}
    classes = {table.name: table.data_class for table in tables}
    if entities := list(ftm.entities(told)):
        made_of = sorted({classes[name] for name in ftm.TABLES if name in classes}, key=str)
        title = "Parties, accounts and owners (FollowTheMoney)"
        yield ExchangeFile("exchange/parties.ftm.json", title, made_of, jsonl_lines(entities))
    provider = settings.PROVIDER_NAME
    if found := list(verified_claims.claims_sets(told, provider=provider, documentary=DOCUMENTARY)):
        made_of = [DataClass.IDENTITY, DataClass.VERIFICATION]
        title = "How identities were verified (OpenID verified_claims)"
        yield ExchangeFile("exchange/verified-claims.json", title, made_of, [json_document(found)])
    if bundle_access.are_shown(chosen, show):
        objects = stix.objects(
            told, bundle_access.sightings(chosen, show), reference=reference, provider=provider, at=at
        )  # fmt: skip
        made_of = [DataClass.ACCESS, *([DataClass.RISK] if "signals" in told else [])]
        content = stix.document(objects, reference=reference)
        yield ExchangeFile("exchange/indicators.stix.json", "Network indicators (STIX 2.1)", made_of, content)
