"""Whatever stands in a link, a cookie or an address: a page in words, never an error (F rows of trust.md section 3)."""

from urllib.parse import quote

import pytest
from axes.models import AccessAttempt
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import CustomerLink

pytestmark = pytest.mark.django_db
ODD = st.one_of(
    st.text(min_size=1, max_size=200),
    st.binary(min_size=1, max_size=60).map(lambda raw: raw.decode("latin-1")),
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
).filter(lambda text: "/" not in text and text not in (".", ".."))  # fmt: skip
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@often
@given(token=ODD)
def test_a_garbled_link_is_refused_in_words(db, token):
    AccessAttempt.objects.all().delete()
    for door in ("link", "confirm"):
        path = f"/me/{door}/{quote(token, safe='', errors='replace')}/"
        seen, sent = Client().get(path), Client().post(path, {"notice": "1"})

        assert (seen.status_code, sent.status_code) == (200, 404), path
        assert b"This page is closed" in sent.content


@often
@given(cookie=ODD, key=ODD)
def test_a_garbled_cookie_opens_nothing(db, cookie, key):
    browser = Client()
    browser.cookies["customer"] = quote(cookie, errors="replace")

    for path in ("/me/", f"/me/give/{quote(key, safe='', errors='replace')}/", "/me/objection/"):
        assert browser.get(path).status_code == 404
    assert not CustomerLink.objects.exists()
