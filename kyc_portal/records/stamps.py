"""Time stamps over checkpoints by a third party, RFC 3161 (trust.md, “Time stamps”).

The authority learns a hash and nothing else. A stamp says that the checkpoint, and so everything sealed before it, was
there at the time the authority names. The package rfc3161-client is wanted only where a stamp is asked for or checked.
"""

import http.client
import importlib
import importlib.util
import ipaddress
import os
import ssl
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from urllib import error, request
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from django.conf import settings

from kyc_portal.records.models import AuditCheckpoint, CheckpointStamp

TIMEOUT = 10.0  # seconds for each step of a connection, and for the whole answer
MOST_BYTES = 64 * 1024  # of an answer; one with its certificates has about six thousand
PAGE = 500
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED = 0


class NoStamp(Exception):
    """The authority gave no stamp that fits; says why in words of our own, never in the authority's."""


def is_installed() -> bool:
    """Whether the package that reads stamps is there."""
    return importlib.util.find_spec("rfc3161_client") is not None


def _library():
    """The optional package, loaded by those processes only that ask for a stamp or check one."""
    return importlib.import_module("rfc3161_client")


def obtain(url: str, note: str) -> CheckpointStamp:
    """Have the authority stamp a checkpoint, and keep the stamp; raises NoStamp, and OSError when it is out of reach.

    Call it outside of a transaction.
    """
    token = obtain_over(url, note.encode())
    told = _read(token)
    size, host = int(note.split("\n")[1]), urlsplit(url).hostname
    return CheckpointStamp.objects.create(size=size, authority=host, token=token, stamped_at=told.tst_info.gen_time)


def obtain_over(url: str, message: bytes) -> bytes:
    """The authority's answer over these bytes, of which it learns the SHA-256 only.

    Raises NoStamp, and OSError when it is out of reach. Call it outside of a transaction.
    """
    if not is_installed():
        raise NoStamp("the package rfc3161-client is missing")
    try:
        trusted = authorities() if settings.STAMP_CA else []
    except (OSError, ValueError):
        raise NoStamp("KYC_STAMP_CA cannot be read") from None
    library = _library()
    asked = library.TimestampRequestBuilder(message, library.HashAlgorithm.SHA256, nonce=True, cert_req=True)
    query = asked.build()
    token = _post(url, query.as_bytes())
    told = _read(token)
    if (what := _fault_of_imprint(told, message)) is not None:
        raise NoStamp(what)
    if told.tst_info.nonce != query.nonce:
        raise NoStamp("the stamp answers another question")
    if trusted and not _is_signed(told, message, trusted):
        raise NoStamp("no authority of KYC_STAMP_CA signed the stamp")
    return token


# --- Asking -----------------------------------------------------------------------------------------------------------


def _post(url: str, query: bytes) -> bytes:
    """The authority's answer; https only, no redirect is followed, and neither size nor time is the its choice."""
    if _fault_of_address(url):
        raise NoStamp("the address cannot be used")
    asked = request.Request(url, query, {"Content-Type": "application/timestamp-query"})  # noqa: S310, judged above
    try:
        with _opener(is_plain=not url.startswith("https:")).open(asked, timeout=TIMEOUT) as answer:
            return _read_within_limits(answer)
    except error.HTTPError as refused:
        refused.close()
        raise NoStamp(f"it answers with the status {refused.code}") from None
    except http.client.HTTPException:
        raise NoStamp("it gives no whole HTTP answer") from None


def _opener(*, is_plain: bool) -> request.OpenerDirector:
    """Only what is needed, so no handler for redirects, files or FTP."""
    opener = request.OpenerDirector()
    handlers = [request.ProxyHandler(), request.HTTPSHandler(context=ssl.create_default_context())]
    if is_plain:
        handlers = [request.HTTPHandler()]
    for handler in (*handlers, request.HTTPDefaultErrorHandler(), request.HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


def _read_within_limits(answer: http.client.HTTPResponse) -> bytes:
    """Piece by piece, because the timeout of a connection begins anew with each byte."""
    end, read = time.monotonic() + TIMEOUT, b""
    while piece := answer.read1(MOST_BYTES):
        read += piece
        if len(read) > MOST_BYTES:
            raise NoStamp("its answer is too large")
        if time.monotonic() > end:
            raise TimeoutError("The answer took too long.")
    return read


# --- Judging ----------------------------------------------------------------------------------------------------------


def _read(token: bytes):
    """The stamp, granted and with a token in it; raises NoStamp."""
    try:
        told = _library().decode_timestamp_response(token)
        if told.status == _GRANTED:
            told.tst_info.gen_time  # noqa: B018, raises here what is missing
    except ValueError:
        raise NoStamp("its answer cannot be read as a stamp") from None
    if told.status != _GRANTED:
        raise NoStamp(f"it does not grant a stamp (PKI status {int(told.status)})")
    return told


def _fault_of_imprint(told, message: bytes) -> str | None:
    imprint = told.tst_info.message_imprint
    if imprint.hash_algorithm == _SHA256 and imprint.message == sha256(message).digest():
        return None
    return "the stamp is over something else"


def authorities() -> list[x509.Certificate]:
    """The certificates KYC_STAMP_CA names; raises OSError or ValueError when there are none to read."""
    return list(dict.fromkeys(x509.load_pem_x509_certificates(Path(settings.STAMP_CA).read_bytes())))


def _is_signed(told, message: bytes, trusted: Sequence[x509.Certificate]) -> bool:
    """Whether one of these authorities signed it, with a certificate for time stamps valid at the stamp's own time."""
    library = _library()
    try:
        return library.VerifierBuilder(roots=list(trusted)).build().verify_message(told, message)
    except (library.VerificationError, ValueError):
        return False


def faults() -> Iterator[str]:
    """For the check of the trail: each stored stamp that does not fit its checkpoint, or whose signature fails.

    Says nothing without the package; see `unchecked`. Raises OSError or ValueError when KYC_STAMP_CA cannot be read.
    """
    if not is_installed():
        return
    trusted = authorities() if settings.STAMP_CA else []
    for stamp, note in _stored():
        what = _fault_of(stamp, note, trusted)
        if what is not None:
            yield f"The time stamp of {stamp.authority} over the checkpoint of size {stamp.size}: {what}."


def _fault_of(stamp: CheckpointStamp, note: str | None, trusted: Sequence[x509.Certificate]) -> str | None:
    if note is None:
        return "that checkpoint is not there"
    try:
        told = _read(bytes(stamp.token))
    except NoStamp as fault:
        return str(fault)
    if (what := _fault_of_imprint(told, note.encode())) is not None:
        return what
    if told.tst_info.gen_time != stamp.stamped_at:
        return "its column names another time than the stamp"
    if trusted and not _is_signed(told, note.encode(), trusted):
        return "no authority of KYC_STAMP_CA signed it"
    return None


def _stored() -> Iterator[tuple[CheckpointStamp, str | None]]:
    """Each stamp with the note of its checkpoint, a page at a time."""
    last = 0
    while page := list(CheckpointStamp.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        sizes = [stamp.size for stamp in page]
        notes = dict(AuditCheckpoint.objects.filter(size__in=sizes).values_list("size", "note"))
        yield from ((stamp, notes.get(stamp.size)) for stamp in page)
        last = page[-1].pk


def unchecked() -> int:
    """How many stamps the check had to pass over, because the package that reads them is missing."""
    return 0 if is_installed() else CheckpointStamp.objects.count()


def write_to(folder: Path) -> int:
    """Write each stamp and its note into a new folder, as `openssl ts -verify` wants them; returns how many stamps.

    Raises OSError.
    """
    folder.mkdir(mode=0o700)
    count = 0
    for stamp, note in _stored():
        name = f"stamp-{stamp.size}"
        if (folder / f"{name}.tsr").exists():  # another authority's, or one from before a restored backup
            name = f"{name}-{stamp.pk}"
        _write_new(folder / f"{name}.tsr", bytes(stamp.token))
        place = folder / f"note-{stamp.size}.txt"
        if note is not None and not place.exists():
            _write_new(place, note.encode())
        count += 1
    return count


def _write_new(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


# --- Settings ---------------------------------------------------------------------------------------------------------


def faults_of_settings(witnesses: Sequence[str], *, bundles: str = "") -> Iterator[tuple[str, str]]:
    """What is wrong with what is set for stamps, as (what is wrong, what to do); nothing when none are asked for.

    `bundles` is the address of the authority that stamps bundles, if any.
    """
    if bundles and not is_installed():
        what = "KYC_BUNDLE_STAMP_URL asks for time stamps, but the package rfc3161-client is not installed."
        yield what, "Install the extra `timestamps`, or leave KYC_BUNDLE_STAMP_URL out."
    if bundles and (what := _fault_of_address(bundles)):
        yield f"KYC_BUNDLE_STAMP_URL: the authority for time stamps {what}.", "Name it as https://host/path."
    urls = [witness.partition(":")[2] for witness in witnesses if witness.startswith("stamp:")]
    if urls and not is_installed():
        what = "KYC_WITNESSES asks for time stamps, but the package rfc3161-client is not installed."
        yield what, "Install the extra `timestamps`, or take `stamp:` out of KYC_WITNESSES."
    for url in urls:
        if what := _fault_of_address(url):
            yield f"KYC_WITNESSES: the authority for time stamps {what}.", "Name it as stamp:https://host/path."
    if (urls or bundles) and settings.STAMP_CA:
        try:
            authorities()
        except (OSError, ValueError):
            what = "KYC_STAMP_CA names no file with certificates in PEM form."
            yield what, "Set KYC_STAMP_CA to the authority's root certificates, or leave it out."


def _fault_of_address(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018, raises for a port that is none
    except ValueError:
        return "has an address that cannot be read"
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        return "has an address that cannot be read"
    if parts.username is not None or parts.fragment:
        return "has an address with a name, password or fragment"
    if parts.scheme == "https" or (settings.STAMPS_FROM_PLAIN_LOOPBACK and _is_plain_loopback(parts)):
        return None
    return "is not reached by https"


def _is_plain_loopback(parts: SplitResult) -> bool:
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
