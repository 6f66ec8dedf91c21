"""What tests of the customer's own page share: the link in a notice, a browser that opened it, a document."""

import json
import re
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kyc_portal.notices.models import Notice
from tests.builders import png_bytes
from tests.conftest import NOON

UNKNOWN = "A" * 43
BEFORE = NOON - timedelta(days=30)


def address_of(account, kind: str = "data_requested") -> str:
    """The path of the link in the newest notice, as only the recipient reads it."""
    notice = Notice.objects.filter(key=str(account.pk), kind=kind).order_by("-queued_at", "-pk").first()
    return "/me/" + json.loads(notice.context.reveal())["link"].partition("/me/")[2]


def open_page(path: str, browser: Client | None = None) -> Client:
    """A browser in which the link was opened."""
    browser = browser or Client()
    answer = browser.post(path, {"notice": "1"})
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/me/")
    return browser


def as_it_looks(answer) -> tuple:
    """What a stranger can tell answers apart by."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    headers = {name: value for name, value in answer.headers.items() if name not in ("Expires", "Last-Modified")}
    return answer.status_code, headers, sorted(set(answer.cookies) - {"csrftoken"}), body


def picture(name: str = "passport.png", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, png_bytes() if data is None else data)


PAPER = {"kind": "passport", "number": "X1234567", "country": "DE", "expires_on": "2034-01-01"}
