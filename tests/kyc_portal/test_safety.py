"""A production start with an unsafe setting is refused, saying what to set."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kyc_portal.settings import base

ROOT = Path(__file__).resolve().parents[2]


def key(number: int, name: str = "2026-1") -> str:
    """A key that looks random and is the same in each run."""
    return f"{name}:{base64.b64encode(bytes((number * 37 + place * 11) % 256 for place in range(32))).decode()}"


def webhook_secret(number: int = 6) -> str:
    return "whsec_" + key(number).partition(":")[2]


def environment(**changes) -> dict[str, str]:
    """The environment docs/operations.md asks for, complete and safe."""
    given = {
        "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.production",
        "SECRET_KEY": "k3!" + "".join(chr(97 + place * 7 % 26) for place in range(60)),
        "ALLOWED_HOSTS": "kyc.cumulus.net",
        "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal?connect_timeout=1",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp+tls://portal:word@mail.cumulus.net:587",
        "DEFAULT_FROM_EMAIL": "Trust and Safety <trust@cumulus.net>",
        "KYC_PROVIDER_NAME": "Cumulus",
        "KYC_PORTAL_URL": "https://kyc.cumulus.net",
        "KYC_MASTER_KEYS": key(1),
        "KYC_FINGERPRINT_KEY": key(2),
        "KYC_SIGNING_KEY": key(3),
        "KYC_AUDIT_KEY": key(5),
        "KYC_WITNESSES": "file:/srv/witness/audit.log,mail:legal@cumulus.net",
        "KYC_PRIVATE_DIR": "/srv/kyc/documents",
        "KYC_BUNDLE_DIR": "/srv/kyc/bundles",
    }
    return {"PATH": os.environ["PATH"], **given, **changes}


def manage(*arguments, **changes) -> subprocess.CompletedProcess:
    command = [sys.executable, "-W", "error", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=120)


SAFE = {
    "SETTINGS_MODULE": "kyc_portal.settings.production",
    "DEBUG": False,
    "SECRET_KEY": environment()["SECRET_KEY"],
    "ALLOWED_HOSTS": ["kyc.cumulus.net"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "portal"}},
    "CELERY_BROKER_URL": "rediss://broker.cumulus.net/0",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "mail.cumulus.net",
    "DEFAULT_FROM_EMAIL": "trust@cumulus.net",
    "PROVIDER_NAME": "Cumulus",
    **{"SECRET_KEY_FALLBACKS": [], "BASE_DIR": Path("/srv/code"), "STATIC_ROOT": Path("/srv/kyc/static")},
    **{"PRIVATE_DIR": Path("/srv/kyc/documents"), "BUNDLE_DIR": Path("/srv/kyc/bundles")},
    **{"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "CSRF_COOKIE_HTTPONLY": True},
    **{"SESSION_COOKIE_NAME": "__Host-session", "CSRF_COOKIE_NAME": "__Host-csrf", "EMAIL_USE_TLS": True},
    **{"SECURE_HSTS_SECONDS": 31536000, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_SSL_REDIRECT": True},
    **{"FINGERPRINT_KEY_OLD": "", "AUDIT_KEY_NEXT": "", "LOGGING": base.LOGGING},
    "INSTALLED_APPS": [app for app in base.INSTALLED_APPS if app != "kyc_portal.demo"],
    "MASTER_KEYS": [key(1, "2026-2"), key(4)],
    "FINGERPRINT_KEY": key(2),
    "SIGNING_KEY": key(3),
    "AUDIT_KEY": key(5),
    "WITNESSES": ["file:/srv/witness/audit.log", "mail:legal@cumulus.net"],
    **{"STAMP_CA": "", "STAMPS_FROM_PLAIN_LOOPBACK": False},
    "REGIME": "NPRM_2024",
    "RETENTION_YEARS": 0,
    "LEGAL_TIME_ZONE": "America/New_York",
    "PORTAL_URL": "https://kyc.cumulus.net",
    "MFA_ROLES": ["all"],
    "OIDC_ISSUER": "",
    **{"VERIFIER": "", "VERIFIER_SECRETS": []},
}
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
EQUAL_BYTES = "2026-1:" + base64.b64encode(b"x" * 32).decode()
UNSAFE = [  # what is set, what the refusal names, what its hint says to set
    ("DEBUG", True, "DEBUG is on", "Remove DEBUG"),
    ("PORTAL_URL", "http://localhost:8000", "KYC_PORTAL_URL is missing", "own address"),
    ("MFA_ROLES", ["administrators"], "“administrators”, which is no role", "roles by comma"),
    ("SECRET_KEY", "", "SECRET_KEY is missing", "long random text"),
    ("SECRET_KEY", "k" * 49, "shorter than 50", "long random text"),
    ("SECRET_KEY", "django-insecure-" + "k" * 50, "SECRET_KEY is a default", "of your own"),
    ("SECRET_KEY", "Changeme" * 10, "SECRET_KEY is a default", "of your own"),
    ("MASTER_KEYS", [], "KYC_MASTER_KEYS is missing", "Set KYC_MASTER_KEYS"),
    ("MASTER_KEYS", [key(1), "2026-2:QUJD"], "KYC_MASTER_KEYS is missing or not", "Set KYC_MASTER_KEYS"),
    ("MASTER_KEYS", [key(1, "local-1")], "KYC_MASTER_KEYS holds a default", "Make a key of your own"),
    ("MASTER_KEYS", [EQUAL_BYTES], "KYC_MASTER_KEYS holds a default", "Make a key of your own"),
    ("FINGERPRINT_KEY", "", "KYC_FINGERPRINT_KEY is missing", "Set KYC_FINGERPRINT_KEY"),
    ("FINGERPRINT_KEY", "no colon", "KYC_FINGERPRINT_KEY is missing or not", "Set KYC_FINGERPRINT_KEY"),
    ("FINGERPRINT_KEY", "2026-1:ä", "KYC_FINGERPRINT_KEY is missing or not", "Set KYC_FINGERPRINT_KEY"),
    ("FINGERPRINT_KEY", key(2, "test-1"), "KYC_FINGERPRINT_KEY holds a default", "Make a key of your own"),
    ("FINGERPRINT_KEY", key(4, "x"), "KYC_FINGERPRINT_KEY is the same key as KYC_MASTER_KEYS", "a key of its own"),
    ("SIGNING_KEY", "", "KYC_SIGNING_KEY is missing", "Set KYC_SIGNING_KEY"),
    ("SIGNING_KEY", "2026-1:" + "A" * 10, "KYC_SIGNING_KEY is missing or not", "Set KYC_SIGNING_KEY"),
    ("SIGNING_KEY", key(3, "local-1"), "KYC_SIGNING_KEY holds a default", "Make a key of your own"),
    ("SIGNING_KEY", key(2, "x"), "KYC_SIGNING_KEY is the same key as KYC_FINGERPRINT_KEY", "a key of its own"),
    ("AUDIT_KEY", "", "KYC_AUDIT_KEY is missing", "Set KYC_AUDIT_KEY"),
    ("AUDIT_KEY", key(5, "local-1"), "KYC_AUDIT_KEY holds a default", "Make a key of your own"),
    ("AUDIT_KEY", key(3, "x"), "KYC_AUDIT_KEY is the same key as KYC_SIGNING_KEY", "a key of its own"),
    ("WITNESSES", ["file:/a"], "Fewer than two witnesses", "at least two"),
    ("WITNESSES", ["file:/a", "stamp:https://tsa.example/"], "Fewer than two witnesses", "at least two"),
    ("WITNESSES", ["file:/a", "file:/b", "stamp:http://tsa.example/"], "is not reached by https", "stamp:https://"),
    ("STAMPS_FROM_PLAIN_LOOPBACK", True, "could pose as an authority", "to the tests"),
    ("WITNESSES", ["file:/a", "file:/b", "ftp:x"], "“ftp:x” is no witness", "file:/path and mail:address"),
    ("SECRET_KEY", "ab" * 30, "repeats a few characters", "of your own"),
    ("SECRET_KEY", "x!" + key(1).partition(":")[2] + "y" * 20, "holds one of the other keys", "of its own"),
    ("SECRET_KEY_FALLBACKS", ["short"], "SECRET_KEY_FALLBACKS holds a short key", "Remove it"),
    ("FINGERPRINT_KEY_OLD", key(3, "x"), "KYC_SIGNING_KEY is the same key as KYC_FINGERPRINT_KEY_OLD", "of its own"),
    ("AUDIT_KEY_NEXT", key(5, "x"), "KYC_AUDIT_KEY_NEXT is the same key as KYC_AUDIT_KEY", "a key of its own"),
    ("ALLOWED_HOSTS", [], "ALLOWED_HOSTS is empty", "the portal's own names"),
    ("ALLOWED_HOSTS", ["kyc.cumulus.net", "*"], "lets every host in", "the portal's own names"),
    ("DATABASES", SQLITE, "DATABASE_URL does not name a PostgreSQL", "DATABASE_URL=postgres://"),
    ("CELERY_BROKER_URL", "filesystem://", "CELERY_BROKER_URL does not name", "CELERY_BROKER_URL=redis://"),
    ("CELERY_BROKER_URL", "memory://", "CELERY_BROKER_URL does not name", "CELERY_BROKER_URL=redis://"),
    ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "does not send mail", "Set EMAIL_URL"),
    ("EMAIL_HOST", "", "EMAIL_URL names no mail server", "Set EMAIL_URL=smtp"),
    ("DEFAULT_FROM_EMAIL", "T <trust@provider.example>", "the example address", "Set DEFAULT_FROM_EMAIL"),
    ("PROVIDER_NAME", "Example Cloud", "the example name", "Set KYC_PROVIDER_NAME"),
    ("REGIME", "NOWHERE", "KYC_REGIME is “NOWHERE”", "NPRM_2024, EO13984_MIN, BANK_CIP"),
    ("RETENTION_YEARS", 1, "keeps identity data 2 years", "Raise KYC_RETENTION_YEARS"),
    ("LEGAL_TIME_ZONE", "Mars/Base", "KYC_LEGAL_TIME_ZONE is no time zone", "America/New_York"),
    ("LEGAL_TIME_ZONE", "America", "KYC_LEGAL_TIME_ZONE is no time zone", "America/New_York"),
]


ADAPTER = {"VERIFIER": "tests.kyc_portal.test_safety.Adapter", "VERIFIER_SECRETS": [webhook_secret()]}
UNSAFE_VERIFIERS = [
    ({"VERIFIER": "kyc_portal.demo.stand_in.StandIn"}, "names the stand-in", "an adapter of your own"),
    ({"VERIFIER": "cumulus.nowhere.Adapter"}, "where no adapter of a verifier is", "an adapter of your own"),
    ({"VERIFIER": "json.loads"}, "where no adapter of a verifier is", "an adapter of your own"),
    ({"VERIFIER_SECRETS": []}, "does not hold one secret", "32 random bytes"),
    ({"VERIFIER_SECRETS": [webhook_secret(number) for number in range(3)]}, "does not hold one", "in a change"),
    ({"VERIFIER_SECRETS": [""]}, "is not whsec_ and 24 to 64 bytes", "32 random bytes"),
    ({"VERIFIER_SECRETS": [webhook_secret()[:30]]}, "is not whsec_ and 24 to 64 bytes", "32 random bytes"),
    ({"VERIFIER_SECRETS": [webhook_secret()[6:]]}, "is not whsec_ and 24 to 64 bytes", "32 random bytes"),
    ({"VERIFIER_SECRETS": ["whsec_äöü"]}, "is not whsec_ and 24 to 64 bytes", "32 random bytes"),
    ({"VERIFIER_SECRETS": ["whsec_" + base64.b64encode(b"x" * 32).decode()]}, "is a default", "32 random bytes"),
]


class Adapter:
    """What an adapter has to offer at least."""

    code, title, ask, reference_of, read = "mine", "Mine", None, None, None


class TestVerifier:
    def test_none_at_all_is_safe_and_so_is_a_sound_one(self, check):
        assert check() == check(**ADAPTER) == []

    @pytest.mark.parametrize(("changes", "what", "hint"), UNSAFE_VERIFIERS, ids=[each[1] for each in UNSAFE_VERIFIERS])
    def test_an_unsafe_one_is_refused_in_production(self, check, changes, what, hint):
        [error] = check(**{**ADAPTER, **changes})

        assert what in error.msg and hint in error.hint
        assert "whsec_A" not in error.msg and "whsec_J" not in error.msg

    def test_the_secret_of_the_local_world_is_refused(self, check, tmp_path):
        local = tmp_path / ".local"
        local.mkdir()
        (local / "keys.json").write_text(json.dumps({"VERIFIER_SECRET": webhook_secret()}))

        told = [error.msg for error in check(**ADAPTER, BASE_DIR=tmp_path)]

        assert any("KYC_VERIFIER_SECRETS is a default" in each for each in told)


class TestCheckSettings:
    def test_safe_settings_pass(self, check):
        assert check() == []

    @pytest.mark.parametrize(
        ("name", "value", "what", "hint"), UNSAFE, ids=[f"{name}={value}"[:60] for name, value, *_ in UNSAFE]
    )
    def test_an_unsafe_one_is_named_with_what_to_set(self, check, name, value, what, hint):
        [error] = check(**{name: value})

        assert error.is_serious()
        assert what in error.msg and hint in error.hint

    def test_several_are_told_at_once_under_different_ids(self, check):
        errors = check(DEBUG=True, SECRET_KEY="", REGIME="NOWHERE")

        assert len({error.id for error in errors}) == 3

    def test_no_refusal_repeats_a_secret(self, check):
        secret = "2026-1:" + base64.b64encode(b"not long enough").decode()

        told = " ".join(f"{error.msg} {error.hint}" for error in check(MASTER_KEYS=[secret], SECRET_KEY="hunter2"))

        assert "hunter2" not in told and secret not in told

    @pytest.mark.parametrize("module", ["kyc_portal.settings.production", "kyc_portal.settings.development"])
    def test_stamps_without_their_package_are_refused_everywhere(self, check, monkeypatch, module):
        monkeypatch.setitem(sys.modules, "rfc3161_client", None)
        named = {"SETTINGS_MODULE": module, "WITNESSES": ["file:/a", "file:/b", "stamp:https://tsa.example/"]}

        [error] = check(**named)

        assert "rfc3161-client is not installed" in error.msg and "extra `timestamps`" in error.hint

    def test_without_stamps_nobody_asks_for_the_package(self, check, monkeypatch):
        monkeypatch.setitem(sys.modules, "rfc3161_client", None)

        assert check() == []

    @pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["missing", "empty", "other"])
    def test_roots_of_stamps_that_cannot_be_read_are_named(self, check, tmp_path, content):
        place = tmp_path / "ca.pem"
        if content is not None:
            place.write_text(content)
        named = ["file:/a", "file:/b", "stamp:https://tsa.example/"]

        [error] = check(WITNESSES=named, STAMP_CA=str(place))

        assert "KYC_STAMP_CA names no file" in error.msg

    @pytest.mark.parametrize("years", [2, 10])
    def test_keeping_longer_than_the_regime_asks_is_allowed(self, check, years):
        assert check(RETENTION_YEARS=years) == []

    def test_the_regime_is_judged_everywhere_and_keys_in_production_only(self, check):
        elsewhere = {"SETTINGS_MODULE": "kyc_portal.settings.tests", "DEBUG": True, "MASTER_KEYS": []}

        [error] = check(**elsewhere, REGIME="BANK_CIP", RETENTION_YEARS=4)

        assert "BANK_CIP keeps identity data 5 years" in error.msg


class TestStart:
    def test_the_documented_environment_is_silent_also_with_deploy(self):
        done = manage("check", "--deploy", "--fail-level", "DEBUG")

        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert done.stdout == "System check identified no issues (0 silenced).\n"

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"SECRET_KEY": ""}, "SECRET_KEY"),
            ({"KYC_MASTER_KEYS": "", "KYC_SIGNING_KEY": "x"}, "KYC_SIGNING_KEY"),
            ({"DEBUG": "on"}, "Remove DEBUG"),
            ({"EMAIL_URL": "consolemail://"}, "EMAIL_URL=smtp"),
        ],
        ids=["secret", "keys", "debug", "mail"],
    )
    def test_an_unsafe_environment_is_refused(self, changes, named):
        done = manage("check", **changes)

        assert done.returncode == 1
        assert named in done.stderr and "HINT" in done.stderr + done.stdout

    @pytest.mark.parametrize("server", ["wsgi", "asgi"])
    def test_a_server_refuses_to_start_with_an_unsafe_setting(self, server):
        command = [sys.executable, "-c", f"import kyc_portal.{server}"]
        unsafe = environment(ALLOWED_HOSTS="")

        done = subprocess.run(command, cwd=ROOT, env=unsafe, capture_output=True, text=True, timeout=120)

        assert done.returncode != 0
        assert "SystemCheckError" in done.stderr and "ALLOWED_HOSTS is empty" in done.stderr

    def test_a_server_starts_with_the_documented_environment(self):
        command = [sys.executable, "-c", "import kyc_portal.wsgi; print(kyc_portal.wsgi.application)"]

        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120)

        assert done.returncode == 0, done.stderr
        assert "WSGIHandler" in done.stdout

    def test_an_asynchronous_server_may_load_it_inside_its_loop(self):
        code = "import asyncio, importlib\nasync def load(): importlib.import_module('kyc_portal.asgi')\n"
        code += "asyncio.run(load())"

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
        )

        assert done.returncode == 0, done.stderr


class TestOperationsManual:
    def test_it_lists_every_variable_the_settings_read(self):
        sources = "".join(path.read_text() for path in (ROOT / "kyc_portal/settings").glob("*.py"))
        read = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", sources))
        manual = (ROOT / "docs/operations.md").read_text()

        assert {"SECRET_KEY", "KYC_MASTER_KEYS", "EMAIL_URL"} <= read
        assert sorted(name for name in read if f"`{name}`" not in manual) == []
        assert sorted(name for name in environment() if name != "PATH" and f"`{name}`" not in manual) == []

    def test_its_inventory_of_keys_is_that_of_the_settings(self):
        """ASVS 11.1.2: name, purpose, algorithm, readers and how it is made anew, for each key there is."""
        sources = "".join(path.read_text() for path in (ROOT / "kyc_portal/settings").glob("*.py"))
        read = {
            name
            for name in re.findall(r"env\.\w+\(\s*\"(\w+)\"", sources)
            if re.search(r"_KEYS?(_OLD|_NEXT|$)|_SECRETS$", name)
        }
        table = (ROOT / "docs/operations.md").read_text().partition("| key | purpose |")[2].partition("\n\n")[0]
        rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]

        assert {row[0].strip("`") for row in rows if row[0].startswith("`")} == read
        assert all(len(row) == 5 and all(row) for row in rows)
        assert len(read) >= 7
