"""Every address of a reseller manager's pages, walked by A's manager with references of B (R55, trust.md TH1, TH2).

What is in the table below is found out from the list of addresses: a new address without a row fails here.
"""

import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.policy_table import PAGES
from resellers import urls
from resellers.flows import attestation, findings, messages, onboarding, roster_files, sampling
from resellers.models import Reseller
from tests.builders import make_downstream, make_entry, make_reseller
from tests.conftest import NOON, one_world, person
from tests.resellers.signing import Signer

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("every page")]  # one world in one process
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
ROUTES = {pattern.name: ARGUMENT.findall(str(pattern.pattern)) for pattern in urls.urlpatterns}
NEVER = "XXX-2222-2222"


def finding_of(reseller: Reseller):
    return findings.record_finding(
        reseller, kind="no_cip", source="sample", evidence="Canaryevidence", demand="Canarydemand",
        knowledge_at=NOON, by=person("hans", "reseller desk").as_actor, at=NOON,
    )  # fmt: skip


def message_to(reseller: Reseller):
    desk = person("hedda", "reseller desk").as_actor
    return messages.send(reseller, subject_line="Canaryletter", text="Canarywords", by=desk, at=NOON)


def entry_of(reseller: Reseller):
    return make_entry(reseller, "CANARY-7", name="Canarytenant")


def file_of(reseller: Reseller):
    desk = person("hilda", "reseller desk").as_actor
    return roster_files.receive(
        reseller, file=io.BytesIO(b"customer_number,name\nCANARY-9,Canaryname\n"), file_name="canaryfile.csv",
        extent="part", by=desk, at=NOON,
    )  # fmt: skip


def certification_of(reseller: Reseller):
    signer = Signer(reseller, reseller.managers.first())
    return signer.certify(make_entry(reseller, "CANARY-4", name="Canarycertified"))


def attestation_of(reseller: Reseller):
    attestation.open_due(on=NOON.date() + timedelta(days=366), by=SCHEDULER, at=NOON)
    return reseller.attestations.get()


def sample_of(reseller: Reseller):
    make_entry(reseller, "CANARY-5", name="Canarysampled")
    return sampling.draw(reseller, by=person("hugo", "reseller desk").as_actor, at=NOON)


# What an address with an argument speaks of: makes one of this reseller's.
RECORDS = {
    "cip": lambda reseller: reseller,
    "customer": entry_of,
    "finding": finding_of,
    "message": message_to,
    "upload": file_of,
    "bad_rows": file_of,
    "certified": certification_of,
    "attestation": attestation_of,
    "sample": sample_of,
    "sampled": lambda reseller: sample_of(reseller).files.first(),
}
NO_RECORD = {"template"}  # its argument is the kind of table, the same for everybody
WITH_RECORD = sorted(name for name, arguments in ROUTES.items() if arguments and name not in NO_RECORD)
WITHOUT = sorted(name for name, arguments in ROUTES.items() if not arguments)
METHODS = ("get", "head", "post")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """The keys of A and of B, each with a manager and a customer; made once for all tests here."""
    with one_world(django_db_blocker):
        desk = person("rolf", "reseller desk").as_actor
        own, other = make_reseller(legal_name="Own Reseller"), make_reseller(legal_name="Canaryreseller Ltd")
        onboarding.bind_manager(own, user=person("remy", "reseller manager"), by=desk, at=NOON)
        onboarding.bind_manager(other, user=person("rosso", "reseller manager"), by=desk, at=NOON)
        make_downstream(own, legal_name="Own customer")
        make_downstream(other, legal_name="Canaryperson")
        yield own.pk, other.pk


@pytest.fixture
def two(client, world, db):
    """A, whose manager is logged in, and B."""
    own, other = (Reseller.objects.get(pk=key) for key in world)
    client.force_login(own.managers.get().user)
    return own, other


def what_is_said(answer, reference: str) -> str:
    """Everything of the answer but the reference that was asked for and what is random in each."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = re.sub(r'(nonce|csrfmiddlewaretoken)[^>]*"', "", body.decode().replace(reference, "REFERENCE"))
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "Expires")  # the moment
    return f"{answer.status_code} {headers} {text}"


def test_each_address_with_an_argument_has_a_row_here_and_in_the_policy():
    assert set(RECORDS) == set(WITH_RECORD)
    assert {f"resellers:{name}" for name in ROUTES} <= set(PAGES)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", WITH_RECORD)
def test_what_is_anothers_is_the_same_as_what_never_was(client, two, name, method):
    _, other = two
    theirs = RECORDS[name](other)
    send = getattr(client, method)

    answer = send(reverse(f"resellers:{name}", args=[theirs.reference]), {"text": "x", "plan": "x", "title": "x"})
    never = send(reverse(f"resellers:{name}", args=[NEVER]), {"text": "x", "plan": "x", "title": "x"})

    wanted = 405 if method.upper() not in PAGES[f"resellers:{name}"].methods else 404
    assert answer.status_code == never.status_code == wanted
    assert what_is_said(answer, theirs.reference) == what_is_said(never, NEVER)


@pytest.mark.parametrize("name", WITH_RECORD)
def test_what_is_ones_own_is_there(client, two, name):
    """The test above proves nothing if the address led nowhere."""
    record = RECORDS[name](two[0])

    assert client.get(reverse(f"resellers:{name}", args=[record.reference])).status_code == 200


@pytest.mark.parametrize("name", WITHOUT)
def test_no_list_holds_a_word_of_another(client, two, name):
    own, other = two
    theirs = {kind: RECORDS[kind](other) for kind in sorted(set(RECORDS) - {"bad_rows", "sampled"})}

    for query in ({}, {"reseller": own.reference}, {"page": "1"}, {"after": theirs["customer"].reference}):
        answer = client.get(reverse(f"resellers:{name}"), query)
        text = what_is_said(answer, "")
        assert answer.status_code in (200, 404)
        assert "canary" not in text.lower() and other.reference not in text


@pytest.mark.parametrize("name", sorted(set(ROUTES) - NO_RECORD))
def test_after_the_binding_ended_nothing_is_there(client, two, name):
    own, _ = two
    record = RECORDS[name](own) if name in RECORDS else None
    onboarding.end_binding(own.managers.get(), by=person("ruth", "reseller desk").as_actor, at=NOON)

    answer = client.get(reverse(f"resellers:{name}", args=[record.reference] if record else []))

    assert answer.status_code == (404 if record else 200)
    assert "Own customer" not in what_is_said(answer, "") and own.reference not in what_is_said(answer, "")
