"""Version 1 of the API (docs/integration.md): who am I, abuse reports in, what is missing, checkpoints."""

from tempfile import SpooledTemporaryFile

from django.conf import settings

from accounts.flows.account_file import AccountFile
from accounts.flows.completeness import missing_in
from accounts.models import Account
from accounts.rules.ownership import TooTangled
from cases.flows import abuse_reports
from cases.rules.reports import Door
from kyc_portal.api.access import REFERENCE
from kyc_portal.api.bodies import CHUNK, receive
from kyc_portal.api.endpoints import endpoint
from kyc_portal.api.problems import Problem
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditCheckpoint


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
        receive(request, file, settings.ABUSE_REPORT_MAX_BYTES)
        file.seek(0)
        outcome = abuse_reports.take_in(file.read(), door=Door.API, by=key.as_actor, at=at)
    told = {"report": outcome.report.reference, "is_repeat": not outcome.is_new}
    return 201 if outcome.is_new else 200, told


@endpoint("GET", scope="accounts.read")
def missing(request, key, at, reference):
    """What the regime of today still asks for of one customer and its foreign owners (R8-R17, R20-R22)."""
    rows = Account.objects.visible_to(key.owner).select_related("party").filter(reference=reference)
    account = rows.first() if REFERENCE.fullmatch(reference) else None
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
