"""A list of what was destroyed, outside of the database: what keeps an old backup from bringing a person back.

One line a file, ids and commitments only, appended once its purge has committed and made whole each night from the
tombstones. After a restore `replay_destructions` destroys again what the list names (trust.md 5.2, 10).
"""

import contextlib
import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import Error

from kyc_portal.records import holds, tombstones
from kyc_portal.records.canonical import facts_text
from kyc_portal.records.keys import signing_key
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import RecordRef
from kyc_portal.refusal import Refusal

log = logging.getLogger(__name__)

VERSION = b"kyc-portal/destruction 1\n"  # first, so that no other signature of this key can pass for one
CHUNK = 500


class UnreadableLedger(Refusal):
    """The destruction ledger is missing, or a line of it is none."""


@dataclass(frozen=True)
class Line:
    """One destroyed file: what it was, under which rule it went, the hash of its tombstone; signed by itself."""

    label: str
    key: str
    name: str
    rule: str
    basis: str
    kept_through: str
    subjects: list[str]
    sha256: str
    key_id: str
    signature: str = ""

    @classmethod
    def of(cls, stone: Tombstone) -> "Line":
        """The signed line of a tombstone. Raises KeyProblem without a signing key."""
        key_id, key = signing_key()
        line = cls(
            stone.label, stone.key, stone.name, stone.rule, stone.basis, stone.kept_through.isoformat(),
            list(stone.subjects), tombstones.hash_of(stone), key_id,
        )  # fmt: skip
        return replace(line, signature=key.sign(line.statement()).hex())

    def statement(self) -> bytes:
        """What is signed: everything but the signature."""
        told = vars(self)
        return VERSION + facts_text({name: told[name] for name in told if name != "signature"}).encode()

    def is_genuine(self, trusted: Mapping[str, bytes]) -> bool:
        """Whether a trusted key (id to 32 raw public bytes) signed exactly this."""
        try:
            key = Ed25519PublicKey.from_public_bytes(trusted[self.key_id])
            key.verify(bytes.fromhex(self.signature), self.statement())
        except (KeyError, ValueError, InvalidSignature):
            return False
        return True


def append(stones: Iterable[Tombstone]) -> int:
    """Write these tombstones to the end of the list, on the disk before it returns; returns how many lines.

    Raises OSError when the place takes none.
    """
    written = "".join(f"{facts_text(vars(Line.of(stone)))}\n" for stone in stones).encode()
    if not written:
        return 0
    path = Path(settings.DESTRUCTION_LEDGER)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            written = b"\n" + written  # whoever wrote last was killed in the middle of a line
        if os.write(descriptor, written) != len(written):
            raise OSError("The ledger took only a part.")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return written.strip().count(b"\n") + 1


def append_soon(stone: Tombstone) -> None:
    """After a commit: a ledger out of reach must not undo what is done; the nightly `catch_up` adds the line."""
    try:
        append([stone])
    except OSError as error:
        log.error("the destruction ledger did not take a line (%s); it is written tonight", type(error).__name__)


def lines(path: Path | None = None) -> Iterator[Line]:
    """The lines of the list, in their order; one that was cut off by a crash is left out, for `catch_up` repeats it.

    Raises UnreadableLedger for a file that cannot be read, or a line that is whole and yet none of ours.
    """
    path = Path(settings.DESTRUCTION_LEDGER if path is None else path)
    try:
        with path.open(encoding="utf-8") as file:
            for text in filter(None, map(str.strip, file)):
                if text.startswith("{") and not text.endswith("}"):
                    continue
                yield Line(**json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableLedger(
            f"The destruction ledger {path.name} cannot be read ({type(error).__name__}). Fetch its last good copy."
        ) from error


def catch_up() -> int:
    """Add the tombstones the list lacks; returns how many. Raises OSError and UnreadableLedger."""
    there = {(line.label, line.key) for line in lines()} if Path(settings.DESTRUCTION_LEDGER).exists() else set()
    missing = [
        pk
        for pk, label, key in Tombstone.objects.order_by("purged_at", "pk").values_list("pk", "label", "key")
        if (label, key) not in there
    ]
    for start in range(0, len(missing), CHUNK):
        append(Tombstone.objects.filter(pk__in=missing[start : start + CHUNK]).order_by("purged_at", "pk"))
    return len(missing)


def returned(path: Path | None = None) -> list[Line]:
    """The lines whose record is in the database again; empty in one that is not older than the list."""
    found, waiting = [], defaultdict(list)
    for line in lines(path):
        waiting[line.label].append(line)
        if len(waiting[line.label]) == CHUNK:
            found += _there(line.label, waiting.pop(line.label))
    for label, some in waiting.items():
        found += _there(label, some)
    return found


def _there(label: str, some: list[Line]) -> list[Line]:
    with contextlib.suppress(LookupError, ValueError, ValidationError):  # a kind of record that is no longer kept
        model = apps.get_model(label)
        keys = model._base_manager.filter(pk__in=[line.key for line in some]).values_list("pk", flat=True)
        alive = {str(key) for key in keys}
        return [line for line in some if line.key in alive]
    return []


def check_ledger(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """System check: a database in which destroyed files are alive again does not start until they are gone."""
    if databases or not Path(settings.DESTRUCTION_LEDGER).exists():
        return []
    try:
        back = returned()
        held = [line for line in back if holds.why_held([RecordRef(line.label, line.key, line.name)])]
    except Error:
        return []  # no database within reach, or no tables yet: that is told by whoever needs it
    except UnreadableLedger as refusal:
        return [checks.Error(str(refusal), id="records.E003")]
    found = [checks.Warning(f"{line.name} was destroyed, is back, and is held.", id="records.W001") for line in held]
    if len(back) > len(held):
        found.append(
            checks.Error(
                f"This database brings {len(back) - len(held)} destroyed files back: it is an older backup.",
                hint="Run `manage.py replay_destructions` before anything else.",
                id="records.E002",
            )
        )
    return found
