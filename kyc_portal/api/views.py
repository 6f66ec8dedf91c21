"""Version 1 of the API (docs/integration.md): who am I, logs and abuse reports in, what is missing, checkpoints."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from django.conf import settings
from django.http import UnreadablePostError

from accounts.flows import access_log
from accounts.flows.account_file import AccountFile
from accounts.flows.completeness import missing_in
from accounts.formats.text import shown
from accounts.models import Account
from accounts.rules.ownership import TooTangled
from cases.flows import abuse_reports
from cases.rules.reports import Door
from kyc_portal.api.endpoints import endpoint, parameters
from kyc_portal.api.problems import Problem
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditCheckpoint

CHUNK = 1 << 20
TYPES = {
    "jsonl": ("application/jsonl", "application/x-ndjson"),
    "csv": ("text/csv",),
    "cloudtrail": ("application/json", "application/gzip"),
}
PARAMETERS = {"account", "file", "keep_good_rows"}
BROKEN_OFF = Problem(400, "The body broke off before its announced end. Send it again.")


@endpoint("GET")
def whoami(request, key, at):
    """The key itself: what it may do, and until when."""
    told = {
        "key": key.reference,
        "name": key.name,
        "owner": key.owner.username,
        "scopes": key.scopes,
        "networks": key.networks,
        "expires_at": key.expires_at.isoformat(),
    }
    return 200, told


@endpoint("GET", scope="audit.read")
def checkpoint(request, key, at):
    """The newest signed checkpoint, for a witness that comes and asks."""
    newest = AuditCheckpoint.objects.order_by("-number").first()
    if newest is None:
        raise Problem(404, "Nothing is sealed yet.")
    return 200, {"size": newest.size, "note": newest.note}


@endpoint("POST", scope="access_logs.write")
def access_logs(request, key, at, format):
    """Take in one file of access records of one account; the same file again changes nothing."""
    if format not in TYPES:
        raise Problem(404, f"There is no log format “{shown(format)}”. Known formats: {', '.join(TYPES)}.")
    if request.content_type not in TYPES[format]:
        raise Problem(415, f"Send {format} as {' or '.join(TYPES[format])}.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the body without a content encoding.")
    wanted = _parameters(request)
    account = Account.objects.filter(reference=wanted.get("account", "")).first()
    if account is None:
        raise Problem(404, "No account has this reference. Name one as ?account=ACC-….")

    with SpooledTemporaryFile(max_size=CHUNK) as file:
        _receive(request, file, settings.API_MAX_BYTES)
        batch = access_log.import_access_lines(
            account, file, format=format, file_name=wanted.get("file", f"{key.reference}.{format}"),
            keep_good_rows=wanted.get("keep_good_rows") == "true", encoding=request.content_params.get("charset"),
            by=key.as_actor, at=at,
        )  # fmt: skip
    told = {
        "batch": batch.reference,
        "read": batch.read_count,
        "new": batch.new_count,
        "known": batch.known_count,
        "refused": batch.refused_count,
        "is_repeat": batch.is_repeat,
    }
    return 200 if batch.is_repeat else 201, told


@endpoint("POST", scope="abuse_reports.write")
def abuse_report(request, key, at):
    """Take in one XARF report; the same again changes nothing. The answer tells nothing of any customer."""
    if request.content_type != "application/json":
        raise Problem(415, "Send one XARF report as application/json.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the body without a content encoding.")
    if request.GET:
        raise Problem(400, "This address takes no parameters.")
    with SpooledTemporaryFile(max_size=CHUNK) as file:
        _receive(request, file, settings.ABUSE_REPORT_MAX_BYTES)
        file.seek(0)
        outcome = abuse_reports.take_in(file.read(), door=Door.API, by=key.as_actor, at=at)
    told = {"report": outcome.report.reference, "is_repeat": not outcome.is_new}
    return 201 if outcome.is_new else 200, told


@endpoint("GET", scope="accounts.read")
def missing(request, key, at, reference):
    """What the regime of today still asks for of one customer and its foreign owners (R8-R17, R20-R22)."""
    account = Account.objects.visible_to(key.owner).select_related("party").filter(reference=reference).first()
    if account is None:
        raise Problem(404, "No account has this reference.")
    file = AccountFile(account, legal_day(at))
    try:
        gaps = () if account.has_ended else missing_in(file)
    except TooTangled as refusal:
        raise Problem(409, str(refusal)) from None
    told = {
        "account": account.reference,
        "state": account.status,
        "as_of": file.on.isoformat(),
        "regime": file.regime.label,
        "missing": [{"code": gap.code, "sentence": gap.sentence, "owner": gap.owner or None} for gap in gaps],
    }
    return 200, told


def _parameters(request) -> dict[str, str]:
    found = parameters(request, PARAMETERS)
    if found.get("keep_good_rows", "true") not in ("true", "false"):
        raise Problem(400, "keep_good_rows is true or false.")
    return found


def _receive(request, file: BinaryIO, most: int) -> None:
    """Copy the body piece by piece. No more than was announced is read, and less is not taken for the whole."""
    announced = request.META.get("CONTENT_LENGTH", "")
    if not announced.isdecimal():
        raise Problem(411, "Say how long the body is, in the header Content-Length.")
    if int(announced) > most:
        raise Problem(413, f"The body is larger than {most:,} bytes. Send smaller files.")
    try:
        while piece := request.read(CHUNK):
            file.write(piece)
    except UnreadablePostError:
        raise BROKEN_OFF from None
    if file.tell() != int(announced):
        raise BROKEN_OFF
