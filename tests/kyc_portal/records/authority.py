"""A time-stamping authority of our own: OpenSSL behind a small server on this host, which may also misbehave."""

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed; it is the judge here")

_CONFIG = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
ess_cert_id_alg = sha256
"""
_EXTENSIONS = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")


def openssl(*arguments, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60)


def judged_by_openssl(note: Path, stamp: Path, authority: Path) -> bool:
    """The official judge, as docs/trust.md tells everybody to ask it."""
    done = openssl("ts", "-verify", "-data", note, "-in", stamp, "-CAfile", authority)
    return done.returncode == 0 and "Verification: OK" in done.stdout


def make_authority(folder: Path) -> Path:
    """Keys and certificates of a root and of its authority for time stamps; gives the root's certificate."""
    folder.mkdir()
    (folder / "extensions").write_text(_EXTENSIONS)
    (folder / "serial").write_text("01\n")
    for digests in ("sha256", "sha512"):
        (folder / f"{digests}.cnf").write_text(_CONFIG.format(folder=folder, digests=digests))
    steps = [
        ("req", "-x509", *_NEW_KEY, "ca.key", "-out", "ca.pem", "-subj", f"/CN=Root {folder.name}", "-days", "30"),
        ("req", "-x509", *_NEW_KEY, "tls.key", "-out", "tls.pem", "-subj", "/CN=Server", "-days", "30", "-addext",
         "subjectAltName=IP:127.0.0.1"),
        ("req", *_NEW_KEY, "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Authority"),
        ("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
         "-extfile", "extensions", "-out", "tsa.pem"),
    ]  # fmt: skip
    for step in steps:
        done = openssl(*step, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder / "ca.pem"


class Authority:
    """Answers on a loopback port; `manner` says how, one of the names in `_Handler`."""

    def __init__(self, folder: Path, *, with_tls: bool = False):
        self.folder, self.manner, self.queries = folder, "well", []
        self.root = make_authority(folder)
        self.is_over = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads, self._server.authority = True, self
        if with_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if with_tls else 'http'}://127.0.0.1:{self._server.server_port}/tsr"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stamp(self, query: bytes, *, digests: str = "sha256") -> bytes:
        """What OpenSSL answers to this query; it refuses one whose kind of hash is not among `digests`."""
        with self._lock:  # one file of serial numbers
            (self.folder / "query").write_bytes(query)
            openssl("ts", "-reply", "-config", f"{digests}.cnf", "-queryfile", "query", "-out", "reply", "-section",
                    "ours", cwd=self.folder)  # fmt: skip
            return (self.folder / "reply").read_bytes()


def with_another_imprint(query: bytes) -> bytes:
    """The hash is the one text of 32 bytes in a query."""
    start = query.index(b"\x04\x20") + 2
    return query[:start] + bytes(byte ^ 1 for byte in query[start : start + 32]) + query[start + 32 :]


def with_another_nonce(query: bytes) -> bytes:
    """The nonce is the number that ends before the last three bytes, which ask for certificates."""
    assert query.endswith(b"\x01\x01\xff")
    return query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        authority = self.server.authority
        query = self.rfile.read(int(self.headers["Content-Length"]))
        authority.queries.append(query)
        getattr(self, authority.manner)(authority, query)

    def well(self, authority, query):
        self._answer(authority.stamp(query))

    def answers_an_error(self, authority, query):
        self._answer(b"told in confidence", status=500)

    def refuses(self, authority, query):
        self._answer(authority.stamp(query, digests="sha512"))

    def answers_garbage(self, authority, query):
        self._answer(b"<html>told in confidence</html>")

    def answers_nothing(self, authority, query):
        self._answer(b"")

    def hangs_up(self, authority, query):
        self.close_connection = True

    def speaks_no_http(self, authority, query):
        self.wfile.write(b"told in confidence\r\n\r\n")

    def stamps_another_imprint(self, authority, query):
        self._answer(authority.stamp(with_another_imprint(query)))

    def stamps_another_nonce(self, authority, query):
        self._answer(authority.stamp(with_another_nonce(query)))

    def redirects(self, authority, query):
        authority.manner = "well"
        self._answer(b"", status=307, Location=authority.url)

    def says_too_much(self, authority, query):
        self._answer(authority.stamp(query) + b"x" * 200_000)

    def hangs(self, authority, query):
        authority.is_over.wait(30)

    def drips(self, authority, query):
        self.send_response(200)
        self.end_headers()
        while not authority.is_over.wait(0.05):
            self.wfile.write(b"x")

    def handle(self):
        try:
            super().handle()
        except OSError:
            return  # whoever asked has hung up, as it should

    def _answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/timestamp-reply", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        return
