"""The four kinds of work that are struck down: what is prepared, what may be found at once, what must be there at last.

Each act makes new records for each round, and judges only these and the trail as a whole.
"""

import base64
import csv
import io
import itertools
import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.models import ForeignKey
from django.utils import timezone

from accounts.flows import document_files, identification, intake
from accounts.flows.access_log import import_access_lines
from accounts.models import AccessBatch, AccessRecord, Account, CustomerFile, IdentityDocument, Party
from accounts.verbs import Verb as AccountVerb
from kyc_portal.notices.models import Notice
from kyc_portal.records import audit, holds, keys, verifying, witnesses
from kyc_portal.records.acting import flow
from kyc_portal.records.models import (
    AuditCheckpoint,
    AuditEvent,
    AuditLeaf,
    AuditPayload,
    AuditPending,
    SubjectKey,
    Tombstone,
)
from kyc_portal.records.offline.verify_audit import NO_WITNESS, WHOLE
from kyc_portal.records.refs import SCHEDULER, Actor, RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from tests.accounts import logs
from tests.builders import new_person, png_bytes

LONG_AGO = datetime(2021, 3, 1, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def require_whole_trail() -> None:
    """The trail is whole, its events stand in it once, and every witness agrees."""
    verdict = verifying.verify()
    assert verdict.code in (WHOLE, NO_WITNESS), verdict.sentence
    last = AuditCheckpoint.objects.order_by("-number").first()
    assert AuditLeaf.objects.count() == (last.size if last else 0)
    assert AuditLeaf.objects.count() + AuditPending.objects.count() == AuditEvent.objects.count()


@flow
def make_files(count: int, *, closed_at: datetime, is_full: bool = True, by: Actor, at: datetime) -> list[Account]:
    """Ended accounts; full ones have all that a purge must find: notices, access records, payloads and stored files."""
    drafted = [intake.draft_prospect(new_person(), source="test", by=by, at=at) for _ in range(count)]
    intake.write_prospects(drafted)
    accounts = [prospect.account for prospect in drafted]
    for account in accounts if is_full else []:
        _fill(account, by, at)
    Account.objects.filter(pk__in=[each.pk for each in accounts]).update(status="closed", closed_at=closed_at)
    return accounts


def _fill(account: Account, by: Actor, at: datetime) -> None:
    lines = logs.jsonl(*(logs.event(number, at="2018-01-01T00:00:00Z") for number in range(5)))
    import_access_lines(account, lines, format="jsonl", file_name="log", by=by, at=at)
    identification.add_document(
        account.party, kind="passport", number="X1", country="DE", file=io.BytesIO(png_bytes(account.reference)),
        file_name="p.png", by=by, at=at,
    )  # fmt: skip
    said = {"email": "maria@customer.example"}
    audit.record(Verb.VIEWED, account.party, by=by, at=at, personal=said, subject=account.party_id)


@flow
def let_leases_run_out(*, by: Actor, at: datetime) -> None:
    """What a killed worker had claimed is free again, as it is some minutes later."""
    for model in apps.get_models():
        if any(field.name == "lease_until" for field in model._meta.fields):
            model._base_manager.filter(lease_until__gt=at).update(lease_until=at)


def rows_of(accounts: list[tuple[uuid.UUID, uuid.UUID]]) -> dict[str, int]:
    """How many rows of each table point at these accounts and their parties, files in the store included."""
    own, parties, found = [key for key, _ in accounts], [party for _, party in accounts], {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            wanted = {Account: own, Party: parties}.get(field.related_model if isinstance(field, ForeignKey) else None)
            if wanted and (count := model._base_manager.filter(**{f"{field.name}__in": wanted}).count()):
                found[f"{model._meta.label_lower}.{field.name}"] = count
    for model, name in ((Notice, "subject"), (SubjectKey, "subject"), (AuditPayload, "subject")):
        if count := model.objects.filter(**{f"{name}__in": parties}).count():
            found[model._meta.label_lower] = count
    for model, keys_ in ((Account, own), (Party, parties)):
        if count := model._base_manager.filter(pk__in=keys_).count():
            found[model._meta.label_lower] = count
    if files := sum(document_files.path_of(party, "0" * 64).parent.exists() for party in parties):
        found["folders of files"] = files
    return found


class Purge:
    """Files that are due, beside files that are held or not due yet."""

    command = ("purge_due", "--execute")
    task = "kyc_portal.records.tasks.purge_due_records"

    def prepare(self, folder: Path) -> None:
        due = make_files(12, closed_at=LONG_AGO, by=SCHEDULER, at=LONG_AGO)
        kept = make_files(2, closed_at=timezone.now(), by=SCHEDULER, at=LONG_AGO)
        held = make_files(2, closed_at=LONG_AGO, by=SCHEDULER, at=LONG_AGO)
        holds.place_hold(held, reason="order", ground="Order 1", by=SCHEDULER, at=timezone.now())
        self.due, self.kept = [_keys_of(each) for each in due], [_keys_of(each) for each in kept + held]
        self.each, self.before = {keys_: rows_of([keys_]) for keys_ in self.due}, rows_of(self.kept)

    def look(self) -> bool:
        """Each file is whole, or it is gone and has its tombstone; files of the store may go a little later."""
        stones = 0
        for pair in self.due:
            has_stone = Tombstone.objects.filter(key=str(pair[0])).exists()
            left = rows_of([pair])
            folders = left.pop("folders of files", 0)
            whole = {name: count for name, count in self.each[pair].items() if name != "folders of files"}
            assert left == ({} if has_stone else whole)
            assert folders == self.each[pair].get("folders of files", 0) or has_stone
            stones += has_stone
        return 0 < stones < len(self.due)

    def require_end(self) -> None:
        while queue.run_due(timezone.now() + timedelta(minutes=20))["done"]:
            pass
        assert rows_of(self.due) == {}
        assert rows_of(self.kept) == self.before
        names = [str(key) for key, _ in self.due]
        for rows in (
            Tombstone.objects.filter(key__in=names).values_list("key", flat=True),
            AuditEvent.objects.filter(verb=Verb.PURGED.code, about_key__in=names).values_list("about_key", flat=True),
        ):
            assert sorted(rows) == sorted(names)
        assert not Job.objects.exclude(state=JobState.DONE).exists()


def _keys_of(account: Account) -> tuple[uuid.UUID, uuid.UUID]:
    return account.pk, account.party_id


@flow
def write_events(count: int, *, by: Actor, at: datetime) -> None:
    about = RecordRef("accounts.account", "k1", "ACC-1111-2222")
    audit.write([audit.draft(Verb.VIEWED, about, by=by, at=at) for _ in range(count)])


class Sealing:
    """Events that wait for their seal; each must stand in the tree once, and the witness must know of it."""

    command = ("seal_audit",)
    task = "kyc_portal.records.tasks.seal_pending"

    def prepare(self, folder: Path) -> None:
        for _ in range(2):
            write_events(500, by=SCHEDULER, at=timezone.now())
        self.waiting = AuditPending.objects.count()

    def look(self) -> bool:
        return 0 < AuditPending.objects.count() < self.waiting

    def require_end(self) -> None:
        witnesses.hand_over(at=timezone.now() + 2 * witnesses.TRY_AGAIN_AFTER)  # what a killed sealer had claimed
        assert not AuditPending.objects.exists()
        assert AuditLeaf.objects.count() == AuditEvent.objects.count()
        verdict = verifying.verify()
        assert verdict.code == WHOLE, verdict.sentence
        assert f"witnessed up to entry {AuditLeaf.objects.count()}." in verdict.sentence


class Rotation:
    """Subjects' keys that are wrapped anew under the next master key; what they seal must open all the time."""

    command = ("rotate_keys",)

    def prepare(self, folder: Path) -> None:
        self.sealed = {}
        for count in [20] if SubjectKey.objects.exists() else [500] * 4:  # those of earlier rounds are wrapped again
            subjects = [uuid.uuid4() for _ in range(count)]
            with keys.held(subjects):
                self.sealed |= {each: keys.seal(keys.ensure_key(each), b"clear", "here") for each in subjects[:10]}
        self.total = SubjectKey.objects.count()
        self.key_id = f"fault-{next(_numbers)}"
        new = f"{self.key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        settings.MASTER_KEYS = [new, settings.MASTER_KEYS[0]]

    def look(self) -> bool:
        self._require_readable()
        done = SubjectKey.objects.filter(master_key_id=self.key_id).count()
        assert self._told() == done
        return 0 < done < self.total

    def _told(self) -> int:
        events = AuditEvent.objects.filter(verb=Verb.KEYS_ROTATED.code, about_key=self.key_id)
        return sum(event.facts["count"] for event in events)

    def _require_readable(self) -> None:
        for subject, sealed in self.sealed.items():
            assert keys.unseal(keys.key_of_subject(subject), sealed, "here") == b"clear"

    def require_end(self) -> None:
        settings.MASTER_KEYS = settings.MASTER_KEYS[:1]
        self._require_readable()
        assert self._told() == self.total == SubjectKey.objects.filter(master_key_id=self.key_id).count()


class CustomersImport:
    """A file of customers: all of it or nothing."""

    rows = 600

    def prepare(self, folder: Path) -> None:
        self.path = folder / f"customers-{next(_numbers)}.csv"
        self.mark = uuid.uuid4().hex[:8]
        with self.path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kind", "legal_name", "external_key", "email", "birth_date", "citizenship"])
            for number in range(self.rows):
                writer.writerow([
                    "individual", f"Maria {self.mark} {number}", f"{self.mark}-{number}",
                    f"m{number}.{self.mark}@customer.example", "1985-05-17", "DE",
                ])  # fmt: skip
        self.files, self.events = CustomerFile.objects.count(), self._events()

    @property
    def command(self):
        return ("import_customers", str(self.path))

    def _taken(self):
        return Account.objects.filter(external_key__startswith=self.mark)

    def _events(self) -> int:
        return AuditEvent.objects.filter(verb=AccountVerb.PROSPECT_OPENED.code).count()

    def look(self) -> bool:
        assert self._taken().count() == (CustomerFile.objects.count() - self.files) * self.rows
        return False

    def require_end(self) -> None:
        taken = self._taken()
        assert set(taken.values_list("external_key", flat=True)) == {f"{self.mark}-{n}" for n in range(self.rows)}
        assert taken.count() == taken.values("party").distinct().count() == self.rows
        assert CustomerFile.objects.count() == self.files + 1
        assert self._events() == self.events + self.rows
        keys_ = [str(key) for key in taken.values_list("pk", flat=True)]
        assert Notice.objects.filter(key__in=keys_).count() == self.rows
        party = Party.objects.get(accounts=taken.order_by("pk").last())
        assert party.birth_date.reveal() == "1985-05-17"


class LogImport:
    """An access log of one account: one batch with each of its records, or nothing."""

    rows = 3000

    def prepare(self, folder: Path) -> None:
        self.account = make_files(1, closed_at=timezone.now(), by=SCHEDULER, at=LONG_AGO)[0]
        self.path = folder / f"log-{next(_numbers)}.jsonl"
        events = (logs.event(number, event_id=f"{self.path.stem}-{number}") for number in range(self.rows))
        with self.path.open("w") as file:
            file.writelines(json.dumps(each) + "\n" for each in events)
        self.before = AccessRecord.objects.filter(account=self.account).count()

    @property
    def command(self):
        return ("import_access_log", str(self.path), "--account", self.account.reference, "--format", "jsonl")

    def _batches(self):
        return AccessBatch.objects.filter(account=self.account, file_name=self.path.name)

    def look(self) -> bool:
        found = AccessRecord.objects.filter(account=self.account).count() - self.before
        assert found == self._batches().count() * self.rows
        return False

    def require_end(self) -> None:
        [batch] = self._batches()
        records = AccessRecord.objects.filter(account=self.account)
        assert records.count() == records.values("event_id").distinct().count() == self.before + self.rows
        assert batch.new_count == self.rows
        assert AuditEvent.objects.filter(about_key=str(batch.pk)).count() == 1


def orphan_files() -> list[Path]:
    """Stored files that no document names."""
    named = {
        document_files.path_of(subject, sha256)
        for subject, sha256 in IdentityDocument.objects.exclude(file_sha256="").values_list("party_id", "file_sha256")
    }
    return sorted(set(Path(settings.PRIVATE_DIR).glob("*/*.sealed")) - named)
