"""Access logs in, batch by batch, and the lines of a batch that could not be used out again (docs/integration.md)."""

import re
from pathlib import Path
from tempfile import SpooledTemporaryFile

from django.conf import settings
from django.urls import reverse

from accounts.flows import access_log
from accounts.flows.access_delivery import BadLines
from accounts.formats.access_formats import AUTO, FORMATS, MAPPED
from accounts.formats.mapped_log import MappedReader, reader_from
from accounts.formats.text import shown
from accounts.models import AccessBatch, Account
from kyc_portal.api.bodies import CHUNK, receive_packed
from kyc_portal.api.endpoints import endpoint, parameters
from kyc_portal.api.models import ApiKey
from kyc_portal.api.pressure import place_of
from kyc_portal.api.problems import WORDS, Problem
from kyc_portal.records import audit
from kyc_portal.records.verbs import Verb

GZIP, TABLE = "application/gzip", "text/csv"
LINES = ("application/jsonl", "application/x-ndjson")
JSON = ("application/json", *LINES, GZIP)
TYPES = {
    **dict.fromkeys(FORMATS, JSON),
    **dict.fromkeys((AUTO, MAPPED), (*JSON, TABLE)),
    "cloudtrail": ("application/json", GZIP),
    "csv": (TABLE, GZIP),
    "jsonl": (*LINES, GZIP),
}
PARAMETERS = {"account", "file", "keep_good_rows", "mapping"}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PAGE = 1_000
LONGEST_NUMBER = 18
REFERENCE = re.compile(r"LOG(-[0-9A-Z]{4}){2,3}")


@endpoint("POST", scope="access_logs.write")
def hand_in(request, key, at, format):
    """Take in one file of access records, of one account or of those its lines name; the same again changes nothing."""
    if format not in TYPES:
        raise Problem(404, f"There is no log format “{shown(format)}”. Known formats: {', '.join(sorted(TYPES))}.")
    if request.content_type not in TYPES[format]:
        raise Problem(415, f"Send {format} as {' or '.join(TYPES[format])}.")
    wanted = parameters(request, PARAMETERS)
    if wanted.get("keep_good_rows", "true") not in ("true", "false"):
        raise Problem(400, "keep_good_rows is true or false.")
    account, reader = _account_of(wanted), _reader_of(format, wanted)

    with place_of(key, at), SpooledTemporaryFile(max_size=CHUNK) as file:
        receive_packed(request, file, settings.API_MAX_BYTES)
        try:
            batch = access_log.import_access_lines(
                account, file, format=format, file_name=wanted.get("file", f"Body of {key.reference}"),
                keep_good_rows=wanted.get("keep_good_rows") == "true", encoding=request.content_params.get("charset"),
                reader=reader, by=key.as_actor, at=at,
            )  # fmt: skip
        except BadLines as refusal:
            lines = [{"line": bad.line, "reason": bad.reason} for bad in refusal.first]
            raise Problem(400, refusal.told(WORDS), also={"bad_lines": lines}) from None
    told = {
        "batch": batch.reference,
        "format": batch.format,
        "read": batch.read_count,
        "new": batch.new_count,
        "known": batch.known_count,
        "waiting": batch.waiting_count,
        "refused": batch.refused_count,
        "refused_lines": _path_of(batch) if batch.refused_count else None,
        "is_repeat": batch.is_repeat,
    }
    return 200 if batch.is_repeat else 201, told


@endpoint("GET", scope="access_logs.write")
def refused_lines(request, key, at, reference):
    """The lines of a batch that could not be used, as they were sent, to be mended and sent again.

    Only of batches that a key of the same owner handed in, and that are of no account or of one this owner may see.
    """
    after = parameters(request, {"after"}).get("after", "0")
    if not after.isascii() or not after.isdecimal() or len(after) > LONGEST_NUMBER:
        raise Problem(400, "after is what stands in the address of the next page. Ask for that address.")
    own_keys = ApiKey.objects.filter(owner=key.owner).values("reference")
    rows = AccessBatch.objects.filter(reference=reference, imported_by__in=own_keys)
    batch = rows.first() if REFERENCE.fullmatch(reference) else None
    if batch is None or not _may_see(key, batch):
        raise Problem(404, "No key of this owner handed in a batch of this reference.")
    rows = list(batch.refused_lines.filter(pk__gt=int(after)).order_by("pk")[: PAGE + 1])
    audit.record_view(batch, by=key.as_actor, at=at, verb=Verb.LINES_FETCHED)
    told = {
        "batch": batch.reference,
        "refused": batch.refused_count,
        "lines": [{"line": row.line, "reason": row.reason, "content": row.content} for row in rows[:PAGE]],
        "next": f"{_path_of(batch)}?after={rows[PAGE - 1].pk}" if len(rows) > PAGE else None,
    }
    return 200, told


def _account_of(wanted: dict[str, str]) -> Account | None:
    if "account" not in wanted:
        return None
    account = Account.objects.filter(reference=wanted["account"].upper()).first()
    if account is None:
        raise Problem(404, "No account has this reference. Name one as ?account=ACC-…, or none if each line does.")
    return account


def _reader_of(format: str, wanted: dict[str, str]) -> MappedReader | None:
    """What reads a log by a mapping that the operator of the portal put into its folder."""
    if (format == MAPPED) != ("mapping" in wanted):
        raise Problem(400, f"Name a mapping as ?mapping=NAME for the format {MAPPED}, and for no other.")
    if format != MAPPED:
        return None
    path = Path(settings.ACCESS_MAPPINGS_DIR) / f"{wanted['mapping']}.json"
    if not settings.ACCESS_MAPPINGS_DIR or not NAME.fullmatch(wanted["mapping"]) or not path.is_file():
        raise Problem(404, "There is no mapping of this name. Ask whoever runs the portal for one.")
    return reader_from(path)


def _may_see(key: ApiKey, batch: AccessBatch) -> bool:
    return batch.account_id is None or Account.objects.visible_to(key.owner).filter(pk=batch.account_id).exists()


def _path_of(batch: AccessBatch) -> str:
    return reverse("api:refused-lines", args=[batch.reference])
