"""The shortest valid thing of each kind; keywords override. Builders call flows, so that what they make is real."""

import io
import itertools
from datetime import date

from PIL import Image, ImageDraw

from accounts.flows import activation, identification, intake, screening, us_status, verification
from accounts.models import Account, Party, Screening, ScreeningHit, Verification, WatchlistSnapshot
from accounts.rules.us_status import StatusEvidence
from kyc_portal.policy.cip import approve_cip
from kyc_portal.policy.models import CipVersion
from kyc_portal.records import audit
from kyc_portal.records.acting import one_flow
from kyc_portal.records.keys import fingerprint
from kyc_portal.records.refs import SCHEDULER, Actor
from resellers.flows import cip, cip_review, file, roster_keys
from resellers.flows.onboarding import add_downstream, add_reseller
from resellers.models import DownstreamCustomer, Reseller, ResellerCip, RosterEntry, RosterUpload
from resellers.rules.cip import requirements_of
from resellers.verbs import Verb
from tests.conftest import NOON

_numbers = itertools.count(1)


def make_cip() -> CipVersion:
    """The CIP version in force, made on first use."""
    there = CipVersion.objects.first()
    return there or approve_cip(
        title="CIP", text="How we verify.", effective_from=date(2020, 1, 1), by=SCHEDULER, at=NOON
    )


def new_person(**changes) -> intake.NewParty:
    """An individual with an e-mail and a residence."""
    number = next(_numbers)
    given = {
        "kind": "individual",
        "legal_name": f"Maria Example{number}",
        "citizenship": "DE",
        "birth_date": date(1985, 5, 17),
        "email": f"maria{number}@customer.example",
        "addresses": (intake.NewAddress(kind="residence", lines=f"{number} Long Street", region="", country="DE"),),
    }
    return intake.NewParty(**{**given, **changes})


def make_party(**changes) -> Party:
    return intake.add_party(new_person(**changes), by=SCHEDULER, at=NOON)


def make_account(*, at=NOON, by=SCHEDULER, product="compute", is_reseller=False, **changes) -> Account:
    """A prospect: an individual's account that is not open yet."""
    new = new_person(**changes)
    return intake.open_prospect(new, source="test", product=product, is_reseller=is_reseller, by=by, at=at)


def make_company(*, at=NOON, by=SCHEDULER, **changes) -> Account:
    """A prospect: an entity's account that is not open yet."""
    given = {
        "kind": "entity",
        "legal_name": f"Example Works {next(_numbers)} GmbH",
        "citizenship": "",
        "birth_date": None,
    }
    return make_account(at=at, by=by, **{**given, "formation_country": "DE", **changes})


# --- An account's way into use ----------------------------------------------------------------------------------------


def make_list(name: str = "Test list", *, at=NOON) -> WatchlistSnapshot:
    """A current watch list without entries; the one there is, if it is loaded already."""
    there = WatchlistSnapshot.objects.filter(list_name=name, is_current=True).first()
    return there or WatchlistSnapshot.objects.create(
        list_name=name, sha256=f"{next(_numbers):064x}", loaded_at=at, loaded_by="test", entry_count=0, alias_count=0
    )


def make_complete_account(*, at=NOON, **changes) -> Account:
    """A foreign individual's prospect with every element the default regime asks for."""
    number = next(_numbers)
    places = (
        intake.NewAddress(kind="residence", lines=f"{number} Long Street", region="", country="DE"),
        intake.NewAddress(kind="use_location", lines="", region="", country="DE"),
    )
    account = make_account(at=at, **{"addresses": places, "phone": "+4930901820", **changes})
    complete_party(account.party, at=at)
    return account


def complete_party(party: Party, *, at=NOON) -> Party:
    """Status, document and means of payment of an individual."""
    evidence = StatusEvidence(kind=party.kind, citizenship=str(party.citizenship))
    us_status.settle_status(party, evidence=evidence, by=SCHEDULER, at=at)
    number, until = f"X{next(_numbers):07}", date(2034, 1, 1)
    identification.add_document(
        party, kind="passport", number=number, country="DE", issued_on=date(2020, 1, 1), expires_on=until,
        by=SCHEDULER, at=at,
    )  # fmt: skip
    identification.add_payment_method(
        party, kind="card", identifier=f"tok_{next(_numbers):012}", institution="Example Bank", country="DE",
        source="own salary", last_four="4242", by=SCHEDULER, at=at,
    )  # fmt: skip
    party.refresh_from_db()
    return party


def make_verified(account: Account, party: Party | None = None, *, by=SCHEDULER, at=NOON) -> Verification:
    """A verification of the customer, or of `party`, that ended as verified."""
    make_cip()
    party = party or account.party
    under_way = verification.start(account, party, trigger="opening", by=by, at=at)
    document = party.documents.first()
    verification.record_method(
        under_way, method="photo_document", result="match", source="examined by sight", matched=["legal_name"],
        document=document, by=by, at=at,
    )  # fmt: skip
    return verification.conclude(under_way, verified=True, reason="The document is genuine.", by=by, at=at)


def make_ready_account(*, at=NOON, by=SCHEDULER, **changes) -> Account:
    """An account that only has to be opened."""
    account = make_complete_account(at=at, **changes)
    make_verified(account, by=by, at=at)
    make_list(at=at)
    screening.screen_party(account.party, by=SCHEDULER, at=at)
    account.refresh_from_db()
    return account


def make_open_account(*, at=NOON, by=SCHEDULER, **changes) -> Account:
    """An account in use."""
    return activation.activate(make_ready_account(at=at, by=by, **changes), by=by, at=at)


def make_hit(party: Party, *, status: str = "open", at=NOON, **changes) -> ScreeningHit:
    """A hit on the test list, judged by nobody unless `status` says so."""
    snapshot = make_list()
    found = Screening.objects.create(party=party, snapshot=snapshot, at=at, hit_count=1)
    given = {"entry_uid": str(next(_numbers)), "entry_name": "EXAMPLE, Maria", "score": "0.970", "is_strong": True}
    judged = {"judged_at": at, "judged_by": "lea"} if status in ("confirmed", "dismissed") else {}
    return ScreeningHit.objects.create(
        party=party, screening=found, snapshot=snapshot, status=status, **{**given, **judged, **changes}
    )


def make_reseller(*, at=NOON, by=SCHEDULER, **changes) -> Reseller:
    """A reseller that may sell: with an open account, a contract, an approved CIP and somebody who answers for it."""
    reseller = make_applicant(at=at, by=by, **changes)
    file.record_contract(reseller, number="C-1", from_on=at.date(), to_on=None, by=by, at=at)
    file.add_contact(reseller, role="officer", name="Olga Officer", email="olga@reseller.example", by=by, at=at)
    approve_reseller_cip(cip.submit_cip(reseller, title="How we know them", text="We look.", by=by, at=at), at=at)
    return reseller


def make_applicant(*, at=NOON, by=SCHEDULER, **changes) -> Reseller:
    """A reseller with an open account and nothing else."""
    return add_reseller(make_open_account(at=at, is_reseller=True, **changes), by=by, at=at)


def approve_reseller_cip(handed_in: ResellerCip, *, at=NOON) -> ResellerCip:
    """Two people of the desk find everything in it."""
    first, second = (Actor("person", key, key) for key in ("first of the desk", "second of the desk"))
    cip_review.begin(handed_in, by=first, at=at)
    for each in requirements_of(handed_in.source):
        cip_review.judge(handed_in, requirement=each.code, verdict="met", by=first, at=at)
    handed_in = cip_review.propose(handed_in, decision="approve", reason="All of it is there.", by=first, at=at)
    return cip_review.agree(handed_in, shown=cip_review.digest_of(handed_in), by=second, at=at)


def make_downstream(reseller: Reseller, *, at=NOON, by=SCHEDULER, **changes) -> DownstreamCustomer:
    """A customer with an open account, brought by this reseller."""
    return add_downstream(reseller, account=make_open_account(at=at, **changes), by=by, at=at)


def make_entry(reseller: Reseller, number: str = "C-1", *, at=NOON, by=SCHEDULER, **changes) -> RosterEntry:
    """A customer on this reseller's roster, in force, in an accepted file of its own."""
    name = changes.setdefault("name", f"Customer {number}")
    stated = {"kind": "entity", "country": "DE", "customer_since": at.date(), "verified_on": at.date()}
    stated |= {"method": "document", "line": 2, "name_key": roster_keys.name_key(name), "from_at": at}
    digest = fingerprint("roster row", f"{reseller.pk} {number} {at.isoformat()} {name}")
    with one_flow(by):
        upload = RosterUpload.objects.create(
            reseller=reseller, file_name="roster.csv", format="csv", sha256=digest, size=100, extent="part",
            state="accepted", received_at=at, received_by=by.label, agreed_at=at, agreed_by=by.label, ended_at=at,
            read_count=1, new_count=1,
        )  # fmt: skip
        entry = RosterEntry(**{**stated, **changes}, reseller=reseller, upload=upload, number=number, digest=digest)
        entry.save(force_insert=True)
        audit.record(Verb.ROSTER_ACCEPTED, upload, by=by, at=at, within=reseller, reseller=reseller.reference)
    return entry


def png_bytes(text: str = "specimen", size: tuple[int, int] = (320, 200)) -> bytes:
    """A small picture as a scanner would make it; another text gives other bytes."""
    picture, out = Image.new("RGB", size, "white"), io.BytesIO()
    ImageDraw.Draw(picture).text((10, 10), text, fill="black")
    picture.save(out, format="PNG")
    return out.getvalue()
