"""The addresses of log-in and of a person's own pages; what the log-in library offers beyond these is not there.

The names with account_, mfa_ and openid_connect_ are those by which the library finds its own pages.
"""

from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.generic import RedirectView

from kyc_portal.staff import own, signon

urlpatterns = [
    path("login/", own.LogIn.as_view(), name="login"),
    path("login/", own.LogIn.as_view(), name="account_login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("login/code/", factor_views.authenticate, name="mfa_authenticate"),
    path("login/passkey/", passkey_views.login_webauthn, name="mfa_login_webauthn"),
    path("login/again/", own.again, name="account_reauthenticate"),
    path("login/again/code/", factor_views.reauthenticate, name="mfa_reauthenticate"),
    path("login/again/passkey/", passkey_views.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("login/sso/", signon.start, {"provider_id": signon.PROVIDER}, name="openid_connect_login"),
    path("login/sso/callback/", signon.callback, {"provider_id": signon.PROVIDER}, name="openid_connect_callback"),
    path("login/link/<uidb64>/<token>/", own.ChoosePassword.as_view(), name="choose_password"),
    path("you/", login_required(factor_views.index), name="mfa_index"),
    path("you/app/", own.AddApp.as_view(), name="mfa_activate_totp"),
    path("you/app/remove/", app_views.deactivate_totp, name="mfa_deactivate_totp"),
    path("you/passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("you/passkeys/add/", own.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("you/passkeys/<int:pk>/remove/", passkey_views.remove_webauthn, name="mfa_remove_webauthn"),
    path("you/codes/", code_views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("you/codes/new/", code_views.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("you/sessions/", own.own_sessions, name="own_sessions"),
    path("you/sessions/<int:key>/end/", own.end_session, name="end_session"),
]
