"""Sending to an address somebody named: public ones only, looked up anew, no redirect, never for ever."""

import datetime
import ipaddress
import socket
import ssl
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kyc_portal.api import outgoing
from kyc_portal.api.outgoing import BadAddress, check_url, may_be_reached
from tests.kyc_portal.api.receiver import receiving

NOT_PUBLIC = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:53aa:64c:0:fbfe:8000:ffff",
]  # fmt: skip
send = partial(outgoing.send, body=b"{}", headers={}, seconds=5)


@pytest.fixture
def in_earnest(settings):
    """As in production: nothing goes to this host, and nothing in clear."""
    settings.WEBHOOKS_TO_PLAIN_LOOPBACK = False


@pytest.fixture
def receiver():
    with receiving() as there:
        yield there


def resolving_to(monkeypatch, *addresses):
    """The name has these addresses from now on."""
    entries = [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: entries)


@pytest.fixture
def no_connection(monkeypatch):
    """Fails the test when anything is connected to."""
    tried = []

    def connect(address, timeout):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    return tried


class TestWhereTo:
    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_an_address_that_is_not_public_is_refused(self, in_earnest, address):
        assert not may_be_reached(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::"])
    def test_a_public_one_is_not(self, in_earnest, address):
        assert may_be_reached(address)

    def test_the_tests_reach_this_host_and_no_other(self):
        assert may_be_reached("127.0.0.1") and not may_be_reached("10.0.0.1")

    @pytest.mark.parametrize("addresses", [["10.0.0.5"], ["8.8.8.8", "169.254.169.254"], ["::ffff:127.0.0.1"]])
    def test_a_name_is_judged_by_all_its_addresses_when_something_is_sent(
        self, in_earnest, monkeypatch, no_connection, addresses
    ):
        resolving_to(monkeypatch, *addresses)

        assert send("https://hooks.example.com/").fault == outgoing.NOT_PUBLIC and no_connection == []

    def test_it_goes_to_the_very_address_that_was_looked_at(self, in_earnest, monkeypatch, no_connection):
        resolving_to(monkeypatch, "8.8.8.8")

        assert send("https://hooks.example.com/").fault == outgoing.NO_CONNECTION
        assert no_connection == [("8.8.8.8", 443)]

    def test_a_name_that_is_nowhere_is_no_connection(self, monkeypatch):
        def fail(*args, **named):
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", fail)

        assert send("http://nowhere.example/").fault == outgoing.NO_CONNECTION


class TestAddresses:
    @pytest.mark.parametrize("url", ["https://hooks.example.com/kyc", "https://hooks.example.com:8443/a?b=c"])
    def test_what_may_be_told(self, in_earnest, url):
        assert check_url(url).hostname == "hooks.example.com"

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("http://hooks.example.com/", "must begin with https"),
            ("ftp://hooks.example.com/", "must begin with https"),
            ("file:///etc/passwd", "Write the address like"),
            ("hooks.example.com", "Write the address like"),
            ("https:///path", "Write the address like"),
            ("https://hooks.example.com:99999/", "cannot be read"),
            ("https://[::1/", "cannot be read"),
            ("https://me:secret@hooks.example.com/", "Leave name, password"),
            ("https://hooks.example.com/#x", "Leave name, password"),
            ("https://hooks.example.com/\r\nX: 1", "Write the address like"),
            ("https://hööks.example.com/", "Write the address like"),
            (f"https://hooks.example.com/{'a' * 300}", "at most 300"),
            ("https://127.0.0.1/", "not a public one"),
            ("https://[::1]/", "not a public one"),
            ("https://169.254.169.254/latest", "not a public one"),
        ],
    )
    def test_what_may_not(self, in_earnest, url, sentence):
        with pytest.raises(BadAddress, match=sentence):
            check_url(url)

    @pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
    def test_other_spellings_of_this_host_are_found_when_they_are_looked_up(self, in_earnest, no_connection, host):
        assert send(f"https://{host}/").fault in (outgoing.NOT_PUBLIC, outgoing.NO_CONNECTION)
        assert no_connection == []


class TestAnswers:
    def test_only_the_status_is_read(self, receiver):
        outcome = send(receiver.url)

        assert (outcome.status, outcome.fault, outcome.is_taken_in, outcome.code) == (204, "", True, "204")
        assert receiver.paths == ["/hook"]

    def test_a_redirect_is_not_followed(self, receiver):
        receiver.answers = [302]

        assert (send(receiver.url).status, send(receiver.url).is_taken_in) == (302, False)
        assert receiver.paths == ["/hook", "/hook"]

    def test_a_receiver_that_hangs_is_left(self, receiver):
        receiver.answers = [lambda handler: receiver.over.wait(30)]

        assert send(receiver.url, seconds=0.3).fault == outgoing.TIMEOUT

    def test_a_receiver_that_drips_is_left_too(self, receiver):
        def drip(handler):
            while not receiver.over.wait(0.1):
                handler.wfile.write(b"H")

        receiver.answers = [drip]

        assert send(receiver.url, seconds=0.5).fault == outgoing.TIMEOUT

    @pytest.mark.parametrize("answer", [b"", b"not HTTP at all\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
    def test_what_breaks_off_or_speaks_otherwise_is_no_connection(self, receiver, answer):
        receiver.answers = [lambda handler: handler.wfile.write(answer)]

        assert send(receiver.url).fault == outgoing.NO_CONNECTION

    def test_a_receiver_that_was_killed_is_no_connection(self):
        with receiving() as there:
            url = there.url

        assert send(url).fault == outgoing.NO_CONNECTION


def certificate_for(tmp_path, *names):
    """A certificate of our own making for these names: its file, and the context of a server that shows it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver of the tests")])
    day = datetime.timedelta(days=1)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "certificate.pem"
    shown = built.public_bytes(Encoding.PEM)
    path.write_bytes(shown + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


class TestTls:
    HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))

    def test_a_certificate_that_is_trusted_and_fits_the_name(self, tmp_path, monkeypatch):
        path, context = certificate_for(tmp_path, self.HERE)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))

        with receiving(context) as there:
            assert send(there.url).status == 204

    def test_one_that_nobody_trusts_is_refused(self, tmp_path):
        with receiving(certificate_for(tmp_path, self.HERE)[1]) as there:
            assert (send(there.url).fault, there.got) == (outgoing.TLS, [])

    def test_one_of_another_name_is_refused(self, tmp_path, monkeypatch):
        path, context = certificate_for(tmp_path, x509.DNSName("other.example"))
        monkeypatch.setenv("SSL_CERT_FILE", str(path))

        with receiving(context) as there:
            assert (send(there.url).fault, there.got) == (outgoing.TLS, [])
