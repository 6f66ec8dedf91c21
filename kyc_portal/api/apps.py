from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "kyc_portal.api"
    label = "api"
    verbose_name = "Other systems"
