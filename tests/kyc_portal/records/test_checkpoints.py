"""Checkpoints are signed notes that the stand-alone verifier reads."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kyc_portal.records import checkpoints
from kyc_portal.records.offline.verify_audit import NOTE, signer_of

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = checkpoints.public_half(KEY)
ROOT = hashlib.sha256(b"root").digest()
NOTE_OF_7 = checkpoints.signed_note(7, ROOT, key_id="2026-1", key=KEY)


class TestSignedNote:
    def test_it_reads_as_the_specification_says(self):
        origin, size, root, blank, signature, end = NOTE_OF_7.split("\n")

        assert (origin, size, blank, end) == ("kyc-portal/audit", "7", "", "")
        assert base64.b64decode(root) == ROOT == checkpoints.root_in(NOTE_OF_7)
        dash, name, encoded = signature.split(" ")
        raw = base64.b64decode(encoded)
        assert (dash, name, len(raw)) == ("—", "2026-1", 68)
        assert raw[:4] == hashlib.sha256(b"2026-1\n\x01" + PUBLIC).digest()[:4]
        KEY.public_key().verify(raw[4:], NOTE_OF_7.split("\n\n")[0].encode() + b"\n")

    def test_the_verifier_knows_the_signer(self):
        assert signer_of(NOTE.fullmatch(NOTE_OF_7), {"2026-1": PUBLIC}) == "2026-1"
        assert signer_of(NOTE.fullmatch(NOTE_OF_7), {"2026-2": PUBLIC}) is None

    @pytest.mark.parametrize(("old", "new"), [("\n7\n", "\n8\n"), ("— 2026-1 ", "— 2026-2 "), ("\n\n", "\n\n\n")])
    def test_a_changed_note_has_no_signer(self, old, new):
        note = NOTE.fullmatch(NOTE_OF_7.replace(old, new))

        assert note is None or signer_of(note, {"2026-1": PUBLIC, "2026-2": PUBLIC}) == ""

    @pytest.mark.parametrize("public", [b"short", bytes(32), PUBLIC[::-1]])
    def test_another_key_of_the_same_name_is_not_the_signer(self, public):
        assert signer_of(NOTE.fullmatch(NOTE_OF_7), {"2026-1": public}) == ""

    @pytest.mark.parametrize("key_id", ["", "two words", "a+b", "a\nb"])
    def test_a_key_id_that_would_break_the_note_is_refused(self, key_id):
        with pytest.raises(ValueError, match="must not hold"):
            checkpoints.signed_note(7, ROOT, key_id=key_id, key=KEY)

    @pytest.mark.parametrize("text", ["", "x\n1\n2\n\n3\n", NOTE_OF_7.replace("kyc-", "other-")])
    def test_there_is_no_root_in_another_text(self, text):
        with pytest.raises(ValueError, match="no checkpoint"):
            checkpoints.root_in(text)
