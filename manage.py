#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kyc_portal.settings.development")
    from django.core.management import execute_from_command_line

    from kyc_portal.records.acting import acting
    from kyc_portal.records.refs import Actor

    with acting(Actor.operator()):  # what Django's own commands and a shell change is the operator's
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
