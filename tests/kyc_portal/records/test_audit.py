"""Writing and reading the audit trail (R53)."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import transaction
from django.test import override_settings

from accounts.models import Party
from kyc_portal.records import acting, audit, keys
from kyc_portal.records.canonical import NotSealable, canonical_bytes, commitment
from kyc_portal.records.models import AuditEvent, AuditPayload, AuditPending, IdentityView, Tombstone
from kyc_portal.records.refs import Actor, RecordRef, new_reference
from kyc_portal.records.verbs import REGISTERED, AuditVerb, Verb, sentence_of
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
ABOUT = RecordRef("accounts.account", "k1", "ACC-1111-2222")


def placed(by, about=ABOUT, **changes) -> AuditEvent:
    """An event with the two facts of a hold that was placed."""
    return audit.record(Verb.HOLD_PLACED, about, by=by, at=NOON, **{"hold": "HLD-1", "reason": "order", **changes})


class TestRecord:
    def test_it_says_who_did_what_to_what_and_when(self, analyst):
        event = placed(analyst, within=RecordRef("accounts.party", "k2", "PTY-1"))

        event.refresh_from_db()
        assert (event.verb, event.at, event.actor_label) == ("records.hold.placed", NOON, "ana")
        assert (event.about_key, event.within_key, event.facts) == ("k1", "k2", {"hold": "HLD-1", "reason": "order"})
        assert audit.as_sentence(event) == "placed hold HLD-1 (order)"

    def test_what_is_kept_gives_the_same_bytes_again(self, analyst):
        event = placed(analyst, reason="naïve “order”", personal={"note": "x"}, subject=uuid.uuid4())

        kept = AuditEvent.objects.get(pk=event.pk)

        assert canonical_bytes(kept) == bytes(kept.canonical) == bytes(event.canonical)

    def test_a_moment_of_another_zone_is_kept_as_the_same_moment(self, analyst):
        there = NOON.astimezone(timezone(timedelta(hours=-5)))

        event = audit.record(Verb.VIEWED, ABOUT, by=analyst, at=there)

        assert AuditEvent.objects.get(pk=event.pk).at == NOON
        assert canonical_bytes(AuditEvent.objects.get(pk=event.pk)) == bytes(event.canonical)

    def test_each_event_waits_for_its_seal(self, analyst):
        event = placed(analyst)

        assert AuditPending.objects.filter(event_id=event.pk).exists()

    def test_it_refuses_unknown_facts(self, analyst):
        before = AuditEvent.objects.count()

        with pytest.raises(audit.UnknownFact, match=r"records\.viewed does not know the facts email"):
            audit.record(Verb.VIEWED, ABOUT, by=analyst, at=NOON, email="maria@customer.example")

        assert AuditEvent.objects.count() == before

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
    def test_it_refuses_facts_that_cannot_be_sealed(self, analyst, text):
        before = AuditEvent.objects.count(), AuditPayload.objects.count(), AuditPending.objects.count()

        with pytest.raises(NotSealable):
            placed(analyst, reason=text, personal={"note": "x"}, subject=uuid.uuid4())

        assert before == (AuditEvent.objects.count(), AuditPayload.objects.count(), AuditPending.objects.count())

    def test_it_goes_with_the_change_it_tells_of(self, analyst):
        before = AuditEvent.objects.count()

        with pytest.raises(RuntimeError), transaction.atomic():
            placed(analyst)
            raise RuntimeError

        assert AuditEvent.objects.count() == before

    def test_facts_become_plain_values(self, analyst):
        event = placed(analyst, hold=datetime(2026, 1, 2, tzinfo=UTC), reason=["a", 1])

        assert event.facts == {"hold": "2026-01-02 00:00:00+00:00", "reason": ["a", "1"]}

    def test_a_long_username_does_not_break_the_event(self, analyst):
        event = placed(analyst, about=RecordRef.of(Tombstone(name="x")))
        long_one = type("Row", (), {"reference": "n" * 150, "_meta": Tombstone._meta, "pk": 1})()

        assert event.about_name.startswith("tombstone ")
        assert len(RecordRef.of(long_one).name) == 80

    def test_events_of_one_request_share_its_id(self, analyst):
        with acting.within_request("click-1"):
            first, second = placed(analyst), placed(analyst)
        after = placed(analyst)

        assert (first.request_id, second.request_id, after.request_id) == ("click-1", "click-1", "")

    def test_an_event_names_its_actor_or_is_refused_by_the_database(self):
        nobody = Actor(kind="person", key="", label="")

        with pytest.raises(Exception, match="audit_event_names_its_actor"), transaction.atomic():
            placed(nobody)


class TestPersonal:
    def test_the_commitment_fits_what_is_decrypted(self, analyst):
        subject = uuid.uuid4()

        event = placed(analyst, personal={"email": "maria@customer.example"}, subject=subject)

        payload = AuditPayload.objects.get(event_id=event.pk)
        bound_to = f"records.auditpayload:{event.pk}"
        clear = keys.unseal(keys.key_of_subject(subject), bytes(payload.ciphertext), bound_to)
        assert clear == b'{"email":"maria@customer.example"}'
        assert commitment(bytes(payload.salt), clear) == bytes(AuditEvent.objects.get(pk=event.pk).pii_commit)

    def test_nothing_personal_stands_in_the_clear(self, analyst):
        event = placed(analyst, personal={"email": "maria@customer.example"}, subject=uuid.uuid4())

        stored = bytes(event.canonical) + bytes(AuditPayload.objects.get(event_id=event.pk).ciphertext)

        assert b"maria" not in stored

    def test_the_same_payload_twice_gives_two_commitments(self, analyst):
        subject = uuid.uuid4()

        first, second = (placed(analyst, personal={"a": "b"}, subject=subject) for _ in range(2))

        assert first.pii_commit != second.pii_commit

    def test_destroying_payloads_leaves_the_events(self, analyst):
        subject, other = uuid.uuid4(), uuid.uuid4()
        event = placed(analyst, personal={"a": "b"}, subject=subject)
        spared = placed(analyst, personal={"a": "b"}, subject=other)

        gone = audit.destroy_payloads(subject)

        kept = AuditEvent.objects.get(pk=event.pk)
        assert gone == [event.pk]
        assert canonical_bytes(kept) == bytes(kept.canonical)
        assert [row.event_id for row in AuditPayload.objects.all()] == [spared.pk]


class TestRecordView:
    def test_it_counts_a_day_in_one_row_and_one_event(self, analyst):
        for minute in range(3):
            audit.record_view(_party(), by=analyst, at=NOON + timedelta(minutes=minute))
        before = AuditEvent.objects.filter(verb="records.viewed").count()
        party = _party()

        for minute in range(3):
            audit.record_view(party, by=analyst, at=NOON + timedelta(minutes=minute))

        row = IdentityView.objects.get(about_key=str(party.pk))
        assert (row.count, row.last_at) == (3, NOON + timedelta(minutes=2))
        assert AuditEvent.objects.filter(verb="records.viewed").count() == before + 1

    def test_another_day_and_another_person_count_apart(self, analyst, lead):
        party = _party()

        audit.record_view(party, by=analyst, at=NOON)
        audit.record_view(party, by=lead, at=NOON)
        audit.record_view(party, by=analyst, at=NOON + timedelta(days=1))

        assert IdentityView.objects.filter(about_key=str(party.pk)).count() == 3

    @override_settings(LEGAL_TIME_ZONE="America/New_York")
    def test_the_day_is_the_day_of_the_law(self, analyst):
        audit.record_view(_party(), by=analyst, at=datetime(2026, 3, 3, 2, tzinfo=UTC))

        assert str(IdentityView.objects.get().day) == "2026-03-02"


class TestHistory:
    def test_it_tells_newest_first_what_happened_to_and_within_a_record(self, analyst):
        inner = RecordRef("accounts.identitydocument", "d1", "DOC-1")
        first = placed(analyst)
        second = placed(analyst, about=inner, within=ABOUT)
        placed(analyst, about=RecordRef("accounts.account", "other", "ACC-2"))

        assert [event.pk for event in audit.history_of(ABOUT)] == [second.pk, first.pk]


class TestVerbs:
    def test_two_verbs_cannot_share_a_code(self):
        with pytest.raises(ValueError, match=r"share the code records\.viewed"):
            type(AuditVerb)("Twice", (AuditVerb,), _members(AGAIN=("records.viewed", "looked")))

    def test_a_verb_that_is_gone_shows_its_code(self):
        assert sentence_of("tests.gone", {"a": 1}) == "tests.gone"

    def test_a_missing_fact_shows_as_a_dash(self):
        assert sentence_of("records.hold.placed", {"hold": "HLD-1"}) == "placed hold HLD-1 (–)"

    def test_facts_are_the_placeholders_and_the_further_names(self):
        assert REGISTERED["records.exported"].facts == {"what", "sha256", "rows"}


class TestReferences:
    def test_they_are_readable_and_differ(self):
        made = {new_reference("ACC") for _ in range(500)}

        assert len(made) == 500
        assert not any(letter in each[4:] for each in made for letter in "01OIL")

    def test_rows_that_come_in_masses_take_longer_ones(self):
        assert re.fullmatch(r"DSC(-[2-9A-HJKMNP-Z]{4}){3}", new_reference("DSC", 12))


def _party() -> Party:
    return Party.objects.create(kind="individual", legal_name="Maria Example", created_at=NOON, changed_at=NOON)


def _members(**members):
    """An enum's namespace, as a class statement would fill it."""
    space = type(AuditVerb).__prepare__("Twice", (AuditVerb,))
    for name, value in members.items():
        space[name] = value
    return space
