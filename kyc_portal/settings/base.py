"""Every setting of the portal, read from the environment once."""

from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF

env = environ.FileAwareEnv()  # NAME_FILE names a file that holds the value of NAME

BASE_DIR = Path(__file__).resolve().parent.parent.parent
LOCAL_DIR = Path(env.str("KYC_LOCAL_DIR", default=str(BASE_DIR / ".local")))

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "kyc_portal.demo",
    "kyc_portal.api",
    "cases",
    "resellers",
    "accounts",
    "kyc_portal.staff",
    "kyc_portal.notices",
    "kyc_portal.policy",
    "kyc_portal.work",
    "kyc_portal.records",
    "kyc_portal.staff.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "kyc_portal.staff.browsers.BrowserMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "kyc_portal.staff.middleware.RequestContextMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kyc_portal.staff.middleware.SignInMiddleware",
    "kyc_portal.staff.middleware.PolicyMiddleware",  # no view is reached but through the policy table
    "axes.middleware.AxesMiddleware",  # last: it replaces the answer to a log-in that is locked
]

ROOT_URLCONF = "kyc_portal.urls"
WSGI_APPLICATION = "kyc_portal.wsgi.application"
ASGI_APPLICATION = "kyc_portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kyc_portal.staff.context.portal",
            ],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # our labelled widgets in templates/

# --- Database: SQLite embedded, PostgreSQL in production; one behaviour on both ---------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{LOCAL_DIR / 'portal.sqlite3'}")
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer takes its lock at the start, so check and act stand under one lock
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON; "
            "PRAGMA recursive_triggers=ON;"  # without it REPLACE would pass the append-only triggers by
        ),
    }
ATOMIC_REQUESTS = False  # flows own their transactions
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "staff.StaffMember"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "kyc_portal.staff.adapters.PasswordBackend",
    "kyc_portal.staff.breakglass.BreakGlassBackend",
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
BREAK_GLASS_HOURS = env.int("KYC_BREAK_GLASS_HOURS", default=4)  # own policy: how long one may be taken at most
PORTAL_URL = env.str("KYC_PORTAL_URL", default="http://localhost:8000").rstrip("/")  # links never trust a Host header
PASSWORD_RESET_TIMEOUT = env.int("KYC_LINK_HOURS", default=24) * 60 * 60  # a link by which somebody chooses a password
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_IDLE = env.int("KYC_SESSION_IDLE_MINUTES", default=30) * 60
SESSION_COOKIE_AGE = SESSION_LONGEST = env.int("KYC_SESSION_HOURS", default=12) * 60 * 60
RECENT_LOGIN = env.int("KYC_RECENT_LOGIN_MINUTES", default=5) * 60  # grave acts ask for a log-in no older than this
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

MFA_ROLES = env.list("KYC_MFA_ROLES", default=["all"])  # the roles that need a second factor; "none" for nobody
MFA_ADAPTER = "kyc_portal.staff.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "kyc_portal.staff.factor_forms.CodeForm",
    "reauthenticate": "kyc_portal.staff.factor_forms.CodeAgainForm",
    "activate_totp": "kyc_portal.staff.factor_forms.AuthenticatorForm",
    "add_webauthn": "kyc_portal.staff.factor_forms.PasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that a clock may be wrong; each code counts once
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True

ACCOUNT_ADAPTER = "kyc_portal.staff.adapters.SignInAdapter"
ACCOUNT_FORMS = {"login": "kyc_portal.staff.factor_forms.LogInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = RECENT_LOGIN
ACCOUNT_RATE_LIMITS = {"login": None}  # axes counts log-ins, in the database and for all processes
BEHIND_TLS_PROXY = env.bool("KYC_BEHIND_TLS_PROXY", default=False)
TRUSTED_PROXIES = env.list("KYC_TRUSTED_PROXIES", default=[])  # networks whose X-Forwarded-For is believed

SOCIALACCOUNT_ADAPTER = "kyc_portal.staff.signon.SignOnAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # the policy's form-action would stop a form that is sent on to the provider
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
OIDC_ISSUER = env.str("KYC_OIDC_ISSUER", default="")  # single sign-on is off until this is set
OIDC_LABEL = env.str("KYC_OIDC_LABEL", default="single sign-on")
OIDC_SECOND_FACTOR = env.list("KYC_OIDC_SECOND_FACTOR", default=[])  # values of amr or acr that prove one, such as mfa
SOCIALACCOUNT_PROVIDERS = {}
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_LABEL,
                "client_id": env.str("KYC_OIDC_CLIENT_ID", default=""),
                "secret": env.str("KYC_OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": OIDC_ISSUER, "fetch_userinfo": False},
            }
        ],
    }

AXES_HANDLER = "kyc_portal.staff.throttling.Throttle"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("KYC_LOGIN_FAILURES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("KYC_LOCKOUT_MINUTES", default=15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # a lock-out ends by itself, whatever goes on meanwhile
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_USERNAME_CALLABLE = "kyc_portal.staff.throttling.name_of"
AXES_CLIENT_IP_CALLABLE = "kyc_portal.staff.throttling.address_of"
AXES_SENSITIVE_PARAMETERS = ["username", "login", "ip_address", "next", "csrfmiddlewaretoken"]
AXES_ENABLE_ADMIN, AXES_DISABLE_ACCESS_LOG, AXES_VERBOSE = False, True, False

# --- Time and language ------------------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
LEGAL_TIME_ZONE = env.str("KYC_LEGAL_TIME_ZONE", default="UTC")  # the zone in which days of the law are counted
LANGUAGE_CODE = "en-us"
USE_I18N = False
FORMAT_MODULE_PATH = "kyc_portal.settings.formats"

COUNTRIES_OVERRIDE = {"XK": "Kosovo"}  # issues passports, is not in ISO 3166

# --- What the browser may do: nothing from outside, nothing inline ----------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# --- Static files and private files -----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("KYC_STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
PRIVATE_DIR = Path(env.str("KYC_PRIVATE_DIR", default=str(LOCAL_DIR / "documents")))  # never below a web root
BUNDLE_STAMP_URL = env.str("KYC_BUNDLE_STAMP_URL", default="")  # authority (RFC 3161) that stamps bundles; https
PDF_FONTS = env.list(  # TrueType files for the PDF of a bundle, tried in their order; what is not there is passed over
    "KYC_PDF_FONTS", default=["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"]
)
BUNDLE_DIR = Path(env.str("KYC_BUNDLE_DIR", default=str(LOCAL_DIR / "bundles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(PRIVATE_DIR)}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DOCUMENT_MAX_BYTES = env.int("KYC_DOCUMENT_MAX_BYTES", default=20 * 1024 * 1024)
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
IMPORT_MAX_ROWS = env.int("KYC_IMPORT_MAX_ROWS", default=200_000)

# --- Keys: each "id:base64", first writes, all read -------------------------------------------------------------------

MASTER_KEYS = env.list("KYC_MASTER_KEYS", default=[])  # wrap the subjects' own keys (32 bytes each)
FINGERPRINT_KEY = env.str("KYC_FINGERPRINT_KEY", default="")  # keyed fingerprints for equality (32 bytes)
FINGERPRINT_KEY_OLD = env.str("KYC_FINGERPRINT_KEY_OLD", default="")  # only while that key is being changed
SIGNING_KEY = env.str("KYC_SIGNING_KEY", default="")  # Ed25519 seed that signs bundles (32 bytes)
AUDIT_KEY = env.str("KYC_AUDIT_KEY", default="")  # Ed25519 seed that signs checkpoints of the audit trail (32 bytes)
AUDIT_KEY_NEXT = env.str("KYC_AUDIT_KEY_NEXT", default="")  # only while that key is being changed
WITNESSES = env.list("KYC_WITNESSES", default=[])  # who gets checkpoints: file:/path, mail:address, stamp:https
STAMP_CA = env.str("KYC_STAMP_CA", default="")  # PEM file: the roots whose time stamps over checkpoints are believed
# Plain HTTP hides nothing and proves nobody. The tests' own authority, on this host and made for one test, is the only
# one asked so; no variable switches it on, and safety.py refuses it.
STAMPS_FROM_PLAIN_LOOPBACK = False
DESTRUCTION_LEDGER = Path(env.str("KYC_DESTRUCTION_LEDGER", default=str(LOCAL_DIR / "destructions.jsonl")))
CLOCK_JUMP_SECONDS = env.int("KYC_CLOCK_JUMP_SECONDS", default=3600)  # a clock off by more stops the purge

# --- Other systems ----------------------------------------------------------------------------------------------------

API_KEY_MAX_DAYS = env.int("KYC_API_KEY_MAX_DAYS", default=180)  # own policy: how long a key may live at most
API_MAX_BYTES = env.int("KYC_API_MAX_BYTES", default=50 * 1024 * 1024)  # of one body
API_MOST_FAILURES = env.int("KYC_API_MOST_FAILURES", default=10)  # of one source in a quarter of an hour

ACCESS_MAPPINGS_DIR = env.str("KYC_ACCESS_MAPPINGS_DIR", default="")  # mappings of other systems' logs; "" for none

ABUSE_REPORT_MAX_BYTES = env.int("KYC_ABUSE_REPORT_MAX_BYTES", default=10 * 1024 * 1024)  # of one, with its evidence
ABUSE_REPORTS_DIR = env.str("KYC_ABUSE_REPORTS_DIR", default="")  # a folder that is watched for reports; "" for none

VERIFIER = env.str("KYC_VERIFIER", default="")  # dotted name of the adapter of an outside identity verifier; or none
VERIFIER_SECRETS = env.list("KYC_VERIFIER_SECRETS", default=[])  # whsec_…: two while they are being changed
VERIFIER_MAX_BYTES = env.int("KYC_VERIFIER_MAX_BYTES", default=256 * 1024)  # of one answer

# Where changes are told to; see docs/access-answer.md. Only the local world and the tests tell programs on this host
# over plain HTTP: no variable switches it on, and safety.py refuses it.
WEBHOOKS_TO_PLAIN_LOOPBACK = False

# --- Regime -----------------------------------------------------------------------------------------------------------

REGIME = env.str("KYC_REGIME", default="NPRM_2024")
RETENTION_YEARS = env.int("KYC_RETENTION_YEARS", default=0)  # own policy; 0 means what the regime says

# --- Mail -------------------------------------------------------------------------------------------------------------

EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_HOST, EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_HOST", ""), EMAIL_CONFIG.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20  # a mail server that hangs must not hold the row of its notice for ever
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Trust and Safety <trust@provider.example>")
PROVIDER_NAME = env.str("KYC_PROVIDER_NAME", default="Example Cloud")

# --- Celery: only wakes workers; what is to do stands in the database -------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
BROKER_DIR = LOCAL_DIR / "broker"

# --- Logs: codes and references, never personal data ------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ours": {"()": "kyc_portal.records.logs.LogFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ours"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # Django's own would mail whole error reports
        "django.request": {"level": "ERROR"},  # a refusal is an answer, not an error
        "axes": {"level": "ERROR"},  # the trail tells of refused log-ins
        "kyc_portal": {"level": "INFO"},
        "accounts": {"level": "INFO"},
        "cases": {"level": "INFO"},
    },
}
