"""The catalogue of products: shipped rows, four eyes, and what a version must say."""

import pytest

from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy import products
from kyc_portal.policy.models import Citation, Product
from kyc_portal.policy.regimes import PRODUCTS
from kyc_portal.records import audit
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
GIVEN = {
    "code": "compute", "title": "Machines", "is_iaas": True, "why": "Runs what the customer deploys.",
    "limited_may_start": False, "limited_may_use": False,
}  # fmt: skip
PAGE = "/admin/policy/product/"


@pytest.fixture
def senior(senior_user):
    return senior_user.as_actor


def propose(by, **changes):
    citation = Citation.objects.get(code="eo-13984-5")
    return products.propose(by=by, at=NOON, **{**GIVEN, "citation": citation, **changes})


class TestShipped:
    def test_each_is_in_force_and_says_why(self):
        there = {product.code: product for product in Product.objects.in_force().select_related("citation")}

        assert set(there) == {shipped.code for shipped in PRODUCTS}
        assert all(product.why.endswith(".") and product.citation.text for product in there.values())


class TestFourEyes:
    def test_a_version_counts_once_another_person_signs(self, compliance, senior):
        product = propose(compliance)
        assert Product.objects.in_force().get(code="compute").limited_may_use

        products.countersign(product, by=senior, at=NOON)

        assert Product.objects.in_force().get(code="compute") == product
        assert Product.objects.filter(code="compute", state="replaced").count() == 1
        assert audit.history_of(product).filter(verb="policy.product.in_force").exists()

    def test_nobody_signs_their_own(self, compliance):
        product = propose(compliance)

        for act in (products.countersign, products.decline):
            with pytest.raises(SecondPersonNeeded):
                act(product, by=compliance, at=NOON)

    def test_it_is_withdrawn_by_its_author_and_declined_by_another(self, compliance, senior):
        first = propose(compliance)
        with pytest.raises(products.NotYours, match="colin proposed this"):
            products.withdraw(first, by=senior, at=NOON)
        products.withdraw(first, by=compliance, at=NOON)
        second = products.decline(propose(compliance), by=senior, at=NOON)

        assert second.state == "declined" and Product.objects.filter(code="compute").count() == 3
        for act in (products.countersign, products.decline, products.withdraw):
            with pytest.raises(products.AlreadyAnswered, match="is declined"):
                act(second, by=senior, at=NOON)


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"code": "Compute"}, "small letters"),
            ({"code": ""}, "small letters"),
            ({"title": " "}, "Say what the product is"),
            ({"why": ""}, "Say what the product is"),
            ({"limited_may_start": True}, "must be able to use it"),
        ],
    )
    def test_it_is_refused_in_a_sentence(self, compliance, changes, sentence):
        with pytest.raises(products.BadProduct, match=sentence):
            propose(compliance, **changes)

        assert not Product.objects.filter(state="proposed").exists()

    def test_a_second_proposal_waits_for_the_first(self, compliance):
        first = propose(compliance)

        with pytest.raises(products.BadProduct, match=first.reference):
            propose(compliance)


class TestScreen:
    def test_one_proposes_and_another_puts_it_in_force(self, client, compliance_user, senior_user):
        client.force_login(compliance_user)
        form = {key: value for key, value in GIVEN.items() if value is not False} | {"citation": "eo-13984-5"}
        page = client.post(f"{PAGE}add/", form | {"is_offered": "on"}, follow=True).content.decode()
        product = Product.objects.get(state="proposed")
        assert "waits for a second signature" in page and "do/countersign/" not in page and "do/withdraw/" in page

        client.force_login(senior_user)
        page = client.post(f"{PAGE}{product.pk}/do/countersign/", follow=True).content.decode()

        assert f"{product.reference} is in force." in page and "Runs what the customer deploys." in page

    def test_others_do_not(self, client, compliance):
        product = propose(compliance)
        client.force_login(person("lee", "lead reviewer"))

        assert client.get(f"{PAGE}{product.pk}/change/").status_code == 200
        assert client.post(f"{PAGE}{product.pk}/do/countersign/").status_code == 403
