import pytest
from django.urls import reverse

from cases.models import Case
from tests.cases.builders import make_case, make_open_account

pytestmark = pytest.mark.django_db
ADD = reverse("admin:cases_case_add")
LIST = reverse("admin:cases_case_changelist")


def send(client, account, **changes):
    return client.post(ADD, {"accounts": account.reference, "kind": "red_flag", "about": "", "title": "", **changes})


class TestOpenCase:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("analyst_user", 200), ("lead_user", 200), ("counsel_user", 403), ("auditor_user", 403)],
    )
    def test_it_is_for_reviewers(self, client, request, who, status):
        client.force_login(request.getfixturevalue(who))

        assert client.get(ADD).status_code == status
        assert ("Open case" in client.get(LIST).content.decode()) == (status == 200)

    def test_it_opens_a_case_with_words_of_the_list(self, client, analyst_user):
        one, two = make_open_account(), make_open_account()
        client.force_login(analyst_user)

        answer = send(client, one, accounts=f"{one.reference.lower()}, {two.reference}", about="hint")

        case = Case.objects.get()
        assert answer.url == reverse("admin:cases_case_change", args=[case.pk])
        assert (case.kind, case.title) == ("red_flag", "Hint from outside")
        assert case.subjects.count() == 2

    def test_ones_own_line_stands_instead_of_the_words(self, client, analyst_user):
        client.force_login(analyst_user)

        send(client, make_open_account(), kind="abuse", about="spam", title="Botnet reported by a network")

        assert (Case.objects.get().kind, Case.objects.get().title) == ("abuse", "Botnet reported by a network")

    def test_it_is_shown_as_opened_by_hand(self, client, analyst_user):
        client.force_login(analyst_user)
        answer = send(client, make_open_account(), about="hint")

        shown = client.get(answer.url).content.decode()

        assert "Somebody opened this case by hand" in shown

    def test_it_says_that_the_line_holds_no_personal_data(self, client, analyst_user):
        client.force_login(analyst_user)

        shown = client.get(ADD).content.decode()

        assert "at most 200 characters" in shown and "No personal data" in shown

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({}, "Say what the case is about"),
            ({"about": "hint", "kind": ""}, "This field is required"),
            ({"about": "hint", "kind": "legal"}, "Select a valid choice"),
            ({"about": "hint", "accounts": "ACC-0000-0000"}, "No account has the reference “ACC-0000-0000”"),
            ({"about": "hint", "accounts": ""}, "This field is required"),
            ({"title": "x" * 201}, "at most 200 characters"),
            ({"title": "Mail of a@b.example"}, "holds a name or an address"),
        ],
    )
    def test_it_says_what_is_wrong_and_opens_nothing(self, client, analyst_user, changes, fault):
        client.force_login(analyst_user)

        answer = send(client, make_open_account(), **changes)

        assert fault in answer.content.decode()
        assert not Case.objects.exists()

    def test_it_joins_nothing(self, client, analyst_user):
        account = make_open_account()
        make_case(account)
        client.force_login(analyst_user)

        send(client, account, about="hint")

        assert Case.objects.filter(subjects__account=account).count() == 2
