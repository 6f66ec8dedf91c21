"""RecordAdmin: a record's page shows, its buttons ask, the flow acts. Nothing is edited in place or deleted."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property

from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table, stepup
from kyc_portal.staff.actions import FlowAction, actions_of, as_admin_action, run_for_one, where_sealed
from kyc_portal.staff.sections import Link, for_viewer, url_of, with_added
from kyc_portal.staff.typed import is_sound

MOST_LISTED = 1000
KEY_LOOKUPS = ("", "exact", "id__exact", "pk__exact")
FILTER_LOOKUPS = ("", "exact", "isnull", "gte", "lt")  # what Django's own filters write into a list's address


class Capped(int):
    """A number of rows that says "1,000+" once counting stopped."""

    def __str__(self):
        return f"{MOST_LISTED:,}+" if self > MOST_LISTED else f"{int(self):,}"


class CappedPaginator(Paginator):
    """Counts no further than MOST_LISTED, so that a list's page costs the same over any table."""

    @cached_property
    def count(self):
        return Capped(self.object_list.order_by()[: MOST_LISTED + 1].count())

    @cached_property
    def num_pages(self):
        return max(1, -(-min(self.count, MOST_LISTED) // self.per_page))


def button_of(record: models.Model, name: str) -> Link:
    """The link to a button of a record's page. Raises LookupError for a button that is not there."""
    page = admin.site.get_model_admin(type(record))
    action = next((action for action in actions_of(page) if action.name == name), None)
    if action is None:
        raise LookupError(f"{record._meta.label} has no button {name}")
    return Link(action.label, url_of_button(record, action))


def url_of_button(record: models.Model, action: FlowAction) -> str:
    kind = f"{record._meta.app_label}_{record._meta.model_name}"
    return reverse(f"admin:{kind}_do", args=[record.pk, action.name.replace("_", "-")])


class RecordAdmin(admin.ModelAdmin):
    """Base of every admin page. Subclasses say what to show; see the methods at the end of the class."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    view_on_site = False
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    logs_views = False
    adding = None  # a form class: then add(self, *, by, at, **cleaned) -> record
    add_label = ""
    adding_is_grave = False

    # --- who may what: policy_table.py says it, the middleware asked it before any of this runs --------------------

    @property
    def policy(self):
        return policy_table.SCREENS[self.opts.label_lower]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm(policy_table.right_to_see(self.opts.label_lower))

    def has_add_permission(self, request, obj=None):
        return self.adding is not None and request.user.has_perm(self.policy.add)

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def buttons(self, request, record=None):
        """The flow actions this person may use, on this record if one is given."""
        return [action for action in actions_of(self) if action.may(request.user, record)]

    def get_actions(self, request):
        wanted = [action for action in self.buttons(request) if action.row.many]
        return {action.name: as_admin_action(action) for action in wanted}

    def lookup_allowed(self, lookup, value, request=None):
        """Only what this list filters by itself, and the key of another record; everything else is a 400.

        Stock lists take any look-up on their own columns: a hash or a name could be guessed letter by letter, and a
        regular expression of somebody's choice would run in the database.
        """
        name, _, how = lookup.partition("__")
        if name in {field.name for field in self.opts.concrete_fields if field.is_relation}:
            return how in KEY_LOOKUPS
        for each in self.get_list_filter(request):
            if isinstance(each, type):
                if lookup == getattr(each, "parameter_name", None):
                    return True
            elif name == (each if isinstance(each, str) else each[0]):
                return how in FILTER_LOOKUPS
        return False

    # --- addresses ------------------------------------------------------------------------------------------------

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}"

        def view(page):
            return self.admin_site.admin_view(page)

        adding = [path("add/", view(self.add_view), name=f"{name}_add")] if self.adding else []
        doing = [path("<path:object_id>/do/<slug:name>/", view(self.do_view), name=f"{name}_do")]
        return [
            *self.extra_urls(),
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            *adding,
            path("<path:object_id>/change/", view(self.change_view), name=f"{name}_change"),
            *(doing if actions_of(self) else []),
        ]

    def extra_urls(self):
        """Further addresses of a subclass."""
        return []

    # --- pages ----------------------------------------------------------------------------------------------------

    def get_queryset(self, request):
        return policy_table.rows_for(request.user, super().get_queryset(request))

    def _record_or_404(self, request, object_id):
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        return record

    def change_view(self, request, object_id, form_url="", extra_context=None):
        record = self._record_or_404(request, object_id)
        at = timezone.now()
        if self.logs_views or getattr(
            request, "break_glass", None
        ):  # what is read beyond one's role is told to the auditors
            audit.record_view(record, by=request.user.as_actor, at=at)
        return TemplateResponse(request, "admin/change_form.html", self._page(request, record, at))

    def _page(self, request, record, at):
        today = legal_day(at)
        clock = self.clock(record)
        shown = [action for action in self.buttons(request, record) if action.is_offered(request.user, record)]
        links = [self._button(action, record) for action in sorted(shown, key=lambda action: not action.primary)]
        own = self.sections(record, user=request.user, at=at)
        has_primary = bool(shown) and any(action.primary for action in shown)
        return {
            **self.admin_site.each_context(request),
            "title": record,
            "opts": self.opts,
            "original": record,
            "has_view_permission": True,
            "page_head": {
                "reference": getattr(record, "reference", ""),
                "title": self.page_title(record),
                "badges": self.badges(record),
                "clock": clock.seen_on(today) if clock else None,
            },
            "primary_action": links[0] if has_primary else None,
            "more_actions": links[1:] if has_primary else links,
            "reasons": [reason.seen_by(request.user) for reason in self.reasons(record, at=at)],
            "sections": self.for_viewer(request, with_added(own, record, user=request.user, at=at)),
            "aside": self.for_viewer(request, self.aside(record, user=request.user, at=at)),
        }

    def for_viewer(self, request, sections):
        seen = [for_viewer(section, request.user) for section in sections]
        return [section for section in seen if section is not None]

    def _button(self, action, record):
        return {"label": action.label, "url": url_of_button(record, action), "enabled": True, "tone": action.tone}

    def do_view(self, request, object_id, name):
        """Ask and act. The middleware judged the right before the record is looked for: nobody learns if it exists."""
        wanted = name.replace("-", "_")
        action = next(action for action in actions_of(self) if action.name == wanted)
        record = self._record_or_404(request, object_id)
        if not action.may(request.user, record):
            raise PermissionDenied
        return run_for_one(self, request, action, record)

    def response_action(self, request, queryset):
        """Run an action on the rows chosen in a list; what is no key is a 400, because Django would fall over it."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(key, None)
            except ValidationError:
                raise SuspiciousOperation("A row was chosen by something that is no key.") from None
        return super().response_action(request, queryset)

    def add_view(self, request, form_url="", extra_context=None):
        if self.adding_is_grave and (answer := stepup.ask(request)):
            return answer
        form = self.adding(request.POST, request.FILES) if request.method == "POST" else self.adding()
        if form.is_bound and is_sound(form):
            try:
                record = self.add(by=request.user.as_actor, at=timezone.now(), **form.cleaned_data)
            except Refusal as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.added(request, record)
        label = self.add_label or f"Add {self.opts.verbose_name}"
        context = {
            **self.admin_site.each_context(request),
            "title": label,
            "opts": self.opts,
            "form": form,
            "action_label": label,
            "action_url": request.path,
            "back_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/actions/confirm.html", context)

    def added(self, request, record):
        """Answer once the record is there; `add` may give a sentence of its own beside the record."""
        record, sentence = record if isinstance(record, tuple) else (record, f"{record} is added.")
        messages.success(request, f"{sentence} {where_sealed(request)}".strip())
        return HttpResponseRedirect(url_of(record))

    # Django's own log of admin actions would keep names after a purge.
    def log_addition(self, request, obj, message):
        return None

    def log_change(self, request, obj, message):
        return None

    def log_deletions(self, request, queryset):
        return None

    # --- what subclasses say --------------------------------------------------------------------------------------

    def add(self, *, by, at, **cleaned):
        """Call the flow that adds a record and return it, or (record, sentence to show)."""
        raise PermissionDenied

    def page_title(self, record) -> str:
        return str(record)

    def badges(self, record):
        return []

    def clock(self, record):
        return None

    def reasons(self, record, *, at):
        return []

    def sections(self, record, *, user, at):
        return []

    def aside(self, record, *, user, at):
        return []

    def what_is_signed(self, record, name) -> str:
        """What the button `name`, a second signature, would sign: a line beside the record on the page that asks."""
        return ""

    def before_acting(self, record, name, *, user, at):
        """Sections to be read on the page that asks once more, before the button `name` does its act."""
        return []
