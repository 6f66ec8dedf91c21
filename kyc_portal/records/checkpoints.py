"""Checkpoints of the audit trail as signed notes (C2SP tlog-checkpoint and signed-note):

kyc-portal/audit
1042
<root of the tree over the first 1042 events, base64>

— <key id> <base64 of four bytes that name the key, and the Ed25519 signature of the three lines above>
"""

import base64
import hashlib
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "kyc-portal/audit"
_KEY_ID = re.compile(r"[^\s+]+")
_ED25519 = b"\x01"


def public_half(key: Ed25519PrivateKey) -> bytes:
    """The 32 raw bytes of the public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_hash(key_id: str, public: bytes) -> bytes:
    """The four bytes by which a signature line tells keys of one name apart."""
    return hashlib.sha256(key_id.encode() + b"\n" + _ED25519 + public).digest()[:4]


def text_of(size: int, root: bytes) -> str:
    """What is signed: origin, size and root, one line each."""
    return f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"


def signed_note(size: int, root: bytes, *, key_id: str, key: Ed25519PrivateKey) -> str:
    """The checkpoint as it is stored and handed out; raises ValueError for a key id that a note cannot hold."""
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("The id of the audit key must not hold spaces or a plus sign.")
    text = text_of(size, root)
    signature = key_hash(key_id, public_half(key)) + key.sign(text.encode())
    return f"{text}\n— {key_id} {base64.b64encode(signature).decode()}\n"


def root_in(note: str) -> bytes:
    """The root a note of ours names, unchecked; raises ValueError when the text is no such note."""
    lines = note.split("\n")
    if len(lines) < 5 or lines[0] != ORIGIN:
        raise ValueError("This is no checkpoint of the audit trail.")
    return base64.b64decode(lines[2], validate=True)
