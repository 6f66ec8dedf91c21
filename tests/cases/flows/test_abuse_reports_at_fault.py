import os
from pathlib import Path

import pytest
from django.conf import settings as portal
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import document_files, stored_files
from cases.flows import abuse_reports
from cases.formats.xarf import ReportRefused
from cases.models import AbuseReport, Case
from cases.rules.reports import Door, ReportState
from kyc_portal.records.models import SubjectKey
from kyc_portal.records.refs import SCHEDULER
from tests.at_once import needs_row_locks
from tests.cases import reports
from tests.cases.builders import make_open_account
from tests.conftest import NOON


@pytest.mark.django_db
class TestAnyMutation:
    paths = st.sampled_from([
        ("report_id",), ("timestamp",), ("reporter",), ("reporter", "domain"), ("reporter", "org"), ("sender",),
        ("source_identifier",), ("category",), ("type",), ("evidence",), ("evidence", 0), ("evidence", 0, "payload"),
        ("evidence", 0, "hash"), ("evidence", 0, "content_type"), ("source_port",), ("risk_score",),
        ("suspicious_indicators",), ("tags",), ("xarf_version",), ("Version",), ("confidence",), ("unknown",),
    ])  # fmt: skip
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=400)
        | st.sampled_from(["3", "sha256:00", "phishing", "content", reports.ADDRESS, "::1", "2026-03-02T11:30:00+25"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    )  # fmt: skip

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changes=st.lists(st.tuples(paths, values), min_size=1, max_size=3), is_old=st.booleans())
    def test_it_is_taken_in_or_refused_in_one_line(self, changes, is_old):
        told = reports.old() if is_old else reports.botnet()
        for path, value in changes:
            _put(told["Report"] if is_old else told, path, value)

        self._is_taken_or_refused(reports.as_bytes(told))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(at=st.integers(min_value=0), cut=st.integers(0, 3), put=st.binary(max_size=4))
    def test_so_is_any_change_of_bytes(self, at, cut, put):
        data = reports.as_bytes(reports.botnet())
        at %= len(data)

        self._is_taken_or_refused(data[:at] + put + data[at + cut :])

    def _is_taken_or_refused(self, data: bytes) -> None:
        try:
            report = reports.take_in(data)
        except ReportRefused as refusal:
            assert str(refusal).endswith(".") and str(refusal).isprintable() and len(str(refusal)) < 700
        else:
            assert report.case is not None


def _put(told, path, value) -> None:
    for step in path[:-1]:
        if (isinstance(told, list) and told and isinstance(step, int)) or (isinstance(told, dict) and step in told):
            told = told[step]
        else:
            return
    if isinstance(told, dict) or (isinstance(told, list) and told and isinstance(path[-1], int)):
        told[path[-1]] = value


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush")
class TestFaults:
    def test_one_report_through_two_doors_at_once_is_one(self, in_threads):
        reports.allocate(make_open_account())
        data = reports.as_bytes(reports.botnet())

        done = in_threads(*[
            lambda door=door: abuse_reports.take_in(data, door=door, by=SCHEDULER, at=NOON)
            for door in (Door.API, Door.FOLDER, Door.COMMAND)
        ])  # fmt: skip

        assert sorted(outcome.is_new for outcome in done) == [False, False, True], done
        report = AbuseReport.objects.get()
        assert {outcome.report.pk for outcome in done} == {report.pk}
        assert Case.objects.get().weight == 30
        assert document_files.read(report.pk, report.sha256) == data
        assert SubjectKey.objects.filter(subject__in=[each.report.pk for each in done]).count() == 1

    @needs_row_locks
    def test_two_reports_of_one_story_at_once_end_in_one_case(self, in_threads):
        reports.allocate(make_open_account())
        sent = [reports.as_bytes(reports.botnet()) for _ in range(3)]

        done = in_threads(*[lambda data=data: reports.take_in(data) for data in sent])

        assert {report.case_id for report in done} == {Case.objects.get().pk}

    @pytest.fixture(autouse=True)
    def a_store_of_its_own(self, monkeypatch, tmp_path):
        monkeypatch.setattr(portal, "PRIVATE_DIR", tmp_path)

    def test_nothing_is_left_when_the_row_fails_after_the_file(self, monkeypatch):
        def fail(*args, **named):
            raise RuntimeError("killed")

        monkeypatch.setattr("cases.flows.triage.take_in_abuse_report", fail)
        with pytest.raises(RuntimeError, match="killed"):
            reports.take_in()

        assert not AbuseReport.objects.exists() and not Case.objects.exists()
        assert not any(stored_of_reports())

    def test_killed_between_file_and_row_nothing_is_half_and_the_next_try_takes_it_in(self):
        data = reports.as_bytes(reports.botnet())
        connections.close_all()
        child = os.fork()
        if child == 0:  # dies like a killed worker: no rollback, no clean-up
            store = document_files.store

            def stores_and_dies(subject, data):
                store(subject, data)
                os._exit(9)

            document_files.store = stores_and_dies
            try:
                reports.take_in(data)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

        assert not AbuseReport.objects.exists() and not SubjectKey.objects.exists()
        (left,) = stored_of_reports()
        os.utime(left, (1, 1))
        stored_files.reconcile()
        assert not left.exists()
        assert reports.take_in(data).state == ReportState.WAITING


def stored_of_reports() -> list[Path]:
    return list(Path(portal.PRIVATE_DIR).rglob("*.sealed"))
