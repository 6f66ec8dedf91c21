from django.apps import AppConfig
from django.core import checks


class ApiConfig(AppConfig):
    name = "kyc_portal.api"
    label = "api"
    verbose_name = "Other systems"

    def ready(self):
        from kyc_portal.api.sources import check_proxies

        checks.register(check_proxies)
