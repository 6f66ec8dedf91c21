"""Each setting that would expose a production portal is refused, alone and all at once (ASVS 3.3, 3.4, 12.3, 13.4)."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from kyc_portal.settings import base
from kyc_portal.staff import exposure
from tests.kyc_portal.test_safety import ROOT, environment, manage

POSTGRES = "django.db.backends.postgresql"
INSTALLED = [app for app in base.INSTALLED_APPS if app != "kyc_portal.demo"]
VALIDATOR = "django.contrib.auth.password_validation.MinimumLengthValidator"


def policy(**changes) -> dict:
    """The shipped policy with some directives changed; None takes one away."""
    rules = {**base.CONTENT_SECURITY_POLICY["DIRECTIVES"], **changes}
    return {"DIRECTIVES": {name: sources for name, sources in rules.items() if sources is not None}}


def logging(part: str, name: str, value: dict) -> dict:
    changed = deepcopy(base.LOGGING)
    changed[part] = {**changed.get(part, {}), name: value}
    return changed


def without(name: str) -> list[str]:
    return [each for each in base.MIDDLEWARE if not each.endswith(name)]


UNSAFE = [  # what is set, what the refusal names
    ("SESSION_COOKIE_SECURE", False, "SESSION_COOKIE_SECURE is off"),
    ("CSRF_COOKIE_SECURE", False, "CSRF_COOKIE_SECURE is off"),
    ("SESSION_COOKIE_HTTPONLY", False, "SESSION_COOKIE_HTTPONLY is off"),
    ("CSRF_COOKIE_HTTPONLY", False, "CSRF_COOKIE_HTTPONLY is off"),
    ("SESSION_COOKIE_SAMESITE", "None", "SESSION_COOKIE_SAMESITE lets other sites"),
    ("CSRF_COOKIE_SAMESITE", None, "CSRF_COOKIE_SAMESITE lets other sites"),
    ("SESSION_COOKIE_DOMAIN", ".cumulus.net", "SESSION_COOKIE_DOMAIN gives the cookie"),
    ("CSRF_COOKIE_DOMAIN", "cumulus.net", "CSRF_COOKIE_DOMAIN gives the cookie"),
    ("SESSION_COOKIE_NAME", "sessionid", "SESSION_COOKIE_NAME does not begin with __Host-"),
    ("CSRF_COOKIE_NAME", "csrftoken", "CSRF_COOKIE_NAME does not begin with __Host-"),
    ("SESSION_COOKIE_AGE", 12 * 3600 + 1, "more than 12 hours"),
    ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies", "where none can be ended"),
    ("SESSION_SERIALIZER", "django.contrib.sessions.serializers.PickleSerializer", "a session could run code"),
    ("ALLOWED_HOSTS", [".cumulus.net"], "ALLOWED_HOSTS names “.cumulus.net”"),
    ("ALLOWED_HOSTS", ["kyc.cumulus.net", "203.0.113.7"], "ALLOWED_HOSTS names “203.0.113.7”"),
    ("ALLOWED_HOSTS", ["[2001:db8::1]"], "ALLOWED_HOSTS names “[2001:db8::1]”"),
    ("ALLOWED_HOSTS", ["localhost"], "ALLOWED_HOSTS names “localhost”"),
    ("CSRF_TRUSTED_ORIGINS", ["http://kyc.cumulus.net"], "trusts “http://kyc.cumulus.net”"),
    ("CSRF_TRUSTED_ORIGINS", ["https://*.cumulus.net"], "trusts “https://*.cumulus.net”"),
    ("USE_X_FORWARDED_HOST", True, "could choose the host in our links"),
    ("USE_X_FORWARDED_PORT", True, "could choose the host in our links"),
    ("CORS_ALLOW_ALL_ORIGINS", True, "CORS lets pages of other sites"),
    ("CORS_ALLOWED_ORIGIN_REGEXES", [r".*"], "CORS lets pages of other sites"),
    ("SECURE_HSTS_SECONDS", 0, "transport security is off"),
    ("SECURE_HSTS_SECONDS", 3600, "shorter than a year"),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", False, "without subdomains"),
    ("SECURE_SSL_REDIRECT", False, "no proxy is said to end TLS"),
    ("SECURE_CONTENT_TYPE_NOSNIFF", False, "could pass for a page"),
    ("X_FRAME_OPTIONS", "SAMEORIGIN", "frame the portal"),
    ("SECURE_REFERRER_POLICY", "unsafe-url", "tells other sites our addresses"),
    ("CONTENT_SECURITY_POLICY", policy(**{"script-src": ["'self'", "'unsafe-inline'"]}), "allows 'unsafe-inline'"),
    ("CONTENT_SECURITY_POLICY", policy(**{"script-src": ["'unsafe-eval'"]}), "allows 'unsafe-eval'"),
    ("CONTENT_SECURITY_POLICY", policy(**{"style-src": ["*"]}), "style-src allows *"),
    ("CONTENT_SECURITY_POLICY", policy(**{"img-src": ["'self'", "data:"]}), "img-src allows data:"),
    ("CONTENT_SECURITY_POLICY", policy(**{"script-src": ["https://cdn.example"]}), "allows https://cdn.example"),
    ("CONTENT_SECURITY_POLICY", policy(**{"default-src": ["'self'"]}), "does not set default-src to 'none'"),
    ("CONTENT_SECURITY_POLICY", policy(**{"frame-ancestors": None}), "does not set frame-ancestors"),
    ("CONTENT_SECURITY_POLICY", policy(**{"base-uri": None}), "does not set base-uri"),
    ("MIDDLEWARE", without("SecurityMiddleware"), "MIDDLEWARE lacks SecurityMiddleware"),
    ("MIDDLEWARE", without("CSPMiddleware"), "MIDDLEWARE lacks CSPMiddleware"),
    ("MIDDLEWARE", without("CsrfViewMiddleware"), "MIDDLEWARE lacks CsrfViewMiddleware"),
    ("MIDDLEWARE", without("BrowserMiddleware"), "MIDDLEWARE lacks BrowserMiddleware"),
    ("MIDDLEWARE", without("XFrameOptionsMiddleware"), "MIDDLEWARE lacks XFrameOptionsMiddleware"),
    ("MIDDLEWARE", [*base.MIDDLEWARE[1:], base.MIDDLEWARE[0]], "MIDDLEWARE is out of order"),
    ("MIDDLEWARE", ["x.Y", *base.MIDDLEWARE], "MIDDLEWARE is out of order"),
    ("DATABASES", {"default": {"ENGINE": POSTGRES, "HOST": "db.cumulus.net"}}, "without checking who answers"),
    (
        "DATABASES",
        {"default": {"ENGINE": POSTGRES, "HOST": "10.0.0.5", "OPTIONS": {"sslmode": "require"}}},
        "DATABASE_URL reaches another host",
    ),
    ("CELERY_BROKER_URL", "redis://:word@broker.cumulus.net/0", "in the clear"),
    ("CELERY_BROKER_URL", "rediss://broker.cumulus.net/0?ssl_cert_reqs=none", "CELERY_BROKER_URL does not check"),
    ("EMAIL_USE_TLS", False, "sends mail to another host in the clear"),
    ("CELERY_TASK_ALWAYS_EAGER", True, "inside of requests"),
    ("CELERY_ACCEPT_CONTENT", ["json", "pickle"], "a message could run code"),
    ("PRIVATE_DIR", Path("/srv/kyc/static/documents"), "KYC_PRIVATE_DIR and KYC_STATIC_ROOT lie in each other"),
    ("BUNDLE_DIR", Path("/srv/kyc"), "KYC_BUNDLE_DIR and KYC_STATIC_ROOT lie in each other"),
    ("BUNDLE_DIR", Path("/srv/kyc/documents"), "are one folder"),
    ("WITNESSES", ["file:/srv/kyc/bundles/w", "mail:legal@cumulus.net"], "one of the portal's own folders"),
    ("WITNESSES", ["file:/srv/code/w", "mail:legal@cumulus.net"], "one of the portal's own folders"),
    ("DATA_UPLOAD_MAX_MEMORY_SIZE", None, "DATA_UPLOAD_MAX_MEMORY_SIZE sets no limit"),
    ("DATA_UPLOAD_MAX_NUMBER_FIELDS", None, "DATA_UPLOAD_MAX_NUMBER_FIELDS sets no limit"),
    ("DATA_UPLOAD_MAX_NUMBER_FILES", None, "DATA_UPLOAD_MAX_NUMBER_FILES sets no limit"),
    ("DOCUMENT_MAX_BYTES", 10**9, "KYC_DOCUMENT_MAX_BYTES is not between"),
    ("DOCUMENT_MAX_BYTES", 0, "KYC_DOCUMENT_MAX_BYTES is not between"),
    ("PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"], "PASSWORD_HASHERS does not begin"),
    ("PASSWORD_HASHERS", ["django.contrib.auth.hashers.PBKDF2PasswordHasher"], "PASSWORD_HASHERS does not begin"),
    ("AUTH_PASSWORD_VALIDATORS", [], "fewer than 12 characters"),
    ("AUTH_PASSWORD_VALIDATORS", [{"NAME": VALIDATOR, "OPTIONS": {"min_length": 8}}], "fewer than 12 characters"),
    ("INSTALLED_APPS", [*INSTALLED, "kyc_portal.demo"], "INSTALLED_APPS holds kyc_portal.demo"),
    ("INSTALLED_APPS", [*INSTALLED, "debug_toolbar"], "INSTALLED_APPS holds debug_toolbar"),
    ("LOGGING", logging("loggers", "django.db.backends", {"level": "DEBUG"}), "“django.db.backends” is at level DEBUG"),
    ("LOGGING", {**base.LOGGING, "root": {"level": "debug"}}, "“root” is at level DEBUG"),
    ("LOGGING", logging("handlers", "file", {"class": "logging.FileHandler"}), "handler “file” may write values"),
    ("ADMINS", ["ops@cumulus.net"], "mailed error reports"),
    ("SILENCED_SYSTEM_CHECKS", ["portal.E001"], "hides refusals"),
]


class TestEachAlone:
    @pytest.mark.parametrize(
        ("name", "value", "what"), UNSAFE, ids=[f"{name}-{number}" for number, (name, *_) in enumerate(UNSAFE)]
    )
    def test_it_is_refused_with_what_to_set(self, check, name, value, what):
        [error] = check(**{name: value})

        assert error.is_serious()
        assert what in error.msg and len(error.hint) > 8

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASES", {"default": {"ENGINE": POSTGRES, "HOST": "/var/run/postgresql"}}),
            (
                "DATABASES",
                {"default": {"ENGINE": POSTGRES, "HOST": "db.cumulus.net", "OPTIONS": {"sslmode": "verify-full"}}},
            ),
            ("CELERY_BROKER_URL", "redis://[::1]:6379/0"),
            ("CSRF_TRUSTED_ORIGINS", ["https://kyc.cumulus.net"]),
            ("WITNESSES", ["file:/srv/witness/a", "file:/mnt/witness/b"]),
        ],
    )
    def test_what_is_safe_passes(self, check, name, value):
        assert check(**{name: value}) == []

    def test_a_proxy_that_ends_tls_may_redirect_itself(self, check):
        assert check(SECURE_SSL_REDIRECT=False, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")) == []

    def test_a_folder_that_others_may_read_is_refused(self, check, tmp_path):
        tmp_path.chmod(0o755)
        [error] = check(PRIVATE_DIR=tmp_path)
        tmp_path.chmod(0o750)

        assert "KYC_PRIVATE_DIR is open to every user" in error.msg
        assert check(PRIVATE_DIR=tmp_path) == []

    @pytest.mark.parametrize(("mode", "count"), [(0o400, 0), (0o440, 0), (0o444, 1), (0o660, 1)])
    def test_a_file_with_a_secret_is_its_owners(self, tmp_path, mode, count):
        path = tmp_path / "master"
        path.write_text("x")
        path.chmod(mode)

        faults = list(exposure.faults_of_secret_files({"KYC_MASTER_KEYS_FILE": str(path), "OTHER_FILE": str(path)}))

        assert len(faults) == count and all("KYC_MASTER_KEYS_FILE" in what for what, _ in faults)

    def test_a_key_of_the_local_world_is_refused(self, check, tmp_path):
        (tmp_path / ".local").mkdir()
        text = "k3!" + "qwertyuiopasdfghjklzxcvbnm" * 3
        (tmp_path / ".local" / "keys.json").write_text(f'{{"SECRET_KEY": "{text}"}}')

        [error] = check(BASE_DIR=tmp_path, SECRET_KEY=text)

        assert "keys are those of the local world" in error.msg and text not in error.msg


DERIVED = """
from kyc_portal.settings.production import *
SESSION_COOKIE_SECURE = CSRF_COOKIE_HTTPONLY = SECURE_CONTENT_TYPE_NOSNIFF = SECURE_HSTS_SECONDS = False
SESSION_COOKIE_AGE, X_FRAME_OPTIONS, USE_X_FORWARDED_HOST = 86400, "SAMEORIGIN", True
CONTENT_SECURITY_POLICY["DIRECTIVES"]["script-src"].append("'unsafe-inline'")
MIDDLEWARE.remove("django.middleware.csrf.CsrfViewMiddleware")
INSTALLED_APPS.append("kyc_portal.demo")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS, DATA_UPLOAD_MAX_NUMBER_FIELDS = [], None
LOGGING["root"]["level"] = "DEBUG"
ADMINS = ["ops@cumulus.net"]
"""
NAMED = (
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "SECURE_CONTENT_TYPE_NOSNIFF", "transport security",
    "more than 12 hours", "X_FRAME_OPTIONS", "USE_X_FORWARDED_HOST", "'unsafe-inline'", "CsrfViewMiddleware",
    "kyc_portal.demo", "PASSWORD_HASHERS", "AUTH_PASSWORD_VALIDATORS", "DATA_UPLOAD_MAX_NUMBER_FIELDS", "level DEBUG",
    "ADMINS",
)  # fmt: skip


class TestARealStart:
    """Processes of their own, as they are started in production."""

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"ALLOWED_HOSTS": ".cumulus.net"}, "ALLOWED_HOSTS names"),
            ({"CSRF_TRUSTED_ORIGINS": "http://kyc.cumulus.net"}, "CSRF_TRUSTED_ORIGINS trusts"),
            ({"DATABASE_URL": "postgres://portal@db.cumulus.net/portal"}, "sslmode=verify-full"),
            ({"CELERY_BROKER_URL": "redis://broker.cumulus.net/0"}, "rediss://"),
            ({"EMAIL_URL": "smtp://mail.cumulus.net:25"}, "in the clear"),
            ({"SECURE_SSL_REDIRECT": "false"}, "SECURE_SSL_REDIRECT is off"),
            ({"KYC_PRIVATE_DIR": "/srv/static/private", "KYC_STATIC_ROOT": "/srv/static"}, "lie in each other"),
            ({"KYC_WITNESSES": f"file:{ROOT}/witness,mail:legal@cumulus.net"}, "portal's own folders"),
            ({"KYC_DOCUMENT_MAX_BYTES": "5000000000"}, "KYC_DOCUMENT_MAX_BYTES"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_an_unsafe_environment_is_refused(self, changes, named):
        done = manage("check", **changes)

        assert done.returncode == 1
        assert named in done.stderr, done.stderr

    def test_settings_derived_from_ours_are_held_to_the_same_and_all_is_told_at_once(self, tmp_path):
        (tmp_path / "derived.py").write_text(DERIVED)
        given = environment(DJANGO_SETTINGS_MODULE="derived", PYTHONPATH=f"{tmp_path}:{ROOT}")

        done = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=ROOT, env=given, capture_output=True, text=True, timeout=120
        )

        assert done.returncode == 1
        assert [name for name in NAMED if name not in done.stderr] == [], done.stderr

    def test_keys_are_read_from_files(self, tmp_path):
        path = tmp_path / "signing"
        path.write_text(environment()["KYC_SIGNING_KEY"] + "\n")
        path.chmod(0o400)

        safe = manage("check", KYC_SIGNING_KEY="", KYC_SIGNING_KEY_FILE=str(path))
        path.chmod(0o444)
        open_to_all = manage("check", KYC_SIGNING_KEY="", KYC_SIGNING_KEY_FILE=str(path))

        assert safe.returncode == 0, safe.stderr
        assert "The file of KYC_SIGNING_KEY_FILE is open to others" in open_to_all.stderr
