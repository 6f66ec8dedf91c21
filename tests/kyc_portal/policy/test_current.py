"""Which text applied on a day, and the figures that are shipped (R3, regulation 3.0)."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import override_settings

from kyc_portal.policy.cip import EmptyCip, approve_cip
from kyc_portal.policy.current import NoCip, NoSuchFigure, NoSuchRegime, cip_on, load_shipped, regime_on
from kyc_portal.policy.models import CipVersion, Citation, RegimeNumber, RegimeProfile
from kyc_portal.policy.regimes import CITATIONS, COMMON, PROFILES
from kyc_portal.records.models import AuditEvent
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


class TestRegimeOn:
    def test_it_reads_the_chosen_profile_in_two_queries(self, django_assert_num_queries):
        with django_assert_num_queries(2):
            regime = regime_on(DAY)
            assert regime.whole("retention_years") == 2
            assert regime.cite("retention_years") == "15 CFR 7.302 (89 FR 5698) (proposed)"

        assert (regime.code, regime.standing) == ("NPRM_2024", "proposed")
        assert regime.label.endswith("(proposed)")
        assert "owners" in regime.elements

    @pytest.mark.parametrize("code", [profile.code for profile in PROFILES])
    def test_each_shipped_profile_can_be_chosen(self, code):
        with override_settings(REGIME=code):
            regime = regime_on(DAY)

        assert regime.number("owner_share_percent") == Decimal(25)
        assert set(regime.figures) >= {figure.name for figure in COMMON}
        assert regime.label.endswith("(proposed)") == (code == "NPRM_2024")

    def test_an_unknown_regime_is_refused_in_words(self):
        with override_settings(REGIME="NOWHERE"), pytest.raises(NoSuchRegime, match="NOWHERE was in use on 2026-03-02"):
            regime_on(DAY)

    @pytest.mark.parametrize(
        ("day", "is_in_use"),
        [(date(2026, 2, 28), False), (date(2026, 3, 1), True), (date(2026, 3, 31), True), (date(2026, 4, 1), False)],
    )
    def test_a_profile_is_in_use_from_its_first_through_its_last_day(self, day, is_in_use):
        RegimeProfile.objects.filter(code="NPRM_2024").update(valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31))

        if is_in_use:
            assert regime_on(day).code == "NPRM_2024"
        else:
            with pytest.raises(NoSuchRegime, match="Set KYC_REGIME"):
                regime_on(day)

    def test_an_unknown_figure_is_refused_in_words(self):
        with pytest.raises(NoSuchFigure, match="has no figure “speed_limit”"):
            regime_on(DAY).number("speed_limit")


class TestLoadShipped:
    def test_doing_it_again_changes_nothing(self):
        before = [list(model.objects.order_by("pk").values()) for model in (Citation, RegimeProfile, RegimeNumber)]

        load_shipped()

        assert before == [
            list(model.objects.order_by("pk").values()) for model in (Citation, RegimeProfile, RegimeNumber)
        ]

    def test_what_the_operator_changed_stays(self):
        RegimeNumber.objects.filter(profile__code="NPRM_2024", name="external_check_days").update(value=7)
        Citation.objects.filter(code="nprm-302").update(text="15 CFR 791.302", standing="in_force")
        RegimeProfile.objects.filter(code="NPRM_2024").update(elements=["legal_name"])

        load_shipped()

        regime = regime_on(DAY)
        assert (regime.whole("external_check_days"), regime.elements) == (7, {"legal_name"})
        assert regime.cite("retention_years") == "15 CFR 791.302 (in force)"

    def test_a_figure_that_is_missing_comes_back(self):
        RegimeNumber.objects.filter(name="external_check_days")._raw_delete("default")

        load_shipped()

        assert RegimeNumber.objects.filter(name="external_check_days").count() == len(PROFILES)

    @pytest.mark.parametrize(
        ("figure", "value", "citation", "mark"),
        [  # what regulation 3.0 lists as law, or as the proposal's own number
            ("reseller_cip_days", 10, "15 CFR 7.303", "S"),
            ("reseller_end_days", 30, "15 CFR 7.303", "S"),
            ("retention_years", 2, "15 CFR 7.302", "S"),
            ("measure_wait_days", 180, "15 CFR 7.307", "S"),
            ("measure_length_days", 365, "15 CFR 7.307", "S"),
            ("blocked_report_days", 10, "31 CFR 501.603", "P"),
            ("sanctions_retention_years", 10, "31 CFR 501.601", "P"),
            ("preservation_days", 90, "18 U.S.C. 2703(f)", "P"),
            ("preservation_renewal_days", 90, "18 U.S.C. 2703(f)", "P"),
            ("blocked_share_percent", 50, "31 CFR 578.411", "P"),
        ],
    )
    def test_every_figure_of_law_has_its_citation_and_mark(self, figure, value, citation, mark):
        found = regime_on(DAY).figure(figure)

        assert (int(found.value), found.citation.mark) == (value, mark)
        assert found.citation.text.startswith(citation)
        assert ("proposed" in str(found.citation)) == citation.startswith("15 CFR 7.")

    @pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.code)
    def test_each_shipped_figure_has_a_unit_and_a_known_citation(self, profile):
        figures = (*profile.figures, *COMMON)

        assert len({figure.name for figure in figures}) == len(figures)
        for figure in figures:
            assert figure.citation in CITATIONS
            assert figure.unit and (Decimal(figure.value) > 0 or (Decimal(figure.value) == 0 and figure.reason))
            assert CITATIONS[figure.citation].standing == "own_policy" or figure.citation != "own"

    def test_business_days_are_told_by_their_unit(self):
        assert regime_on(DAY).figure("blocked_report_days").unit == "business days"
        assert str(regime_on(DAY).figure("blocked_report_days")) == "blocked_report_days: 10 business days"


class TestCip:
    def approved(self, day: date, by, text="How we verify.") -> CipVersion:
        return approve_cip(title="CIP", text=text, effective_from=day, by=by, at=NOON)

    def test_the_version_in_force_is_the_last_that_has_begun(self, compliance):
        first = self.approved(date(2025, 1, 1), compliance)
        second = self.approved(date(2026, 3, 2), compliance)

        assert cip_on(date(2026, 3, 1)) == first
        assert cip_on(date(2026, 3, 2)) == second
        assert [first.reference, second.reference] == ["CIP-1", "CIP-2"]

    def test_of_two_of_one_day_the_later_approved_counts(self, compliance):
        self.approved(DAY, compliance)

        assert cip_on(DAY) != self.approved(DAY, compliance) or cip_on(DAY).number == 2

    def test_before_the_first_there_is_none(self, compliance):
        self.approved(DAY, compliance)

        with pytest.raises(NoCip, match="No CIP version was in force on 2026-03-01"):
            cip_on(date(2026, 3, 1))

    def test_approving_leaves_the_hash_and_an_event(self, compliance):
        version = self.approved(DAY, compliance)

        event = AuditEvent.objects.get(verb="policy.cip.approved")
        assert len(version.sha256) == 64
        assert event.facts == {"number": 1, "effective_from": "2026-03-02", "sha256": version.sha256}

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_one_without_text_is_refused(self, compliance, text):
        with pytest.raises(EmptyCip, match="Paste the approved wording"):
            self.approved(DAY, compliance, text=text)
