"""Another system that is told of changes: a real server on this host, which answers as a test says."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """What was received, and what is answered next: a status, or a function of the handler; the last one stays."""

    def __init__(self, port: int, scheme: str = "http"):
        self.url = f"{scheme}://127.0.0.1:{port}/hook"
        self.got: list[tuple[dict, bytes]] = []
        self.answers: list = [204]
        self.over = threading.Event()

    @property
    def paths(self) -> list[str]:
        return [headers[":path"] for headers, _ in self.got]


@contextlib.contextmanager
def receiving(context=None):
    """A receiver, over TLS when a context is given; nothing of it is left afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append((told | {":path": self.path}, body))
            answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            if callable(answer):
                return answer(self)
            self.send_response(answer)
            self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *args):
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_address[1], "https" if context else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
