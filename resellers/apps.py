from django.apps import AppConfig


class ResellersConfig(AppConfig):
    name = "resellers"
    verbose_name = "Resellers"

    def ready(self):
        from accounts.events import list_changed
        from accounts.flows.activation import add_guard
        from accounts.flows.document_files import Naming, add_naming
        from kyc_portal.staff.sections import add_sections
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue
        from resellers import events, tiles
        from resellers.admin.certification import certification_of_reseller
        from resellers.flows import (
            certification,
            certification_ends,
            cip_requests,
            coverage,
            ending_accounts,
            roster_files,
            roster_screening,
            roster_taking,
            termination,
        )
        from resellers.flows.file import may_not_sell
        from resellers.models import RosterUpload, SampledFile

        queue.register(roster_files.READ, roster_files.read)
        queue.register(roster_taking.ACCEPT, roster_taking.accept)
        add_guard(may_not_sell)
        add_guard(coverage.is_not_certified)
        queue.register(certification.KIND, certification.carry_out)
        events.roster_changed.connect(certification_ends.take_roster_change, dispatch_uid="resellers.certifications")
        add_guard(roster_screening.listed_downstream)
        queue.register(roster_screening.SCREEN, roster_screening.carry_on)
        queue.register(roster_screening.LOOK, roster_screening.look)
        events.roster_changed.connect(roster_screening.take_roster)
        list_changed.connect(roster_screening.take_list)
        add_naming(Naming(RosterUpload, "reseller__account__party_id", "file_sha256"))
        add_naming(Naming(SampledFile, "sample__reseller__account__party_id", "file_sha256"))
        add_tiles(*tiles.TILES)
        add_sections("resellers.reseller", certification_of_reseller)
        queue.register(termination.CARRY_OUT, ending_accounts.carry_out)
        queue.register(cip_requests.PRODUCE, cip_requests.produce)
        queue.register(cip_requests.DELETE, cip_requests.delete_files)
