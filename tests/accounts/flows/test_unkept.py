"""SSH keys and registration devices tie customers; only their fingerprints are kept (R106, trust.md section 3 E)."""

import io

import pytest
from django.apps import apps
from django.db import models

from accounts.flows import customer_files, links
from accounts.flows.texts import BadField
from accounts.models import Account, Party
from accounts.rules.numbers import BadSshKey
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.rules.test_ssh_keys import KEY, PRINT
from tests.builders import make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DEVICE = "device-5b1c9f0a77"


def kinds_of(party: Party) -> set[str]:
    return set(party.identifiers.values_list("kind", flat=True))


def test_two_spellings_of_one_key_tie_two_customers():
    one, other = make_party(ssh_keys=(f"{KEY} eve@laptop",)), make_party(ssh_keys=(PRINT,))

    [found] = links.find_links(one)

    assert (found.party, found.sentence) == (other, "They share the same SSH key.")


def test_one_device_ties_two_customers():
    one, other = make_party(devices=(DEVICE,)), make_party(devices=(f"  {DEVICE}  ",))

    assert [found.party for found in links.find_links(one)] == [other]


def test_neither_is_kept_anywhere():
    make_party(ssh_keys=(KEY,), devices=(DEVICE,))

    texts = (models.CharField, models.TextField, models.JSONField)
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, texts):
                for value in model._base_manager.values_list(field.name, flat=True):
                    assert DEVICE not in str(value) and PRINT not in str(value) and KEY not in str(value)


@pytest.mark.parametrize(
    ("given", "refusal", "sentence"),
    [
        ({"ssh_keys": ("-----BEGIN OPENSSH PRIVATE KEY-----",)}, BadSshKey, "This is a private key"),
        ({"ssh_keys": ("ssh-rsa",)}, BadSshKey, "This is no SSH public key"),
        ({"devices": ("4242",)}, BadField, "fewer than 8 characters"),
        ({"devices": tuple(f"device-{number:04}" for number in range(51))}, BadField, "more than 50"),
    ],
)
def test_what_is_none_is_refused_and_nothing_is_written(given, refusal, sentence):
    with pytest.raises(refusal, match=sentence):
        make_party(**given)
    assert not Party.objects.exists()


def test_they_come_in_a_file_of_customers():
    rows = f'kind,legal_name,ssh_keys,devices\nindividual,Eve Example,"{KEY} eve | {PRINT}",{DEVICE}\n'
    told = take_in(rows)

    party = Party.objects.get(legal_name="Eve Example")
    assert told.new == 1 and kinds_of(party) == {"ssh_key", "device"}
    assert party.identifiers.filter(kind="ssh_key").count() == 1


def test_a_bad_key_refuses_its_row_alone():
    told = take_in("kind,legal_name,ssh_keys\nindividual,Eve Example,no key\nindividual,Ida Example,\n")

    assert (told.new, told.refused) == (1, 1)
    assert Account.objects.get().party.legal_name == "Ida Example"


def take_in(rows: str):
    stream = io.BytesIO(rows.encode())
    return customer_files.take_in_file(stream, most_rows=10, keep_good_rows=True, by=SCHEDULER, at=NOON)
