"""What a copy of a reseller's CIP holds: versions with their words, judgements, contracts, findings and plans (R57).

As it stood at the moment of the request. Left out, and said so in about.json: the names and ways to reach people (of
contacts and of our staff), and the evidence of findings, which may speak of customers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string

from accounts.formats.bag import Content, MeasuredContent
from accounts.formats.bundle_content import (
    CustodyEntry,
    IndexedFile,
    custody_document,
    custody_table,
    json_document,
    plain,
    table_csv,
)
from kyc_portal.records import keys
from resellers.models import CipRequest, Reseller
from resellers.models.contract import ContactRole
from resellers.rules.cip import BY_CODE
from resellers.rules.cip_copy import Version, finding_state, states_of

ORIGIN = "the portal's records"
WITHHELD = (
    "Names, e-mail addresses and telephone numbers of the reseller's contacts; their functions are given.",
    "Names of the provider's staff; who decided is kept in the portal's sealed audit trail.",
    "The evidence of findings, because it may speak of customers. It is handed over on a request of its own.",
    "The reseller's customers. They are no part of its CIP.",
)


@dataclass(frozen=True)
class Part:
    """One table of the copy; `rows(reseller, moment)` gives mappings of `columns`, as they stood at the moment."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Callable[[Reseller, datetime], Iterable[Mapping]]


_PARTS: list[Part] = []


def add_part(part: Part) -> None:
    """Add a table to every copy made from now on, such as certifications and attestations."""
    if part.name in {each.name for each in _PARTS}:
        raise ValueError(f"Two parts of the copy are named {part.name}.")
    _PARTS.append(part)


def parts() -> tuple[Part, ...]:
    return tuple(_PARTS)


def _versions(reseller: Reseller, moment: datetime) -> Iterator[dict]:
    rows = list(_cips(reseller, moment))
    states = states_of([Version(cip.number, cip.status, cip.decided_at) for cip in rows], moment)
    for cip in rows:
        decided = cip.decided_at if cip.decided_at and cip.decided_at <= moment else None
        yield {
            "version": cip.number, "reference": cip.reference, "title": cip.title,
            "whose_text": cip.get_source_display(), "agreement": cip.agreement, "agreed_on": cip.agreed_on,
            "handed_in_at": cip.submitted_at, "state": states[cip.number], "decided_at": decided,
            "sha256": cip.sha256, "file": f"{_place(cip)}",
        }  # fmt: skip


def _cips(reseller: Reseller, moment: datetime):
    return reseller.cips.filter(submitted_at__lte=moment).select_related("provider_cip").order_by("number")


def _place(cip) -> str:
    return f"cip/version-{cip.number}-{cip.reference}.txt"


def _judgements(reseller: Reseller, moment: datetime) -> Iterator[dict]:
    for cip in _cips(reseller, moment):
        for row in cip.judgements.filter(judged_at__lte=moment).order_by("judged_at", "pk"):
            yield {
                "version": cip.number, "requirement": BY_CODE[row.requirement].title,
                "rests_on": BY_CODE[row.requirement].rests_on, "found": row.verdict, "what_is_missing": row.words,
                "judged_at": row.judged_at,
            }  # fmt: skip


def _contracts(reseller: Reseller, moment: datetime) -> Iterator[dict]:
    for row in reseller.contracts.filter(recorded_at__lte=moment).order_by("from_on", "number"):
        yield {"number": row.number, "in_force_from": row.from_on, "last_day": row.to_on}


def _contacts(reseller: Reseller, moment: datetime) -> Iterator[dict]:
    for row in reseller.contacts.filter(added_at__lte=moment).order_by("role", "added_at", "pk"):
        until = row.ended_at if row.ended_at and row.ended_at <= moment else None
        yield {"there_for": ContactRole(row.role).label, "since": row.added_at, "until": until}


def _findings(reseller: Reseller, moment: datetime) -> Iterator[dict]:
    for row in (
        reseller.findings.filter(recorded_at__lte=moment).select_related("citation").order_by("recorded_at", "pk")
    ):
        row.reseller = reseller
        ended = row.ended_at if row.ended_at and row.ended_at <= moment else None
        planned = row.planned_at if row.planned_at and row.planned_at <= moment else None
        yield {
            "reference": row.reference, "in_what_it_fails": row.get_kind_display(), "known_since": row.knowledge_at,
            "what_it_must_do": row.demand, "last_good_day": row.due_on, "by": str(row.citation),
            "state": finding_state(row.state, planned_at=row.planned_at, ended_at=row.ended_at, moment=moment),
            "plan_handed_in_at": planned, "plan": row.plan.reveal() if planned and row.plan else "", "ended_at": ended,
        }  # fmt: skip


for _part in (
    Part("versions", "Versions of its CIP", (
        "version", "reference", "title", "whose_text", "agreement", "agreed_on", "handed_in_at", "state",
        "decided_at", "sha256", "file"), _versions),
    Part("judgements", "How each version was judged", (
        "version", "requirement", "rests_on", "found", "what_is_missing", "judged_at"), _judgements),
    Part("contracts", "Contracts", ("number", "in_force_from", "last_day"), _contracts),
    Part("contacts", "Functions of its contacts", ("there_for", "since", "until"), _contacts),
    Part("findings", "Findings and plans", (
        "reference", "in_what_it_fails", "known_since", "what_it_must_do", "last_good_day", "by", "state",
        "plan_handed_in_at", "plan", "ended_at"), _findings),
):  # fmt: skip
    add_part(_part)


class CopyOf:
    """Gives the payload of one copy file by file, each told in the custody record."""

    def __init__(self, request: CipRequest, *, as_of: datetime, at: datetime):
        self._request, self._as_of, self._at = request, as_of, at
        self._reseller = request.reseller
        self._custody: list[CustodyEntry] = []
        self._indexed: list[IndexedFile] = []

    def files(self) -> Iterator[tuple[str, Content]]:
        """Path and content of each payload file; the caller consumes each content before it asks for the next."""
        yield from self._file("about.json", "What this copy is", "made for this bundle", [json_document(self._about())])
        for cip in _cips(self._reseller, self._as_of):
            title = f"Version {cip.number}, in full"
            yield from self._file(_place(cip), title, f"{ORIGIN}, {cip.reference}", [cip.words.encode()])
        shown = []
        for part in parts():
            rows = list(part.rows(self._reseller, self._as_of))
            yield from self._file(f"{part.name}.csv", part.title, ORIGIN, table_csv(part.columns, rows))
            yield from self._file(f"{part.name}.json", f"{part.title} (JSON)", ORIGIN, [json_document(rows)])
            shown.append(_as_table(part, rows))
        style = render_to_string("bundles/bundle.css").encode()
        yield from self._file("bundle.css", "Look of the page", "made for this bundle", [style])
        context = {"about": self._about(), "tables": shown, "files": self._indexed, "as_of": _shown(self._as_of)}
        page = render_to_string("bundles/cip.html", context).encode()
        yield from self._file("index.html", "The page to open first", "made for this bundle", [page])
        yield "custody.json", custody_document(self._custody)
        yield "custody.csv", custody_table(self._custody)

    def _file(self, path: str, title: str, origin: str, chunks: Iterable[bytes]) -> Iterator[tuple[str, Content]]:
        content = MeasuredContent(chunks)
        yield path, content
        self._custody.append(CustodyEntry(path, self._at, "the scheduler", origin, content.sha256))
        self._indexed.append(IndexedFile(path, title, content.size, content.sha256))

    def _about(self) -> dict:
        request, reseller = self._request, self._reseller
        return {
            "reference": request.reference, "provider": settings.PROVIDER_NAME, "requester": request.requester,
            "requester_number": request.requester_number, "requested_on": request.requested_on,
            "due_on": request.due_on, "due_by": str(request.citation), "as_of": self._as_of,
            "reseller": reseller.reference, "company": reseller.account.party.legal_name,
            "reseller_since": reseller.added_at, "key_id": keys.signing_key()[0], "left_out": list(WITHHELD),
        }  # fmt: skip


def _as_table(part: Part, rows: Sequence[Mapping]) -> dict:
    head = [column.replace("_", " ").capitalize() for column in part.columns]
    return {
        "name": part.name, "title": part.title, "head": head,
        "rows": [[_shown(row[column]) for column in part.columns] for row in rows],
    }  # fmt: skip


def _shown(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return f"{str(plain(value)).replace('T', ' ').removesuffix('Z')[:19]} UTC"
    return str(plain(value))
