from django.apps import AppConfig


class ResellersConfig(AppConfig):
    name = "resellers"
    verbose_name = "Resellers"

    def ready(self):
        from accounts.flows.activation import add_guard
        from accounts.flows.document_files import Naming, add_naming
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue
        from resellers import tiles
        from resellers.flows import cip_requests, ending_accounts, termination
        from resellers.flows.file import may_not_sell
        from resellers.models import RosterUpload

        add_guard(may_not_sell)
        add_naming(Naming(RosterUpload, "reseller__account__party_id", "file_sha256"))
        add_tiles(*tiles.TILES)
        queue.register(termination.CARRY_OUT, ending_accounts.carry_out)
        queue.register(cip_requests.PRODUCE, cip_requests.produce)
        queue.register(cip_requests.DELETE, cip_requests.delete_files)
