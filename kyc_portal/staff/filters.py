"""A list filter whose choices are queryset methods, so that the screen and the rule cannot disagree."""

from django.contrib import admin
from django.utils import timezone

from kyc_portal.records.clock import legal_day


class QuerysetFilter(admin.SimpleListFilter):
    """Subclasses set `title`, `parameter_name` and `options`: value → (label, function of rows, user, today)."""

    options: dict = {}

    def __init__(self, request, params, model, model_admin):
        self._user = request.user
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        return [(value, label) for value, (label, _) in self.options.items()]

    def queryset(self, request, queryset):
        if self.value() not in self.options:
            return queryset
        _, rows = self.options[self.value()]
        return rows(queryset, self._user, legal_day(timezone.now()))
