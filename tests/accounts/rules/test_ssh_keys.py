"""SSH public keys: one key, one fingerprint; what is none is refused in a sentence (trust.md section 3 E)."""

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.numbers import BadNumber, BadSshKey, normalised
from accounts.rules.ssh_keys import TYPES


def blob(kind: str, *parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in (kind.encode(), *parts))


def line(kind: str = "ssh-ed25519", *parts: bytes) -> str:
    return f"{kind} {base64.b64encode(blob(kind, *(parts or (bytes(range(32)),)))).decode()}"


def by_hand(kind: str, *parts: bytes) -> str:
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob(kind, *parts)).digest()).decode().rstrip('=')}"


KEY = line()
PRINT = by_hand("ssh-ed25519", bytes(range(32)))


@pytest.mark.parametrize(
    "written",
    [
        KEY, f"{KEY} eve@laptop", f"  {KEY}   somebody else ", KEY.rstrip("="),
        f'no-pty,command="ls -l",from="10.0.0.1" {KEY} x', PRINT, f"{PRINT}=", PRINT.replace("SHA256", "sha256"),
    ],
)  # fmt: skip
def test_one_key_is_one_fingerprint_however_it_is_written(written):
    assert normalised("ssh_key", written) == PRINT


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_is_taken(kind):
    assert normalised("ssh_key", line(kind, b"one", b"two")) == by_hand(kind, b"one", b"two")


def test_a_large_key_is_taken():
    assert normalised("ssh_key", line("ssh-rsa", b"\x01\x00\x01", b"\xab" * 2049)).startswith("SHA256:")


@pytest.mark.parametrize(
    ("given_value", "sentence"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "This is a private key."),
        ("eve ssh-ed25519", "This is no SSH public key."),
        ("eve@laptop", "This is no SSH public key."),
        ("MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48", "This is no SSH public key."),
        (f"SHA256:{'A' * 42}", "This is no SSH public key."),
        (KEY[:-8], "cut short or altered"),
        (KEY.replace("ssh-ed25519", "ssh-rsa"), "cut short or altered"),
        ("ssh-ed25519 %%%%", "cut short or altered"),
        ("ssh-rsa " + "A" * 20_000, "longer than 20000"),
    ],
)
def test_what_is_none_is_refused_without_being_repeated(given_value, sentence):
    with pytest.raises(BadNumber, match=sentence) as refusal:
        normalised("ssh_key", given_value)
    assert given_value not in str(refusal.value)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
def test_a_key_that_is_cut_is_never_another_key(secret, cut):
    whole = line("ssh-ed25519", secret)
    shorter = whole[: max(13, len(whole) - 1 - cut)]
    with contextlib.suppress(BadSshKey):
        assert normalised("ssh_key", shorter) == normalised("ssh_key", whole)  # only its padding was cut
