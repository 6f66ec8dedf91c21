"""The rivals of the queue, the workspace and bulk decisions: Django's own admin of cases beside the portal's pages.

For the bench only. On /stock/ a page has 50 rows, as the queue's, on /hundred/ the admin's own 100.
"""

from django.contrib import admin
from django.contrib.admin import ModelAdmin, TabularInline
from django.urls import path

from cases.models import Case, CaseNote, CaseSignal, CaseSubject
from kyc_portal.records.acting import one_flow
from kyc_portal.staff import policy_table
from kyc_portal.staff.policy_rows import ANY_STAFF, Page
from kyc_portal.urls import urlpatterns as portal


class Subjects(TabularInline):
    model, extra = CaseSubject, 0
    raw_id_fields = ("account",)  # the admin's own choice would list every account


class Signals(TabularInline):
    model, extra = CaseSignal, 0
    raw_id_fields = ("signal",)


class Notes(TabularInline):
    """Sealed as they are: the admin shows dots."""

    model, extra = CaseNote, 0
    fields = readonly_fields = ("at", "by", "text")


@admin.action(description="Decide")
def decide(screen, request, cases):
    with one_flow(request.user.as_actor):  # no row of ours changes without one
        cases.update(status="proposed")


class StockCases(ModelAdmin):
    list_display = ("reference", "customer", "title", "kind", "status", "assigned_to", "due_on", "weight")
    list_filter = ("status", "kind", "desk")
    inlines = (Subjects, Signals, Notes)
    actions = (decide,)
    list_select_related = ("assigned_to",)
    list_per_page = 50
    search_fields = ("reference",)
    ordering = ("due_on", "-weight", "due_at", "pk")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("subjects__account__party")

    def customer(self, case):
        return "; ".join(subject.account.party.legal_name for subject in case.subjects.all())


class StockCasesByDefault(StockCases):
    list_per_page = 100


class StockSite(admin.AdminSite):
    """A further site, so that the portal's own stays as it is."""


site, hundred = StockSite(name="stock"), StockSite(name="hundred")
site.register(Case, StockCases)
hundred.register(Case, StockCasesByDefault)
policy_table.PAGES.update({"stock:*": Page(get=ANY_STAFF, post=ANY_STAFF), "hundred:*": Page(get=ANY_STAFF)})
policy_table.every_page.cache_clear()
urlpatterns = [*portal, path("stock/", site.urls), path("hundred/", hundred.urls)]
handler400, handler500 = "kyc_portal.api.endpoints.bad_request", "kyc_portal.staff.browsers.server_error"
__all__ = ["handler400", "handler500", "path", "urlpatterns"]
