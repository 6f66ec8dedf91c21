"""A foreign reseller from its first contract to the end of the relationship, through the doors people use."""

import io
from datetime import timedelta
from pathlib import Path

import bagit
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.flows import activation
from accounts.models import Account
from kyc_portal.records import changes
from kyc_portal.records.models import RowChange
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work import queue
from resellers import tasks
from resellers.flows import (
    cip,
    cip_requests,
    cip_review,
    counts,
    file,
    findings,
    messages,
    onboarding,
    sampling,
    termination,
)
from resellers.models import Certification, Finding, Reseller, RosterUpload, Termination
from resellers.rules.cip import requirements_of
from tests.builders import make_applicant, make_open_account, make_ready_account, png_bytes
from tests.conftest import BUILDER, NOON, person

pytestmark = pytest.mark.django_db
HEADER = "customer_number,name,kind,country,customer_since,parent_number,verified_on,method,account\n"
GOOD = (
    "K-1,First Customer,individual,DE,2026-01-05,,2026-01-06,document,{open}\n"
    "K-2,Second Customer,individual,DE,2026-01-05,,2026-01-06,document,{ready}\n"
    "K-3,Third Customer Ltd,entity,FR,2026-02-01,,2026-02-02,both,\n"
)
BAD = "K-4,Its Subtenant Ltd,entity,FR,2026-02-01,K-9,2026-02-02,both,\n"
MENDED = BAD.replace("K-9", "K-3")


def later(days: int):
    return NOON + timedelta(days=days)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.PRIVATE_DIR, settings.BUNDLE_DIR = tmp_path / "private", tmp_path / "bundles"


@pytest.fixture
def desk(reseller_desk_user):
    return reseller_desk_user.as_actor


@pytest.fixture
def compliance(db):
    return person("cora", "compliance").as_actor


@pytest.fixture
def noon(monkeypatch, client, reseller_manager_user):
    """Lets the manager log in and open pages on another day."""

    def at(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
        client.force_login(reseller_manager_user)

    at(NOON)
    return at


@pytest.fixture
def remy(client, noon):
    return client


def work(at) -> None:
    """Every job that is due, as a worker does them."""
    while queue.run_due(at, by=SCHEDULER)["done"]:
        pass


def comes_to_sell(manager, desk: Actor, compliance: Actor) -> Reseller:
    """Contract and contact; a CIP that comes back with a gap, and its next version approved by two."""
    reseller = make_applicant(legal_name="Delta Resale Ltd")
    onboarding.bind_manager(reseller, user=manager, by=desk, at=NOON)
    file.record_contract(reseller, number="C-7", from_on=NOON.date(), to_on=None, by=desk, at=NOON)
    file.add_contact(reseller, role="officer", name="Olga", email="olga@delta.example", by=desk, at=NOON)
    for text, gap in (("We look.", "again"), ("We look, and look again each year.", "")):
        version = cip.submit_cip(reseller, title="CIP", text=text, by=manager.as_actor, at=NOON)
        cip_review.begin(version, by=desk, at=NOON)
        for each in requirements_of("own"):
            verdict = {"verdict": "gap", "words": "When?"} if each.code == gap else {"verdict": "met"}
            cip_review.judge(version, requirement=each.code, **verdict, by=desk, at=NOON)
        if gap:
            cip_review.return_with_gaps(version, by=desk, at=NOON)
            assert not file.standing_of(reseller, on=NOON.date()).may_sell
        else:
            version = cip_review.propose(version, decision="approve", reason="Whole.", by=desk, at=NOON)
            cip_review.agree(version, shown=cip_review.digest_of(version), by=compliance, at=NOON)
    assert file.standing_of(reseller, on=NOON.date()).may_sell
    return reseller


def send(remy, rows: str, extent: str = "complete") -> RosterUpload:
    """Hand a file in through the page, and have the worker read it."""
    upload = {"file": io.BytesIO((HEADER + rows).encode()), "extent": extent}
    upload["file"].name = "customers.csv"
    before = set(RosterUpload.objects.values_list("pk", flat=True))
    page = remy.post(reverse("resellers:uploads"), upload, follow=True)
    assert page.status_code == 200 and b"RUP-" in page.content
    work(timezone.now())
    return RosterUpload.objects.exclude(pk__in=before).get()


def decide(remy, upload: RosterUpload, act: str, at) -> RosterUpload:
    remy.post(reverse("resellers:upload", args=[upload.reference]), {"act": act})
    work(at)
    upload.refresh_from_db()
    return upload


def certify_all(remy, reseller: Reseller) -> Certification:
    """Through the page, with the form as it is shown."""
    address = f"{reverse('resellers:certification')}?reseller={reseller.reference}"
    shown, before = remy.get(address).context, set(Certification.objects.values_list("pk", flat=True))
    remy.post(address, {
        "whom": "all", "scope": "identity", "evidence": ["document"], "form_key": shown["form_key"],
        "statement": shown["statement"].number,
    })  # fmt: skip
    return Certification.objects.exclude(pk__in=before).get()


def test_a_resellers_year(remy, reseller_manager_user, desk, compliance, noon, tmp_path):
    reseller = comes_to_sell(reseller_manager_user, desk, compliance)
    opened, ready = make_open_account(), make_ready_account()
    for account in (opened, ready):
        onboarding.add_downstream(reseller, account=account, by=desk, at=NOON)

    # A file with a bad row, its good rows, and the mended one in a file of its own.
    rows = GOOD.format(open=opened.reference, ready=ready.reference)
    first = send(remy, rows + BAD)
    assert (first.state, first.bad_count, first.new_count) == ("read", 1, 3)
    page = remy.get(reverse("resellers:upload", args=[first.reference])).content.decode()
    assert "parent_number names no customer of this roster" in page and "K-9" not in page
    first = decide(remy, first, "accept-good", NOON)
    second = decide(remy, send(remy, MENDED, "part"), "accept", NOON)
    assert (first.state, second.state) == ("accepted", "accepted")
    stated = list(reseller.entries.in_force().order_by("number").values_list("number", "depth"))
    assert stated == [("K-1", 0), ("K-2", 0), ("K-3", 0), ("K-4", 1)]

    # Nobody is opened before the customer is certified, by a named person under a wording.
    assert any("is not certified" in why for why in activation.why_not(ready, at=NOON))
    act = certify_all(remy, reseller)
    assert (act.certified_count, act.signed_by) == (4, reseller_manager_user.username)
    activation.activate(ready, by=person("ruth", "reviewer").as_actor, at=NOON)

    # What is stated anew is certified anew; the counts of each day stay what they were.
    noon(later(40))
    decide(remy, send(remy, rows.replace("K-2,Second", "K-2,Other"), "part"), "accept", later(40))
    states = dict(reseller.entries.in_force().values_list("number", "name"))
    assert states["K-2"] == "Other Customer"
    assert counts.sum_of(counts.counts_on(later(39).date(), resellers=[reseller])).holds["certified"] == 4
    assert counts.sum_of(counts.counts_on(later(40).date(), resellers=[reseller])).holds["certified"] == 3
    certify_all(remy, reseller)
    assert counts.sum_of(counts.counts_on(later(40).date(), resellers=[reseller])).holds["certified"] == 4

    # A sample shows a failure, which is cured in time.
    noon(later(60))
    sample = sampling.draw(reseller, seed="a year", by=desk, at=later(60))
    for number, sampled in enumerate(sample.files.order_by("reference")):
        remy.post(reverse("resellers:sampled", args=[sampled.reference]), {"file": _scan(f"scan {number}")})
        told = {"result": "fail", "reasons": ["expired"]} if number == 0 else {"result": "pass", "reasons": []}
        sampling.judge(sampled, **told, by=desk, at=later(61))
    sample = sampling.conclude(sample, by=desk, at=later(61))
    assert (sample.failed_count, sample.size) == (1, 4) and sampling.replay(sample).is_same
    held = {"kind": "not_carried_out", "source": "sample", "evidence": "Expired.", "demand": "Look again."}
    finding = sampling.make_finding(sample, **held, knowledge_at=later(61), by=desk, at=later(61))
    noon(later(65))
    remy.post(reverse("resellers:finding", args=[finding.reference]), {"plan": "All are looked at by Friday."})
    finding = findings.propose_cure(finding, why="All were looked at.", by=desk, at=later(70))
    findings.accept_cure(finding, shown=findings.digest_of(finding), by=compliance, at=later(70))
    assert file.standing_of(reseller, on=later(120).date()).may_sell

    # The year is attested, and what was certified lapses unless it is certified again.
    tasks.open_attestations(at=later(366).isoformat())
    noon(later(367))
    attestation = reseller.attestations.get()
    address = reverse("resellers:attestation", args=[attestation.reference])
    remy.post(address, {"statement": remy.get(address).context["statement"].number})
    attestation.refresh_from_db()
    assert attestation.signed_by == reseller_manager_user.username and attestation.counts["total"] == 4
    tasks.lapse_certifications(at=later(420).isoformat())
    assert "customers on its roster are not certified" in " ".join(
        file.standing_of(reseller, on=later(420).date()).reasons
    )

    # T30: what is known is cured by its thirtieth day, or two people end the relationship.
    messages.send(reseller, subject_line="Your customers", text="Certify them.", by=desk, at=later(421))
    grave = findings.record_finding(reseller, **held, knowledge_at=later(430), by=desk, at=later(430))
    assert grave.due_on == later(460).date()
    tasks.enforce_cure_deadlines(at=later(460).isoformat())
    assert not Termination.objects.exists()
    tasks.enforce_cure_deadlines(at=later(461).isoformat())
    end = Termination.objects.get()
    end = termination.agree(end, shown=termination.digest_of(end), by=compliance, at=later(461))
    work(later(461))
    end.refresh_from_db()
    assert end.state == "done" and termination.was_late(end)
    assert not reseller.entries.in_force().exists() and not reseller.managers.filter(ended_at=None).exists()
    assert Finding.objects.standing().count() == 0
    assert set(Account.objects.filter(pk__in=[opened.pk, ready.pk]).values_list("status", flat=True)) <= {
        "active", "closed",
    }  # fmt: skip
    assert remy.get(reverse("resellers:roster")).status_code == 200

    # An authority asks for its CIP, and gets what can be checked anywhere.
    asked = {"requester": "Commerce", "requested_on": later(461).date()}
    request = cip_requests.ask(reseller, **asked, by=compliance, at=later(461))
    work(later(462))
    request.refresh_from_db()
    bag = bagit.Bag(str(Path(settings.BUNDLE_DIR) / request.reference))
    assert bag.is_valid() and request.state == "produced"

    # Every change of a row has its event, but for what this test arranged by itself.
    changes.reconcile(by=SCHEDULER, at=later(470))
    unexplained = RowChange.objects.unexplained().exclude(actor=f"{BUILDER.kind}:{BUILDER.key}")
    assert list(unexplained.values_list("label", "act", "actor").distinct()) == []


def _scan(text: str):
    scan = io.BytesIO(png_bytes(text))
    scan.name = "scan.png"
    return scan
