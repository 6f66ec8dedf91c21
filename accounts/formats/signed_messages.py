"""Messages signed as Standard Webhooks says: three headers, HMAC-SHA-256 over id, time stamp and body."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook, WebhookVerificationError

from kyc_portal.refusal import Refusal

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
LONGEST_SIGNATURE = 1000  # characters: more than ten signatures
# No full stop: id, time stamp and body are signed with full stops between them, so that one could pass for another.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_STAMP = re.compile(r"[0-9]{1,12}")


class NotSigned(Refusal):
    """The message does not carry a signature of ours that is fresh; nothing of it may be believed."""


@dataclass(frozen=True)
class SignedMessage:
    """A message whose signature is right: its id, when it was signed, the body as text, and what proves it."""

    id: str
    signed_at: datetime
    text: str
    headers: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Digest of the body as it came, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def open_message(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> SignedMessage:
    """The message, if one of the secrets signed it within five minutes of now. Raises NotSigned.

    `headers` by their names in small letters. The clock is read by the library.
    """
    kept = {name: headers.get(name, "") for name in HEADERS}
    if not _ID.fullmatch(kept["webhook-id"]) or not _STAMP.fullmatch(kept["webhook-timestamp"]):
        raise NotSigned("The headers webhook-id and webhook-timestamp are missing or not of their form.")
    if len(kept["webhook-signature"]) > LONGEST_SIGNATURE or not any(_fits(body, kept, each) for each in secrets):
        raise NotSigned("No signature in the header webhook-signature is right, or the time stamp is not fresh.")
    signed_at = datetime.fromtimestamp(int(kept["webhook-timestamp"]), tz=UTC)
    return SignedMessage(kept["webhook-id"], signed_at, body.decode(), kept)


def _fits(body: bytes, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: not UTF-8, or a signature that is no base64
        return False
    return True


def sign_message(text: str, *, id: str, at: datetime, secret: str) -> dict[str, str]:
    """The three headers under which a message is sent."""
    stamp = at.astimezone(UTC)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, stamp, text),
    }
