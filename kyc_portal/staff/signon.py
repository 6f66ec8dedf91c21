"""Single sign-on by OpenID Connect: who the provider names must be an active member of staff already.

Nobody is created and no role is taken from the provider. A person is known by the provider's stored subject, and the
first time by an e-mail the provider has verified, if exactly one active member of staff has it and no subject yet.
"""

import time
from dataclasses import dataclass

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import VISITOR, Actor
from kyc_portal.staff.logins import NOBODY
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.verbs import Verb

PROVIDER = "sso"
UNKNOWN = "Nobody in this portal is known by that identity. Ask an administrator to add you with the same e-mail."
FAILED = "The log-in at the provider did not succeed. Try again, or use your password."


@dataclass(frozen=True)
class SignedOn:
    """What the provider proved: whether by a second factor, and when (seconds since 1970)."""

    second_factor: bool
    proved_at: float


def proves_second_factor(claims: dict) -> bool:
    """Whether the provider says, in `amr` or `acr`, that it asked for a second factor (RFC 8176)."""
    named = claims.get("amr")
    said = [*(named if isinstance(named, list) else [named]), claims.get("acr")]
    return any(each in settings.OIDC_SECOND_FACTOR for each in said)


class OpenIDConnect(OpenIDConnectOAuth2Adapter):
    """Reads the ID token only, checks its signature even though it came directly, and keeps no claim."""

    def complete_login(self, request, app, token, **kwargs):
        try:
            claims = self._decode_id_token(app, kwargs["response"].get("id_token") or "")
            login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
            proved_at = float(claims.get("auth_time") or time.time())
        except (KeyError, TypeError, ValueError) as error:  # a token or a configuration that lacks what it must have
            raise OAuth2Error("The provider's answer does not fit.") from error
        login.account.extra_data = {}
        request.signed_on = SignedOn(proves_second_factor(claims), proved_at)
        return login

    def _decode_id_token(self, app, id_token):
        config = self.openid_config
        if config["issuer"].rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
            raise OAuth2Error("The provider names another issuer than KYC_OIDC_ISSUER.")
        return jwtkit.verify_and_decode(
            credential=id_token, keys_url=config["jwks_uri"], issuer=config["issuer"], audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )  # fmt: skip


def _refused(request, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("account_login")


class SignOnAdapter(DefaultSocialAccountAdapter):
    """Finds the member of staff whom the provider names."""

    def is_open_for_signup(self, request, sociallogin):
        return False

    def pre_social_login(self, request, sociallogin):
        """Link the subject at the first log-in; refuse, and say so in the trail, whoever is nobody here."""
        if sociallogin.is_existing:
            return
        emails = [each.email for each in sociallogin.email_addresses if each.verified is True]
        found = StaffMember.objects.filter(email__iexact=emails[0], is_active=True) if emails else []
        if len(found) == 1 and not SocialAccount.objects.filter(user=found[0]).exists():
            link(sociallogin, found[0], by=Actor.person(found[0]), at=timezone.now())
        else:
            audit.record(Verb.LOGIN_REFUSED, NOBODY, by=VISITOR, at=timezone.now(), reason="single_sign_on")
            raise ImmediateHttpResponse(_refused(request, UNKNOWN))

    def on_authentication_error(self, request, provider, **kwargs):
        """The log-in was given up at the provider, or its answer does not fit."""
        raise ImmediateHttpResponse(_refused(request, FAILED))


@flow
def link(sociallogin, user: StaffMember, *, by: Actor, at) -> None:
    """Remember the provider's subject for a member of staff."""
    sociallogin.user = sociallogin.account.user = user
    sociallogin.account.save()
    audit.record(Verb.IDENTITY_LINKED, user, by=by, at=at)


def _adapter(request) -> OpenIDConnect:
    if not is_set_up():
        raise Http404
    return OpenIDConnect(request, PROVIDER)


@require_GET
def start(request, provider_id=PROVIDER):
    """Send the browser to the provider; 404 while single sign-on is not set up.

    `max_age` makes the provider say when the person proved who they are; whoever is logged in is asked anew.
    """
    again = request.user.is_authenticated
    wanted = {"max_age": 0, "prompt": "login"} if again else {"max_age": settings.SESSION_LONGEST}
    return (
        _adapter(request)
        .get_provider()
        .redirect(request, process=AuthProcess.LOGIN, next_url=get_next_redirect_url(request), auth_params=wanted)
    )


@require_GET
def callback(request, provider_id=PROVIDER):
    """The provider's answer; what does not fit ends on a page that says so."""
    return OAuth2CallbackView.adapter_view(_adapter(request))(request)


def is_set_up() -> bool:
    """Whether the log-in page offers single sign-on."""
    return bool(settings.SOCIALACCOUNT_PROVIDERS)
