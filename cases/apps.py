from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = "Cases"

    def ready(self):
        from accounts.flows.activation import add_guard
        from accounts.flows.document_files import Naming, add_naming
        from accounts.flows.objections import add_way
        from accounts.flows.profiles import tell_of_measures
        from cases import receivers, tiles
        from cases.admin.case_page import cases_of_account
        from cases.admin.measure_parts import measures_of_account
        from cases.flows import appeals, bundles, clocks, measure_effects, measure_evidence, measure_hits
        from cases.models import AbuseReport, BundleRedaction, Case
        from kyc_portal.records.holds import allow_holds_on
        from kyc_portal.staff.sections import add_sections
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue

        allow_holds_on(Case)
        add_naming(Naming(AbuseReport, "pk", "sha256"))
        add_naming(Naming(BundleRedaction, "subject", "copy_sha256"))
        add_way(appeals.way_of)
        receivers.connect()
        queue.register("cases.delete_bundle", bundles.delete_files)
        queue.register(receivers.RECOMPUTE, clocks.recompute_job)
        add_tiles(*tiles.TILES)
        add_sections("accounts.account", cases_of_account)
        add_sections("accounts.account", measures_of_account)
        add_guard(measure_effects.forbids_opening)
        tell_of_measures(measure_evidence.countries_with_measures)
        queue.register(measure_hits.COMPUTE, measure_hits.compute_job)
