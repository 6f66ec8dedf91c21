"""A subpoena from the paper to the receipt: scope, checklist, holds, challenge, redaction, bundle (R111-R114)."""

import json
from datetime import timedelta

import bagit
import pytest

from accounts.models import AccessRecord
from cases.flows import bundle_redactions, bundle_shown, bundles, challenges, legal_requests, standing
from cases.rules.request_checks import points_of
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import approve_seen
from tests.cases.flows.test_bundles import make_full_account
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


def later(days: int):
    return NOON + timedelta(days=days)


def test_a_subpoena_from_the_paper_to_the_receipt(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"
    carl, cora = person("carl.c", "legal").as_actor, person("cora.c", "legal").as_actor
    account = make_full_account(legal_name="Paula Person")
    AccessRecord.objects.filter(event_id="1").update(at=NOON - timedelta(days=40), event_id="BEFORESCOPE")

    # A grand jury asks who the customer is and when they signed in; the records are frozen until it is settled.
    request = legal_requests.log_request(
        accounts=[account], authority="Example Court", authority_reference="GJ-7", ground="subpoena",
        received_on=NOON.date(), kinds=["subscriber", "access", "payment"], from_on=later(-30).date(), by=carl, at=NOON,
    )  # fmt: skip
    legal_requests.validate(request, checked=points_of("subpoena"), by=carl, at=NOON)
    request = legal_requests.preserve(request, by=carl, at=NOON)
    assert len(holds.why_held([account])) == 1

    # What is collected is approved; then we dispute that payments are asked for, and everything stands still.
    first = bundles.collect(request.case, ground="subpoena", recipient="court", by=carl, at=later(1))
    approve_seen(first, by=cora, at=later(1))
    dispute = challenges.challenge(request, by_whom="us", why="too_broad", docket="26-mc-7", by=carl, at=later(2))
    assert len(holds.why_held([account])) == 2
    assert bundles.build_approved(by=SCHEDULER, at=later(2)) == {"done": 0, "failed": 0}
    with pytest.raises(standing.StandsStill):
        bundles.build(first, by=SCHEDULER, at=later(2))

    # The court narrows it; what was approved on the old scope is set aside and collected anew within the new one.
    challenges.end(
        dispute, outcome="narrowed", kinds=["subscriber", "access"], from_on=later(-30).date(), by=carl, at=later(9)
    )
    first.refresh_from_db()
    assert (first.state, len(holds.why_held([account]))) == ("draft", 1)
    bundle = bundles.collect(request.case, ground="subpoena", recipient="court", by=carl, at=later(9))

    # The product is a trade secret of the customer: taken out by hand; a second person approves these very words.
    table = next(each for each in bundle_shown.Shown.of(bundle).tables if each.name == "customers")
    place = bundle_shown.place_of(table, 1, "product")
    bundle_redactions.redact(bundle, place=place, code="L1", reason="Privileged by order.", by=carl, at=later(9))
    approve_seen(bundle, by=cora, at=later(10))
    assert bundles.build_approved(by=SCHEDULER, at=later(10)) == {"done": 1, "failed": 0}

    bundle.refresh_from_db()
    folder = bundles.folder_of(bundle)
    bagit.Bag(str(folder)).validate()
    written = (folder / "data/access/records.jsonl").read_text()
    log = json.loads((folder / "data/redactions.json").read_text())
    assert "BEFORESCOPE" not in written and written.count("\n") == 1
    assert not (folder / "data/facts/payments.json").exists()
    assert any(row["place"] == place and "Privileged by order." in row["meaning"] for row in log)

    # Handed over and received; the hold stays until its own days are over, and the trail tells each step.
    bundles.hand_over(bundle, by=carl, at=later(11))
    bundles.acknowledge(bundle, received_by="Clerk", received_on=later(12).date(), by=carl, at=later(12))
    legal_requests.lapse_preservations(on=later(91).date(), by=SCHEDULER, at=later(91))
    assert not holds.why_held([account])
    told = set(AuditEvent.objects.values_list("verb", flat=True))
    assert told >= {
        "cases.request_validated", "cases.preserved", "cases.challenged", "cases.challenge_ended",
        "cases.bundle_set_aside", "cases.bundle_redacted", "cases.bundle_approved", "cases.bundle_built",
        "cases.bundle_handed_over", "cases.bundle_receipted", "cases.preservation_lapsed",
    }  # fmt: skip
