"""Signed messages: id, time stamp and body are bound together; two secrets at once; nothing odd passes."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.signed_messages import NotSigned, open_message, sign_message

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"o", b"n", b"x"))
TEXT = '{"reference": "CHK-2222-2222", "name": "Zoë"}'


def headers(text=TEXT, *, id="msg_1", minutes=0, secret=OLD) -> dict[str, str]:
    return sign_message(text, id=id, at=timezone.now() + timedelta(minutes=minutes), secret=secret)


class TestOpenMessage:
    def test_it_gives_id_body_and_proof(self):
        sent = headers()

        message = open_message(TEXT.encode(), sent, [OLD])

        assert (message.id, message.text, dict(message.headers)) == ("msg_1", TEXT, sent)
        assert int(message.signed_at.timestamp()) == int(sent["webhook-timestamp"])

    @pytest.mark.parametrize("secret", [OLD, NEW])
    def test_two_secrets_hold_while_they_are_changed(self, secret):
        assert open_message(TEXT.encode(), headers(secret=secret), [NEW, OLD]).text == TEXT

    def test_one_right_signature_among_several_is_enough(self):
        sent = headers()
        sent["webhook-signature"] = f"v1a,AAAA v1,AAAA {sent['webhook-signature']}"

        assert open_message(TEXT.encode(), sent, [OLD]).id == "msg_1"

    @pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 365])
    def test_a_time_stamp_that_is_old_or_to_come_is_refused(self, minutes):
        with pytest.raises(NotSigned):
            open_message(TEXT.encode(), headers(minutes=minutes), [OLD])

    @pytest.mark.parametrize("minutes", [-4, 4])
    def test_clocks_may_differ_a_little(self, minutes):
        assert open_message(TEXT.encode(), headers(minutes=minutes), [OLD]).id == "msg_1"

    @pytest.mark.parametrize(
        "changes",
        [
            {"webhook-signature": ""},
            {"webhook-signature": "v1"},
            {"webhook-signature": "v1,ä"},
            {"webhook-signature": "v1,a,b"},
            {"webhook-signature": "v1," + "A" * 2000},
            {"webhook-id": ""},
            {"webhook-id": "msg_2"},
            {"webhook-id": "msg.1"},
            {"webhook-id": "x" * 101},
            {"webhook-timestamp": ""},
            {"webhook-timestamp": "nan"},
            {"webhook-timestamp": "inf"},
            {"webhook-timestamp": "-1"},
            {"webhook-timestamp": "9" * 12},
            {"webhook-timestamp": "9" * 400},
            {"webhook-timestamp": "٣"},
        ],
    )
    def test_headers_that_are_missing_changed_or_odd_are_refused(self, changes):
        with pytest.raises(NotSigned):
            open_message(TEXT.encode(), headers() | changes, [OLD])

    @pytest.mark.parametrize("body", [b"", TEXT.encode()[:-1], TEXT.encode() + b" ", b"\xff" + TEXT.encode()])
    def test_another_body_is_refused(self, body):
        with pytest.raises(NotSigned):
            open_message(body, headers(), [OLD])

    @pytest.mark.parametrize("secrets", [[], [OTHER], [OTHER, NEW]])
    def test_without_the_right_secret_nothing_is_believed(self, secrets):
        with pytest.raises(NotSigned):
            open_message(TEXT.encode(), headers(), secrets)

    def test_id_and_body_cannot_be_cut_elsewhere(self):
        """Signed are id, stamp and body with full stops between; a part of the body must not pass for a stamp."""
        now = int(timezone.now().timestamp())
        sent = headers(f"x.{now}.{TEXT}", id="msg_1")
        moved = {**sent, "webhook-id": f"msg_1.{sent['webhook-timestamp']}.x", "webhook-timestamp": str(now)}

        with pytest.raises(NotSigned):
            open_message(TEXT.encode(), moved, [OLD])

    @given(place=st.integers(0, len(TEXT.encode()) - 1), other=st.integers(1, 255))
    def test_a_change_of_any_byte_is_seen(self, place, other):
        body = bytearray(TEXT.encode())
        body[place] ^= other

        with pytest.raises(NotSigned):
            open_message(bytes(body), headers(), [OLD])

    @given(st.text(max_size=200))
    def test_whatever_is_signed_comes_back_byte_for_byte(self, text):
        if any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
            return
        assert open_message(text.encode(), headers(text), [OLD]).text == text
