"""Production: everything that differs comes from the environment; kyc_portal/staff/safety.py refuses what is unsafe."""

import logging
import os
import sys
import threading

from kyc_portal.records import logs
from kyc_portal.settings.base import *  # noqa: F403
from kyc_portal.settings.base import BEHIND_TLS_PROXY, INSTALLED_APPS, MIDDLEWARE, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or "missing"  # not empty, or Django stops before the checks can help

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "kyc_portal.demo"]

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_HTTPONLY = True

MIDDLEWARE = [MIDDLEWARE[0], "whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE[1:]]
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Wrong codes are counted for all processes together; in the database, because log-in must not need Redis.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}}
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
LOGGING["formatters"]["ours"]["()"] = "kyc_portal.records.logs.JsonFormatter"  # noqa: F405

# --- What the process itself does -------------------------------------------------------------------------------------

os.umask(0o027)  # whatever is written is closed to the other users of the host
logging.captureWarnings(True)  # a warning may repeat a value; the log's formatter leaves it out
sys.excepthook = logs.tell_crash
threading.excepthook = logs.tell_crash_of_thread
