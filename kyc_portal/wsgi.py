"""WSGI entry point; refuses to serve when the audit trail is unguarded or a setting is unsafe."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections

from kyc_portal.charsets import TextWSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kyc_portal.settings.production")

application = get_wsgi_application()
application.request_class = TextWSGIRequest
call_command("check", verbosity=0)
connections.close_all()  # a server that forks after loading would share the connection of the check
