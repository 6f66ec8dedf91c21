"""TH19-TH22, TH25: whatever is done to the trail with all rights on the database, the check names the first record."""

import random
import re
import uuid
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from kyc_portal.records import append_only, sealing, triggers, verifying, witnesses
from kyc_portal.records.canonical import COLUMNS
from kyc_portal.records.export import export
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    AuditPayload,
    AuditPending,
    DestroyedPayload,
    SubjectKey,
)
from kyc_portal.records.offline.verify_audit import NO_WITNESS, TAMPERED, WHOLE, check_export
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON
from tests.kyc_portal.records.trails import (
    code_of,
    purge,
    rehash,
    rewrite,
    sealed,
    sign_again,
    spoiled,
    unguarded,
    write,
)

pytestmark = pytest.mark.django_db
SIZES = (3, 8, 1, 5, 13, 2)
TOTAL = sum(SIZES)


@pytest.fixture
def trail(settings, tmp_path):
    """A sealed trail of 32 events under six checkpoints, all handed to one witness; the events in their order."""
    settings.WITNESSES = [f"file:{tmp_path / 'witness'}"]
    AuditPending.objects.all().delete()
    with unguarded():  # what the fixtures of other tests' ground wrote is not part of this trail
        AuditEvent.objects.all().delete()
    events = sealed(*SIZES)
    witnesses.hand_over(at=NOON)
    return events


@pytest.fixture
def witness(tmp_path):
    return tmp_path / "witness"


def start_of_batch(entry: int) -> int:
    """The first entry under the same checkpoint as this one."""
    first = 1
    for size in SIZES:
        if entry < first + size:
            return first
        first += size
    raise AssertionError(entry)


def found(tmp_path, witness=None) -> str:
    """The sentence of a check that must find tampering, in the database and in an export alike.

    Somebody who covers their tracks puts the triggers back first.
    """
    triggers.create()
    return found_as_it_is(tmp_path, witness)


def found_as_it_is(tmp_path, witness=None) -> str:
    verdict = verifying.verify(witnesses={"w": witness} if witness else {})
    path = tmp_path / f"{uuid.uuid4()}.jsonl"
    export(path, by=SCHEDULER, at=NOON)
    outside = check_export(path, verifying.own_key(), {"w": witness} if witness else {})
    assert (verdict.code, outside.code) == (TAMPERED, TAMPERED), (verdict, outside)
    assert verdict.sentence == outside.sentence
    return verdict.sentence


def edited(column: str, chance: random.Random, event: AuditEvent):
    """Another value for a column."""
    old = getattr(event, column)
    if column == "at":
        return old - timedelta(microseconds=chance.randint(1, 10**12))
    if column == "facts":
        return {**old, "hold": f"HLD-X{chance.random()}"}
    if column == "pii_commit":
        return chance.randbytes(32)
    if column == "id":
        return uuid.UUID(int=event.pk.int ^ 1 << chance.randrange(128))
    return f"{old}x"


class TestEdits:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("column", COLUMNS)
    def test_th19_an_edited_column_is_named(self, trail, tmp_path, column, seed):
        chance = random.Random(f"{column}{seed}")
        entry = chance.randint(1, TOTAL)
        event = trail[entry - 1]

        with spoiled():
            AuditEvent.objects.filter(pk=event.pk).update(**{column: edited(column, chance, event)})

            assert found(tmp_path).startswith(f"Entry {entry} (event {event.pk})")
        assert code_of() == NO_WITNESS

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("column", [name for name in COLUMNS if name not in ("id", "pii_commit")])
    def test_th19_an_edit_of_columns_and_bytes_is_named(self, trail, tmp_path, column, seed):
        chance = random.Random(f"{column}{seed}")
        entry = chance.randint(1, TOTAL)
        event = trail[entry - 1]

        with spoiled():
            rewrite(event, **{column: edited(column, chance, event)})

            assert found(tmp_path).startswith(f"Entry {entry} (event {event.pk}) was edited")

    @pytest.mark.parametrize("seed", range(24))
    def test_th19_an_edit_with_its_leaf_is_found_at_its_checkpoint(self, trail, tmp_path, seed):
        chance = random.Random(seed)
        entry = chance.randint(1, TOTAL)

        with spoiled():
            rehash(rewrite(trail[entry - 1], at=NOON - timedelta(days=chance.randint(1, 900))))

            first, last = map(int, re.search(r"between entry (\d+) and entry (\d+)", found(tmp_path)).groups())
        assert first == start_of_batch(entry) <= entry <= last

    @pytest.mark.parametrize("seed", range(12))
    def test_th19_a_flipped_bit_of_the_sealed_bytes_is_named(self, trail, tmp_path, seed):
        chance = random.Random(seed)
        entry = chance.randint(1, TOTAL)
        event = trail[entry - 1]
        spoilt = bytearray(event.canonical)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)

        with spoiled():
            AuditEvent.objects.filter(pk=event.pk).update(canonical=bytes(spoilt))

            assert found(tmp_path).startswith(f"Entry {entry} (event {event.pk})")

    def test_th19_columns_no_field_can_read_are_named(self, trail, tmp_path):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL refuses such values itself")
        with spoiled(), connection.cursor() as cursor:
            cursor.execute("UPDATE records_auditevent SET at = 'soon' WHERE id = %s", [trail[9].pk.hex])

            assert found(tmp_path).startswith(f"Entry 10 (event {trail[9].pk}) was edited")


class TestRemovalAndInsertion:
    @pytest.mark.parametrize("seed", range(12))
    def test_th19_a_removed_event_is_named(self, trail, tmp_path, seed):
        entry = random.Random(seed).randint(1, TOTAL)

        with spoiled():
            AuditEvent.objects.filter(pk=trail[entry - 1].pk).delete()

            assert found(tmp_path) == f"Entry {entry} (event {trail[entry - 1].pk}): its event was removed."

    @pytest.mark.parametrize("seed", range(12))
    def test_th19_a_removed_event_with_its_leaf_is_named(self, trail, tmp_path, seed):
        entry = random.Random(seed).randint(1, TOTAL)

        with spoiled():
            AuditEvent.objects.filter(pk=trail[entry - 1].pk).delete()
            AuditLeaf.objects.filter(index=entry - 1).delete()

            assert re.match(f"Entry {entry} is (not in its place|missing)", found(tmp_path))

    @pytest.mark.parametrize("seed", range(12))
    def test_th19_a_removal_with_the_rest_moved_up_is_found(self, trail, tmp_path, seed):
        entry = random.Random(seed).randint(1, TOTAL - 1)

        with spoiled():
            AuditEvent.objects.filter(pk=trail[entry - 1].pk).delete()
            leaves = list(AuditLeaf.objects.filter(index__gte=entry).order_by("index"))
            AuditLeaf.objects.filter(index__gte=entry - 1).delete()
            AuditLeaf.objects.bulk_create(AuditLeaf(each.index - 1, each.event_id, each.leaf_hash) for each in leaves)

            told = found(tmp_path)
        if start_of_batch(entry) == start_of_batch(TOTAL):  # the last checkpoint has one entry too few
            assert told.startswith(f"Entry {TOTAL} is missing")
        else:
            first, last = map(int, re.search(r"between entry (\d+) and entry (\d+)", told).groups())
            assert first == start_of_batch(entry) <= entry <= last

    @pytest.mark.parametrize("back_dated", [True, False])
    def test_th19_an_inserted_event_is_named(self, trail, tmp_path, back_dated):
        with spoiled():
            [event] = write()
            if back_dated:
                event = rewrite(event, at=NOON - timedelta(days=30))
            AuditPending.objects.all().delete()

            assert found(tmp_path).startswith(f"The event {event.pk} was inserted")

    def test_th19_an_inserted_event_with_a_leaf_is_named(self, trail, tmp_path):
        with spoiled():
            [event] = write()
            AuditPending.objects.all().delete()
            AuditLeaf.objects.create(index=TOTAL, event_id=event.pk, leaf_hash=b"")
            rehash(event)

            assert found(tmp_path) == f"Entry {TOTAL + 1} was inserted: no checkpoint speaks for it."
            with pytest.raises(sealing.TrailBroken, match="exactly the sealed entries"):
                write(), sealing.seal_pending()

    def test_th19_an_event_whose_wait_was_kept_but_that_is_gone_is_named(self, trail, tmp_path):
        with spoiled():
            [first, second] = write(2)
            AuditEvent.objects.filter(pk=first.pk).delete()

            assert found(tmp_path) == f"An unsealed entry (event {first.pk}): its event was removed."
            assert sealing.seal_pending() == 2  # the second, and the event of the export
            assert AuditLeaf.objects.get(index=TOTAL).event_id == second.pk


class TestOrder:
    @pytest.mark.parametrize("seed", range(24))
    def test_th19_swapped_leaves_are_found_where_the_first_stands(self, trail, tmp_path, seed):
        one, other = sorted(random.Random(seed).sample(range(1, TOTAL + 1), 2))

        with spoiled():
            first, second = AuditLeaf.objects.get(index=one - 1), AuditLeaf.objects.get(index=other - 1)
            AuditLeaf.objects.filter(index__in=(one - 1, other - 1)).delete()
            first.index, second.index = second.index, first.index
            AuditLeaf.objects.bulk_create([first, second])

            told = found(tmp_path)
        if start_of_batch(one) == start_of_batch(other):  # inside a batch the order of the ids shows the very place
            assert re.match(rf"Entry ({'|'.join(map(str, range(one + 1, other + 1)))}) .*out of order", told), told
        else:
            assert int(re.search(r"(?:Entry|between entry) (\d+)", told)[1]) <= other
            assert int(re.findall(r"entry (\d+)", told, re.I)[-1]) >= one

    def test_th19_swapped_hashes_are_named(self, trail, tmp_path):
        hashes = [AuditLeaf.objects.get(index=index).leaf_hash for index in (4, 7)]

        with spoiled():
            AuditLeaf.objects.filter(index=4).update(leaf_hash=hashes[1])
            AuditLeaf.objects.filter(index=7).update(leaf_hash=hashes[0])

            assert found(tmp_path).startswith(f"Entry 5 (event {trail[4].pk}) was edited")


class TestCheckpoints:
    @pytest.mark.parametrize("number", range(1, 7))
    @pytest.mark.parametrize("what", ["size", "root", "signature", "edge", "origin", "empty", "size column", "number"])
    def test_th19_an_edited_checkpoint_is_found(self, trail, tmp_path, number, what):
        row = AuditCheckpoint.objects.get(number=number)
        size, root, signature = (row.note.split("\n")[place] for place in (1, 2, 4))
        changes = {
            "size": {"note": row.note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n")},
            "root": {"note": row.note.replace(root, f"{'B' if root[0] == 'A' else 'A'}{root[1:]}")},
            "signature": {"note": row.note.replace(signature, f"{signature[:40]}{signature[40:].swapcase()}")},
            "edge": {"edge": bytes(row.edge)[:-1] + bytes([bytes(row.edge)[-1] ^ 1])},
            "origin": {"note": row.note.replace("kyc-portal", "kyc-other")},
            "empty": {"note": ""},
            "size column": {"size": row.size + 100},
            "number": {"number": number + 100},
        }[what]

        with spoiled():
            AuditCheckpoint.objects.filter(number=number).update(**changes)

            assert "heckpoint" in found(tmp_path)

    @pytest.mark.parametrize("number", range(1, 6))
    def test_th19_a_removed_checkpoint_is_found(self, trail, tmp_path, number):
        with spoiled():
            AuditCheckpoint.objects.filter(number=number).delete()

            assert re.match("A checkpoint before the one of size .* was removed", found(tmp_path))

    def test_th19_a_removed_last_checkpoint_is_found(self, trail, tmp_path):
        with spoiled():
            AuditCheckpoint.objects.filter(number=6).delete()

            assert found(tmp_path) == f"Entry {TOTAL - 1} was inserted: no checkpoint speaks for it."

    def test_th19_a_removed_checkpoint_with_the_rest_renumbered_is_found_by_a_witness(self, trail, tmp_path, witness):
        with spoiled():
            AuditCheckpoint.objects.filter(number=3).delete()
            for number in (4, 5, 6):
                AuditCheckpoint.objects.filter(number=number).update(number=number - 1)

            assert code_of() == NO_WITNESS
            assert "noted another checkpoint of size 12" in found(tmp_path, witness)


class TestWhatOnlyAWitnessSees:
    @pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 5])
    def test_th20_a_cut_off_end_or_an_older_backup(self, trail, tmp_path, witness, kept):
        size = sum(SIZES[:kept])

        with spoiled():
            AuditEvent.objects.filter(pk__in=[event.pk for event in trail[size:]]).delete()
            AuditLeaf.objects.filter(index__gte=size).delete()
            AuditCheckpoint.objects.filter(size__gt=size).delete()

            assert code_of() == NO_WITNESS
            assert found(tmp_path, witness).startswith(f"The trail was cut off after entry {size}:")

    @pytest.mark.parametrize("kept", [1, 3, 5])
    def test_th20_an_older_backup_that_was_worked_on(self, trail, tmp_path, witness, kept):
        size = sum(SIZES[:kept])

        with spoiled():
            AuditEvent.objects.filter(pk__in=[event.pk for event in trail[size:]]).delete()
            AuditLeaf.objects.filter(index__gte=size).delete()
            AuditCheckpoint.objects.filter(size__gt=size).delete()
            sealed(*SIZES[kept:], 4)

            assert code_of() == NO_WITNESS
            assert f"between entry {size + 1} and entry {size + SIZES[kept]} was rewritten" in found(tmp_path, witness)

    @pytest.mark.parametrize("seed", range(24))
    def test_th21_history_rewritten_and_signed_with_the_true_key(self, trail, tmp_path, witness, seed):
        entry = random.Random(seed).randint(1, TOTAL)

        with spoiled():
            rehash(rewrite(trail[entry - 1], actor_label="somebody else"))
            sign_again()

            assert code_of() == NO_WITNESS
            first, last = map(int, re.search(r"entry (\d+) and entry (\d+)", found(tmp_path, witness)).groups())
        assert first == start_of_batch(entry) <= entry <= last

    def test_history_signed_with_another_key_of_the_same_name_needs_no_witness(self, trail, tmp_path):
        with spoiled():
            rehash(rewrite(trail[0], actor_label="somebody else"))
            sign_again("test-1", Ed25519PrivateKey.from_private_bytes(b"e" * 32))

            assert "the signature with the key “test-1” does not fit" in found(tmp_path)

    def test_what_others_write_into_a_witness_accuses_nobody(self, trail, witness):
        own = witness.read_text()
        forged = re.sub(r"\n3\n.{43}=", f"\n3\n{'A' * 43}=", own)

        witness.write_text(own + forged + "kyc-portal/audit\n99\ntorn")

        assert code_of(witness) == WHOLE


class TestPayloads:
    @pytest.fixture
    def people(self, trail):
        """Two people with payloads, of whom the second was purged; the events of the first and of the second."""
        kept, gone = uuid.uuid4(), uuid.uuid4()
        events = write(3, subject=kept), write(3, subject=gone)
        purge(gone)
        sealing.seal_pending()
        return events

    def test_th25_the_three_states(self, people):
        verdict = verifying.verify(witnesses={})

        assert verdict.code == NO_WITNESS
        assert verdict.sentence.endswith("payloads: 3 kept, 3 destroyed with a record.")

    @pytest.mark.parametrize("place", range(3))
    def test_th25_one_that_is_gone_without_a_record_is_named(self, people, tmp_path, place):
        event = people[0][place]
        AuditPayload.objects.filter(event_id=event.pk).delete()

        assert f"(event {event.pk}): its sealed payload is gone and no purge says so" in found(tmp_path)

    @pytest.mark.parametrize(
        "changes",
        [{"salt": bytes(32)}, {"ciphertext": b"x" * 60}, {"ciphertext": b""}, {"subject": uuid.uuid4()}],
        ids=["salt", "ciphertext", "emptied", "subject"],
    )
    def test_th25_one_that_was_altered_is_named(self, people, tmp_path, changes):
        event = people[0][1]
        AuditPayload.objects.filter(event_id=event.pk).update(**changes)

        assert f"(event {event.pk}): its sealed payload does not fit" in found(tmp_path)

    def test_th25_exchanged_payloads_of_one_person_are_named(self, people, tmp_path):
        first, second = (AuditPayload.objects.get(event_id=event.pk) for event in people[0][:2])
        AuditPayload.objects.filter(event_id=first.pk).update(salt=second.salt, ciphertext=second.ciphertext)

        assert f"(event {first.pk}): its sealed payload does not fit" in found(tmp_path)

    def test_th25_a_key_destroyed_without_a_record_is_found(self, people, tmp_path):
        SubjectKey.objects.all().delete()

        assert "does not fit" in found(tmp_path)

    def test_a_master_key_out_of_reach_is_no_tampering(self, people):
        SubjectKey.objects.update(master_key_id="elsewhere")

        assert "master key that opens its payload is not at hand" in verifying.verify(witnesses={}).sentence
        assert code_of() == 2

    def test_th25_one_hidden_behind_a_purge_that_did_not_list_it_is_found(self, people, tmp_path):
        event, done = people[0][0], DestroyedPayload.objects.first().purge_event_id
        AuditPayload.objects.filter(event_id=event.pk).delete()
        DestroyedPayload.objects.create(event_id=event.pk, purge_event_id=done)

        assert f"(event {done}): the list of payloads this purge destroyed was changed" in found(tmp_path)

    def test_th25_one_hidden_behind_an_event_that_is_no_purge_is_found(self, people, tmp_path):
        event, other = people[0][:2]
        AuditPayload.objects.filter(event_id=event.pk).delete()
        DestroyedPayload.objects.create(event_id=event.pk, purge_event_id=other.pk)

        assert f"(event {event.pk}): the purge said to have destroyed its payload did not list it" in found(tmp_path)

    def test_th25_a_shortened_list_is_found(self, people, tmp_path):
        with spoiled():
            DestroyedPayload.objects.filter(event_id=people[1][2].pk).delete()

            assert f"(event {people[1][2].pk}): its sealed payload is gone" in found(tmp_path)

    def test_th25_one_that_is_back_is_named(self, people, tmp_path):
        event = people[1][0]
        AuditPayload.objects.create(event_id=event.pk, subject=uuid.uuid4(), salt=b"", ciphertext=b"")

        assert f"(event {event.pk}): its sealed payload was destroyed by a purge and is there again" in found(tmp_path)

    def test_th25_one_beside_an_event_without_is_named(self, people, trail, tmp_path):
        AuditPayload.objects.create(event_id=trail[6].pk, subject=uuid.uuid4(), salt=b"", ciphertext=b"")

        assert f"Entry 7 (event {trail[6].pk}): a sealed payload stands beside it" in found(tmp_path)

    @pytest.mark.parametrize("model", [AuditPayload, DestroyedPayload])
    def test_th25_one_of_no_event_is_found(self, people, tmp_path, model):
        rest = {"subject": uuid.uuid4(), "salt": b"", "ciphertext": b""}
        stray = uuid.uuid4()
        model.objects.create(event_id=stray, **(rest if model is AuditPayload else {"purge_event_id": stray}))

        assert f"belongs to the event {stray}, which is not there" in found(tmp_path)


class TestGuards:
    @pytest.mark.parametrize("table", append_only.TABLES)
    def test_th22_a_missing_trigger_is_named(self, trail, tmp_path, table):
        on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {table}_no_delete{on_table}")

        assert f"trigger {table}_no_delete is missing" in found_as_it_is(tmp_path)
