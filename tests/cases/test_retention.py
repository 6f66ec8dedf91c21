import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from accounts.flows import closing, document_files
from accounts.models import Account, AddressAllocation, Objection
from cases.flows import (
    abuse_reports,
    appeal_answers,
    appeals,
    bundles,
    decisions,
    effects,
    review,
    stored_bundles,
)
from cases.models import AbuseEvidence, AbuseReport, Appeal, Bundle, Case, CaseNote, Decision
from cases.tasks import reconcile_bundles
from kyc_portal.policy.models import Deadline
from kyc_portal.records import holds, retention
from kyc_portal.records.models import SubjectKey, Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from tests.cases import reports
from tests.cases.builders import make_bundle, make_case, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LAST_DAY = date(2028, 3, 2)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


def ended_case(analyst_user, lead, *, outcome="close", reason="unusual_use", code="country_conflict") -> Case:
    account = make_open_account()
    case = make_case(account, code, worked_by=analyst_user)
    review.add_note(case, text="Called the customer.", by=analyst_user.as_actor, at=NOON)
    decision = decisions.propose(
        case, account=account, outcome=outcome, reason=reason, by=analyst_user.as_actor, at=NOON
    )
    decisions.countersign(decision, by=lead, at=NOON)
    return review.close_case(case, why="decided", by=lead, at=NOON)


def purge(as_of: date) -> dict[str, str]:
    """What a purge as of that day says of each file."""
    report = retention.purge_due(
        as_of=as_of,
        today=as_of,
        execute=True,
        by=SCHEDULER,
        at=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC),
    )
    return {ref.name: why for ref, why in report.kept} | {stone.name: "gone" for stone in report.gone}


class TestPurge:
    def test_it_keeps_a_case_through_its_last_day(self, analyst_user, lead):
        case = ended_case(analyst_user, lead)

        assert "2028-03-02" in purge(LAST_DAY)[case.reference]
        assert Case.objects.exists()

    def test_it_destroys_case_notes_and_decisions_the_day_after(self, analyst_user, lead):
        case = ended_case(analyst_user, lead)

        told = purge(LAST_DAY + timedelta(days=1))

        stone = Tombstone.objects.get(name=case.reference)
        assert told[case.reference] == "gone"
        assert stone.counts["cases.casenote"] == 1
        assert not (CaseNote.objects.exists() or Decision.objects.exists())
        assert not Deadline.objects.filter(key=str(case.pk)).exists()

    def test_the_account_can_go_once_its_case_is_gone(self, analyst_user, lead):
        ended_case(analyst_user, lead)

        for _ in range(2):
            purge(LAST_DAY + timedelta(days=1))

        assert not Account.objects.exists()

    def test_it_deletes_the_bundles_files_by_a_job(self, analyst_user, lead, counsel, second_counsel, settings):
        case = ended_case(analyst_user, lead)
        bundle = make_bundle(case, by=counsel, approved_by=second_counsel)
        bundles.build(bundle, by=SCHEDULER, at=NOON)
        folder = Path(settings.BUNDLE_DIR) / bundle.reference
        assert folder.exists()

        purge(LAST_DAY + timedelta(days=1))
        told = queue.run_due(datetime(2050, 1, 1, tzinfo=UTC))

        assert told["failed"] == 0
        assert not folder.exists()
        assert not Bundle.objects.exists()

    def test_it_waits_for_a_bundle_on_its_way(self, analyst_user, lead, counsel):
        case = ended_case(analyst_user, lead)
        make_bundle(case, by=counsel)

        assert case.reference not in purge(LAST_DAY + timedelta(days=1))

    def test_it_waits_for_an_appeal_and_takes_it_along_once_it_is_answered(self, analyst_user, lead, counsel_user):
        case, counsel = ended_case(analyst_user, lead), counsel_user.as_actor
        appeal = appeals.log(case.decisions.get(), text="No.", received_on=NOON.date(), by=lead, at=NOON)
        appeals.assign(appeal, to=counsel_user, by=counsel, at=NOON)
        assert case.reference not in purge(LAST_DAY + timedelta(days=1))

        appeal_answers.answer(
            appeal, outcome="upheld", reason="rightly_decided", why="Looked at again.", by=counsel, at=NOON
        )
        told = purge(LAST_DAY + timedelta(days=1))
        purge(LAST_DAY + timedelta(days=1))

        assert told[case.reference] == "gone"
        assert not (Appeal.objects.exists() or Objection.objects.exists() or Account.objects.exists())
        assert not Deadline.objects.filter(key=str(appeal.pk)).exists()

    def test_what_is_signed_and_not_in_effect_keeps_its_case(self, analyst_user, lead):
        case = make_case(make_open_account(), worked_by=analyst_user)
        account = case.subjects.get().account
        decisions.propose(
            case, account=account, outcome="limit", reason="unusual_use", at_once=False, by=analyst_user.as_actor,
            at=NOON,
        )  # fmt: skip
        closing.close_account(account, reason="customer_left", by=lead, at=NOON)

        purge(LAST_DAY + timedelta(days=1))

        assert Case.objects.get().status == "proposed" and Account.objects.exists()
        effects.bring_due_into_effect(at=NOON + timedelta(days=1))
        assert Decision.objects.get().state == "not_done"

    def test_it_keeps_what_is_held(self, analyst_user, lead, counsel):
        case = ended_case(analyst_user, lead)
        hold = holds.place_hold([Account.objects.get()], reason="litigation", ground="matter 1", by=counsel, at=NOON)

        assert hold.reference in purge(LAST_DAY + timedelta(days=1))[case.reference]

    def test_it_keeps_a_list_decision_ten_years(self, analyst_user, lead):
        case = ended_case(analyst_user, lead, outcome="close", reason="list_match_confirmed", code="confirmed_list_hit")

        assert "rests on a sanctions list: 10 years" in purge(date(2030, 1, 1))[case.reference]
        assert purge(date(2036, 3, 3))[case.reference] == "gone"

    def test_it_leaves_a_case_whose_account_is_open(self, analyst_user, lead):
        case = ended_case(analyst_user, lead, outcome="suspend")

        assert case.reference not in purge(date(2050, 1, 1))


class TestStoredBundles:
    def test_a_folder_no_bundle_names_goes_and_a_young_one_waits(self, settings):
        for name, moment in (("BDL-2222-2222", 1_000_000_000), ("BDL-3333-3333", None), ("another", 1_000_000_000)):
            folder = Path(settings.BUNDLE_DIR) / name
            (folder / "data").mkdir(parents=True)
            if moment:
                os.utime(folder, (moment, moment))

        assert reconcile_bundles.run() == {"removed": 1, "missing": 0}
        assert sorted(path.name for path in Path(settings.BUNDLE_DIR).iterdir()) == ["BDL-3333-3333", "another"]

    def test_a_built_bundle_whose_folder_is_missing_is_named(
        self, analyst_user, lead, counsel, second_counsel, settings
    ):
        bundle = make_bundle(ended_case(analyst_user, lead), by=counsel, approved_by=second_counsel)
        bundles.build(bundle, by=SCHEDULER, at=NOON)
        assert reconcile_bundles.run() == {"removed": 0, "missing": 0}
        (Path(settings.BUNDLE_DIR) / bundle.reference).rename(Path(settings.BUNDLE_DIR) / "away")

        with pytest.raises(stored_bundles.BundlesMissing, match=bundle.reference):
            reconcile_bundles.run()


class TestAbuseReports:
    def closed_with_report(self, account: Account) -> AbuseReport:
        reports.allocate(account)
        report = reports.take_in()
        review.close_case(report.case, why="decided", by=SCHEDULER, at=NOON)
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON)
        return report

    def test_a_report_goes_with_its_case_and_so_do_its_key_and_its_file(self, settings, tmp_path):
        settings.PRIVATE_DIR = tmp_path / "documents"
        report = self.closed_with_report(make_open_account())
        path = document_files.path_of(report.pk, report.sha256)
        assert path.exists()

        assert purge(LAST_DAY)[report.case.reference] != "gone"
        assert purge(LAST_DAY + timedelta(days=1))[report.case.reference] == "gone"
        queue.run_due(datetime(2050, 1, 1, tzinfo=UTC))

        assert not AbuseReport.objects.exists() and not AbuseEvidence.objects.exists()
        assert not SubjectKey.objects.filter(subject=report.pk).exists()
        assert not path.exists()

    def test_a_hold_on_the_account_keeps_the_report(self, counsel):
        account = make_open_account()
        report = self.closed_with_report(account)
        holds.place_hold([account], reason="litigation", ground="Example v. Example", by=counsel, at=NOON)

        purge(date(2040, 1, 1))

        report.refresh_from_db()
        assert report.contact.reveal() == reports.CONTACT
        assert document_files.read(report.pk, report.sha256)

    def test_a_report_without_account_goes_after_the_figures_years(self, settings, tmp_path):
        settings.PRIVATE_DIR = tmp_path / "documents"
        report = reports.take_in()
        abuse_reports.settle(report, why="not_ours", by=SCHEDULER, at=NOON)

        assert "case" in purge(LAST_DAY)[report.case.reference]
        assert purge(LAST_DAY + timedelta(days=1))[report.case.reference] == "gone"
        assert not AbuseReport.objects.exists()

    def test_allocations_go_with_the_account(self):
        account = make_open_account()
        reports.allocate(account)
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON)

        purge(LAST_DAY + timedelta(days=1))

        assert not AddressAllocation.objects.exists()
