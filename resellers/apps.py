from django.apps import AppConfig


class ResellersConfig(AppConfig):
    name = "resellers"
    verbose_name = "Resellers"

    def ready(self):
        from accounts.events import list_changed
        from accounts.flows.activation import add_guard
        from accounts.flows.document_files import Naming, add_naming
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue
        from resellers import events, tiles
        from resellers.flows import roster_screening
        from resellers.flows.file import may_not_sell
        from resellers.models import RosterUpload, SampledFile

        add_guard(may_not_sell)
        add_guard(roster_screening.listed_downstream)
        queue.register(roster_screening.SCREEN, roster_screening.carry_on)
        queue.register(roster_screening.LOOK, roster_screening.look)
        events.roster_changed.connect(roster_screening.take_roster)
        list_changed.connect(roster_screening.take_list)
        add_naming(Naming(RosterUpload, "reseller__account__party_id", "file_sha256"))
        add_naming(Naming(SampledFile, "sample__reseller__account__party_id", "file_sha256"))
        add_tiles(*tiles.TILES)
