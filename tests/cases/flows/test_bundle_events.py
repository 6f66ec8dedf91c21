"""The excerpt of the trail in a bundle: events of the kinds and days that are asked for, and its own custody."""

import json
from datetime import date, timedelta

import pytest

from accounts.verbs import Verb
from cases.flows import bundles
from cases.flows.bundle_events import class_of
from cases.models import LegalRequest
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import make_bundle, make_case, make_open_account, put_on_file
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
ALL_KINDS = {"subscriber", "access", "payment", "ownership", "verification", "screening", "risk", "custody"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@flow
def tell(verb, account, *, by, at, **facts):
    """An event of this kind, alone; what leads to it is tested with accounts."""
    audit.record(verb, account, by=by, at=at, **facts)


@pytest.fixture
def excerpt(counsel, second_counsel):
    """The lines of audit/events.jsonl of a bundle on a court order of this scope."""
    account = make_open_account()
    case = make_case(account)
    request = put_on_file(case, ground="court_order")
    told = (
        Verb.NAME_ADDED, Verb.LOG_IMPORTED, Verb.PAYMENT_ADDED, Verb.OWNER_ADDED, Verb.VERIFICATION_STARTED,
        Verb.SCREENED, Verb.RISK_RATED,
    )  # fmt: skip
    for days in (40, 0):
        for verb in told:
            tell(verb, account, by=SCHEDULER, at=NOON - timedelta(days=days))
    tell(Verb.BLOCKED, account, by=SCHEDULER, at=NOON, reason="own", basis="own")

    def build(**scope):
        LegalRequest.objects.filter(pk=request.pk).update(**scope)
        bundle = make_bundle(case, ground="court_order", recipient="court", by=counsel, approved_by=second_counsel)
        built = bundles.build(bundle, by=SCHEDULER, at=LATER)
        lines = (bundles.folder_of(built) / "data/audit/events.jsonl").read_text().splitlines()
        return built, [json.loads(line) for line in lines]

    return build


def kinds_of(lines) -> set[str]:
    return {class_of(line["verb"]).value for line in lines}


def test_r111_without_limits_it_tells_of_all_that_the_ground_covers(excerpt):
    _, lines = excerpt()

    assert kinds_of(lines) == ALL_KINDS
    assert any(line["at"].startswith("2026-01-21") for line in lines)


def test_r111_it_tells_of_no_kind_that_is_not_asked_for(excerpt):
    bundle, lines = excerpt(scope_kinds=["subscriber", "access"])

    assert kinds_of(lines) == {"subscriber", "access", "custody"}
    assert {line["about_name"] for line in lines if line["verb"].startswith("cases.")} == {bundle.reference}


def test_r111_it_tells_of_no_day_that_is_not_asked_for_and_of_its_own_custody_always(excerpt):
    _, lines = excerpt(scope_from=date(2026, 1, 20), scope_through=date(2026, 1, 22))

    days = {class_of(line["verb"]).value: line["at"][:10] for line in lines}
    assert days.pop("custody") == NOON.date().isoformat()
    assert set(days.values()) == {"2026-01-21"} and set(days) == ALL_KINDS - {"custody"}


def test_r111_why_it_was_decided_goes_only_where_decisions_are_asked_for(excerpt):
    reasons = [
        line["facts"].get("reason")
        for kinds in (["subscriber", "screening", "decisions"], ["subscriber", "screening"])
        for line in excerpt(scope_kinds=kinds)[1] if line["verb"] == "accounts.blocked"
    ]  # fmt: skip

    assert reasons == ["own", None]
