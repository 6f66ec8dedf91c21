from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = "Cases"

    def ready(self):
        from cases import receivers
        from cases.models import Case
        from kyc_portal.records.holds import allow_holds_on

        allow_holds_on(Case)
        receivers.connect()
