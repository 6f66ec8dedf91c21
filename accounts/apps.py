from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Customers"

    def ready(self):
        from accounts.models import Account, Party
        from kyc_portal.records.holds import allow_holds_on

        allow_holds_on(Party, Account)
