"""ASGI entry point; refuses to serve when the audit trail is unguarded or a setting is unsafe."""

import os
from concurrent.futures import ThreadPoolExecutor

from django.core.asgi import get_asgi_application
from django.core.management import call_command

from kyc_portal.charsets import TextASGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kyc_portal.settings.production")

application = get_asgi_application()
application.request_class = TextASGIRequest
with ThreadPoolExecutor(1) as pool:  # some servers load this inside their loop, where the database must not be asked
    pool.submit(call_command, "check", verbosity=0).result()
