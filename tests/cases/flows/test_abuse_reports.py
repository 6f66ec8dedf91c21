from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail

from accounts.flows import access_log, document_files
from accounts.models import Account, Restriction
from cases.flows import abuse_reports, review
from cases.formats.xarf import ReportRefused
from cases.models import AbuseReport, Case
from cases.rules.reports import Door, ReportState
from kyc_portal.notices.models import Notice
from kyc_portal.records import audit, destroying
from kyc_portal.records.models import AuditEvent, Destruction, SubjectKey
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import event, jsonl
from tests.cases import reports
from tests.cases.builders import make_open_account
from tests.conftest import NOON

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "xarf"


def sample(name: str) -> bytes:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{name} is not here: the published samples of XARF are not part of the project")
    return path.read_bytes()


def seen_from(account: Account, *, minutes: int = 0, address: str = reports.ADDRESS) -> None:
    """An access of this account from the address, so many minutes after half past eleven."""
    at = NOON - timedelta(minutes=30) + timedelta(minutes=minutes)
    line = event(1, at=at.isoformat().replace("+00:00", "Z"), source=address)
    access_log.import_access_lines(account, jsonl(line), format="jsonl", file_name="a", by=SCHEDULER, at=NOON)


def doom(account: Account) -> None:
    """The destruction of the account's file has begun and is not done yet."""
    file = Destruction(
        label="accounts.account", key=str(account.pk), name=account.reference, rule="customer_file", basis="test",
        kept_through=NOON.date(), holds_looked_at=1, begun_at=NOON, begun_by="the scheduler",
    )  # fmt: skip
    destroying.mark(file, [account])


@pytest.mark.django_db
class TestT24:
    def test_t24_a_suspicious_registration_becomes_a_case_with_five_indicators_and_its_risk(self):
        report = reports.take_in(sample("content-suspicious-registration.json"))

        assert report.case.title == "Suspicious registration reported"
        assert (report.case.kind, report.case.status) == ("abuse", "open")
        assert len(report.indicators) == 5
        assert str(report.risk.normalize()) == "0.89"
        assert report.state == ReportState.WAITING  # a name tells nothing of addresses
        assert [piece.verdict for piece in report.evidence.all()] == ["disagrees"]  # its sample hash is made up

    def test_t24_a_botnet_attaches_to_the_account_that_held_the_address_and_its_evidence_is_hashed_again(self):
        account = make_open_account()
        reports.allocate(account, days=500)

        report = reports.take_in(sample("infrastructure-botnet.json"))

        assert (report.state, report.how, report.account) == ("resolved", "allocation", account)
        assert [subject.account for subject in report.case.subjects.all()] == [account]
        piece = report.evidence.get()
        assert (piece.verdict, piece.declared) == ("agrees", piece.computed)

    def test_t24_version_3_is_read_as_4_and_its_bytes_are_kept(self):
        data = sample("botnet_v3_sample.json")

        report = reports.take_in(data)

        assert (report.version, report.category, report.type) == ("3", "infrastructure", "botnet")
        assert document_files.read(report.pk, report.sha256) == data


@pytest.mark.django_db
class TestWhoseItIs:
    def test_the_allocation_of_that_moment_counts_and_not_that_of_today(self):
        then, now = make_open_account(), make_open_account()
        reports.allocate(then, to_at=NOON - timedelta(minutes=10))
        reports.allocate(now, days=0)

        assert reports.take_in().account == then

    def test_an_allocation_goes_before_an_access(self):
        holder, visitor = make_open_account(), make_open_account()
        reports.allocate(holder)
        seen_from(visitor)

        assert reports.take_in().account == holder

    @pytest.mark.parametrize(
        ("minutes", "state"), [(0, "resolved"), (60, "resolved"), (-60, "resolved"), (61, "waiting")]
    )
    def test_an_access_counts_within_the_figures_minutes(self, minutes, state):
        account = make_open_account()
        Account.objects.filter(pk=account.pk).update(opened_at=NOON - timedelta(days=30))
        seen_from(account, minutes=minutes)

        report = reports.take_in(at=NOON + timedelta(hours=2))

        assert report.state == state
        assert report.how == ("access" if state == "resolved" else "")

    def test_several_candidates_wait_for_a_person(self):
        one, two = make_open_account(), make_open_account()
        seen_from(one, minutes=-5)
        seen_from(two, minutes=1)

        report = reports.take_in()

        assert (report.state, report.account, report.case.subjects.count()) == ("waiting", None, 0)
        assert [each.account for each in abuse_reports.candidates(report)] == [two, one]

    def test_an_account_whose_destruction_has_begun_keeps_no_report_out(self):
        account = make_open_account()
        reports.allocate(account)
        doom(account)

        assert reports.take_in().state == "waiting"

    def test_an_address_decides_nothing_about_the_account(self):
        account = make_open_account()
        reports.allocate(account)
        before = Account.objects.filter(pk=account.pk).values().get()

        reports.take_in()

        assert Account.objects.filter(pk=account.pk).values().get() == before
        assert not Restriction.objects.exists()

    def test_nothing_is_mailed_and_no_notice_is_queued(self):
        account = make_open_account()
        reports.allocate(account)
        before = Notice.objects.count()

        reports.take_in()
        reports.take_in(reports.botnet(source_identifier="a-name.example"))

        assert mail.outbox == []
        assert Notice.objects.count() == before


@pytest.mark.django_db
class TestGrouping:
    def test_the_same_story_joins_the_open_case(self):
        account = make_open_account()
        reports.allocate(account)

        first, second = reports.take_in(), reports.take_in(at=NOON + timedelta(days=29))

        assert first.case == second.case
        assert Case.objects.get().weight == 60
        assert [event.verb for event in audit.history_of(first.case)].count("cases.report_joined") == 2

    def test_the_same_source_without_an_account_joins_too(self):
        told = {"source_identifier": "a-name.example"}

        assert reports.take_in(reports.botnet(**told)).case == reports.take_in(reports.botnet(**told)).case

    @pytest.mark.parametrize(
        "other",
        [
            {"type": "compromised_server", "compromise_method": "ssh"},
            {"source_identifier": "198.51.100.99"},
        ],
    )
    def test_another_story_has_a_case_of_its_own(self, other):
        reports.allocate(make_open_account())

        assert reports.take_in().case != reports.take_in(reports.botnet(**other)).case

    def test_a_story_that_is_too_old_begins_anew(self):
        reports.allocate(make_open_account())

        assert reports.take_in().case != reports.take_in(at=NOON + timedelta(days=31)).case

    def test_a_closed_case_is_not_joined(self, analyst_user, analyst):
        reports.allocate(make_open_account())
        first = reports.take_in()
        review.take(first.case, user=analyst_user, at=NOON)
        review.close_case(first.case, why="decided", by=analyst, at=NOON)

        assert reports.take_in().case != first.case


@pytest.mark.django_db
class TestRepeats:
    def test_the_same_bytes_change_nothing(self):
        data = reports.as_bytes(reports.botnet())
        first = reports.take_in(data)
        events = AuditEvent.objects.count()

        again = abuse_reports.take_in(data, door=Door.API, by=SCHEDULER, at=NOON)

        assert (again.report, again.is_new) == (first, False)
        assert AuditEvent.objects.count() == events
        assert Case.objects.get().weight == 30

    def test_the_reporters_own_number_in_other_bytes_changes_nothing(self):
        told = reports.botnet()
        first = reports.take_in(told)

        again = abuse_reports.take_in(
            reports.as_bytes({**told, "description": "more"}), door=Door.API, by=SCHEDULER, at=NOON
        )

        assert (again.report, again.is_new) == (first, False)

    def test_another_reporters_same_number_is_another_report(self):
        told = reports.botnet()
        other = {**told["reporter"], "domain": "other.example"}

        assert reports.take_in(told) != reports.take_in({**told, "reporter": other})

    def test_reports_of_version_3_without_a_number_are_told_apart_by_their_bytes(self):
        assert reports.take_in(reports.old()) == reports.take_in(reports.old())
        assert AbuseReport.objects.count() == 1
        reports.take_in(reports.old(Date="2026-03-02T11:31:00Z"))
        assert AbuseReport.objects.count() == 2


@pytest.mark.django_db
class TestWhatIsKept:
    def test_the_file_and_the_contact_are_sealed_under_the_reports_own_key(self):
        data = reports.as_bytes(reports.botnet())

        report = reports.take_in(data)

        report.refresh_from_db()
        stored = document_files.path_of(report.pk, report.sha256).read_bytes()
        assert SubjectKey.objects.filter(subject=report.pk).exists()
        assert reports.CONTACT.encode() not in stored and b"payload" not in stored
        assert str(report.contact) != reports.CONTACT == report.contact.reveal()
        assert document_files.read(report.pk, report.sha256) == data

    def test_the_trail_names_no_reporter_and_no_address(self):
        reports.allocate(make_open_account())

        report = reports.take_in()

        told = str(list(AuditEvent.objects.filter(verb__startswith="cases.").values("facts", "about_name")))
        assert report.reference in told
        for word in (reports.CONTACT, reports.ADDRESS, "reporter.example", "Example CERT"):
            assert word not in told

    def test_the_reader_refuses_what_happened_tomorrow(self):
        with pytest.raises(ReportRefused, match=r"\$.timestamp: nothing can have happened at 2026-03-04"):
            reports.take_in(reports.botnet(timestamp="2026-03-04T12:00:00Z"))

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
    def test_the_reader_refuses_moments_no_window_lies_around(self, moment):
        with pytest.raises(ReportRefused, match="nothing can have happened"):
            reports.take_in(reports.botnet(timestamp=moment))


@pytest.mark.django_db
class TestAttach:
    def test_it_makes_the_case_speak_of_the_account(self, analyst):
        account, report = make_open_account(), reports.take_in()

        done = abuse_reports.attach(report, account=account, why="own_records", by=analyst, at=NOON)

        assert (done.state, done.how, done.account, done.answered_by) == ("resolved", "by_hand", account, "ana")
        assert done.case == report.case
        assert [subject.account for subject in done.case.subjects.all()] == [account]
        assert "cases.report_attached" in [event.verb for event in audit.history_of(account)]

    def test_it_joins_the_accounts_open_case_of_the_same_story_and_closes_its_own(self, analyst):
        account = make_open_account()
        reports.allocate(account)
        there = reports.take_in().case
        report = reports.take_in(reports.botnet(source_identifier="a-name.example"))
        own = report.case

        done = abuse_reports.attach(report, account=account, why="name_or_page", by=analyst, at=NOON)

        own.refresh_from_db()
        assert done.case == there != own
        assert own.status == "closed"

    def test_it_leaves_a_case_in_which_another_report_waits(self, analyst):
        account = make_open_account()
        reports.allocate(account)
        reports.take_in()
        one, two = (reports.take_in(reports.botnet(source_identifier="a-name.example")) for _ in range(2))

        abuse_reports.attach(one, account=account, why="name_or_page", by=analyst, at=NOON)

        two.refresh_from_db()
        assert (two.state, two.case.status) == ("waiting", "open")

    def test_it_refuses_a_report_that_is_attached_already(self, analyst):
        reports.allocate(make_open_account())

        with pytest.raises(abuse_reports.NotWaiting, match="resolved to an account already"):
            abuse_reports.attach(reports.take_in(), account=make_open_account(), why="own_records", by=analyst, at=NOON)

    def test_it_refuses_a_reason_that_is_not_on_the_list(self, analyst):
        with pytest.raises(abuse_reports.UnknownReason, match="own_records"):
            abuse_reports.attach(reports.take_in(), account=make_open_account(), why="so", by=analyst, at=NOON)


@pytest.mark.django_db
class TestSettle:
    def test_it_ends_the_report_and_its_empty_case(self, analyst):
        report = reports.take_in()

        done = abuse_reports.settle(report, why="not_ours", by=analyst, at=NOON)

        assert (done.state, done.settled_why, done.case.status) == ("settled", "not_ours", "open")
        assert Case.objects.get().status == "closed"

    def test_it_refuses_twice_and_unknown_reasons(self, analyst):
        report = reports.take_in()
        with pytest.raises(abuse_reports.UnknownReason, match="not_ours"):
            abuse_reports.settle(report, why="", by=analyst, at=NOON)
        abuse_reports.settle(report, why="test", by=analyst, at=NOON)

        with pytest.raises(abuse_reports.NotWaiting):
            abuse_reports.settle(report, why="test", by=analyst, at=NOON)

    def test_a_case_is_not_closed_over_a_report_that_waits(self, analyst):
        report = reports.take_in()

        with pytest.raises(review.NotFinished, match=f"{report.reference} waits for an account"):
            review.close_case(report.case, why="decided", by=analyst, at=NOON)
