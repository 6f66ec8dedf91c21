"""Owners out and in as a file: all or nothing, repeatable, refused by number and field; the trail knows of it."""

import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.flows import ownership_export, ownership_files
from accounts.flows.ownership import OwnersAbove
from accounts.flows.ownership_export import NotOwned
from accounts.flows.ownership_files import StatementsRefused, TakenMeanwhile
from accounts.formats.bods_stream import BodsRefused
from accounts.models import OwnershipStake, Party
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.formats.test_bods import party, relation, share, statement
from tests.builders import make_company, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def file(*found, number_them=True):
    if number_them:
        found = [{**each, "statementId": f"{number:040}"} for number, each in enumerate(found, 1)]
    return io.BytesIO(json.dumps(found).encode())


def globex():
    """The customer of whom most files here speak."""
    return Party.objects.filter(legal_name="Globex").first() or make_company(legal_name="Globex").party


def take_in(*found, about=None, **given):
    return ownership_files.take_in(file(*found), about=about or globex(), by=SCHEDULER, at=NOON, **given)


def refusal_of(*found, **given):
    with pytest.raises(StatementsRefused) as refusal:
        take_in(*found, **given)
    return [(bad.number, bad.field, bad.reason) for bad in refusal.value.outcome.bad]


def person(record_id="rec-a", **details):
    return party(record_id, "person", **details)


def relation_called(record_id, *interests, **details):
    return {**relation(*interests, **details), "recordId": record_id}


def graph_on_file():
    names = dict(Party.objects.values_list("pk", "legal_name"))
    return {
        (names[row.owner_id], names[row.owned_id], row.percent, row.has_control, row.from_on, row.to_on)
        for row in OwnershipStake.objects.all()
    }


SOUND = (party(), person(), relation(share(30, startDate="2020-01-01")))


class TestTakingIn:
    def test_a_person_a_company_and_a_stake(self):
        outcome = take_in(*SOUND)

        assert (outcome.parties_new, outcome.parties_known, outcome.stakes_new, outcome.read) == (1, 1, 1, 3)
        assert graph_on_file() == {("Ann Li", "Globex", Decimal(30), False, date(2020, 1, 1), None)}
        event = AuditEvent.objects.get(verb="accounts.ownership_imported")
        assert event.facts["sha256"] == outcome.sha256
        assert AuditEvent.objects.filter(verb="accounts.owner_added").count() == 1

    def test_sent_again_it_changes_nothing(self):
        take_in(*SOUND)
        events = AuditEvent.objects.count()

        outcome = take_in(*SOUND)

        assert (outcome.changed, outcome.parties_known, outcome.stakes_known) == (False, 2, 1)
        assert "Nothing changed" in ownership_files.told(outcome)
        assert (Party.objects.count(), AuditEvent.objects.count()) == (2, events)

    def test_the_subject_is_a_party_on_file(self):
        company = make_company(legal_name="GLOBEX").party

        take_in(*SOUND, about=company)

        assert company.stakes_in_it.get().owner.legal_name == "Ann Li"
        assert OwnersAbove(company, NOON.date()).owners

    def test_a_stake_that_ended_is_ended(self):
        take_in(*SOUND)

        outcome = take_in(*SOUND[:2], relation(share(30, startDate="2020-01-01", endDate="2026-02-01")))

        assert outcome.stakes_ended == 1 and OwnershipStake.objects.get().to_on == date(2026, 2, 1)
        assert AuditEvent.objects.filter(verb="accounts.owner_ended").count() == 1

    def test_a_closed_relationship_ended_with_its_statement(self):
        take_in(*SOUND)

        take_in(*SOUND[:2], {**SOUND[2], "recordStatus": "closed"})

        assert OwnershipStake.objects.get().to_on == date(2026, 3, 1)

    def test_of_several_statements_about_a_record_the_newest_counts(self):
        older = {**person(names=[{"fullName": "Ann Old"}]), "statementDate": "2025-01-01"}

        take_in(*SOUND, older)

        assert set(Party.objects.values_list("legal_name", flat=True)) == {"Globex", "Ann Li"}

    def test_records_of_others_with_the_same_identifier_stay_apart(self):
        for name in ("Register One", "Register Two"):
            published = {"publicationDetails": {"bodsVersion": "0.4", "publisher": {"name": name}}}
            bob = person(names=[{"fullName": f"Bob of {name}"}])
            take_in(party() | published, bob | published, relation(share(20)) | published)

        assert globex().stakes_in_it.count() == 2

    def test_two_at_once(self, monkeypatch):
        def meanwhile(*given, **more):
            raise IntegrityError

        monkeypatch.setattr(ownership_files.parties, "add_party", meanwhile)

        with pytest.raises(TakenMeanwhile, match="send the file again"):
            take_in(*SOUND)

    def test_several_levels_in_any_order(self):
        holding = party("rec-h", name="Holding")
        stakes = [relation_called("r1", share(60), subject="rec-h"), relation_called("r2", share(45), owner="rec-h")]

        take_in(*stakes, person(), holding, party())

        (owner,) = OwnersAbove(globex(), NOON.date()).owners
        assert owner.percent == 27


class TestRefusals:
    """Each with statement number and field, and nothing is stored."""

    @pytest.fixture(autouse=True)
    def nothing_is_stored(self):
        globex()
        there = Party.objects.count()
        yield
        assert not Party.objects.filter(legal_name="Ann Li").exists() and Party.objects.count() <= there + 1
        assert not OwnershipStake.objects.exists() and not AuditEvent.objects.filter(verb="accounts.owner_added")

    def test_owners_adding_up_to_140_percent(self):
        bob = person("rec-b", names=[{"fullName": "Bob Roe"}])
        stakes = [relation_called("r1", share(80)), relation_called("r2", share(60), owner="rec-b")]

        ((number, place, reason),) = refusal_of(party(), person(), bob, *stakes)

        assert (number, place) == (5, "recordDetails.interests") and "to 140 % on 2026-03-02" in reason

    @pytest.mark.parametrize(
        ("found", "number", "place", "words"),
        [
            ([party(), relation(share())], 2, "recordDetails.interestedParty", "No person and no entity"),
            ([person(), relation(share())], 2, "recordDetails.subject", "No person and no entity"),
            ([person("rec-b"), person(), relation(share(), subject="rec-b")], 3, "recordDetails.subject", "a person"),
            ([party(), party("rec-r"), relation(share())], 3, "recordId", "another kind"),
            ([party(), []], 2, "", "no JSON object"),
            ([person(birthDate="1875-01-01")], 1, "recordDetails", "before 1900"),
            ([*SOUND[:2], relation(share(startDate="2030-01-01"))], 3, "recordDetails.interests", "in the future"),
        ],
    )
    def test_they_name_number_and_field(self, found, number, place, words):
        content = [
            each if isinstance(each, list) else {**each, "statementId": f"{place:040}"}
            for place, each in enumerate(found)
        ]
        with pytest.raises(StatementsRefused) as refusal:
            ownership_files.take_in(file(*content, number_them=False), by=SCHEDULER, at=NOON)

        bad = refusal.value.outcome.bad[0]
        assert (bad.number, bad.field) == (number, place) and words in bad.reason

    def test_the_same_statement_twice(self):
        with pytest.raises(StatementsRefused) as refusal:
            ownership_files.take_in(file(party(), party("x"), number_them=False), by=SCHEDULER, at=NOON)

        assert [(bad.number, bad.field) for bad in refusal.value.outcome.bad] == [(2, "statementId")]

    def test_a_party_on_file_under_another_name(self):
        company = make_company().party

        assert refusal_of(*SOUND, about=company)[0][:2] == (1, "recordDetails.name")

    def test_a_party_on_file_of_another_kind(self):
        owner = make_party(legal_name="globex")

        held = relation(share(), owner=owner.reference)
        (bad,) = refusal_of(party(), statement(owner.reference, "entity", party()["recordDetails"]), held)
        assert bad[:2] == (2, "recordDetails.entityType") and owner.reference in bad[2]

    def test_a_file_that_speaks_of_two_when_one_is_meant(self):
        company = make_company(legal_name="Globex").party

        bad = refusal_of(party(), {**person(), "declarationSubject": "rec-x"}, about=company)
        assert bad[0][:2] == (2, "declarationSubject")

    def test_a_file_without_its_subject(self):
        assert refusal_of(person(), about=make_company().party)[0][:2] == (1, "declarationSubject")

    def test_more_statements_than_allowed(self):
        assert "more than 2 statements" in refusal_of(*SOUND, most=2)[0][2]

    def test_a_party_that_would_belong_to_no_customer(self):
        refused = refusal_of(*SOUND, party("rec-x", name="Nobody's"))

        assert [bad[:2] for bad in refused] == [(4, "recordId")] and "belong to no customer" in refused[0][2]
        with pytest.raises(StatementsRefused):
            ownership_files.take_in(file(*SOUND), by=SCHEDULER, at=NOON)

    def test_a_file_cut_off(self):
        whole = file(*SOUND).getvalue()

        with pytest.raises(BodsRefused, match="cut off"):
            ownership_files.take_in(io.BytesIO(whole[:-40]), by=SCHEDULER, at=NOON)


def test_another_share_on_file_is_not_overwritten():
    take_in(*SOUND)

    ((number, place, reason),) = refusal_of(*SOUND[:2], relation(share(45, startDate="2021-01-01")))

    assert (number, place) == (3, "recordDetails.interests") and "holds 30 %" in reason
    assert OwnershipStake.objects.get().percent == 30


class TestHandingOut:
    def test_it_names_all_above_and_is_recorded(self):
        company, holding, ann = make_company().party, make_company().party, make_party(citizenship="CN")
        OwnershipStake.objects.create(owner=holding, owned=company, percent=60, from_on=date(2020, 1, 1))
        OwnershipStake.objects.create(owner=ann, owned=holding, percent=50, has_control=True)
        OwnershipStake.objects.create(owner=ann, owned=company, percent=5, to_on=date(2019, 1, 1))

        found = json.loads(ownership_export.hand_out(company, by=SCHEDULER, at=NOON))

        kinds = [each["recordType"] for each in found]
        assert (kinds[0], sorted(kinds[1:3]), kinds[3:]) == ("entity", ["entity", "person"], ["relationship"] * 3)
        control = [
            interest["beneficialOwnershipOrControl"]
            for each in found
            if each["recordDetails"].get("interestedParty") == ann.reference
            for interest in each["recordDetails"]["interests"]
        ]
        assert control == [True, True, True]
        event = AuditEvent.objects.get(verb="records.exported")
        assert (event.facts["what"], event.facts["rows"]) == ("owners", 6)

    def test_nothing_sealed_is_in_it(self):
        company = make_company().party
        owner = make_party(birth_date=date(1985, 5, 17), national_id="SECRET-1")
        OwnershipStake.objects.create(owner=owner, owned=company, percent=60)

        content = ownership_export.hand_out(company, form="jsonl", by=SCHEDULER, at=NOON)

        assert b"1985" not in content and b"SECRET" not in content and content.count(b"\n") == 3

    def test_an_individual_has_none(self):
        with pytest.raises(NotOwned, match="Choose a company"):
            ownership_export.hand_out(make_party(), by=SCHEDULER, at=NOON)

    def test_taken_in_again_it_changes_nothing(self):
        company = make_company().party
        OwnershipStake.objects.create(owner=make_party(), owned=company, percent=60, has_control=True)
        content = ownership_export.hand_out(company, by=SCHEDULER, at=NOON)

        outcome = ownership_files.take_in(io.BytesIO(content), by=SCHEDULER, at=NOON)

        assert (outcome.changed, outcome.parties_known, outcome.stakes_known) == (False, 2, 1)


NAMES = ["Alpha", "Beta", "Gamma", "Ann", "Bob"]


@st.composite
def stakes(draw):
    found, spent = [], {}
    pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES[:3])).filter(lambda pair: pair[0] != pair[1])
    for owner, owned in draw(st.lists(pairs, max_size=6, unique=True)):
        percent = draw(st.decimals(0, 100 - spent.get(owned, 0), places=4))
        spent[owned] = spent.get(owned, 0) + percent
        days = draw(st.tuples(*[st.none() | st.dates(date(2000, 1, 1), NOON.date())] * 2))
        first, last = sorted(days) if None not in days else days
        found.append((owner, owned, percent, draw(st.booleans()) or not percent, first, last))
    return found


class TestRoundTrip(TestCase):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
    @given(stakes())
    def test_import_of_an_export_gives_the_same_graph(self, found):
        parties = {name: make_company(legal_name=name).party for name in NAMES[:3]}
        parties |= {name: make_party(legal_name=name) for name in NAMES[3:]}
        for owner, owned, percent, control, first, last in found:
            OwnershipStake.objects.create(
                owner=parties[owner], owned=parties[owned], percent=percent, has_control=control, from_on=first,
                to_on=last,
            )  # fmt: skip
        above = {row.pk for row in ownership_export._all_stakes_above(parties["Alpha"])}
        wanted = graph_of(above)
        content = ownership_export.hand_out(parties["Alpha"], by=SCHEDULER, at=NOON)

        there = set(OwnershipStake.objects.values_list("pk", flat=True))
        of_others = io.BytesIO(content.replace(b"PTY-", b"OTHER-"))  # so that everything is new but the subject
        outcome = ownership_files.take_in(
            of_others, about=make_company(legal_name="Alpha").party, by=SCHEDULER, at=NOON
        )

        new = set(OwnershipStake.objects.exclude(pk__in=there).values_list("pk", flat=True))
        assert graph_of(new) == wanted and outcome.stakes_new == len(wanted) and not outcome.noted


def graph_of(keys):
    rows = OwnershipStake.objects.filter(pk__in=keys).select_related("owner", "owned")
    return {
        (row.owner.legal_name, row.owned.legal_name, row.percent, row.has_control, row.from_on, row.to_on)
        for row in rows
    }
