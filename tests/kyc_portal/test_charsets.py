"""A request that names a codec of no text is answered like any other."""

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from kyc_portal.charsets import TextASGIRequest, TextWSGIRequest


@pytest.mark.parametrize("charset", ["hex", "rot13", "klingon", "utf-8"])
def test_any_charset_makes_a_request(charset):
    environ = RequestFactory()._base_environ(CONTENT_TYPE=f"text/plain; charset={charset}", QUERY_STRING="a=%C3%A9")
    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"a=%C3%A9", "server": ("x", 80),
        "headers": [(b"content-type", f"text/plain; charset={charset}".encode())],
    }  # fmt: skip

    for request in (TextWSGIRequest(environ), TextASGIRequest(scope, None)):
        assert request.content_params == {"charset": charset}
        assert request.GET["a"] == "\u00e9"


@pytest.mark.django_db
def test_the_server_answers_it():
    told, handler = [], WSGIHandler()
    handler.request_class = TextWSGIRequest
    environ = RequestFactory()._base_environ(
        CONTENT_TYPE="text/plain; charset=hex", PATH_INFO="/login/", QUERY_STRING="next=a"
    )

    handler(environ, lambda status, headers: told.append(status))

    assert told == ["200 OK"]
