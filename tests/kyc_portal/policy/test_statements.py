"""The wording of what people sign, as dated versions (R22)."""

from datetime import date, timedelta

import pytest

from kyc_portal.policy.models import StatementKind, StatementVersion
from kyc_portal.policy.statements import (
    EmptyStatement,
    NoStatement,
    WordingChanged,
    approve_statement,
    statement,
    statement_on,
    wording_shown,
)
from kyc_portal.records.models import AuditEvent
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = NOON.date()


class TestVersions:
    def test_the_first_certification_of_owners_is_shipped(self):
        first = statement_on("owners", DAY)

        assert (first.number, first.approved_by) == (1, "shipped") and first.text.startswith("I certify")

    def test_r22_the_one_in_force_that_day_counts(self, compliance):
        approve_statement(kind="owners", text="Second.", effective_from=DAY, by=compliance, at=NOON)

        assert [statement_on("owners", DAY + timedelta(days=days)).number for days in (-1, 0)] == [1, 2]
        event = AuditEvent.objects.get(verb="policy.statement.approved")
        assert (event.facts["kind"], event.facts["number"], event.facts["sha256"]) == (
            "owners", 2, StatementVersion.objects.get(number=2).sha256,
        )  # fmt: skip

    @pytest.mark.parametrize(("kind", "text", "says"), [("owners", " \n", "no text"), ("shoes", "I", "no such kind")])
    def test_a_bad_one_is_refused(self, compliance, kind, text, says):
        with pytest.raises(EmptyStatement, match=says):
            approve_statement(kind=kind, text=text, effective_from=DAY, by=compliance, at=NOON)

        assert StatementVersion.objects.count() == len(StatementKind.values)  # the shipped ones

    @pytest.mark.parametrize("number", ["", "0", "2", "-1", "²", "1 ", "page-1", "9" * 40])
    def test_a_number_nobody_gave_out_names_none(self, number):
        with pytest.raises(NoStatement, match="no such version"):
            statement("owners", number)

    @pytest.mark.parametrize("kind", StatementKind.values)
    def test_only_the_wording_in_force_can_be_signed(self, compliance, kind):
        assert wording_shown(kind, "1", DAY).number == 1
        approve_statement(kind=kind, text="Second.", effective_from=DAY, by=compliance, at=NOON)

        assert wording_shown(kind, "2", DAY).text == "Second."
        for number in ("1", "3", "", "02"):
            with pytest.raises(WordingChanged, match="Read it again"):
                wording_shown(kind, number, DAY)

    def test_before_the_first_there_is_none(self):
        with pytest.raises(NoStatement, match="in force on 1999-12-31"):
            statement_on("owners", date(1999, 12, 31))

    def test_compliance_approves_one_on_its_page(self, client, compliance_user, lead_user):
        form = {"kind": "owners", "text": "From the page.", "effective_from": "2026-03-02"}
        client.force_login(lead_user)
        assert client.post("/admin/policy/statementversion/add/", form).status_code == 403

        client.force_login(compliance_user)
        assert client.post("/admin/policy/statementversion/add/", form).status_code == 302
        version = StatementVersion.objects.get(number=2)
        assert b"From the page." in client.get(f"/admin/policy/statementversion/{version.pk}/change/").content
