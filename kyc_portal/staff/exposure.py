"""What would expose a production portal: cookies, hosts, headers, connections, folders, limits, logs.

Each function gives the faults of its part as (what is wrong, what to set); kyc_portal/staff/safety.py asks them all.
"""

import ipaddress
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

Fault = tuple[str, str]
HALF_A_DAY = 12 * 60 * 60  # seconds; ASVS 7.3.2: nobody stays logged in for longer
YEAR = 365 * 24 * 60 * 60  # seconds
LARGEST_DOCUMENT = 100 * 1024 * 1024
LARGEST_FORM = 10 * 1024 * 1024
LOCAL_APPS = ("kyc_portal.demo", "debug_toolbar", "django_extensions", "silk")
GUARDS = (  # middleware, in the order it must stand
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "kyc_portal.staff.browsers.BrowserMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "kyc_portal.staff.middleware.RequestContextMiddleware",
)
STRICT = {"default-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'", "object-src": "'none'"}
TOO_WIDE = ("*", "'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "http:", "https:", "data:", "blob:")


def faults_of_cookies() -> Iterator[Fault]:
    """The session and the form token: over TLS only, unread by scripts, for this host alone, for half a day."""
    for name in ("SESSION", "CSRF"):
        if not getattr(settings, f"{name}_COOKIE_SECURE"):
            yield f"{name}_COOKIE_SECURE is off: the cookie would travel in the clear.", "Set it to True."
        if not getattr(settings, f"{name}_COOKIE_HTTPONLY"):
            yield f"{name}_COOKIE_HTTPONLY is off: scripts could read the cookie.", "Set it to True."
        if getattr(settings, f"{name}_COOKIE_SAMESITE") not in ("Lax", "Strict"):
            yield f"{name}_COOKIE_SAMESITE lets other sites send the cookie.", "Set it to Lax or Strict."
        if getattr(settings, f"{name}_COOKIE_DOMAIN"):
            yield f"{name}_COOKIE_DOMAIN gives the cookie to neighbouring hosts.", "Remove it."
        if not getattr(settings, f"{name}_COOKIE_NAME").startswith("__Host-"):
            yield f"{name}_COOKIE_NAME does not begin with __Host-.", f"Set it to __Host-{name.lower()}."
    if settings.SESSION_COOKIE_AGE > HALF_A_DAY:
        yield "SESSION_COOKIE_AGE keeps people logged in for more than 12 hours.", f"Set it to at most {HALF_A_DAY}."
    if settings.SESSION_ENGINE.endswith("signed_cookies"):
        yield "SESSION_ENGINE keeps sessions in cookies, where none can be ended.", "Keep sessions in the database."
    if not settings.SESSION_SERIALIZER.endswith("JSONSerializer"):
        yield "SESSION_SERIALIZER is not JSON: a session could run code.", "Leave SESSION_SERIALIZER out."


def faults_of_hosts() -> Iterator[Fault]:
    """The names the portal answers to, and whose word about them it believes."""
    hosts = settings.ALLOWED_HOSTS
    if not hosts or "*" in hosts:
        yield "ALLOWED_HOSTS is empty or lets every host in.", "Set ALLOWED_HOSTS to the portal's own names."
    if loose := [host for host in hosts if host != "*" and (host.startswith(".") or _is_address(host))]:
        what = f"ALLOWED_HOSTS names “{loose[0][:60]}”: an address or every host below a domain."
        yield what, "Set ALLOWED_HOSTS to the portal's own full names."
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if not origin.startswith("https://") or "*" in origin:
            yield f"CSRF_TRUSTED_ORIGINS trusts “{origin[:60]}”.", "Name full origins that begin with https://."
    if settings.USE_X_FORWARDED_HOST or settings.USE_X_FORWARDED_PORT:
        what = "USE_X_FORWARDED_HOST or _PORT is on: a client could choose the host in our links."
        yield what, "Remove it; have the proxy pass the Host header on."
    if getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False) or getattr(settings, "CORS_ALLOWED_ORIGIN_REGEXES", ()):
        yield "CORS lets pages of other sites read answers.", "Remove the CORS settings."


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True


def faults_of_transport() -> Iterator[Fault]:
    """What browsers are told about TLS, sniffing and framing."""
    if settings.SECURE_HSTS_SECONDS < YEAR or not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        what = "Strict transport security is off, shorter than a year or without subdomains."
        yield what, f"Set SECURE_HSTS_SECONDS to {YEAR} and SECURE_HSTS_INCLUDE_SUBDOMAINS to True."
    if not settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        what = "SECURE_SSL_REDIRECT is off and no proxy is said to end TLS: pages would be served in the clear."
        yield what, "Set SECURE_SSL_REDIRECT=true, or KYC_BEHIND_TLS_PROXY=true when the proxy redirects."
    if not settings.SECURE_CONTENT_TYPE_NOSNIFF:
        yield "SECURE_CONTENT_TYPE_NOSNIFF is off: a document could pass for a page.", "Set it to True."
    if settings.X_FRAME_OPTIONS != "DENY":
        yield "X_FRAME_OPTIONS lets other pages frame the portal.", "Set it to DENY."
    if settings.SECURE_REFERRER_POLICY not in ("same-origin", "no-referrer"):
        yield "SECURE_REFERRER_POLICY tells other sites our addresses.", "Set it to same-origin."


def faults_of_policy() -> Iterator[Fault]:
    """The content security policy and the middleware that stands guard."""
    rules = (getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}).get("DIRECTIVES", {})
    for name, source in STRICT.items():
        if list(rules.get(name, [])) != [source]:
            yield f"CONTENT_SECURITY_POLICY does not set {name} to {source}.", "Take over the shipped policy."
    for name, sources in rules.items():
        if wide := [each for each in sources if each in TOO_WIDE or "*" in each or "://" in each]:
            what = f"CONTENT_SECURITY_POLICY is weakened: {name} allows {wide[0][:60]}."
            yield what, "Remove it; the portal loads nothing from elsewhere and runs nothing inline."
    places = [settings.MIDDLEWARE.index(name) if name in settings.MIDDLEWARE else None for name in GUARDS]
    for name, place in zip(GUARDS, places, strict=True):
        if place is None:
            yield f"MIDDLEWARE lacks {name.rpartition('.')[2]}.", "Take over the shipped MIDDLEWARE."
    there = [place for place in places if place is not None]
    if there != sorted(there) or places[0] not in (0, None):
        yield "MIDDLEWARE is out of order: some answers would go without their headers.", "Keep the shipped order."


def faults_of_connections() -> Iterator[Fault]:
    """Whatever leaves this host is encrypted, and the other side is who it says it is (ASVS 12.3.1)."""
    database = settings.DATABASES["default"]
    mode = database.get("OPTIONS", {}).get("sslmode", "")
    if not is_here(database.get("HOST", "")) and mode not in ("verify-full", "verify-ca"):
        what = "DATABASE_URL reaches another host without checking who answers."
        yield what, "Add ?sslmode=verify-full&sslrootcert=FILE to DATABASE_URL."
    broker = urlsplit(settings.CELERY_BROKER_URL)
    if broker.scheme == "redis" and not is_here(broker.hostname or ""):
        yield "CELERY_BROKER_URL reaches another host in the clear.", "Set CELERY_BROKER_URL=rediss://…"
    if parse_qs(broker.query).get("ssl_cert_reqs", [""])[0].lower() in ("none", "cert_none", "optional"):
        yield "CELERY_BROKER_URL does not check who answers.", "Set ssl_cert_reqs=required in CELERY_BROKER_URL."
    is_clear = settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not (
        settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    )
    if is_clear and not is_here(settings.EMAIL_HOST):
        yield "EMAIL_URL sends mail to another host in the clear.", "Set EMAIL_URL=smtp+tls://… or smtp+ssl://…"
    if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False):
        yield "CELERY_TASK_ALWAYS_EAGER runs tasks inside of requests.", "Remove it."
    if set(getattr(settings, "CELERY_ACCEPT_CONTENT", None) or ["json"]) != {"json"}:
        yield "CELERY_ACCEPT_CONTENT takes more than JSON: a message could run code.", "Remove it."


def is_here(host: str) -> bool:
    """Whether a connection to this host never leaves the machine (a socket, or a loopback address)."""
    if not host or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def faults_of_folders() -> Iterator[Fault]:
    """Private folders lie apart from served ones, are closed to others, and the witnesses lie apart from both."""
    served = Path(settings.STATIC_ROOT).resolve()
    private = {"KYC_PRIVATE_DIR": settings.PRIVATE_DIR, "KYC_BUNDLE_DIR": settings.BUNDLE_DIR}
    for name, folder in private.items():
        place = Path(folder).resolve()
        if place.is_relative_to(served) or served.is_relative_to(place):
            yield f"{name} and KYC_STATIC_ROOT lie in each other.", f"Set {name} to a folder no server reads from."
        if place.exists() and place.stat().st_mode & stat.S_IRWXO:
            yield f"The folder of {name} is open to every user of this host.", "Take the rights of others away: o-rwx."
    if Path(settings.PRIVATE_DIR).resolve() == Path(settings.BUNDLE_DIR).resolve():
        yield "KYC_PRIVATE_DIR and KYC_BUNDLE_DIR are one folder.", "Give each a folder of its own."
    own = [served, *(Path(folder).resolve() for folder in private.values()), Path(settings.BASE_DIR).resolve()]
    for witness in settings.WITNESSES:
        kind, _, place = witness.partition(":")
        if kind == "file" and any(Path(place).resolve().is_relative_to(folder) for folder in own):
            what = "KYC_WITNESSES names a file in one of the portal's own folders, which it could rewrite."
            yield what, "Put the witness on another host or disk."


def faults_of_secret_files(environment=os.environ) -> Iterator[Fault]:
    """A secret that is read from a file (NAME_FILE) is readable by its owner and group only."""
    ours = ("KYC_", "SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "CELERY_")
    places = {name: Path(place) for name, place in sorted(environment.items()) if name.endswith("_FILE")}
    for name, place in places.items():
        is_ours = name.startswith(ours) and place.is_file()
        if is_ours and place.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            yield f"The file of {name} is open to others.", "Set its mode to 0400 or 0440."


def faults_of_limits() -> Iterator[Fault]:
    """Nobody can send more than a page of work; passwords are stored as Argon2 and are long enough."""
    for name in ("DATA_UPLOAD_MAX_MEMORY_SIZE", "DATA_UPLOAD_MAX_NUMBER_FIELDS", "DATA_UPLOAD_MAX_NUMBER_FILES"):
        limit = getattr(settings, name)
        if limit is None or limit > LARGEST_FORM:
            yield f"{name} sets no limit to what a form may send.", f"Leave {name} out."
    if not 0 < settings.DOCUMENT_MAX_BYTES <= LARGEST_DOCUMENT:
        what = "KYC_DOCUMENT_MAX_BYTES is not between 1 and 100 MB: documents are held in memory."
        yield what, "Set KYC_DOCUMENT_MAX_BYTES to 20971520."
    hashers = settings.PASSWORD_HASHERS
    if not hashers or not hashers[0].endswith("Argon2PasswordHasher") or any("MD5" in each for each in hashers):
        yield "PASSWORD_HASHERS does not begin with Argon2, or takes MD5.", "Leave PASSWORD_HASHERS out."
    least = [
        each.get("OPTIONS", {}).get("min_length", 8)
        for each in settings.AUTH_PASSWORD_VALIDATORS
        if each["NAME"].endswith("MinimumLengthValidator")
    ]
    if not least or min(least) < 12:
        yield "AUTH_PASSWORD_VALIDATORS takes passwords of fewer than 12 characters.", "Leave it out."
    if there := [app for app in settings.INSTALLED_APPS if app.partition(".apps")[0] in LOCAL_APPS]:
        yield f"INSTALLED_APPS holds {there[0]}, which is for local work.", "Remove it."


def faults_of_logs() -> Iterator[Fault]:
    """Logs hold no values: nothing writes statements with their parameters, and no error report is mailed."""
    loggers = {"root": settings.LOGGING.get("root", {}), **settings.LOGGING.get("loggers", {})}
    for name, logger in loggers.items():
        if str(logger.get("level", "")).upper() in ("DEBUG", "NOTSET"):
            yield f"The log “{name}” is at level DEBUG, which writes values.", "Set its level to INFO or WARNING."
    formatters = settings.LOGGING.get("formatters", {})
    for name, handler in settings.LOGGING.get("handlers", {}).items():
        made_by = formatters.get(handler.get("formatter", ""), {}).get("()", "")
        if not str(made_by).startswith("kyc_portal.records.logs."):
            yield f"The log handler “{name}” may write values.", "Give it a formatter of kyc_portal.records.logs."
    if settings.ADMINS or settings.MANAGERS:
        yield "ADMINS or MANAGERS would be mailed error reports with personal data.", "Leave both out."
    if settings.SILENCED_SYSTEM_CHECKS:
        yield "SILENCED_SYSTEM_CHECKS hides refusals such as this one.", "Remove it."
