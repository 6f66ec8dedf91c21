"""The forms of log-in: fields as the portal names them, and one-time codes that count once (ASVS 6.5.1)."""

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import (
    SECRET_SESSION_KEY,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.db import transaction

from kyc_portal.staff.factors import sealed, unsealed

LAST = "last_counter"


class LogInForm(LoginForm):
    """User name and password."""

    def add_prefix(self, field_name):
        return super().add_prefix("username" if field_name == "login" else field_name)


def counter_of(secret: str, code: str) -> int | None:
    """The time step this code belongs to, within the tolerance; None for a code of another time."""
    for step in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None


@transaction.atomic
def use_once(authenticator: Authenticator, code: str) -> bool:
    """Spend a code: False when this or a later one was spent before, in whatever process or session."""
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    counter = counter_of(unsealed(row.data["secret"]), code)
    if counter is None or counter <= row.data.get(LAST, -1):
        return False
    row.data[LAST] = counter
    row.save(update_fields=["data"])
    return True


class _OnceMixin:
    def clean_code(self):
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not use_once(self.authenticator, code):
            self._emit_authentication_failed(self.authenticator)
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_OnceMixin, AuthenticateForm):
    """The second step of a log-in."""


class CodeAgainForm(_OnceMixin, ReauthenticateForm):
    """The same for somebody who is logged in already."""


class PasskeyForm(AddWebAuthnForm):
    """Enrols a passkey, or a security key for the second step only."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        alone = self.fields["passwordless"]
        alone.label = "Log in with it alone, without the password"
        alone.help_text = "It then asks for your finger, your face or a PIN. Leave this out for a plain security key."


class AuthenticatorForm(ActivateTOTPForm):
    """Enrols an authenticator app; the secret waits sealed in the session, and the code that proves it is spent."""

    def __init__(self, *args, **kwargs):
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)  # the library's would leave the secret in the session as it is
        session = context.request.session
        if not (self.is_bound and SECRET_SESSION_KEY in session):
            session[SECRET_SESSION_KEY] = sealed(generate_totp_secret())
        self.secret = unsealed(session[SECRET_SESSION_KEY])

    def clean_code(self):
        code = super().clean_code()
        self.counter = counter_of(self.secret, code)
        return code

    def spend(self) -> None:
        """Once the app is stored: its first code opens nothing else."""
        row = Authenticator.objects.get(user=self.user, type=Authenticator.Type.TOTP)
        row.data[LAST] = self.counter
        row.save(update_fields=["data"])
