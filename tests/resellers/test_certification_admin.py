"""Certifications and attestations as staff see them, and what the desk may do."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from resellers.flows import attestation
from resellers.tiles import TILES
from tests.builders import make_entry
from tests.conftest import NOON, person
from tests.resellers.signing import make_signer

pytestmark = pytest.mark.django_db


@pytest.fixture
def signer(db):
    return make_signer()


@pytest.fixture
def act(signer):
    return signer.certify(make_entry(signer.reseller, name="Karl & Co"), make_entry(signer.reseller, "C-2", method=""))


@pytest.fixture
def row(signer, act):
    attestation.open_due(on=(NOON + timedelta(days=366)).date(), by=SCHEDULER, at=NOON)
    return signer.reseller.attestations.get()


class TestCertification:
    def test_its_page_shows_who_signed_what_and_what_came_of_each(self, client, reseller_desk_user, act):
        client.force_login(reseller_desk_user)

        page = client.get(url_of(act)).content.decode()

        for shown in (
            "remy",
            "I certify, for the reseller",
            "Karl &amp; Co",
            "does not state how",
            "2 Mar 2027",
            "own policy",
        ):
            assert shown in page

    def test_the_desk_withdraws_it_with_a_reason(self, client, reseller_desk_user, act):
        client.force_login(reseller_desk_user)
        address = f"/admin/resellers/certification/{act.pk}/do/withdraw/"
        assert client.post(address, {"why": " "}).status_code == 200 and act.lines.standing().exists()

        answer = client.post(address, {"why": "Two files were forged."}, follow=True)

        act.refresh_from_db()
        assert f"{act.reference} is withdrawn." in answer.content.decode()
        assert (act.withdrawn_by, act.why, act.lines.standing().count()) == ("rita", "Two files were forged.", 0)
        assert "holds any more" in client.post(address, {"why": "Again."}).content.decode()

    @pytest.mark.parametrize("role", ["reviewer", "lead reviewer", "senior manager", "auditor"])
    def test_others_read_it_only(self, client, act, role):
        client.force_login(person("somebody", role))

        assert client.get(url_of(act)).status_code == 200
        assert client.post(f"/admin/resellers/certification/{act.pk}/do/withdraw/", {"why": "x"}).status_code == 403
        assert act.lines.standing().count() == 1

    @pytest.mark.parametrize(
        ("standing", "is_there"), [("in_force", False), ("lapsed", True), ("withdrawn", False), ("under_way", False)]
    )
    def test_the_list_can_be_read_by_standing(self, client, reseller_desk_user, act, standing, is_there):
        client.force_login(reseller_desk_user)
        type(act).objects.filter(pk=act.pk).update(lapses_on=act.valid_from)

        page = client.get(reverse("admin:resellers_certification_changelist"), {"standing": standing})

        assert (act.reference in page.content.decode()) is is_there


class TestAttestation:
    def test_its_page_shows_the_figures_before_and_after_the_signature(self, client, reseller_desk_user, signer, row):
        client.force_login(reseller_desk_user)
        before = client.get(url_of(row)).content.decode()
        attestation.sign_attestation(
            row, statement_number="1", binding=signer.binding, by=signer.actor, at=NOON + timedelta(days=370)
        )

        after = client.get(url_of(row)).content.decode()

        assert "Figures as they are now" in before and "to be signed" in before
        assert "Figures as signed" in after and "I attest, for the reseller" in after and "Germany" in after

    def test_the_overdue_stand_on_the_first_page(self, reseller_desk_user, row):
        tile = next(tile for tile in TILES if tile.title.startswith("Attestations past"))

        on_time, late = (tile.rows(reseller_desk_user, row.due_on + timedelta(days=days)) for days in (0, 1))

        assert (list(on_time), list(late)) == ([], [row])


def test_the_resellers_page_says_how_far_its_customers_are_certified(client, reseller_desk_user, act, row):
    client.force_login(reseller_desk_user)

    page = client.get(url_of(act.reseller)).content.decode()

    for shown in ("Certified customers", "1 (50 %)", "more than 20 %", act.reference, row.reference):
        assert shown in page
