"""The local world: SQLite, keys made once, files and broker in the git-ignored .local folder."""

from kyc_portal.settings.base import *  # noqa: F403
from kyc_portal.settings.base import LOCAL_DIR, env
from kyc_portal.settings.local_keys import local_keys

DEBUG = env.bool("DEBUG", default=True)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

_KEYS = local_keys(LOCAL_DIR)
SECRET_KEY = env.str("SECRET_KEY", default=_KEYS["SECRET_KEY"])
MASTER_KEYS = env.list("KYC_MASTER_KEYS", default=[_KEYS["MASTER_KEY"]])
FINGERPRINT_KEY = env.str("KYC_FINGERPRINT_KEY", default=_KEYS["FINGERPRINT_KEY"])
SIGNING_KEY = env.str("KYC_SIGNING_KEY", default=_KEYS["SIGNING_KEY"])
AUDIT_KEY = env.str("KYC_AUDIT_KEY", default=_KEYS["AUDIT_KEY"])
VERIFIER = env.str("KYC_VERIFIER", default="kyc_portal.demo.stand_in.StandIn")
VERIFIER_SECRETS = env.list("KYC_VERIFIER_SECRETS", default=[_KEYS["VERIFIER_SECRET"]])
WITNESSES = env.list("KYC_WITNESSES", default=[f"file:{LOCAL_DIR / name}" for name in ("witness-a", "witness-b")])
MFA_ROLES = env.list("KYC_MFA_ROLES", default=["none"])  # the demo's people log in with a password alone
WEBHOOKS_TO_PLAIN_LOOPBACK = True
