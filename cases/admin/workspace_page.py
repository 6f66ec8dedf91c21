"""The parts of a case's own page, in the order in which a person decides; each bounded, whatever the case holds."""

from datetime import datetime, time
from itertools import groupby

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from accounts.admin.access_page import COUNTRY_ROW, country_cell
from accounts.flows.links import find_links
from accounts.models import Account, Restriction
from accounts.rules.detectors import BY_CODE
from accounts.rules.restricting import LEVELS
from cases.admin import case_page
from cases.flows import workspace
from cases.models import Case, CaseCheck
from cases.rules.access_summary import UNKNOWN, AccessSummary
from cases.rules.checklist import ExcusedWhy, items_for
from cases.rules.stages import DecisionState
from kyc_portal.records import audit
from kyc_portal.staff.pictures import accesses_in_words
from kyc_portal.staff.policy_table import right_to_see
from kyc_portal.staff.sections import Badge, Html, Link, Strip, Table, Timeline
from kyc_portal.staff.tile_map import tile_map

MOST_ROWS = 12
MOST_SUBJECTS = 200
STRIP_DAYS = 60


def load(case: Case) -> Case:
    """Give a case the rows its page is made of, each list bounded; four queries."""
    level = models.Case(
        *(models.When(level=each, then=place) for place, each in enumerate(LEVELS)), default=-1,
        output_field=models.IntegerField(),
    )  # fmt: skip
    standing = Restriction.objects.in_force().filter(account=models.OuterRef("account")).order_by(level.desc())
    subjects = case.subjects.select_related("account__party").annotate(
        strictest=models.Subquery(standing.values("level")[:1])
    )
    case.listed_subjects = list(subjects.order_by("joined_at", "pk")[:MOST_SUBJECTS])
    case.flags = list(case.signals.select_related("signal").order_by("-signal__weight", "pk")[: case_page.MOST_LISTED])
    decisions = case.decisions.select_related("account").order_by("-proposed_at", "-pk")
    case.listed_decisions = list(decisions[:MOST_SUBJECTS])
    case.unfinished = [
        each for each in case.listed_decisions if each.state in (DecisionState.PROPOSED, DecisionState.SIGNED)
    ]
    case.proposals = [each for each in case.listed_decisions if each.state == DecisionState.PROPOSED]
    return case


def subject_section(case: Case, chosen: Account | None) -> Table:
    """The accounts of the case with the strictest that stands against their use; the rest of the page is of one."""
    accounts = [subject.account for subject in case.listed_subjects[: case_page.MOST_LISTED]]
    standing = {subject.account_id: subject.strictest for subject in case.listed_subjects}
    address = reverse("review:case", args=[case.reference])
    rows = [
        [
            Link(account.reference, account), Link(case_page.shortened(account.party.legal_name), account.party),
            ", ".join(dict.fromkeys(filter(None, (account.get_status_display(), standing.get(account.pk))))),
            f"{account.get_risk_tier_display()} ({account.risk_score})", account.last_access_at,
            *([_choice(account, chosen, address)] if len(accounts) > 1 else []),
        ]
        for account in accounts
    ]  # fmt: skip
    head = ["Account", "Customer", "State", "Risk", "Last access", *(["Below"] if len(accounts) > 1 else [])]
    return Table("subject", "Subject", head, rows, empty="No account yet. Attach the report to one, or settle it.")


def _choice(account: Account, chosen: Account | None, address: str):
    if account == chosen:
        return Badge("shown", "info")
    words = format_html('Show<span class="visually-hidden"> {}</span>', account.reference)
    return Link(words, f"{address}?account={account.reference}")


def signals_section(case: Case, user) -> Html:
    """Why it is here: each red flag as a sentence with its number, its source and what the detector looks for."""
    opens = user.has_perm(right_to_see("accounts.risksignal"))
    shown = [_flag(row.signal, opens) for row in case.flags]
    empty = "No red flag is part of this case."
    return Html("why", "Why it is here", "cases/workspace_flags.html", {"flags": shown, "empty": empty})


def _flag(signal, opens: bool) -> dict:
    detector = BY_CODE.get(signal.code)
    told = f"{detector.meaning} What may be innocent: {detector.innocent}" if detector else ""
    answer = signal.answer.replace("_", " ")
    return {
        "weight": signal.weight, "sentence": Link(signal.sentence, signal) if opens else signal.sentence,
        "source": case_page.source_of(signal), "told": told, "since": signal.known_at,
        "answer": Badge(answer, "good") if answer else Badge("unanswered", "warning"),
    }  # fmt: skip


def links_section(account: Account | None) -> Table:
    """Other customers that share something with the chosen one, the strongest tie first."""
    found = find_links(account.party) if account else ()
    rows = [
        [
            Link(case_page.shortened(link.party.legal_name), link.party), f"{link.score:.0%}", link.sentence,
        ]
        for link in found[:MOST_ROWS]
    ]  # fmt: skip
    more = len(found) - MOST_ROWS
    note = "A shared value says that two may belong together, not that they do (own policy)."
    note += f" {more} weaker {'tie is' if more == 1 else 'ties are'} on the customer's page." if more > 0 else ""
    head = ["Customer", "Strength", "Why"]
    return Table(
        "links", "Linked customers", head, rows, empty="No other customer shares anything.", note=note,
        url=reverse("accounts:links", args=[account.party_id]) if account else "", url_label="Show as a graph",
    )  # fmt: skip


def access_sections(account: Account | None, found: AccessSummary) -> list:
    """Where the newest accesses of the chosen account came from, as a map with its table, and when."""
    rows = [
        [country_cell(code if code != UNKNOWN else ""), code, total, f"{hidden / total:.0%}"]
        for code, total, hidden in found.countries[:MOST_ROWS]
    ]
    note = (
        f"{accesses_in_words(found.total)} of {account.reference} in the days up to its last one, {found.public:,} of "
        "them from public addresses. Hatched: most came through anonymising networks. An address does not show who "
        "somebody is."
        if found.total else ""
    )  # fmt: skip
    url = f"{reverse('admin:accounts_accessrecord_changelist')}?account__id__exact={account.pk}" if account else ""
    head = ["Country", "Code", "Accesses", "Anonymised"]
    table = Table("access-table", "Accesses by country", head, rows, more_url=url, more_label="All access records")
    drawn = tile_map(found.countries[:MOST_ROWS], "Accesses by country", COUNTRY_ROW)
    context = {"svg": drawn, "table": table, "empty": "No access from a public address is known."}
    days = found.days[-STRIP_DAYS:]
    day_rows = [list(day) for day in reversed(days[-MOST_ROWS:])]
    day_table = Table("day-table", "Last days", ["Day", "Accesses", "Anonymised"], day_rows) if day_rows else None
    return [
        Html("access", "Where access came from", "admin/record/map.html", context, note=note),
        Strip(
            "access-days",
            "When it was used",
            days,
            day_table,
            empty="No access record was taken in yet.",
            url=reverse("accounts:access", args=[account.pk]) if account else "",
            url_label="All of its access",
        ),
    ]


def timeline_section(
    case: Case, account: Account | None, found: AccessSummary, *, before: str = "", newest=()
) -> Timeline:
    """What happened to the case and the chosen account, and on which days it was used, newest first."""
    page = workspace.timeline(case, account, before=before, newest=newest)
    told = [
        {
            "at": event.at, "actor": event.actor_label, "sentence": audit.as_sentence(event), "ref": event.about_name,
            "verb": event.verb,
            "facts": {name: fact for name, fact in event.facts.items() if fact != case.reference},
        }
        for event in page.events
    ]  # fmt: skip
    oldest = page.events[-1].at if page.older else None
    for day, total, hidden in found.days:
        at = timezone.make_aware(datetime.combine(day, time.max))
        if (oldest is None or at > oldest) and (page.before is None or at <= page.before):
            words = accesses_in_words(total)
            words += f", {hidden:,} through anonymising networks" if hidden else ""
            told.append({"at": at, "actor": "", "sentence": words, "ref": "", "verb": "", "is_day": True, "facts": {}})
    told.sort(key=lambda each: each["at"], reverse=True)
    days = [
        {"day": day, "events": list(group)}
        for day, group in groupby(told, key=lambda each: timezone.localtime(each["at"]).date())
    ]
    query = f"?account={account.reference}&" if account else "?"
    older = f"{query}{urlencode({'before': page.older})}" if page.older else ""
    return Timeline("timeline", "Timeline", days, more_url=older, more_label="Older")


def checklist(case: Case) -> list[dict]:
    """Each point of the list with who answered it and when; one query."""
    standing = {each.item: each for each in CaseCheck.objects.standing().filter(case=case)}
    return [
        {
            "code": item.code, "title": item.title, "source": item.source, "answer": standing.get(item.code),
            "excused": ExcusedWhy(standing[item.code].excused_why).label
            if item.code in standing and standing[item.code].excused_why else "",
        }
        for item in items_for(case.kind)
    ]  # fmt: skip
