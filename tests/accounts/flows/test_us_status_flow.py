"""Settling U.S. status: the finding is stored with who and when; screening does not stop."""

import pytest

from accounts.flows import screening, us_status
from accounts.flows.texts import BadField
from accounts.rules.us_status import StatusEvidence
from kyc_portal.records.audit import history_of
from tests.builders import make_account, make_company, make_list, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


class TestSettleStatus:
    def test_r7_without_proof_the_answer_is_foreign(self, analyst):
        party = make_party()

        finding = us_status.settle_status(party, evidence=StatusEvidence(kind="individual"), by=analyst, at=NOON)

        party.refresh_from_db()
        assert (finding.us, party.us_status, party.us_basis) == (False, "foreign", "none")
        assert (party.us_settled_at, party.us_settled_by) == (NOON, analyst.label)

    def test_r8_the_event_names_the_evidence(self, analyst):
        account = make_account(citizenship="US")
        evidence = StatusEvidence(kind="individual", citizenship="US", located_in_us_evidence=True)

        us_status.settle_status(account.party, evidence=evidence, by=analyst, at=NOON)

        facts = history_of(account).first().facts
        assert facts["status"] == "us" and facts["basis"] == "citizen"
        assert facts["shown"] == ["citizenship", "located_in_us_evidence"]

    def test_t12_a_us_person_is_screened_all_the_same(self, analyst):
        company = make_company(formation_country="US").party
        evidence = StatusEvidence(kind="entity", formation_country="US")

        us_status.settle_status(company, evidence=evidence, by=analyst, at=NOON)

        assert company in screening.to_screen(make_list())

    def test_it_refuses_evidence_about_another_kind(self, analyst):
        with pytest.raises(BadField, match="on file as"):
            us_status.settle_status(make_party(), evidence=StatusEvidence(kind="entity"), by=analyst, at=NOON)
