"""Fingerprints that tie customers together without keeping what ties them readable."""

import pytest

from accounts.flows import identification, links
from accounts.models import Identifier
from tests.builders import make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


class TestFindLinks:
    def test_it_finds_the_same_wallet_in_another_spelling(self, analyst):
        one, other, stranger = make_party(), make_party(), make_party()
        for party, wallet in ((one, "0x" + "AB" * 20), (other, "0x" + "ab" * 20), (stranger, "0x" + "cd" * 20)):
            identification.add_payment_method(party, kind="wallet", identifier=wallet, by=analyst, at=NOON)

        (found,) = links.find_links(one)

        assert (found.party, found.sentence) == (other, "They share the same wallet.")

    def test_a_tagged_mailbox_is_the_same_mailbox(self):
        one, other = make_party(email="Eve+a@customer.example"), make_party(email="eve+b@customer.example")

        assert [link.party for link in links.find_links(one)] == [other]

    def test_documents_of_two_countries_may_carry_one_number(self, analyst):
        one, other = make_party(), make_party()
        for party, country in ((one, "DE"), (other, "FR")):
            identification.add_document(party, kind="passport", number="C01X", country=country, by=analyst, at=NOON)

        assert links.find_links(one) == ()

    def test_a_value_that_everybody_has_ties_nobody(self, monkeypatch):
        monkeypatch.setattr(links, "MOST_HOLDERS", 2)
        one, *_ = (make_party(phone="+493012345678") for _ in range(3))

        assert links.find_links(one) == ()

    @pytest.mark.parametrize("others", [3, 15])
    def test_it_asks_three_times_however_many_there_are(self, others, django_assert_num_queries):
        one, *_ = (make_party(phone="+493012345678") for _ in range(others))

        with django_assert_num_queries(3):
            links.find_links(one)


class TestFingerprintParty:
    def test_it_computes_the_same_again(self, analyst):
        party = make_party(national_id="X-1", phone="+493012345678")
        identification.add_document(party, kind="passport", number="C01X", country="DE", by=analyst, at=NOON)
        identification.add_payment_method(party, kind="bank", identifier="DE89370400440532013000", by=analyst, at=NOON)
        before = set(party.identifiers.values_list("kind", "digest"))
        Identifier.objects.all()._raw_delete("default")

        links.fingerprint_party(party, at=NOON)

        assert set(party.identifiers.values_list("kind", "digest")) == before
        assert {kind for kind, _ in before} == {
            "address",
            "document",
            "email",
            "email_root",
            "iban",
            "national_id",
            "phone",
        }
