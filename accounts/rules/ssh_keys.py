"""SSH public keys as customers give them: one key, one fingerprint, however it is written down (own policy).

The form that is compared is OpenSSH's own, "SHA256:" and the digest of the key without its comment.
"""

import base64
import binascii
import hashlib
import re

LONGEST = 20_000  # characters; an RSA key of 16,384 bits has some 2,800
TYPES = {
    "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
}  # fmt: skip
DIGEST = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?", re.IGNORECASE)


class NoPublicKey(ValueError):
    """The value is no SSH public key; the sentence says what to do."""


def fingerprint_of(value: str) -> str:
    """The key's fingerprint as OpenSSH writes it; `value` is a line of authorized_keys or such a fingerprint.

    Options before the type and the comment behind the key count for nothing. Raises NoPublicKey, which repeats nothing
    of the value.
    """
    if "PRIVATE KEY" in value.upper():
        raise NoPublicKey("This is a private key. Nobody but its holder may have it: replace it, and give the public.")
    if found := DIGEST.fullmatch(value.strip()):
        return f"SHA256:{found[1]}"
    words = value.split()
    place = next((place for place, word in enumerate(words) if word in TYPES), None)
    if place is None or place + 1 == len(words):
        raise NoPublicKey(
            "This is no SSH public key. Give the line of the .pub file (ssh-ed25519 AAAA…), or its SHA256 fingerprint."
        )
    return f"SHA256:{_digest(words[place], words[place + 1])}"


def _digest(kind: str, encoded: str) -> str:
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        key = b""
    named = len(kind).to_bytes(4) + kind.encode()
    if not key.startswith(named) or not _is_whole(key):
        raise NoPublicKey("The SSH key is cut short or altered. Copy the whole line of the .pub file again.")
    return base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _is_whole(key: bytes) -> bool:
    """Whether the key is a sequence of at least two parts, each as long as it says."""
    place = parts = 0
    while place < len(key):
        if place + 4 > len(key):
            return False
        place += 4 + int.from_bytes(key[place : place + 4])
        parts += 1
    return place == len(key) and parts > 1
