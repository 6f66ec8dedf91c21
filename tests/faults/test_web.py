"""Gunicorn is killed while it takes in a file of customers from the page; the browser then sends the file again."""

import http.client
import re
import threading
import time

from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from kyc_portal.staff.models import StaffMember
from tests.faults import acts
from tests.faults.conftest import ROUNDS
from tests.faults.processes import free_port, start_web
from tests.faults.test_kills import Told, judge

FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Browser:
    """Somebody who is logged in and sends one form."""

    def __init__(self, user: StaffMember, port: int):
        client = Client()
        client.force_login(user)
        self.cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        self.port, self.address = port, reverse("accounts:import_customers")

    def _ask(self, method: str, body: bytes | None = None, **headers) -> tuple[int, str]:
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            web.request(method, self.address, body, {"Cookie": cookies, **headers})
            answer = web.getresponse()
            for name, value in answer.getheaders():
                if name == "Set-Cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            web.close()

    def send(self, path) -> int:
        """Open the page and send the form with this file; the answer's status, or 0 when the server died over it."""
        try:
            status, page = self._ask("GET")
            assert status == 200, page[:500]
            form = {"csrfmiddlewaretoken": FIELD.search(page)[1]}
            with path.open("rb") as file:
                body = encode_multipart(BOUNDARY, {**form, "file": file})
            status, page = self._ask("POST", body, **{"Content-Type": MULTIPART_CONTENT})
        except (OSError, http.client.HTTPException):
            return 0
        return status


def test_a_file_sent_again_after_the_server_died_is_taken_in_once(folder, chance, begun, administrator_user):
    told, port, act = Told(), free_port(), acts.CustomersImport()
    administrator_user.is_superuser = True
    administrator_user.save(update_fields=["is_superuser"])
    browser = Browser(administrator_user, port)
    web = start_web(folder, 0, port)
    begun.append(web)
    act.prepare(folder)
    since = time.monotonic()
    assert browser.send(act.path) == 200
    lasts = time.monotonic() - since
    judge(act)

    for number in range(1, ROUNDS + 1):
        act.prepare(folder)
        answers: list[int] = []
        sender = threading.Thread(target=lambda: answers.append(browser.send(act.path)))  # noqa: B023 joined below
        sender.start()
        time.sleep(chance.uniform(0, lasts))
        web.kill()
        sender.join()

        told.note(answers == [0], act.look())
        acts.require_whole_trail()
        web = start_web(folder, number, port)
        begun.append(web)
        assert browser.send(act.path) == 200
        judge(act)
    told.say()
