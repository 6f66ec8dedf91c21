"""Every button and form with keys of other records, fields it never asked for, odd parameters (TH3, TH5, F5).

Trust.md 2.2: three of three such writes went through a stock admin.
"""

import re

import pytest
from django import forms
from django.contrib import admin
from django.db import connection, models, transaction

from accounts.models import Discrepancy, IdentityDocument, OwnershipStake, Party, PaymentMethod, Restriction
from cases.models import Case, LegalRequest
from cases.models.case import CaseKind
from kyc_portal.records.models import LegalHold
from kyc_portal.staff.models import StaffMember
from resellers.models import ResellerManager
from tests.bad_input.doors import Writes, buttons, path_of
from tests.bad_input.test_every_button import good_value
from tests.matrix.worlds import EVERYTHING, MANAGER_A, MANAGER_B, Matrix, reseller_b

pytestmark = pytest.mark.django_db
POINTED_AT = (
    Restriction, Party, IdentityDocument, Discrepancy, PaymentMethod, OwnershipStake, ResellerManager, Case,
    StaffMember,
)  # fmt: skip
SENTINEL, SENT_NUMBER = "Sentinel7", 7070707
# What differs from one act to the next: moments, keys, references, bytes.
VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d+:Z]*|[0-9a-f]{32,}|[0-9a-f]{8}-[0-9a-f-]{27}"
    r"|[A-Z]{3}(?:-[A-Z0-9]{4}){2,3}|![A-Za-z0-9]{40}"
    r"|(?<=['a-z ])(?!7070707')\d+(?=')|md5\$\w+\$|(?<=kyc-portal/audit).*"
)
PLAIN = (str, bool, int, type(None))
every_button = pytest.mark.parametrize(
    ("model", "name"), buttons(), ids=lambda part: part if isinstance(part, str) else part._meta.model_name
)


class Written:
    """The statements that change something, with their values but for what differs from one act to the next."""

    def __init__(self):
        self.statements = []

    def __call__(self, execute, sql, params, many, context):
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and "django_session" not in sql:
            self.statements.append((sql, VOLATILE.sub("", repr([_plain(value) for value in params or ()]))))
        return execute(sql, params, many, context)


def _plain(value):
    """Keys that are counted up and sealed bytes differ each time; a number somebody sent shows as what it is."""
    is_counted = isinstance(value, int) and not isinstance(value, bool) and value != SENT_NUMBER
    return "" if is_counted or isinstance(value, bytes | memoryview) or not isinstance(value, PLAIN) else value


@pytest.fixture
def door(matrix, rf):
    """Gives the browser of somebody with every right and the address of a button on a row it fits."""
    request = rf.get("/")
    request.user = matrix.users[EVERYTHING]
    return lambda model, name: (matrix.browsers[EVERYTHING], path_of(model, name, request))


def post(browser, path: str, data: dict):
    """(answer, what it wrote) of one POST that is then undone."""
    written = Written()
    with transaction.atomic():
        with connection.execute_wrapper(written):
            answer = browser.post(path, data)
        transaction.set_rollback(True)
    return answer, written.statements


def fields_of(browser, path: str) -> dict[str, forms.Field]:
    return browser.get(path).context["form"].fields


class TestForeignKeys:
    @every_button
    def test_no_choice_takes_the_key_of_a_record_it_did_not_offer(self, door, model, name):
        browser, path = door(model, name)
        fields = fields_of(browser, path)
        good = {each: good_value(each, field) for each, field in fields.items()}

        choices = [each for each, field in fields.items() if isinstance(field, forms.ChoiceField)]
        offered = {str(code) for each in choices for code, _ in fields[each].choices}
        for pointed in POINTED_AT if choices else ():
            keys = {str(key) for key in pointed._base_manager.values_list("pk", flat=True)}
            answer, written = post(browser, path, good | dict.fromkeys(choices, min(keys - offered)))
            assert (answer.status_code, written) == (200, []), pointed
            assert set(choices) <= set(answer.context["form"].errors), pointed

    @pytest.mark.parametrize(
        ("who", "path", "field"),
        [
            ("reseller desk", "/admin/resellers/reseller/add/", "account"),
            ("reviewer", "/admin/cases/case/add/", "accounts"),
        ],
    )
    def test_a_reference_of_what_is_hidden_is_answered_like_one_of_nothing(self, matrix, who, path, field):
        hidden = [
            Case.objects.filter(kind=CaseKind.LEGAL).first().reference, LegalRequest.objects.first().reference,
            LegalHold.objects.first().reference,
        ]  # fmt: skip

        for reference in hidden:
            nothing = f"{reference[:4]}2222-2222"
            told = [
                str(matrix.browsers[who].post(path, {field: each}).context["form"].errors[field]).replace(each, "REF")
                for each in (reference, nothing)
            ]
            assert told[0] == told[1]

    @pytest.mark.parametrize(("who", "action"), [("reviewer", "take"), ("lead reviewer", "assign")])
    def test_a_list_action_does_not_reach_a_hidden_row(self, matrix, who, action):
        keys = [str(case.pk) for case in Case.objects.filter(kind=CaseKind.LEGAL)]
        form = {"action": action, "_selected_action": keys, "confirmed": "1", "index": "0", "to": f"one.{who}"}

        answer, written = post(matrix.browsers[who], "/admin/cases/case/?queue=all", form)

        assert answer.status_code in (200, 302) and written == []

    def test_a_list_action_takes_the_chosen_row_it_may(self, matrix):
        """The test above proves nothing if no action ever did anything."""
        case = Case.objects.exclude(kind=CaseKind.LEGAL).filter(status="open").first()
        form = {"action": "take", "_selected_action": [str(case.pk)], "confirmed": "1", "index": "0"}

        _, written = post(matrix.browsers["reviewer"], "/admin/cases/case/?queue=all", form)

        assert "cases_assignment" in str(written)


def surplus_of(model: type[models.Model]) -> dict[str, str]:
    """A value for every column there is, of this record and of those a person may hope to reach through it."""
    odd = {
        "BooleanField": "on",
        "DateTimeField": "2001-01-01 00:00",
        "DateField": "2001-01-01",
        "IntegerField": f"{SENT_NUMBER}",
    }
    extra = {}
    for each in (model, *(field.related_model for field in model._meta.concrete_fields if field.is_relation)):
        for field in each._meta.concrete_fields:
            extra[field.name] = extra[field.attname] = _odd_value(field, odd)
    known = {"by": "somebody", "at": "2001-01-01", "is_superuser": "on", "is_staff": "on", "groups": "1", "_save": "1"}
    return extra | known | {"_popup": "1", "_to_field": "id", "_selected_action": "1", "related": "1"}


def _odd_value(field: models.Field, odd: dict[str, str]) -> str:
    if field.is_relation:
        row = field.related_model._base_manager.order_by("-pk").first()
        return str(row.pk) if row else "1"
    if field.choices:
        return str(field.choices[-1][0])
    return odd.get(field.get_internal_type(), SENTINEL)


class TestUnlistedFields:
    @every_button
    def test_neither_other_fields_nor_doubled_ones_change_what_is_written(self, door, model, name):
        browser, path = door(model, name)
        fields = fields_of(browser, path)
        good = {each: good_value(each, field) for each, field in fields.items()}
        extra = {each: value for each, value in surplus_of(model).items() if each not in fields}
        doubled = {each: value if isinstance(value, list) else [value, value] for each, value in good.items()}

        plain, written = post(browser, path, good)
        loaded, with_extra = post(browser, path, good | extra)
        twice, with_doubled = post(browser, path, doubled)

        assert loaded.status_code == twice.status_code == plain.status_code
        assert with_extra == written and with_doubled == written
        assert "opener" not in loaded.content.decode()
        assert SENTINEL not in str(written) and str(SENT_NUMBER) not in str(written)

    def test_th5_a_manager_gains_nothing_through_their_password_form(self, matrix):
        user, new = matrix.users[MANAGER_A], "another horse 77"
        before = StaffMember.objects.values().get(pk=user.pk)
        form = {
            "old_password": "correct horse battery", "new_password1": new, "new_password2": new, "time_zone": "UTC7",
            "is_staff": "on", "is_superuser": "on", "groups": "1", "username": SENTINEL, "email": SENTINEL,
            "reseller": str(reseller_b().pk), "user": str(matrix.users[MANAGER_B].pk), "parent": "1",
        }  # fmt: skip
        with transaction.atomic():
            answer = matrix.browsers[MANAGER_A].post("/resellers/password/", form)
            after = StaffMember.objects.values().get(pk=user.pk)
            transaction.set_rollback(True)

        assert answer.status_code == 302
        assert {name for name in after if after[name] != before[name]} == {"password", "sessions_ended"}


class TestLists:
    """Queries of the stock admin's lists over real rows (row F5, trust.md 2.2)."""

    QUERIES = (
        "o=1.-2.3", "o=99.-99", "o=1e9", "p=-1", "p=1000000000", "p=1e9", "all=", "q=Canary%25_(", "id__regex=.*",
        "reference__regex=(a%2B)%2B%24", "account__party__national_id__regex=A", "party__national_id__startswith=.",
        "_popup=1&_to_field=password", "_facets=True&e=1", "status__exact=open&status__exact=closed&p=1&p=2",
    )  # fmt: skip

    @pytest.mark.parametrize(
        "model", sorted(admin.site._registry, key=lambda model: model._meta.label), ids=lambda model: model._meta.label
    )
    def test_f5_a_list_answers_each_and_writes_nothing(self, matrix: Matrix, model):
        browser, path = matrix.browsers[EVERYTHING], f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        writes = Writes()

        for query in self.QUERIES:
            with connection.execute_wrapper(writes):
                answer = browser.get(f"{path}?{query}")
            assert answer.status_code in (200, 302, 400), query
            assert "regex" not in query or answer.status_code != 200, query
            assert "national_id" not in query or answer.status_code != 200, query
        assert writes.count == 0
