"""Pages that are pictures: where and when an account was used, and who is tied to a party. Both only read."""

from django.contrib import admin
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin import access_page, graph_page
from accounts.flows.access_seen import seen_of
from accounts.flows.links import neighbourhood
from accounts.models import Account, Party
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.sections import for_viewer, url_of


def access(request, key):
    """Where, when, by which network and at which hours an account was used, in one of four windows."""
    account, at = _or_404(request, Account.objects.select_related("party"), key), timezone.now()
    asked = request.GET.get("days", access_page.FIRST_SHOWN)
    shown = asked if asked in access_page.WINDOWS else access_page.FIRST_SHOWN
    audit.record_view(account, by=request.user.as_actor, at=at)
    seen = seen_of(account, access_page.WINDOWS[shown])
    made = access_page.sections(seen, timezone.get_current_timezone()) if seen else []
    context = {
        **admin.site.each_context(request), "title": f"Access of {account.reference}", "account": account,
        "page_head": {"reference": account.reference, "title": "Where and when it was used", "badges": []},
        "account_url": url_of(account), "logs_url": reverse("admin:accounts_accessbatch_changelist"),
        "windows": access_page.windows(shown), "is_refused": asked != shown,
        "told": access_page.told(seen, legal_day(at)) if seen else [],
        "sections": [section for each in made if (section := for_viewer(each, request.user)) is not None],
    }  # fmt: skip
    status = 400 if asked != shown else 200
    return _kept_nowhere(TemplateResponse(request, "admin/accounts/access_page.html", context, status=status))


def links(request, key):
    """Who shares something with a party, and with whom those do, as a graph with its table."""
    party, at = _or_404(request, Party.objects.all(), key), timezone.now()
    audit.record_view(party, by=request.user.as_actor, at=at)
    graph = graph_page.graph_of(*neighbourhood(party, graph_page.DEPTH, graph_page.MOST_ASKED))
    context = {
        **admin.site.each_context(request), "title": f"Links of {party.reference}", "party": party,
        "page_head": {"reference": party.reference, "title": f"Who is tied to {party.legal_name}", "badges": []},
        "party_url": url_of(party), "svg": graph.svg, "told": graph.told, "notes": graph.notes,
        "section": for_viewer(graph.table, request.user),
    }  # fmt: skip
    return _kept_nowhere(TemplateResponse(request, "admin/accounts/link_graph.html", context))


def _or_404(request, rows, key):
    found = rows_for(request.user, rows).filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def _kept_nowhere(answer: TemplateResponse) -> TemplateResponse:
    answer["Cache-Control"] = "no-store, private"
    return answer
