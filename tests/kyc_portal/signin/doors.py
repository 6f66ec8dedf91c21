"""Log in as a person would, and the codes of an authenticator app."""

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from kyc_portal.records.audit import history_of

PASSWORD = "correct horse battery"


def log_in(username: str = "ana", password: str = PASSWORD, *, client: Client | None = None, **extra):
    """The client and the answer to user name and password."""
    client = client or Client()
    return client, client.post("/login/", {"username": username, "password": password}, **extra)


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code an app shows, or showed so many steps of 30 seconds away from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def enrol_app(client: Client) -> str:
    """Add an authenticator app on its page; returns its secret."""
    secret = client.get("/you/app/").context["form"].secret
    answer = client.post("/you/app/", {"code": code_of(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    return secret


def verbs(about) -> list[str]:
    """What the trail tells of somebody, oldest first."""
    return [event.verb for event in reversed(history_of(about))]
