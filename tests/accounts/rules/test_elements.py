"""Completeness of identifying data (R10-R17, T34)."""

from dataclasses import replace

import pytest

from accounts.rules.elements import CODES, IdentityFacts, address_relied_on, fitting_addresses, missing_elements

PERSON = IdentityFacts(
    kind="individual",
    has_legal_name=True,
    address_kinds=frozenset({"residence", "use_location"}),
    has_email=True,
    has_phone=True,
    payment_kinds=frozenset({"card"}),
    has_payment_source=True,
    has_payment_holder=True,
    documents=("passport",),
    has_birth_date=True,
    has_national_id=True,
    self_certified=True,
)
COMPANY = replace(
    PERSON,
    kind="entity",
    address_kinds=frozenset({"principal", "use_location"}),
    formation_country="DE",
    has_registration_number=True,
    owners_named=2,
    owners_certified=True,
    documents=("articles",),
)


def codes(facts, required=CODES):
    return [gap.code for gap in missing_elements(facts, frozenset(required))]


class TestMissingElements:
    @pytest.mark.parametrize("facts", [PERSON, COMPANY])
    def test_nothing_is_missing_from_a_whole_file(self, facts):
        assert codes(facts) == []

    @pytest.mark.parametrize(
        ("whole", "change", "missing"),
        [
            (PERSON, {"has_legal_name": False}, ["legal_name"]),
            (PERSON, {"address_kinds": frozenset({"use_location"})}, ["address"]),
            (PERSON, {"address_kinds": frozenset({"principal", "use_location"})}, ["address"]),
            (PERSON, {"address_kinds": frozenset({"apo_fpo", "use_location"})}, []),
            (PERSON, {"address_kinds": frozenset({"contact_person", "use_location"})}, []),
            (PERSON, {"address_kinds": frozenset({"residence"})}, ["use_location"]),
            (COMPANY, {"address_kinds": frozenset({"residence", "use_location"})}, ["address"]),
            (COMPANY, {"address_kinds": frozenset({"local_office", "use_location"})}, []),
            (PERSON, {"has_email": False, "has_phone": False}, ["email", "phone"]),
            (PERSON, {"payment_kinds": frozenset()}, ["payment"]),
            (PERSON, {"payment_kinds": frozenset({"other"})}, ["payment"]),
            (PERSON, {"payment_kinds": frozenset({"other"}), "payment_explained": True}, []),
            (
                PERSON,
                {"payment_kinds": frozenset({"none"}), "has_payment_source": False},
                ["payment", "payment_source"],
            ),
            (
                PERSON,
                {"payment_kinds": frozenset({"none"}), "has_payment_source": False, "payment_explained": True},
                [],
            ),
            (PERSON, {"has_payment_source": False}, ["payment_source"]),
            (PERSON, {"has_payment_holder": False}, ["payment_holder"]),
            (PERSON, {"has_birth_date": False}, ["birth_date"]),
            (COMPANY, {"has_birth_date": False}, []),
            (PERSON, {"formation_country": "", "owners_named": 0}, []),
            (COMPANY, {"formation_country": ""}, ["formation_country"]),
            (COMPANY, {"has_registration_number": False}, ["registration_number"]),
            (COMPANY, {"owners_named": 0, "owners_certified": False}, ["owners", "owners_certification"]),
            (PERSON, {"has_national_id": False}, ["national_id"]),
            (PERSON, {"documents": ()}, ["identity_document"]),
            (PERSON, {"documents": ("visa",)}, ["identity_document"]),
            (PERSON, {"documents": ("articles",)}, ["identity_document"]),
            (COMPANY, {"documents": ("passport",)}, ["identity_document"]),
            (COMPANY, {"documents": ("passport", "trust_instrument")}, []),
            (PERSON, {"self_certified": False}, ["self_certification"]),
        ],
    )
    def test_t34_one_gap_at_a_time(self, whole, change, missing):
        assert codes(replace(whole, **change)) == missing

    def test_only_what_the_regime_asks_is_asked(self):
        assert codes(IdentityFacts("individual"), {"email", "national_id"}) == ["email", "national_id"]

    def test_an_undetermined_party_is_asked_for_its_kind_and_its_owners(self):
        assert codes(IdentityFacts("undetermined"), {"owners", "birth_date", "email"}) == ["kind", "email", "owners"]

    def test_every_gap_says_what_to_do_and_where(self):
        gaps = missing_elements(IdentityFacts("entity"), CODES) + missing_elements(IdentityFacts("individual"), CODES)

        assert {gap.code for gap in gaps} == CODES
        assert all(gap.sentence.count(".") >= 2 for gap in gaps)

    def test_a_misspelt_requirement_is_noticed(self):
        with pytest.raises(ValueError, match="e_mail"):
            missing_elements(PERSON, frozenset({"e_mail"}))


class TestAddressReliedOn:
    @pytest.mark.parametrize(
        ("kind", "there", "counts"),
        [
            ("individual", {"contact_person", "business", "use_location"}, "business"),
            ("individual", {"business", "residence"}, "residence"),
            ("individual", {"next_of_kin", "apo_fpo"}, "apo_fpo"),
            ("individual", {"contact_person"}, "contact_person"),
            ("individual", {"principal", "use_location"}, ""),
            ("entity", {"business", "local_office", "principal"}, "principal"),
            ("entity", {"business", "local_office"}, "local_office"),
            ("entity", {"residence", "apo_fpo"}, ""),
            ("undetermined", {"next_of_kin"}, "next_of_kin"),
            ("undetermined", {"next_of_kin", "business"}, "business"),
        ],
    )
    def test_r12_somebody_elses_address_counts_only_where_there_is_none_of_ones_own(self, kind, there, counts):
        assert address_relied_on(kind, there) == counts

    @pytest.mark.parametrize("kind", ["individual", "entity", "undetermined"])
    def test_each_that_may_count_does_so_alone(self, kind):
        assert [address_relied_on(kind, {each}) for each in fitting_addresses(kind)] == [*fitting_addresses(kind)]
