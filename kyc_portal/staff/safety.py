"""System checks: a production start with a missing or unsafe setting is refused, saying what to set."""

import base64
import json
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from kyc_portal.policy.regimes import PROFILES
from kyc_portal.records import grants, stamps, witnesses
from kyc_portal.records.keys import KeyProblem, parse_key
from kyc_portal.staff import exposure
from kyc_portal.staff.roles import ROLES

UNSAFE_BEGINNINGS = ("django-insecure", "only-for-tests", "change", "secret", "local-", "missing")
SECRET_BYTES = (24, 64)  # of a webhook's secret, as Standard Webhooks wants them
LOCAL_SETTINGS = ("kyc_portal.settings.development", "kyc_portal.settings.tests")


def _faults_of_keys() -> Iterator[tuple[str, str]]:
    if not settings.SECRET_KEY or len(settings.SECRET_KEY) < 50:
        yield "SECRET_KEY is missing or shorter than 50 characters.", "Set SECRET_KEY to a long random text."
    elif settings.SECRET_KEY.lower().startswith(UNSAFE_BEGINNINGS):
        yield "SECRET_KEY is a default.", "Set SECRET_KEY to a long random text of your own."
    elif len(set(settings.SECRET_KEY)) < 10:
        yield "SECRET_KEY repeats a few characters.", "Set SECRET_KEY to a long random text of your own."
    keys = {
        "KYC_MASTER_KEYS": settings.MASTER_KEYS or [""],
        "KYC_FINGERPRINT_KEY": [settings.FINGERPRINT_KEY],
        "KYC_FINGERPRINT_KEY_OLD": list(filter(None, [settings.FINGERPRINT_KEY_OLD])),
        "KYC_SIGNING_KEY": [settings.SIGNING_KEY],
        "KYC_AUDIT_KEY": [settings.AUDIT_KEY],
        "KYC_AUDIT_KEY_NEXT": list(filter(None, [settings.AUDIT_KEY_NEXT])),
    }
    texts = [text.partition(":")[2] for name in keys for text in keys[name]]
    if any(text and text in settings.SECRET_KEY for text in texts):
        yield "SECRET_KEY holds one of the other keys.", "Make a text of its own for SECRET_KEY."
    if any(len(fallback) < 50 or fallback == settings.SECRET_KEY for fallback in settings.SECRET_KEY_FALLBACKS):
        yield "SECRET_KEY_FALLBACKS holds a short key or the present one.", "Remove it from SECRET_KEY_FALLBACKS."
    if local := _keys_of_the_local_world() & {settings.SECRET_KEY, *texts}:
        yield f"{len(local)} keys are those of the local world on this disk.", "Make keys of production's own."
    seen: dict[bytes, str] = {}
    for name, texts in keys.items():
        for text in texts:
            try:
                key_id, key = parse_key(text)
            except KeyProblem:
                what = f"{name} is missing or not of the form ID:BASE64 with 32 bytes."
                yield what, f"Set {name}; see docs/operations.md."
                continue
            if key_id.startswith(("local-", "test-")) or len(set(key)) < 8:
                yield f"{name} holds a default key.", f"Make a key of your own for {name}; see docs/operations.md."
            elif seen.setdefault(key, name) != name:
                yield f"{name} is the same key as {seen[key]}.", "Make a key of its own for each purpose."


def _keys_of_the_local_world() -> set[str]:
    """The keys `make demo` made here: what wrote them knows them, and so may a copy of the folder."""
    try:
        kept = json.loads((settings.BASE_DIR / ".local" / "keys.json").read_text())
    except (OSError, ValueError):
        return set()
    return {text.rpartition(":")[2] for text in kept.values()}


def _faults_of_witnesses() -> Iterator[tuple[str, str]]:
    for fault in witnesses.faults_of(settings.WITNESSES):
        yield f"KYC_WITNESSES: {fault}", "Set KYC_WITNESSES to at least two of file:/path and mail:address."
    if settings.STAMPS_FROM_PLAIN_LOOPBACK:
        what = "STAMPS_FROM_PLAIN_LOOPBACK is on, so anything on this host could pose as an authority for time stamps."
        yield what, "Leave STAMPS_FROM_PLAIN_LOOPBACK to the tests."


def _faults_of_webhooks() -> Iterator[tuple[str, str]]:
    if settings.WEBHOOKS_TO_PLAIN_LOOPBACK:
        what = "WEBHOOKS_TO_PLAIN_LOOPBACK is on, so changes could be told to programs on this host in clear."
        yield what, "Leave WEBHOOKS_TO_PLAIN_LOOPBACK to the local world and the tests."


def _faults_of_services() -> Iterator[tuple[str, str]]:
    if settings.DEBUG:
        yield "DEBUG is on.", "Remove DEBUG from the environment."
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        yield "DATABASE_URL does not name a PostgreSQL database.", "Set DATABASE_URL=postgres://…"
    if not settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        yield "CELERY_BROKER_URL does not name a Redis server.", "Set CELERY_BROKER_URL=redis://…"
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "locmem.EmailBackend", "dummy.EmailBackend")):
        yield "EMAIL_BACKEND does not send mail.", "Set EMAIL_URL, and EMAIL_BACKEND if it is not SMTP."
    elif settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not settings.EMAIL_HOST:
        yield "EMAIL_URL names no mail server.", "Set EMAIL_URL=smtp+tls://user:password@host:587."
    if settings.DEFAULT_FROM_EMAIL.rstrip("> ").endswith(".example"):
        yield (
            "DEFAULT_FROM_EMAIL is the example address.",
            "Set DEFAULT_FROM_EMAIL to the address that customers answer.",
        )
    if settings.PROVIDER_NAME == "Example Cloud":
        yield "KYC_PROVIDER_NAME is the example name.", "Set KYC_PROVIDER_NAME to the name customers know you by."


def _faults_of_regime() -> Iterator[tuple[str, str]]:
    profiles = {profile.code: profile for profile in PROFILES}
    profile = profiles.get(settings.REGIME)
    if profile is None:
        yield f"KYC_REGIME is “{settings.REGIME[:40]}”, which is no regime.", f"Set it to one of {', '.join(profiles)}."
        return
    least = next(int(figure.value) for figure in profile.figures if figure.name == "retention_years")
    if settings.RETENTION_YEARS and least > settings.RETENTION_YEARS:
        yield (
            f"KYC_RETENTION_YEARS is {settings.RETENTION_YEARS}; {settings.REGIME} keeps identity data {least} years.",
            "Raise KYC_RETENTION_YEARS or leave it out.",
        )


def _faults_of_zone() -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(settings.LEGAL_TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "KYC_LEGAL_TIME_ZONE is no time zone.", "Set it to a name such as America/New_York, or leave it out."


def _faults_of_log_in() -> Iterator[tuple[str, str]]:
    if unknown := set(settings.MFA_ROLES) - {"all", "none", *ROLES}:
        yield f"KYC_MFA_ROLES names “{min(unknown)[:40]}”, which is no role.", "Set it to all, none, or roles by comma."
    if settings.OIDC_ISSUER:
        app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
        if not (app["client_id"] and app["secret"]):
            yield (
                "KYC_OIDC_ISSUER is set, but its client is not.",
                "Set KYC_OIDC_CLIENT_ID and KYC_OIDC_CLIENT_SECRET too, or leave all three out.",
            )


def _faults_of_verifier() -> Iterator[tuple[str, str]]:
    if not settings.VERIFIER:
        return
    how = "Name an adapter of your own, as docs/outside-verifier.md shows, or leave KYC_VERIFIER out."
    if settings.VERIFIER.startswith("kyc_portal.demo."):
        yield "KYC_VERIFIER names the stand-in, which finds that everybody is who they say.", how
        return
    try:
        adapter = import_string(settings.VERIFIER)
    except ImportError:
        adapter = None
    if not all(hasattr(adapter, name) for name in ("code", "title", "ask", "reference_of", "read")):
        yield f"KYC_VERIFIER is “{settings.VERIFIER[:60]}”, where no adapter of a verifier is.", how
    least, most = SECRET_BYTES
    hint = "Set it to whsec_ and 32 random bytes in base64, as agreed with the verifier; two by comma in a change."
    if not 1 <= len(settings.VERIFIER_SECRETS) <= 2:
        yield "KYC_VERIFIER_SECRETS does not hold one secret, or two while they are being changed.", hint
    local = _keys_of_the_local_world()
    for text in settings.VERIFIER_SECRETS:
        try:
            secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            secret = b""
        if not text.startswith("whsec_") or not least <= len(secret) <= most:
            yield f"A secret of KYC_VERIFIER_SECRETS is not whsec_ and {least} to {most} bytes in base64.", hint
        elif len(set(secret)) < 8 or text in local:
            yield "A secret of KYC_VERIFIER_SECRETS is a default.", hint


def _faults_of_addresses() -> Iterator[tuple[str, str]]:
    if not settings.PORTAL_URL.startswith("https://"):
        yield "KYC_PORTAL_URL is missing or not https.", "Set KYC_PORTAL_URL to the portal's own address."
    if settings.BEHIND_TLS_PROXY and not settings.TRUSTED_PROXIES:
        yield (
            "KYC_TRUSTED_PROXIES is empty behind a proxy: every log-in would seem to come from one address.",
            "Set KYC_TRUSTED_PROXIES to the networks of your own proxies.",
        )
    if settings.OIDC_ISSUER and not settings.OIDC_ISSUER.startswith("https://"):
        yield "KYC_OIDC_ISSUER is not https.", "Set KYC_OIDC_ISSUER to the provider's https address."


_PRODUCTION = (
    _faults_of_keys,
    _faults_of_witnesses,
    _faults_of_services,
    _faults_of_addresses,
    _faults_of_verifier,
    _faults_of_webhooks,
    exposure.faults_of_cookies,
    exposure.faults_of_hosts,
    exposure.faults_of_transport,
    exposure.faults_of_policy,
    exposure.faults_of_connections,
    exposure.faults_of_folders,
    exposure.faults_of_secret_files,
    exposure.faults_of_limits,
    exposure.faults_of_logs,
)


def check_settings(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """Errors for every unsafe or contradictory setting.

    Only the two local modules of settings are spared most of it: one that somebody derived from ours is not.
    """
    faults = [*_faults_of_regime(), *_faults_of_zone(), *_faults_of_log_in()]
    faults += stamps.faults_of_settings(settings.WITNESSES, bundles=settings.BUNDLE_STAMP_URL)
    if settings.SETTINGS_MODULE not in LOCAL_SETTINGS:
        faults += [fault for part in _PRODUCTION for fault in part()]
        if not databases:  # `migrate` names its databases, and works as the role that owns the tables
            faults += grants.faults_of_role()
    return [
        checks.Error(what, hint=how, id=f"portal.E{number:03}") for number, (what, how) in enumerate(faults, start=1)
    ]
