from django.apps import AppConfig


class ResellersConfig(AppConfig):
    name = "resellers"
    verbose_name = "Resellers"

    def ready(self):
        from accounts.flows.activation import add_guard
        from kyc_portal.staff.site import add_tiles
        from resellers import tiles
        from resellers.flows.file import may_not_sell

        add_guard(may_not_sell)
        add_tiles(*tiles.TILES)
