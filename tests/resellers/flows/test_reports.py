"""What is found at a reseller is reported to an authority, beside everything else that is done (R60)."""

from datetime import date, timedelta

import pytest

from accounts.flows.texts import BadField
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records.models import AuditEvent
from resellers.flows import reports
from resellers.models import AuthorityReport
from tests.builders import make_reseller
from tests.conftest import NOON
from tests.resellers.ending import RITA, carry_out, decided, make_finding, make_other, propose

pytestmark = pytest.mark.django_db


def open_report(reseller, *, at=NOON, **changes) -> AuthorityReport:
    given = {"authority": "The FBI", "about": "Ransomware was sent from there.", **changes}
    return reports.open_report(reseller, **given, by=RITA, at=at)


class TestOpen:
    def test_r60_its_clock_is_our_own_policy_and_counts_from_the_knowledge(self):
        reseller = make_reseller(at=NOON - timedelta(days=9))
        finding = make_finding(reseller, at=NOON - timedelta(days=1))

        report = open_report(reseller, finding=finding)

        assert (report.due_on, report.citation.standing) == (date(2026, 3, 4), "own_policy")
        assert clocks_of(report).get().due_on == report.due_on
        assert str(report.about) == "••••••" and report.about.reveal().startswith("Ransomware")
        assert "FBI" not in str(AuditEvent.objects.get(verb="resellers.report.opened").facts)

    def test_neither_waits_for_the_other(self):
        reseller = make_reseller()
        row = decided(reseller)
        report = open_report(reseller, termination=row)

        assert carry_out(row).state == "done"
        report.refresh_from_db()
        assert report.state == "open" and clocks_of(report).exists()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [({"authority": ""}, "Authority is empty"), ({"about": " "}, "reported is empty"), ({"about": "\x00"}, "NUL")],
    )
    def test_what_cannot_be_is_refused(self, changes, says):
        with pytest.raises(BadField, match=says):
            open_report(make_reseller(), **changes)

        assert not AuthorityReport.objects.exists()

    def test_what_speaks_of_another_reseller_is_refused(self):
        other = make_other()

        for changes in ({"finding": make_finding(other)}, {"termination": propose(other)}):
            with pytest.raises(BadField, match="another reseller"):
                open_report(make_reseller(), **changes)


class TestEnd:
    def test_made_its_clock_stops(self):
        report = open_report(make_reseller())

        report = reports.note_sent(report, channel="form", report_id="IC3-7", by=RITA, at=NOON)

        assert (report.state, report.report_id, report.sent_by) == ("sent", "IC3-7", "rita")
        assert not clocks_of(report).exists()
        with pytest.raises(reports.ReportOver, match="made already"):
            reports.drop(report, why="x", by=RITA, at=NOON)

    def test_not_needed_it_says_why(self):
        report = reports.drop(open_report(make_reseller()), why="They did it themselves.", by=RITA, at=NOON)

        assert (report.state, report.why_dropped) == ("dropped", "They did it themselves.")
        assert not clocks_of(report).exists()

    @pytest.mark.parametrize("channel", ["", "pigeon"])
    def test_an_unknown_channel_is_refused(self, channel):
        report = open_report(make_reseller())
        with pytest.raises(BadField, match="Channel"):
            reports.note_sent(report, channel=channel, by=RITA, at=NOON)

        report.refresh_from_db()
        assert report.state == "open"
