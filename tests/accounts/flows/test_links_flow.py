"""Fingerprints that tie customers together without keeping what ties them readable."""

import pytest

from accounts.flows import identification, links
from accounts.models import Identifier
from accounts.rules.links import Shared
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.link_figures import link_figures
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

    def test_a_value_that_everybody_has_ties_nobody(self):
        one, *_ = (make_party(phone="+493012345678") for _ in range(3))

        assert links.find_links(one, link_figures(most_holders=2)) == ()
        assert len(links.find_links(one, link_figures(most_holders=3))) == 2

    @pytest.mark.parametrize("others", [3, 15])
    def test_it_asks_four_times_however_many_there_are(self, others, django_assert_num_queries):
        one, *_ = (make_party(phone="+493012345678") for _ in range(others))

        with django_assert_num_queries(4):
            links.find_links(one)

    def test_holders_are_counted_up_to_one_too_many(self):
        one, *_ = (make_party(phone="+493012345678") for _ in range(6))

        [phone] = [each for each in links.identifiers_of(one, link_figures(most_holders=3)) if each.kind == "phone"]

        assert (phone.others, phone.says_something) == (3, False)


class TestNeighbourhood:
    def chain(self):
        """One shares its telephone with the second, which shares its wallet with the third."""
        one, two, three = make_party(phone="+493012345678"), make_party(phone="+493012345678"), make_party()
        for party in (two, three):
            wallet = "0x" + "ab" * 20
            identification.add_payment_method(party, kind="wallet", identifier=wallet, by=SCHEDULER, at=NOON)
        return one, two, three

    @pytest.mark.parametrize(("depth", "most", "seen"), [(0, 9, 1), (1, 9, 2), (2, 9, 3), (3, 9, 3), (3, 2, 2)])
    def test_it_goes_as_far_as_it_is_told(self, depth, most, seen):
        one, two, three = self.chain()

        nodes, ties = links.neighbourhood(one, depth, most)

        assert [node.key for node in nodes] == [one.pk, two.pk, three.pk][:seen]
        assert nodes[0].label == one.legal_name and nodes[0].party == one
        assert len(ties) == seen - 1
        assert {frozenset((tie.a, tie.b)) for tie in ties} <= {
            frozenset((one.pk, two.pk)), frozenset((two.pk, three.pk))
        }  # fmt: skip

    def test_each_tie_says_what_is_shared_and_how_rare_it_is(self):
        one, *_ = self.chain()

        _, ties = links.neighbourhood(one, 2, 9)

        assert [(tie.shared, tie.score) for tie in ties] == [
            ((Shared("wallet", 2),), 0.9), ((Shared("phone", 2),), 0.6)
        ]  # fmt: skip
        assert ties[0].sentence == "They share the same wallet."

    @pytest.mark.parametrize("others", [3, 15])
    def test_its_queries_grow_by_the_step_alone(self, others, django_assert_max_num_queries):
        one, *_ = (make_party(phone="+493012345678") for _ in range(others))

        with django_assert_max_num_queries(9):
            nodes, ties = links.neighbourhood(one, 1, 50)
        assert len(nodes) == others and len(ties) == others * (others - 1) // 2


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
