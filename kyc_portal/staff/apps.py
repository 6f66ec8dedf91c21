from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core import checks


class StaffConfig(AppConfig):
    default = True
    name = "kyc_portal.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self):
        from kyc_portal.staff import logins, policy_check, safety, sources, tiles
        from kyc_portal.staff.site import add_tiles

        logins.connect()
        add_tiles(*tiles.TILES)
        checks.register(safety.check_settings, deploy=False)
        checks.register(policy_check.check_policy, deploy=False)
        checks.register(sources.check_proxies)


class PortalAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False
    default_site = "kyc_portal.staff.site.PortalSite"

    def ready(self):
        super().ready()
        from django.contrib import admin
        from django.contrib.auth.models import Group

        admin.site.unregister(Group)  # roles are one table in roles.py; a group edited by hand would escape it
        for model in [each for each in admin.site._registry if each.__module__.startswith("allauth.")]:
            admin.site.unregister(model)  # sessions and factors are a person's own; administrators have buttons
