"""Owners on the pages: the tree with its reasons, a file out after a recent log-in, a file in, refused by field."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.admin import ownership_sections
from accounts.flows import identification
from accounts.flows.ownership import OwnersAbove
from accounts.models import OwnershipStake
from kyc_portal.records.models import AuditEvent, IdentityView
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import policy_table
from kyc_portal.staff.sessions import CONFIRMED
from tests.accounts.flows.test_ownership_files import SOUND, file, relation, share
from tests.builders import make_company, make_hit, make_party
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client, analyst_user):
    client.force_login(analyst_user)
    return client


@pytest.fixture
def company():
    account = make_company(legal_name="Globex")
    owner = make_party(legal_name="Ann Li")
    identification.add_owner(account.party, owner=owner, percent=Decimal(60), by=SCHEDULER, at=NOON)
    return account


def door(name, party):
    return reverse(f"accounts:{name}", args=[party.pk])


def page_of(record):
    return reverse(f"admin:accounts_{record._meta.model_name}_change", args=[record.pk])


class TestPages:
    @pytest.mark.parametrize("of", ["party", "account"])
    def test_t16_tree_reasons_and_what_blocked_persons_hold(self, reviewer, company, of):
        make_hit(OwnershipStake.objects.get().owner, status="confirmed")

        shown = reviewer.get(page_of(company.party if of == "party" else company)).content.decode()

        assert 'class="picture picture-tree"' in shown and "<script>" not in shown
        assert "In all 60 %, at or above 25 %: the ownership prong is met." in shown
        assert "It is blocked although no list names it." in shown

    @pytest.mark.parametrize(("role", "may"), [("reviewer", True), ("senior manager", False)])
    def test_who_may_not_see_hits_learns_of_none(self, role, may):
        assert policy_table.may_see_section(person("other", role), "blocked-owners") is may

    def test_who_may_not_see_parties_reads_references_and_no_names(self, company):
        stranger = person("other", "senior manager")
        above = OwnersAbove(company.party, NOON.date())

        shown = ownership_sections.as_of(above, stranger)

        told = str([(each.rows if hasattr(each, "rows") else (each.node, each.table)) for each in shown])
        owner = OwnershipStake.objects.get().owner
        assert owner.legal_name not in told.replace(f"<Party: {owner.legal_name}>", "") and owner.reference in told
        assert "60 % in all, by ownership." in told

    def test_a_circle_is_told_on_the_page(self, reviewer, company):
        other = make_company()
        for owned, owner in ((company, other), (other, company)):
            identification.add_owner(owned.party, owner=owner.party, percent=Decimal(20), by=SCHEDULER, at=NOON)

        shown = reviewer.get(page_of(company)).content.decode()

        assert "own each other in a circle" in shown and "closes a circle" in shown

    def test_the_doors_are_shown_to_who_may_go_through(self, client, reviewer, company):
        assert door("export_ownership", company.party) in reviewer.get(page_of(company.party)).content.decode()

        client.force_login(person("desk", "reseller desk"))
        shown = client.get(page_of(company.party)).content.decode()
        assert door("owners_on_a_day", company.party) in shown
        assert door("export_ownership", company.party) not in shown and "Take in" not in shown


class TestAsOfADay:
    def test_it_shows_who_held_what_then(self, reviewer, company):
        OwnershipStake.objects.update(from_on=date(2026, 1, 1))
        url = door("owners_on_a_day", company.party)

        now, before = reviewer.get(url), reviewer.get(url, {"on": "2025-12-31"})

        assert "In all 60 %" in now.content.decode() and "picture-tree" in now.content.decode()
        assert "No owners are known for 2025-12-31" in before.content.decode()
        assert IdentityView.objects.filter(actor_label="ana").exists()

    @pytest.mark.parametrize(
        ("day", "words"), [("", "required"), ("01/02/2026", "YYYY-MM-DD"), ("2999-01-01", "lies in the future")]
    )
    def test_a_day_that_is_none_is_refused_in_words(self, reviewer, company, day, words):
        answer = reviewer.get(door("owners_on_a_day", company.party), {"on": day})

        assert answer.status_code == 200 and words in answer.content.decode()


class TestHandingOut:
    @pytest.mark.parametrize(("form", "lines"), [("json", 5), ("jsonl", 3)])
    def test_it_is_an_attachment_and_recorded(self, reviewer, company, form, lines):
        url = door("export_ownership", company.party)

        asked, found = reviewer.get(url), reviewer.post(url, {"form": form})

        assert "Hand out" in asked.content.decode()
        assert found["Content-Disposition"].startswith(
            f'attachment; filename="{company.party.reference}-owners.{form}"'
        )
        assert found.content.count(b"\n") == lines and found["Cache-Control"].startswith("no-store")
        assert AuditEvent.objects.get(verb="records.exported").actor_label == "ana"

    def test_it_asks_for_a_recent_log_in(self, reviewer, company):
        session = reviewer.session
        session[CONFIRMED] = 0
        session.save()

        answer = reviewer.post(door("export_ownership", company.party), {"form": "json"})

        assert answer.status_code == 302 and answer["Location"].startswith("/login/again/")
        assert not AuditEvent.objects.filter(verb="records.exported").exists()

    def test_an_individual_has_no_owners(self, reviewer):
        answer = reviewer.post(door("export_ownership", make_party()), {"form": "json"})

        assert "An individual has no owners" in answer.content.decode()

    @pytest.mark.parametrize("role", ["reseller desk", "compliance", "auditor", "administrator"])
    def test_others_may_not(self, client, company, role):
        client.force_login(person("other", role))

        assert client.post(door("export_ownership", company.party), {"form": "json"}).status_code == 403


class TestTakingIn:
    def send(self, client, party, content):
        given = {"file": SimpleUploadedFile("owners.json", content)}
        return client.post(door("import_ownership", party), given).content.decode()

    def test_it_takes_in_and_says_what(self, reviewer):
        party = make_company(legal_name="Globex").party

        shown = self.send(reviewer, party, file(*SOUND).getvalue())

        assert "Parties: 1 new, 1 known. Stakes: 1 new" in shown
        assert "Nothing changed" in self.send(reviewer, party, file(*SOUND).getvalue())
        assert party.stakes_in_it.get().owner.legal_name == "Ann Li"

    def test_what_is_refused_is_listed_with_number_and_field(self, reviewer):
        party = make_company(legal_name="Globex").party

        shown = self.send(reviewer, party, file(*SOUND[:2], relation(share(101))).getvalue())

        assert "1 of 3 statements cannot be taken in, so none was" in shown
        assert "recordDetails.interests[0].share.exact" in shown and not OwnershipStake.objects.exists()

    def test_a_file_that_is_none_is_refused_at_the_field(self, reviewer):
        shown = self.send(reviewer, make_company().party, b"%PDF-1.7")

        assert "Statement 1 is not valid JSON" in shown

    def test_what_was_left_out_is_told(self, reviewer):
        party = make_company(legal_name="Globex").party
        nobody = json.loads(json.dumps(SOUND[2]))
        nobody["recordDetails"]["interestedParty"] = {"reason": "unknown"}

        shown = self.send(reviewer, party, file(SOUND[0], nobody).getvalue())

        assert "What was left out" in shown and "Nobody is named" in shown
