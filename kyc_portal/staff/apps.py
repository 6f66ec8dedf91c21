from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core import checks


class StaffConfig(AppConfig):
    default = True
    name = "kyc_portal.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self):
        from kyc_portal.staff import logins, safety

        logins.connect()
        checks.register(safety.check_settings, deploy=False)


class PortalAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False
    default_site = "kyc_portal.staff.site.PortalSite"
