"""The rival of the queue: Django's own admin list of cases, beside the portal's addresses. For the bench only."""

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.urls import path

from cases.models import Case
from kyc_portal.staff import policy_table
from kyc_portal.staff.policy_rows import ANY_STAFF, Page
from kyc_portal.urls import urlpatterns as portal


class StockCases(ModelAdmin):
    list_display = ("reference", "customer", "title", "kind", "status", "assigned_to", "due_on", "weight")
    list_filter = ("status", "kind", "desk")
    list_select_related = ("assigned_to",)
    list_per_page = 50
    search_fields = ("reference",)
    ordering = ("due_on", "-weight", "due_at", "pk")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("subjects__account__party")

    def customer(self, case):
        return "; ".join(subject.account.party.legal_name for subject in case.subjects.all())


class StockSite(admin.AdminSite):
    """A second site, so that the portal's own stays as it is."""


site = StockSite(name="stock")
site.register(Case, StockCases)
policy_table.PAGES["stock:*"] = Page(get=ANY_STAFF)
policy_table.every_page.cache_clear()
urlpatterns = [*portal, path("stock/", site.urls)]
handler400, handler500 = "kyc_portal.api.endpoints.bad_request", "kyc_portal.staff.browsers.server_error"
__all__ = ["handler400", "handler500", "path", "urlpatterns"]
