"""Every button and every form that adds a row, with bad text, days, numbers and choices (rows A18, C2-C11, D2-D6, E12).

A form that refuses writes nothing and says so at the form, repeating at most 80 characters; a form that accepts stores
nothing that PostgreSQL would refuse, and the page it leads to shows markup as text.
"""

import re

import pytest
from django import forms
from django.db import connection, transaction
from django.test import RequestFactory, override_settings

from accounts.models import Account
from tests.bad_input.doors import CARD, Writes, all_rights, buttons, logged_in, make_one_of_each, misfits, path_of
from tests.conftest import one_world
from tests.kyc_portal.staff.worlds import digest_of_all_rows

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("every button")]  # one world in one process
MARKUP = "<script>alert(1)</script>{{7*7}}{% raw %}${7*7}%s%n"

# Each kind of field and what it gets, by the name of the attack; "ok" values go through all other fields.
BAD = {
    "c3_nul": {"text": "a\x00b", "choice": "\x00", "day": "\x00", "number": "\x00"},
    "c5_shows_nothing": {"text": "\u200b\u200b", "choice": "", "day": "\u200b", "number": "\u200b"},
    "c8_stacked_marks": {"text": "e" + "\u0301" * 300, "day": "2023-02-29", "number": "NaN"},
    "c9_too_long": {"text": "x" * 20_000, "choice": "x" * 20_000, "day": "x" * 20_000, "number": "x" * 20_000},
    "b19_direction": {"text": "a\u202egnp.exe", "choice": "\u202e", "day": "２０２６-０３-０２", "number": "-1"},
    "d6_control": {"text": "\x1b[31m\r\nBcc: x@y.example", "choice": "\x1b", "day": "02/03/2024", "number": "1e400"},
    "d3_edges": {"day": "0001-01-01", "number": "0.00001"},
    "d3_last_day": {"day": "9999-12-31", "number": "100.0001"},
    "c11_markup": {"text": MARKUP},
    "a18_formula": {"text": "=cmd|' /C calc'!A0"},
    "c12_sql": {"text": "' OR 1=1--%_\\"},
    "c14_other_scripts": {"text": "İstanbul ı ß ς 😀 e\u0301 \uffff"},
    "e12_card": {"text": f"paid with {CARD} twice"},
}
REFUSED = ("c3_nul", "c9_too_long", "b19_direction", "d6_control")
GOOD = {
    "accounts": lambda: Account.objects.first().reference, "account": lambda: Account.objects.first().reference,
    "references": lambda: Account.objects.first().reference, "username": lambda: "somebody.new",
    "to": lambda: "all.rights", "user": lambda: "manager.a",
    "last_four": lambda: "4242", "email": lambda: "new@provider.example", "phone": lambda: "+49 30 901820",
    "mrz": lambda: "", "reference": lambda: "", "birth_date": lambda: "", "formation_country": lambda: "",
    "effective_from": lambda: "2027-01-01", "until": lambda: "2027-01-01", "last_day": lambda: "2027-01-01",
    "value": lambda: "+49 30 901820",
}  # fmt: skip


def kind_of(field: forms.Field) -> str:
    """Which column of BAD a field takes its value from; "" for boxes and files."""
    if isinstance(field, forms.DateField):
        return "day"
    if isinstance(field, forms.DecimalField):
        return "number"
    if isinstance(field, forms.ChoiceField):
        return "choice"
    return "text" if isinstance(field, forms.CharField) else ""


def good_value(name: str, field: forms.Field):
    """What a form takes without complaint, as far as the form alone can tell."""
    if name in GOOD:
        return GOOD[name]()
    if isinstance(field, forms.ChoiceField):
        codes = [str(code) for code, _ in field.choices if code]
        return codes[:1] if isinstance(field, forms.MultipleChoiceField) else "".join(codes[:1])
    fits = {"day": "2026-03-01", "number": "10", "text": "Text"}
    return fits.get(kind_of(field), "on" if isinstance(field, forms.BooleanField) else "")


def messages_of(answer) -> str:
    """Everything a form says is wrong."""
    data = answer.context["form"].errors.as_data()
    return " ".join(line for errors in data.values() for error in errors for line in error.messages)


@pytest.fixture(scope="module")
def portal(django_db_setup, django_db_blocker, tmp_path_factory):
    """One world for all buttons: each test undoes what it did."""
    folder = tmp_path_factory.mktemp("every-button")
    places = override_settings(PRIVATE_DIR=folder / "private", BUNDLE_DIR=folder / "bundles")
    with places, one_world(django_db_blocker):
        user = all_rights()
        make_one_of_each(folder, user)
        request = RequestFactory().get("/")
        request.user = user
        yield logged_in(user), request, digest_of_all_rows()


def send(client, path: str, fields: dict, given: dict) -> tuple[object, int, list[str], str]:
    """Post once and undo it: (answer, statements that wrote, texts that would not fit, the digest if any wrote)."""
    writes = Writes()
    savepoint = transaction.savepoint()
    try:
        with connection.execute_wrapper(writes):
            answer = client.post(path, {**{name: good_value(name, field) for name, field in fields.items()}, **given})
        wrong = misfits() if answer.status_code == 302 else []
        digest = digest_of_all_rows() if writes.count and answer.status_code != 302 else ""
        page = client.get(answer.url).content.decode() if answer.status_code == 302 else ""
        return answer, page, wrong, digest
    finally:
        transaction.savepoint_rollback(savepoint)


@pytest.mark.parametrize(
    ("model", "name"), buttons(), ids=lambda part: part if isinstance(part, str) else part._meta.model_name
)
def test_bad_values_are_said_at_the_form_or_stored_inert(portal, model, name):
    client, request, before = portal
    path = path_of(model, name, request)
    fields = client.get(path).context["form"].fields

    for attack, values in BAD.items():
        given = {each: values[kind] for each, field in fields.items() if (kind := kind_of(field)) in values}
        if not given:
            continue
        answer, page, wrong, digest = send(client, path, fields, given)

        assert answer.status_code in (200, 302), (attack, answer.status_code)
        assert wrong == [], attack
        assert "<script>alert(1)" not in page, attack
        if answer.status_code == 302:
            assert attack not in REFUSED or set(map(kind_of, fields.values())) <= {"", "choice"}, attack
        else:
            said = messages_of(answer)
            assert said and digest in ("", before), attack
            assert not re.search(r"x{81}|[\x00\x1b\u202e]", said), attack
            assert "<script>alert(1)" not in answer.content.decode(), attack


@pytest.mark.parametrize("attack", [name for name, values in BAD.items() if "text" in values])
def test_one_bad_text_alone_is_judged_by_the_flow_too(portal, attack):
    """With all else right, the value reaches the flow; it must not fall over what the form let pass."""
    client, request, before = portal
    wanted = (("party", "add_payment"), ("verification", "find_discrepancy"), ("case", "log_request"))
    for model, name in buttons():
        if (model._meta.model_name, name) not in wanted:
            continue
        path = path_of(model, name, request)
        fields = client.get(path).context["form"].fields
        for each, field in fields.items():
            if kind_of(field) == "text":
                answer, _, wrong, digest = send(client, path, fields, {each: BAD[attack]["text"]})

                assert answer.status_code in (200, 302), (name, each)
                assert wrong == [] and digest in ("", before), (name, each)
                if attack in REFUSED:
                    assert answer.status_code == 200 and messages_of(answer), (name, each)
