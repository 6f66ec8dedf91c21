"""Keys from the settings, the subjects' own keys wrapped by them, keyed fingerprints and signatures.

Every value is sealed with AES-256-GCM; a wrong or missing key raises, nothing falls back to clear text.
"""

import base64
import contextlib
import hmac
import os
from collections.abc import Collection, Iterable, Iterator
from contextvars import ContextVar
from types import MappingProxyType
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction

from kyc_portal.records.models import SubjectKey
from kyc_portal.refusal import Refusal

NONCE = 12
_held: ContextVar[dict[UUID, bytes]] = ContextVar("held_keys", default=MappingProxyType({}))


class KeyProblem(Refusal):
    """A key is missing, unknown or does not fit; reading and writing both stop, and whoever asked is told."""


def parse_key(text: str) -> tuple[str, bytes]:
    """Split "id:base64" into (id, 32 bytes); raises KeyProblem when it is not of that form."""
    key_id, _, encoded = text.strip().partition(":")  # a key that comes from a file may end with its line
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError as error:  # not base64, or not even ASCII
        raise KeyProblem("A key is not valid base64.") from error
    if not key_id or len(key) != 32:
        raise KeyProblem("A key must read ID:BASE64 with 32 bytes.")
    return key_id, key


def _master_keys() -> dict[str, bytes]:
    keys = dict(parse_key(text) for text in settings.MASTER_KEYS)
    if not keys:
        raise KeyProblem("KYC_MASTER_KEYS is empty.")
    return keys


def seal(key: bytes, clear: bytes, bound_to: str) -> bytes:
    """AES-256-GCM with a random nonce in front; `bound_to` must be the same when it is opened."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """The clear bytes; raises KeyProblem when key, bytes or binding do not fit."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound_to.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: cut so short that not even the nonce is whole
        raise KeyProblem("A sealed value does not fit its key or its place.") from error


def key_of_subject(subject: UUID) -> bytes:
    """The 32-byte key of a subject that has one; raises KeyProblem when it was destroyed or never made."""
    held_key = _held.get().get(subject)
    return held_key or _unwrapped([subject], SubjectKey.objects.in_bulk([subject]))[subject]


def keys_of_subjects(subjects: Collection[UUID]) -> dict[UUID, bytes]:
    """The same for many subjects; one query."""
    return _unwrapped(subjects, SubjectKey.objects.in_bulk(subjects))


def _unwrapped(subjects: Iterable[UUID], rows: dict[UUID, SubjectKey]) -> dict[UUID, bytes]:
    masters, keys = _master_keys(), {}
    for subject in subjects:
        row = rows.get(subject)
        if row is None:
            raise KeyProblem("This subject's key does not exist.")
        if row.master_key_id not in masters:
            raise KeyProblem(f"The master key {row.master_key_id} is not among KYC_MASTER_KEYS.")
        keys[subject] = unseal(masters[row.master_key_id], bytes(row.wrapped), f"subject:{subject}")
    return keys


def ensure_key(subject: UUID) -> bytes:
    """The subject's key, made on first use. Read from the database unless it is `held`: a key remembered from a
    transaction that rolled back would seal values nobody can open again."""
    return _held.get().get(subject) or _ensure_keys([subject])[subject]


def _ensure_keys(subjects: list[UUID]) -> dict[UUID, bytes]:
    """The keys of these subjects, made where they are missing; one query, or three when some are missing."""
    rows = SubjectKey.objects.in_bulk(subjects)
    if missing := sorted(set(subjects) - set(rows)):
        master_id, master = next(iter(_master_keys().items()))
        made = [
            SubjectKey(
                subject=each, master_key_id=master_id, wrapped=seal(master, os.urandom(32), f"subject:{each}")
            )
            for each in missing
        ]  # fmt: skip
        SubjectKey._base_manager.bulk_create(made, ignore_conflicts=True)
        rows |= SubjectKey.objects.in_bulk(missing)  # what is stored counts: somebody else may have been first
    return _unwrapped(subjects, rows)


@contextlib.contextmanager
def held(subjects: Iterable[UUID]) -> Iterator[None]:
    """Read or make the keys of these subjects once, for everything that is sealed inside the block.

    The block is a transaction of its own, begun before the keys are read; they are forgotten before it commits or rolls
    back, so none outlives its row. A savepoint inside that rolls back leaves them standing, because they were there
    before it.
    """
    with transaction.atomic():
        before = _held.get()
        token = _held.set({**before, **_ensure_keys([each for each in subjects if each not in before])})
        try:
            yield
        finally:
            _held.reset(token)


def destroy_key(subject: UUID) -> int:
    """Destroy a subject's key, so that no copy of its sealed values can be read again; returns how many keys went."""
    if subject in _held.get():
        raise KeyProblem("This subject's key is held by the same transaction, which would go on sealing with it.")
    return SubjectKey.objects.filter(subject=subject).delete()[0]


def rewrap_batch(limit: int = 500) -> int:
    """Wrap up to `limit` keys anew under the first master key; returns how many; 0 means done, may be repeated."""
    keys = _master_keys()
    master_id, master = next(iter(keys.items()))
    with transaction.atomic():
        rows = list(SubjectKey.objects.select_for_update().exclude(master_key_id=master_id)[:limit])
        for row in rows:
            if row.master_key_id not in keys:
                raise KeyProblem(f"The master key {row.master_key_id} is not among KYC_MASTER_KEYS.")
            bound_to = f"subject:{row.subject}"
            row.wrapped = seal(master, unseal(keys[row.master_key_id], bytes(row.wrapped), bound_to), bound_to)
            row.master_key_id = master_id
        SubjectKey.objects.bulk_update(rows, ["wrapped", "master_key_id"])
    return len(rows)


def fingerprint(kind: str, normalised: str) -> str:
    """64 hex digits that are equal for equal values of one kind and tell nothing without the key."""
    return _fingerprint(settings.FINGERPRINT_KEY, kind, normalised)


def former_fingerprint(kind: str, normalised: str) -> str:
    """The same under the key that is being given up (KYC_FINGERPRINT_KEY_OLD); empty when none is."""
    return _fingerprint(settings.FINGERPRINT_KEY_OLD, kind, normalised) if settings.FINGERPRINT_KEY_OLD else ""


def _fingerprint(key_text: str, kind: str, normalised: str) -> str:
    _, key = parse_key(key_text)
    return hmac.new(key, f"{kind}\x00{normalised}".encode(), "sha256").hexdigest()


def fingerprint_key_id() -> str:
    """The id of the key that makes new fingerprints."""
    return parse_key(settings.FINGERPRINT_KEY)[0]


def evidence(subject: UUID, place: str, clear: str) -> str:
    """64 hex digits that are equal for equal texts of one subject and place; without the subject's key nothing tells.

    Made of the subject's own key, so that a change of master or fingerprint keys leaves it as it is.
    """
    own = hmac.new(ensure_key(subject), b"evidence", "sha256").digest()  # the key itself only seals
    return hmac.new(own, f"{place}\x00{clear}".encode(), "sha256").hexdigest()


def signing_key() -> tuple[str, Ed25519PrivateKey]:
    """The id and the Ed25519 key that signs bundles."""
    key_id, seed = parse_key(settings.SIGNING_KEY)
    return key_id, Ed25519PrivateKey.from_private_bytes(seed)


def public_key_bytes() -> bytes:
    """The 32 raw bytes of the signing key's public half."""
    return signing_key()[1].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
