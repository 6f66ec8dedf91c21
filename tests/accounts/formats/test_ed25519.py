"""Our check of Ed25519 against the published vectors, and against another implementation."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.formats.ed25519 import BASE, ORDER, P, _encoded, is_valid

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector[1][:4] or "empty")
def test_it_agrees_with_the_vectors_of_rfc_8032(vector):
    public, message, signature = map(bytes.fromhex, vector)

    assert is_valid(public, message, signature)
    assert not is_valid(public, message + b"x", signature)


def test_it_refuses_every_changed_byte_of_a_signature():
    signature = KEY.sign(b"bundle")

    for at in range(64):
        assert not is_valid(PUBLIC, b"bundle", signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])


def test_it_refuses_a_second_spelling_of_a_signature():
    signature = KEY.sign(b"bundle")
    longer = int.from_bytes(signature[32:], "little") + ORDER

    assert not is_valid(PUBLIC, b"bundle", signature[:32] + longer.to_bytes(32, "little"))


@pytest.mark.parametrize("public", [b"", PUBLIC[:31], PUBLIC + b"\0", b"\xff" * 32, P.to_bytes(32, "little")])
def test_it_refuses_what_is_no_key(public):
    assert not is_valid(public, b"bundle", KEY.sign(b"bundle"))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65), b"\xff" * 64, bytes(64)])
def test_it_refuses_what_is_no_signature(signature):
    assert not is_valid(PUBLIC, b"bundle", signature)


def test_its_base_point_is_the_one_of_the_rfc():
    assert _encoded(BASE) == bytes.fromhex("58" + "66" * 31)


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=64), flip=st.integers(-1, 511))
def test_it_says_what_cryptography_says(seed, message, flip):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = int.from_bytes(key.sign(message), "big") ^ (1 << flip if flip >= 0 else 0)
    signature = signature.to_bytes(64, "big")
    public = key.public_key().public_bytes_raw()

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        theirs = True
    except InvalidSignature:
        theirs = False

    assert is_valid(public, message, signature) is theirs
