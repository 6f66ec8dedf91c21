"""Settings: keys of the local world are made once; production is strict with browsers; SQLite behaves."""

import json
import stat
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from kyc_portal.records.keys import parse_key
from kyc_portal.settings.local_keys import local_keys
from tests.kyc_portal.test_safety import environment

ROOT = Path(__file__).resolve().parents[2]

SHOW = """
import json
import django
django.setup()
from django.conf import settings
names = ["DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "SESSION_COOKIE_HTTPONLY",
         "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_NAME", "INSTALLED_APPS", "MIDDLEWARE",
         "SECURE_PROXY_SSL_HEADER", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_HOST", "EMAIL_PORT"]
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def production(**changes) -> dict:
    """What production settings come to with the documented environment."""
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=120, check=True
    )
    return json.loads(done.stdout)


class TestLocalKeys:
    def test_they_are_made_once_for_their_owner_only(self, tmp_path):
        first = local_keys(tmp_path / "new")

        path = tmp_path / "new" / "keys.json"
        assert local_keys(tmp_path / "new") == first
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["keys.json"]

    def test_they_fit_their_purposes_and_differ(self, tmp_path):
        made = local_keys(tmp_path)

        keys = {parse_key(made[name])[1] for name in ("MASTER_KEY", "FINGERPRINT_KEY", "SIGNING_KEY", "AUDIT_KEY")}
        assert len(keys) == 4 and len(made["SECRET_KEY"]) >= 50

    def test_a_key_an_older_version_did_not_make_is_added(self, tmp_path):
        first = local_keys(tmp_path)
        older = {name: key for name, key in first.items() if name != "AUDIT_KEY"}
        (tmp_path / "keys.json").write_text(json.dumps(older))

        second = local_keys(tmp_path)

        assert {name: second[name] for name in older} == older
        assert second["AUDIT_KEY"] != first["AUDIT_KEY"] and local_keys(tmp_path) == second
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600

    def test_processes_that_start_at_once_agree(self, tmp_path):
        code = "import sys; from pathlib import Path; from kyc_portal.settings.local_keys import local_keys\n"
        code += "print(local_keys(Path(sys.argv[1]))['SECRET_KEY'])"
        command = [sys.executable, "-c", code, str(tmp_path / "shared")]

        starts = [subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE) for _ in range(4)]
        told = {start.communicate(timeout=120)[0] for start in starts}

        assert len(told) == 1 and len(told.pop()) > 50


class TestProduction:
    def test_browsers_are_held_to_it(self):
        shown = production(KYC_BEHIND_TLS_PROXY="true")

        assert not shown["DEBUG"]
        assert all(shown[name] for name in shown if name.endswith(("_SECURE", "_HTTPONLY", "_REDIRECT")))
        assert shown["SECURE_HSTS_SECONDS"] >= 31536000 and shown["SESSION_COOKIE_NAME"].startswith("__Host-")
        assert shown["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
        assert shown["MIDDLEWARE"][:2] == [
            "django.middleware.security.SecurityMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
        ]
        assert "kyc_portal.demo" not in shown["INSTALLED_APPS"]

    def test_the_proxys_word_counts_only_when_asked_for_and_mail_may_use_ssl(self):
        shown = production(EMAIL_URL="smtp+ssl://portal:word@mail.cumulus.net:465")

        assert shown["SECURE_PROXY_SSL_HEADER"] is None
        assert (shown["EMAIL_USE_SSL"], shown["EMAIL_USE_TLS"], shown["EMAIL_PORT"]) == (True, False, 465)


class TestDatabase:
    def test_flows_own_their_transactions(self):
        assert settings.DATABASES["default"]["ATOMIC_REQUESTS"] is False

    def test_sqlite_keeps_its_promises(self, db):
        wanted = {"journal_mode": "wal", "secure_delete": 1, "foreign_keys": 1, "recursive_triggers": 1}

        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
            assert found == wanted
            assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        else:
            assert connection.vendor == "postgresql"
