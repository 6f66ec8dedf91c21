"""What the portal decides where the library of log-ins asks: no sign-up, sealed secrets, our own words."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone

from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import NewBrowser
from kyc_portal.records.acting import acting
from kyc_portal.staff import factors, sessions, stepup
from kyc_portal.staff.sources import source_of

KNOWN_BROWSER = "known-browser"
ONE_YEAR = 365 * 24 * 60 * 60


class PasswordBackend(AuthenticationBackend):
    """Checks passwords; somebody who left gets the same answer as a name nobody has."""

    @classmethod
    def _stash_user(cls, user):
        return None


class SecondStep(AuthenticateStage):
    """The second step of a log-in, left out when the provider of single sign-on has just proved a second factor."""

    def _should_handle(self, request):
        signed_on = getattr(request, "signed_on", None)  # of this very request: nothing of it is kept for another
        return not (signed_on and signed_on.second_factor) and super()._should_handle(request)


class SignInAdapter(DefaultAccountAdapter):
    """Log-in with a password, its second step, and proving again who one is."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "The user name and the password do not fit. Type both again.",
        "incorrect_password": "This is not your password. Type it again.",
        "too_many_login_attempts": "Too many wrong codes. Wait five minutes, then try again.",
        "rate_limited": "Too many tries. Wait five minutes, then try again.",
    }

    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request) -> str:
        """The client's address, behind proxies of our own too."""
        return source_of(request) or "0.0.0.0"  # noqa: S104, no address is told, as by a socket file

    def add_message(self, request, level, message_template=None, *args, message=None, **kwargs):
        """Only sentences of the portal's own: the library's are left out."""
        if message is not None:
            super().add_message(request, level, message_template, *args, message=message, **kwargs)

    def pre_authenticate(self, request, **credentials):
        """Nothing: axes counts refused log-ins, by account and address, in the database."""

    def is_reauthentication_required(self, *, app, **kwargs):
        return not stepup.is_recent(context.request, at=timezone.now())

    def get_reauthentication_methods(self, user):
        words = {"reauthenticate": "your password", "mfa_reauthenticate": "a code",
                 "mfa_reauthenticate:webauthn": "a passkey"}  # fmt: skip
        return [each | {"description": words[each["id"]]} for each in super().get_reauthentication_methods(user)]

    def get_login_stages(self):
        return [f"{SecondStep.__module__}.{SecondStep.__qualname__}"]

    def respond_user_inactive(self, request, user):
        """By a passkey or single sign-on, which no stranger has; a password alone is answered like a wrong one."""
        self.add_message(request, messages.ERROR, message="You no longer have access to this portal.")
        return redirect("account_login")

    def login(self, request, user):
        """Django notes the log-in in the person's row: that change is their own."""
        with acting(user.as_actor):
            super().login(request, user)

    def post_login(self, request, user, **kwargs):
        """Go on to the page that was asked for; a browser not seen before is told of by mail."""
        response = super().post_login(request, user, **kwargs)
        if signed_on := getattr(request, "signed_on", None):
            request.session[sessions.CONFIRMED] = min(request.session[sessions.CONFIRMED], signed_on.proved_at)
            if signed_on.second_factor:
                factors.note_used(request, "provider")
        name = f"{KNOWN_BROWSER}-{user.pk}"
        if request.get_signed_cookie(name, default="", max_age=ONE_YEAR) != str(user.pk):
            now = timezone.now()
            notice = NewBrowser(username=user.username, moment=f"{now:%d %b %Y, %H:%M} UTC")
            outbox.queue_notice(notice, about=user, subject=user.subject, address=user.email, by=user.as_actor, at=now)
        response.set_signed_cookie(
            name, str(user.pk), max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
        return response


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: secrets sealed under the portal's keys, labels that tell no e-mail."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code or passkey does not fit, or was used before. Wait for the next code.",
        "cannot_delete_authenticator": "Your role needs a second factor. Add another one before you remove this one.",
    }

    def encrypt(self, text):
        return factors.sealed(text)

    def decrypt(self, encrypted_text):
        return factors.unsealed(encrypted_text)

    def get_totp_issuer(self):
        return f"KYC portal, {settings.PROVIDER_NAME}"

    def _get_site_name(self):
        return self.get_totp_issuer()

    def _get_user_identifier(self, user):
        return user.get_username()

    def can_delete_authenticator(self, authenticator):
        """The last factor of somebody who needs one stays."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(pk=authenticator.pk)
        has_another = others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
        return has_another or not factors.is_required(authenticator.user)

    def generate_authenticator_name(self, user, type):
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"
