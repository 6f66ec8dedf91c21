"""Counts of downstream customers by country as of any day: a page and a file for staff (R64)."""

from django import forms
from django.contrib import admin
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.admin.forms import day_field
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import downloads, policy_table
from kyc_portal.staff.sections import Bars, Table, for_viewer
from kyc_portal.staff.typed import is_sound
from resellers.flows import counts
from resellers.models import Reseller

COUNTS, FILE = "admin:resellers_reseller_counts", "admin:resellers_reseller_counts_file"
MOST_BARS = 30


class CountsForm(forms.Form):
    """A day, and one reseller or all."""

    on = day_field("As of the end of", required=True)
    reseller = forms.CharField(
        max_length=20, required=False, label="Reseller", help_text="Its reference; empty for all resellers together.",
    )  # fmt: skip

    def __init__(self, *args, user, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.user, self.today, self.row = user, today, None

    def clean_on(self):
        on = self.cleaned_data["on"]
        if on > self.today:
            raise forms.ValidationError(f"{on} lies in the future. Choose a day until today.")
        return on

    def clean_reseller(self) -> str:
        reference = self.cleaned_data["reseller"].strip().upper()
        if reference:
            rows = policy_table.rows_for(self.user, Reseller.objects.all())
            self.row = rows.select_related("account__party").filter(reference=reference).first()
            if self.row is None:
                shown = ascii(reference)[1:-1]
                raise forms.ValidationError(f"No reseller has the reference “{shown}”. Copy it from its page.")
        return reference


def bars_of(found: list[counts.CountryCount]) -> list[tuple[str, int, str]]:
    """Bars by country, the largest first; what is beyond the most is one bar."""
    rows = [(each.name, each.total, "") for each in found[:MOST_BARS]]
    rest = sum(each.total for each in found[MOST_BARS:])
    return [*rows, (f"{len(found) - MOST_BARS} further countries", rest, "")] if rest else rows


def table_of(found: list[counts.CountryCount]) -> Table:
    """All countries with every measure, and their sum."""
    rows = [counts.row_of(each) for each in found]
    if rows:
        rows.append(counts.row_of(counts.sum_of(found), "All countries"))
    return Table("counts", "By country", counts.head(), rows, empty="Nobody was on a roster on that day.")


class CountPages:
    """The two addresses, for the admin of resellers."""

    def extra_urls(self):
        return [
            path("counts/", self.admin_site.admin_view(self.counts_view), name="resellers_reseller_counts"),
            path("counts/file/", self.admin_site.admin_view(self.counts_file), name="resellers_reseller_counts_file"),
            *super().extra_urls(),
        ]

    def _form(self, request) -> CountsForm:
        today = legal_day(timezone.now())
        given = {"on": today.isoformat(), "reseller": "", **request.GET.dict()}
        return CountsForm(given, user=request.user, today=today)

    def counts_view(self, request):
        """The table of one day with its picture."""
        form, sections, file_url = self._form(request), [], ""
        if is_sound(form):
            found = counts.counts_on(form.cleaned_data["on"], resellers=[form.row] if form.row else None)
            empty = "Nobody was on a roster on that day."
            sections = [Bars("picture", "Customers by country", bars_of(found), empty=empty), table_of(found)]
            asked = {"on": form.cleaned_data["on"].isoformat(), "reseller": form.cleaned_data["reseller"]}
            file_url = f"{reverse(FILE)}?{urlencode(asked)}" if found else ""
        context = {
            **admin.site.each_context(request),
            "title": "Downstream customers by country",
            "form": form,
            "whose": form.row,
            "file_url": file_url,
            "sections": [shown for each in sections if (shown := for_viewer(each, request.user))],
        }
        return TemplateResponse(request, "admin/resellers/counts.html", context)

    def counts_file(self, request):
        """The same as CSV; a wrong day or reseller leads back to the page, which says what is wrong."""
        downloads.refuse_other_sites(request)
        form = self._form(request)
        if not is_sound(form):
            return self.counts_view(request)
        day, row = form.cleaned_data["on"], form.row
        found = counts.counts_on(day, resellers=[row] if row else None)
        lines = counts.csv_lines(found, day=day, whose=row.reference if row else "all resellers")
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        return downloads.guarded(answer, name=f"customers-by-country-{day}.csv")
