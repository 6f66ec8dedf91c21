"""A person's own pages: log in, prove it again, choose a password, see and end sessions."""

from allauth.account.adapter import get_adapter
from allauth.account.views import LoginView, reauthenticate
from allauth.decorators import rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator

from kyc_portal.staff import factors, people, sessions, signon
from kyc_portal.staff.verbs import Verb


class LogIn(LoginView):
    """User name and password, a passkey, or single sign-on."""

    http_method_names = ["get", "head", "post"]

    def get_context_data(self, **kwargs):
        return super().get_context_data(sign_on=settings.OIDC_LABEL if signon.is_set_up() else "", **kwargs)


def again(request):
    """Ask for the password, a code or a passkey; whoever has none of them proves it at their provider."""
    if get_adapter().get_reauthentication_methods(request.user):
        return reauthenticate(request)
    return render(request, "account/again_by_provider.html", {"sign_on": settings.OIDC_LABEL})


class _EnrollingMixin:
    """A new factor: it counts as used in this session, every other session ends, and the person is told."""

    @transaction.atomic
    def form_valid(self, form):
        user, now = self.request.user, timezone.now()
        before = list(Authenticator.objects.filter(user=user).values_list("pk", flat=True))
        response = super().form_valid(form)
        for added in Authenticator.objects.filter(user=user).exclude(pk__in=before):
            factors.note_change(user, Verb.FACTOR_ADDED, added.type, by=user.as_actor, at=now)
            factors.note_used(self.request, added.type)
        sessions.end_others(self.request, reason="factor_added", at=now)
        return response


class AddApp(_EnrollingMixin, ActivateTOTPView):
    """Enrol an authenticator app by its first code, which is spent with that."""

    @transaction.atomic
    def form_valid(self, form):
        response = super().form_valid(form)
        form.spend()
        return response


class AddPasskey(_EnrollingMixin, AddWebAuthnView):
    """Enrol a passkey or security key."""


class PasswordChange(auth_views.PasswordChangeView):
    """Change one's own password: every other session ends, this one gets a new key."""

    http_method_names = ["get", "head", "post"]

    @method_decorator(rate_limit(action="change_password"))
    def post(self, request, *args, **kwargs):
        return super().post(request, *args, **kwargs)

    def form_valid(self, form):
        request, now = self.request, timezone.now()
        user = people.set_password(
            request.user, form.cleaned_data["new_password1"], verb=Verb.PASSWORD_CHANGED, by=request.user.as_actor,
            at=now,
        )  # fmt: skip
        update_session_auth_hash(request, user)
        UserSession.objects.create_from_request(request)
        return HttpResponseRedirect(self.get_success_url())


class ChoosePassword(auth_views.PasswordResetConfirmView):
    """Choose a password by a link that works once; the log-in with its second factor follows."""

    template_name = "account/choose_password.html"
    success_url = reverse_lazy("account_login")
    http_method_names = ["get", "head", "post"]

    def form_valid(self, form):
        people.set_password(
            self.user, form.cleaned_data["new_password1"], verb=Verb.PASSWORD_CHOSEN, by=self.user.as_actor,
            at=timezone.now(),
        )  # fmt: skip
        del self.request.session[auth_views.INTERNAL_RESET_SESSION_TOKEN]
        messages.success(self.request, "Your password is set. Log in with it.")
        return HttpResponseRedirect(self.get_success_url())


def own_sessions(request):
    """Every session of the person; by POST all others end."""
    if request.method == "POST":
        sessions.end_others(request, reason="chosen", at=timezone.now())
        messages.success(request, "All other sessions have ended.")
        return redirect("own_sessions")
    rows = UserSession.objects.filter(user=request.user).order_by("-created_at")
    return render(request, "account/sessions.html", {"title": "Your sessions", "rows": rows})


def end_session(request, key):
    """End one session of the person's own; another's is as unknown as one that never was."""
    try:
        sessions.end_one(request.user, key, by=request.user.as_actor, at=timezone.now())
    except sessions.NoSuchSession as refusal:
        raise Http404(str(refusal)) from None
    messages.success(request, "The session has ended.")
    return redirect("own_sessions")
