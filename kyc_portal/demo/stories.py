"""What happened in the demo world before the newcomer arrives; every step is the flow a person would have used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from accounts.flows import (
    access_log,
    activation,
    closing,
    identification,
    intake,
    screening,
    us_status,
    verification,
    watchlists,
)
from accounts.formats.mrz import check_digit
from accounts.models import Account, Party
from accounts.rules.us_status import StatusEvidence
from kyc_portal.demo import files
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.staff.models import StaffMember

LIST = "ofac-sdn"


@dataclass(frozen=True)
class Stage:
    """Who acts, where sample files lie, and what moment it is now; history lies in days before it."""

    people: dict[str, StaffMember]
    folder: Path
    now: datetime

    def actor(self, username: str) -> Actor:
        return self.people[username].as_actor

    def ago(self, days: int, hour: int = 9, minute: int = 0) -> datetime:
        day = (self.now - timedelta(days=days)).date()
        moment = datetime.combine(day, time(hour, minute), tzinfo=self.now.tzinfo)
        return min(moment, self.now)


def person(name: str, country: str, city: str, born: date, **more) -> intake.NewParty:
    """A made-up individual with everything the regime asks for before documents."""
    mail = name.lower().replace(" ", ".").encode("ascii", "ignore").decode()
    where = (
        intake.NewAddress(kind="residence", lines=f"12 Harbour Street, {city}", region="", country=country),
        intake.NewAddress(kind="use_location", lines=f"Office, {city}", region="", country=country),
    )
    return intake.NewParty(
        kind="individual", legal_name=name, citizenship=country, birth_date=born, email=f"{mail}@customer.example",
        phone=more.pop("phone", "+46 8 12 34 56 78"), addresses=where, **more,
    )  # fmt: skip


def company(name: str, country: str, city: str, **more) -> intake.NewParty:
    """A made-up entity with everything the regime asks for before documents and owners."""
    mail = name.split()[0].lower()
    where = (
        intake.NewAddress(kind="principal", lines=f"1 Market Square, {city}", region="", country=country),
        intake.NewAddress(kind="use_location", lines=f"Data hall, {city}", region="", country=country),
    )
    return intake.NewParty(
        kind="entity", legal_name=name, formation_country=country, entity_type="company", addresses=where,
        email=f"legal@{mail}.example", phone="+49 30 123456", registration_number=f"{country}-4711", **more,
    )  # fmt: skip


def passport_zone(party: Party, born: date, number: str, issuer: str, expires: date) -> str:
    """The two lines of a made-up passport whose check digits are right."""
    given, _, surname = party.legal_name.upper().rpartition(" ")
    names = f"{surname}<<{given.replace(' ', '<')}"
    first = f"P<{issuer}{names}".ljust(44, "<")[:44]
    number = number.ljust(9, "<")
    birth, end = born.strftime("%y%m%d"), expires.strftime("%y%m%d")
    optional = "<" * 14
    body = f"{number}{check_digit(number)}{issuer}{birth}{check_digit(birth)}<{end}{check_digit(end)}{optional}<"
    total = check_digit(body[:10] + body[13:20] + body[21:43])
    return f"{first}\n{body}{total}"


def show_passport(
    stage: Stage, party: Party, *, born: date, code: str, country: str, days: int, expires: date | None = None
):
    """Add a passport with its picture and zone, as the customer handed it in."""
    issued = (stage.ago(days) - timedelta(days=400)).date()
    expires = expires or issued + timedelta(days=3650)
    zone = passport_zone(party, born, f"{country}{party.reference[4:8]}", code, expires)
    picture = files.document_image(
        f"PASSPORT {code}", [party.legal_name, f"Valid until {expires}", "", *zone.split("\n")]
    )
    return identification.add_document(
        party, kind="passport", country=country, issued_on=issued, mrz=zone,
        file=picture, file_name="passport.png", by=stage.actor("rosa"), at=stage.ago(days),
    )  # fmt: skip


def verify(
    stage: Stage, account: Account, party: Party, *, method: str, days: int, trigger: str = "opening", document=None
):
    """One verification from start to conclusion."""
    by, at = stage.actor("rosa"), stage.ago(days, 11)
    started = verification.start(account, party, trigger=trigger, by=by, at=at)
    verification.record_method(
        started, method=method, result="match", source="original seen by video", matched=["name", "birth date"],
        document=document, by=by, at=at,
    )  # fmt: skip
    return verification.conclude(started, verified=True, reason="All fields agree.", by=by, at=at)


def open_person(
    stage: Stage, new: intake.NewParty, *, code: str, days: int, payment: str = "", expires: date | None = None
) -> Account:
    """Take in, identify, verify, screen and open an individual, `days` ago."""
    by, country = stage.actor("rosa"), new.citizenship
    account = intake.open_prospect(new, source="web form", product="compute", by=by, at=stage.ago(days))
    party = account.party
    us_status.settle_status(
        party, evidence=StatusEvidence(kind="individual", citizenship=country), by=by, at=stage.ago(days)
    )
    document = show_passport(stage, party, born=new.birth_date, code=code, country=country, days=days, expires=expires)
    identification.add_payment_method(
        party, kind="card", identifier=f"tok_{party.reference[4:8].lower()}4242", institution="Example Bank",
        country=payment or country, source="own salary", by=by, at=stage.ago(days),
    )  # fmt: skip
    verify(stage, account, party, method="photo_document", days=days, document=document)
    screening.screen_party(party, by=SCHEDULER, at=stage.ago(days, 12))
    activation.activate(account, by=by, at=stage.ago(days, 13))
    account.refresh_from_db()
    return account


def open_company(stage: Stage, new: intake.NewParty, owners: Iterable, *, days: int, **account_facts) -> Account:
    """Take in, identify, verify, screen and open an entity with its owners, `days` ago.

    `owners` are (party below, new owner, percent, code of the passport) from the company upwards; None below means the
    company itself, otherwise the legal name of an owner named before.
    """
    by, at = stage.actor("rosa"), stage.ago(days)
    account = intake.open_prospect(new, source="web form", product="compute", by=by, at=at, **account_facts)
    known = {None: account.party}
    for below, owner, percent, code in owners:
        stake = identification.add_owner(known[below], owner=owner, percent=Decimal(percent), by=by, at=at)
        known[owner.legal_name] = stake.owner
        us_status.settle_status(stake.owner, evidence=_evidence(owner), by=by, at=at)
        if code:
            show_passport(stage, stake.owner, born=owner.birth_date, code=code, country=owner.citizenship, days=days)
    identification.add_document(
        account.party, kind="register_extract", number="HRB 4711", country=new.formation_country,
        issued_on=(at - timedelta(days=20)).date(), file_name="register.png", by=by, at=at,
        file=files.document_image("REGISTER EXTRACT", [new.legal_name, "HRB 4711", "in good standing"]),
    )  # fmt: skip
    identification.add_payment_method(
        account.party, kind="bank", identifier="DE89370400440532013000", institution="Example Bank",
        country=new.formation_country, source="operating account", by=by, at=at,
    )  # fmt: skip
    identification.certify_owners(
        account, signed_on=at.date(), signed_by="The managing director", text_version="1", by=by, at=at
    )
    us_status.settle_status(account.party, evidence=_evidence(new), by=by, at=at)
    for party in verification.parties_to_verify(account, on=at.date()):
        method = "existence_document" if party.kind == "entity" else "photo_document"
        verify(stage, account, party, method=method, days=days, document=party.documents.first())
    for party in known.values():
        screening.screen_party(party, by=SCHEDULER, at=stage.ago(days, 12))
    activation.activate(account, by=by, at=stage.ago(days, 13))
    account.refresh_from_db()
    return account


def _evidence(new: intake.NewParty) -> StatusEvidence:
    return StatusEvidence(
        kind=new.kind, citizenship=new.citizenship or "", formation_country=new.formation_country or ""
    )


def load_list(stage: Stage, *, days: int, with_malicious: bool, newest: bool = False) -> None:
    """The made-up sanctions list as it stood that day; a later one has two entries more, the newest a third."""
    folder = files.write_watchlist(stage.folder / f"list-{days}", complete=with_malicious, newest=newest)
    watchlists.load_snapshot(LIST, folder, by=stage.actor("lena"), at=stage.ago(days, 8))


def see_access(stage: Stage, account: Account, name: str, address: str, *, days: int, acts: Iterable[str]):
    """Import one day's access log of an account."""
    path = files.write_access_log(stage.folder, name, address, stage.ago(days, 7), acts)
    return access_log.import_access_lines(
        account, path, format="cloudtrail", file_name=path.name, by=SCHEDULER, at=stage.ago(days, 14)
    )


def leave(stage: Stage, account: Account, *, days: int) -> None:
    """The customer leaves."""
    closing.close_account(account, reason="own_request", by=stage.actor("lena"), at=stage.ago(days))
