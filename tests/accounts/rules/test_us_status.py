"""U.S. person or foreign (R7, R8)."""

import pytest

from accounts.rules.us_status import StatusEvidence, find_basis, needs_identity_checks


class TestFindBasis:
    @pytest.mark.parametrize(
        ("evidence", "basis"),
        [
            (StatusEvidence("individual"), "none"),
            (StatusEvidence("individual", citizenship="US"), "citizen"),
            (StatusEvidence("individual", citizenship=" us "), "citizen"),
            (StatusEvidence("individual", citizenship="DE"), "none"),
            (StatusEvidence("individual", citizenship="DE", permanent_resident_proof=True), "lpr"),
            (StatusEvidence("individual", citizenship="DE", located_in_us_evidence=True), "located_in_us"),
            (StatusEvidence("individual", formation_country="US"), "none"),
            (StatusEvidence("individual", branch_of_us_entity=True), "none"),
            (StatusEvidence("entity"), "none"),
            (StatusEvidence("entity", formation_country="US"), "us_entity"),
            (StatusEvidence("entity", formation_country="PR"), "us_entity"),
            (StatusEvidence("entity", formation_country="CA"), "none"),
            (StatusEvidence("entity", formation_country="CA", branch_of_us_entity=True), "us_branch_abroad"),
            (StatusEvidence("entity", citizenship="US", permanent_resident_proof=True), "none"),
            (StatusEvidence("undetermined", citizenship="US", formation_country="US"), "none"),
            (StatusEvidence("undetermined", located_in_us_evidence=True), "located_in_us"),
        ],
    )
    def test_r7_without_proof_the_answer_is_foreign(self, evidence, basis):
        finding = find_basis(evidence)

        assert finding.basis == basis
        assert finding.us is (basis != "none")
        assert finding.sentence.startswith("U.S. person" if finding.us else "Foreign person")


class TestNeedsIdentityChecks:
    @pytest.mark.parametrize(
        ("customer", "owners", "needed"),
        [
            (True, (), False),
            (True, (True, True), False),
            (True, (True, False), True),
            (False, (), True),
            (False, (True, True), True),
        ],
    )
    def test_r8_checks_end_only_when_everybody_is_us(self, customer, owners, needed):
        assert needs_identity_checks(customer, owners) is needed
