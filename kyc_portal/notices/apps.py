from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "kyc_portal.notices"
    label = "notices"
    verbose_name = "Notices"
