"""Network indicators of a bundle as one STIX 2.1 document, written object by object (requirement R114).

Each address an account was used from becomes an address object, an observation (first, last, how often) and an
indicator that rests on it. Red flags become notes on the account. Nothing here says that an address is hostile: an
indicator is of the type "anonymization" where a list of that day named the address so, else "unknown".
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from itertools import islice
from uuid import UUID

from cases.formats.exchange import Tables, filled, moment, seen

OF_OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1, section 2.9: ids of the same thing agree
OBJECTS_AT_ONCE = 500
MOST_OBSERVED = 999_999_999  # STIX 2.1, section 4.14


@dataclass(frozen=True)
class Sighting:
    """One address of one account: when first and last, how often, and whether a list called it an anonymiser."""

    account: str
    address: str
    first_at: datetime
    last_at: datetime
    count: int
    anonymiser: str = ""


def _uuid5(space: bytes, name: str) -> str:
    """A UUID of a name (RFC 9562, version 5), without an object for each of a million addresses."""
    digest = bytearray(hashlib.sha1(space + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Writer:
    """Makes objects of one bundle; equal input gives equal ids."""

    def __init__(self, reference: str, provider: str, at: datetime):
        self._space = UUID(_uuid5(OF_OBSERVABLES.bytes, f"evidence bundle {reference} {provider}")).bytes
        self.at, self.provider = moment(at), provider
        self.author = self._id("identity", provider)

    def _id(self, kind: str, *parts: str) -> str:
        return f"{kind}--{_uuid5(self._space, chr(31).join((kind, *parts)))}"

    def domain(self, kind: str, *parts: str, **properties: object) -> dict:
        """A domain object or a relationship; its id comes of `parts`."""
        own = {
            "type": kind, "spec_version": "2.1", "id": self._id(kind, *parts), "created": self.at, "modified": self.at,
        }  # fmt: skip
        author = {} if kind == "identity" else {"created_by_ref": self.author}
        return own | author | filled(properties.items())


def _observable(kind: str, name: str, value: str, **properties: str) -> dict:
    canonical = json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))
    key = f"{kind}--{_uuid5(OF_OBSERVABLES.bytes, canonical)}"
    return {"type": kind, "spec_version": "2.1", "id": key, name: value} | filled(properties.items())


def objects(
    tables: Tables, sightings: Iterable[Sighting], *, reference: str, provider: str, at: datetime
) -> Iterator[dict]:
    """The objects, one after the other; `sightings` come sorted by address, so that each address is written once."""
    writer = _Writer(reference, provider, at)
    yield writer.domain("identity", provider, name=provider, identity_class="organization")
    accounts = {}
    for row in tables.get("customers", ()):
        account = _observable("user-account", "user_id", str(row["account"]), display_name=seen(row["legal_name"]))
        accounts[str(row["account"])] = account["id"]
        yield account
    previous = ""
    for sighting in sightings:
        kind = "ipv6-addr" if ip_address(sighting.address).version == 6 else "ipv4-addr"
        address = _observable(kind, "value", sighting.address)
        if sighting.address != previous:
            yield address
        previous = sighting.address
        yield from _observed(writer, sighting, kind, [address["id"], accounts.get(sighting.account, "")])
    yield from _notes(writer, tables, accounts)


def _observed(writer: _Writer, sighting: Sighting, kind: str, refs: list[str]) -> Iterator[dict]:
    names = (sighting.account, sighting.address)
    times = {"first_observed": moment(sighting.first_at), "last_observed": moment(sighting.last_at)}
    observed = writer.domain(
        "observed-data", *names, **times, number_observed=min(sighting.count, MOST_OBSERVED),
        object_refs=[ref for ref in refs if ref],
    )  # fmt: skip
    indicator = writer.domain(
        "indicator", *names, name=f"{sighting.address} used with {sighting.account}",
        description=f"Seen {sighting.count} times with the account {sighting.account}.",
        indicator_types=["anonymization" if sighting.anonymiser else "unknown"],
        pattern=f"[{kind}:value = '{sighting.address}']", pattern_type="stix", pattern_version="2.1",
        valid_from=moment(sighting.first_at),
    )  # fmt: skip
    yield observed
    yield indicator
    link = {"relationship_type": "based-on", "source_ref": indicator["id"], "target_ref": observed["id"]}
    yield writer.domain("relationship", *names, **link)


def _notes(writer: _Writer, tables: Tables, accounts: dict[str, str]) -> Iterator[dict]:
    for row in tables.get("signals", ()):
        code, sentence, account = seen(row["code"]), seen(row["sentence"]), accounts.get(str(row["account"]))
        if code and sentence and account:
            own = {"abstract": f"Red flag {code}", "content": sentence, "object_refs": [account]}
            yield writer.domain("note", str(row["signal"]), **own)


def document(found: Iterable[dict], *, reference: str) -> Iterator[bytes]:
    """The STIX bundle as JSON, some hundred objects a line; reads `found` as it goes."""
    key = UUID(bytes=hashlib.sha256(f"stix {reference}".encode()).digest()[:16], version=4)
    yield f'{{"type": "bundle", "id": "bundle--{key}", "objects": [\n'.encode()
    between, rest = b"", iter(found)
    while some := list(islice(rest, OBJECTS_AT_ONCE)):
        yield between + json.dumps(some, ensure_ascii=False, sort_keys=True)[1:-1].encode()
        between = b",\n"
    yield b"\n]}\n"
