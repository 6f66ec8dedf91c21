"""Send one signed message to an address somebody named, without being led to where they could not reach themselves.

The name is looked up anew for each message, every address it has must be a public one, and the connection goes to the
very address that was looked at. Redirects are not followed; of the answer only the status is read.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from kyc_portal.refusal import Refusal

LONGEST = 300
TIMEOUT, NO_CONNECTION, NOT_PUBLIC, TLS = "timeout", "no_connection", "address_not_public", "tls"
NOT_REACHED = (TIMEOUT, NO_CONNECTION)  # the receiver as a whole is not there, whatever is sent


class BadAddress(Refusal):
    """The address cannot be one that is told of changes."""


class _NotPublic(Exception):
    """A name has an address that is not a public one."""


@dataclass(frozen=True)
class Outcome:
    """What came of one try: the receiver's HTTP status, or a fault in its place; and how long it took."""

    status: int | None
    fault: str
    milliseconds: int

    @property
    def is_taken_in(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The status or the fault, as the trail names it."""
        return self.fault or str(self.status)


def check_url(url: str) -> SplitResult:
    """The parts of an address that may be told of changes. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018, raises for a port that is none
    except ValueError:
        raise BadAddress("The address cannot be read. Write it like https://hooks.example.com/kyc.") from None
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or not parts.hostname:
        raise BadAddress(f"Write the address like https://hooks.example.com/kyc, with at most {LONGEST} characters.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadAddress("Leave name, password and fragment out of the address. The signature proves who sends.")
    if parts.scheme != "https" and not (settings.WEBHOOKS_TO_PLAIN_LOOPBACK and parts.scheme == "http"):
        raise BadAddress("The address must begin with https://, because the messages tell of customers' accounts.")
    with suppress(ValueError):  # a name: it is looked up when something is sent
        if not may_be_reached(str(ipaddress.ip_address(parts.hostname))):
            raise BadAddress("This address is not a public one. Name one that is reached from everywhere.")
    return parts


def may_be_reached(address: str) -> bool:
    """Whether messages may go to this IP address: public, and so is every address hidden within it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and (hidden := ip.ipv4_mapped or ip.sixtofour):
        return may_be_reached(str(hidden))
    if settings.WEBHOOKS_TO_PLAIN_LOOPBACK and ip.is_loopback:
        return True
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def send(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Outcome:
    """POST the body and say what came of it; never takes much longer than `seconds`, the look-up of the name apart."""
    begun = time.monotonic()
    status, fault = None, ""
    try:
        status = _status_of(check_url(url), body, headers, seconds)
    except (_NotPublic, BadAddress):
        fault = NOT_PUBLIC
    except TimeoutError:
        fault = TIMEOUT
    except ssl.SSLError:
        fault = TLS
    except (OSError, http.client.HTTPException, UnicodeError):
        fault = NO_CONNECTION
    return Outcome(status, fault, int((time.monotonic() - begun) * 1000))


def _status_of(parts: SplitResult, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(entry[4][0] for entry in found))
    if not all(may_be_reached(address) for address in addresses):
        raise _NotPublic
    connection = _Pinned(addresses[0], parts, port, seconds)
    is_late = threading.Event()

    def cut_off():
        """A receiver that drips a byte now and then would outlast every timeout of the socket."""
        is_late.set()
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, cut_off)
    watch.daemon = True
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers={**headers, "Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        if is_late.is_set():
            raise TimeoutError from None
        raise
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one address that was looked at, under the name it was looked up by."""

    def __init__(self, address: str, parts: SplitResult, port: int, seconds: float):
        super().__init__(parts.hostname, port, timeout=seconds)
        self.address, self.has_tls = address, parts.scheme == "https"
        self.default_port = 443 if self.has_tls else 80

    def connect(self):
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.has_tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
